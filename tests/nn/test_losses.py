"""Losses of equally shaped arrays: torch's numbers, every device, no broadcasting."""

import math

import numpy as np
import oracles
import pytest
from numpy.random import default_rng
from numpy.testing import assert_allclose, assert_array_equal

import isograd as ig
from isograd.backend.dtypes import tolerance
from isograd.backend.errors import (
    DeviceError,
    DomainError,
    DtypeError,
    EmptyReductionError,
    HyperparameterError,
    ShapeError,
)
from isograd.nn.activation import sigmoid
from isograd.nn.focal import smooth_l1
from isograd.nn.loss_layers import BCELoss, BCEWithLogitsLoss, HuberLoss, L1Loss, MSELoss
from isograd.nn.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    huber,
    l1,
    mse,
)

BY_TORCH_NAME = {
    "mse_loss": mse,
    "l1_loss": l1,
    "huber_loss": huber,
    "smooth_l1_loss": smooth_l1,
    "binary_cross_entropy": binary_cross_entropy,
    "binary_cross_entropy_with_logits": binary_cross_entropy_with_logits,
}
LOSSES = list(BY_TORCH_NAME.values())
TORCH_CASES = {
    name: case
    for name, case in oracles.torch_numbers()["losses"].items()
    if case["loss"] in BY_TORCH_NAME
}

each_loss = pytest.mark.parametrize("loss", LOSSES, ids=str)
each_reduction = pytest.mark.parametrize("reduction", ["mean", "sum", "none"])


def probabilities(shape, seed, dtype="float64"):
    """Numbers in (0, 1), which every loss takes."""
    return default_rng(seed).uniform(0.05, 0.95, shape).astype(dtype)


def of_case(setting):
    """A setting as the losses take it: an array, or a number."""
    return np.array(setting) if isinstance(setting, np.ndarray) else setting


@each_reduction
@pytest.mark.parametrize("name", TORCH_CASES)
def test_value_and_gradient_agree_with_torch(name, reduction):
    case = TORCH_CASES[name]
    loss, expected = BY_TORCH_NAME[case["loss"]], case[reduction]
    prediction = ig.Tensor(np.array(case["prediction"]), requires_grad=True)
    settings = {name: of_case(value) for name, value in case["settings"].items()}
    y = loss(prediction, case["target"], reduction=reduction, **settings)
    y.backward(np.array(expected["dy"]))
    assert_allclose(y.data, expected["value"], rtol=1e-12, atol=0)
    assert_allclose(prediction.grad, expected["dprediction"], rtol=1e-12, atol=0)


@each_reduction
@each_loss
def test_every_device_gives_the_numbers_of_numpy_in_the_dtype_of_the_arguments(
    loss, reduction, device
):
    p, t = probabilities((5, 3), 0, "float32"), probabilities((5, 3), 1, "float32")
    prediction = ig.Tensor(ig.array(p), requires_grad=True)
    y = loss(prediction, ig.array(t), reduction=reduction)
    (y if reduction != "none" else y.sum()).backward()
    assert ig.device_of(y) == ig.device_of(prediction.grad) == ig.current_device()
    expected = loss(p.astype("float64"), t.astype("float64"), reduction=reduction)
    dprediction = ig.grad(lambda x: loss(x, t.astype("float64"), reduction="sum"))(
        p.astype("float64")
    )
    dprediction = dprediction / p.size if reduction == "mean" else dprediction
    close = tolerance("float32")
    for actual, wanted in ((y.data, expected), (prediction.grad, dprediction)):
        assert ig.to_numpy(actual).dtype == np.float32
        assert_allclose(ig.to_numpy(actual), wanted, rtol=close.rtol, atol=close.atol)


@each_reduction
@each_loss
def test_both_arguments_have_first_and_second_derivatives(loss, reduction):
    p, t = probabilities((2, 3), 2), probabilities((2, 3), 3)
    ig.check_gradients(lambda p, t: loss(p, t, reduction=reduction), p, t, order=2)


def test_huber_has_both_derivatives_beyond_delta_too():
    p, t = np.array([3.0, -4.0, 0.2]), np.zeros(3)
    ig.check_gradients(lambda p, t: huber(p, t, delta=0.5), p, t, order=2)


@each_loss
def test_plain_arrays_give_a_plain_scalar_and_its_rule_may_be_called_directly(loss):
    p, t = probabilities((4,), 4), probabilities((4,), 5)
    y = loss(p, t)
    assert not isinstance(y, ig.Tensor)
    assert y.shape == ()
    dp, dt = loss.backward(np.array(1.0), p, t)
    assert_allclose(dp, oracles.central_differences(lambda x: loss(x, t), p), rtol=1e-7)
    assert_allclose(dt, oracles.central_differences(lambda x: loss(p, x), t), rtol=1e-7)


@each_loss
@pytest.mark.parametrize(("shape", "target_shape"), [((4,), (4, 1)), ((4, 1), (4,))])
def test_a_column_is_never_broadcast_against_a_row(loss, shape, target_shape, device):
    prediction, target = ig.array(np.full(shape, 0.5)), ig.array(np.full(target_shape, 0.5))
    with pytest.raises(ShapeError) as caught:
        loss(ig.Tensor(prediction, requires_grad=True), target)
    message = str(caught.value)
    assert message.startswith(f"{loss}: prediction and target must have the same shape")
    assert str(shape) in message
    assert str(target_shape) in message
    assert f"reshape(target, {shape})" in message


@each_loss
@pytest.mark.parametrize("target_shape", [(3,), (1, 3), (4, 1), ()])
def test_shapes_that_broadcast_otherwise_are_refused_too(loss, target_shape):
    with pytest.raises(ShapeError, match="never broadcasts"):
        loss(probabilities((4, 3), 0), probabilities(target_shape, 0))


@each_loss
def test_two_dtypes_are_refused_with_the_cast_that_helps(loss, device):
    prediction = ig.array(probabilities((4,), 0, "float32"))
    target = ig.array(probabilities((4,), 0, "float64"))
    with pytest.raises(DtypeError, match=r"target must be float32 .*xp\.astype\(target, xp\.fl"):
        loss(prediction, target)


@each_loss
def test_integers_and_lists_are_refused(loss):
    integers, floats = np.array([0, 1]), np.array([0.5, 0.5])
    with pytest.raises(DtypeError, match="prediction must be floating, got int64"):
        loss(integers, integers)
    with pytest.raises(DtypeError, match="target must be float64 like prediction, got int64"):
        loss(floats, integers)
    with pytest.raises(DtypeError, match=r"target must be an array, got list.*isograd\.array"):
        loss(floats, [0.5, 0.5])


@each_loss
@pytest.mark.parametrize(("one", "other"), [("cpu", "strict"), ("strict:cpu", "strict:device1")])
def test_two_devices_are_refused_by_name(loss, one, other):
    pytest.importorskip("array_api_strict")
    prediction = ig.array([0.5, 0.5], device=one)
    target = ig.array([0.5, 0.5], device=other)
    with pytest.raises(DeviceError, match=f"^{loss}: .*{one}.* and strict:"):
        loss(ig.Tensor(prediction, requires_grad=True), target)


@each_loss
def test_the_mean_over_nothing_is_refused_and_the_sum_is_zero(loss, device):
    empty = ig.array(np.zeros((0, 3), "float32"))
    with pytest.raises(EmptyReductionError, match=r"at least one term, got shape \(0, 3\)"):
        loss(empty, empty)
    assert float(loss(empty, empty, reduction="sum")) == 0.0
    assert loss(empty, empty, reduction="none").shape == (0, 3)


@each_loss
def test_an_unknown_reduction_is_refused(loss):
    with pytest.raises(HyperparameterError, match="one of mean, sum, none, got 'average'"):
        loss(np.array([0.5]), np.array([0.5]), reduction="average")


@pytest.mark.parametrize("delta", [0.0, -1.0, math.nan, math.inf])
def test_a_delta_of_no_use_is_refused(delta):
    with pytest.raises(HyperparameterError, match="huber: delta must be positive"):
        huber(np.array([0.5]), np.array([0.5]), delta=delta)
    with pytest.raises(HyperparameterError, match="HuberLoss: delta must be positive"):
        HuberLoss(delta=delta)


def test_huber_is_half_the_squared_error_below_delta_and_linear_beyond():
    t = np.zeros(2)
    assert float(huber(np.array([1.0, -2.0]), t, delta=10.0)) == 0.5 * 2.5
    assert float(huber(np.array([3.0, -3.0]), t, delta=1.0)) == 2.5


def test_l1_has_derivative_zero_where_prediction_and_target_are_equal():
    dprediction = ig.grad(l1)(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    assert_array_equal(dprediction, [0.0, 0.5])


def test_logits_give_the_loss_of_their_probabilities():
    x, t = default_rng(6).normal(0, 3, (6, 2)), probabilities((6, 2), 7)
    from_logits = binary_cross_entropy_with_logits(x, t)
    assert_allclose(from_logits, binary_cross_entropy(sigmoid(x), t), rtol=1e-13)


def test_the_loss_of_a_tiny_probability_keeps_its_digits():
    p, no, yes = np.array([1e-20]), np.zeros(1), np.ones(1)
    assert_allclose(binary_cross_entropy(p, no), 1e-20, rtol=1e-15)
    assert_allclose(binary_cross_entropy(p, yes), 20 * math.log(10.0), rtol=1e-15)


def test_extreme_logits_give_exact_losses_and_gradients(device):
    logits = ig.array([1e4, -1e4, 1e4, -1e4], dtype="float32")
    target = ig.array([1.0, 0.0, 0.0, 1.0], dtype="float32")
    x = ig.Tensor(logits, requires_grad=True)
    y = binary_cross_entropy_with_logits(x, target, reduction="none")
    y.backward(ig.array([1.0, 1.0, 1.0, 1.0]))
    assert_array_equal(ig.to_numpy(y.data), [0.0, 0.0, 1e4, 1e4])
    assert_array_equal(ig.to_numpy(x.grad), [0.0, 0.0, 1.0, -1.0])


@pytest.mark.parametrize("wrong", [-0.1, 1.5, math.nan])
def test_a_probability_out_of_range_is_refused_with_the_loss_that_takes_logits(wrong, device):
    p = ig.array([0.5, wrong], dtype="float32")
    with pytest.raises(DomainError, match=r"in \[0, 1\].*binary_cross_entropy_with_logits"):
        binary_cross_entropy(p, ig.array([1.0, 0.0], dtype="float32"))


@pytest.mark.parametrize(
    ("layer", "loss", "settings"),
    [
        (MSELoss(), mse, {}),
        (L1Loss("sum"), l1, {"reduction": "sum"}),
        (HuberLoss(delta=0.1), huber, {"delta": 0.1}),
        (BCELoss(reduction="none"), binary_cross_entropy, {"reduction": "none"}),
        (BCEWithLogitsLoss(), binary_cross_entropy_with_logits, {}),
    ],
    ids=lambda x: type(x).__name__ if hasattr(x, "forward") else "",
)
def test_a_layer_is_its_function_with_the_settings_kept(layer, loss, settings):
    p, t = probabilities((4, 2), 8), probabilities((4, 2), 9)
    assert_array_equal(layer(p, t), loss(p, t, **settings))
    assert layer.parameters() == []


@each_reduction
def test_binary_losses_have_derivatives_with_respect_to_their_weights_too(reduction):
    p, t = probabilities((2, 3), 10), probabilities((2, 3), 11)
    w, q = probabilities((2, 3), 12), probabilities((3,), 13)
    ig.check_gradients(lambda *xs: binary_cross_entropy(*xs, reduction=reduction), p, t, w)
    f = binary_cross_entropy_with_logits
    ig.check_gradients(lambda *xs: f(*xs, reduction=reduction), p, t, w, q)


def test_binary_layers_keep_their_weights():
    p, t, w, q = (probabilities((3,), seed) for seed in range(4))
    assert_array_equal(BCELoss(w)(p, t), binary_cross_entropy(p, t, w))
    layer = BCEWithLogitsLoss(w, pos_weight=q)
    assert_array_equal(layer(p, t), binary_cross_entropy_with_logits(p, t, w, q))
    assert set(layer.state_dict()) == {"weight", "pos_weight"}


@pytest.mark.parametrize("shape", [(2,), (3, 2, 3), (4, 3)])
@pytest.mark.parametrize("name", ["weight", "pos_weight"])
def test_a_weight_that_would_broadcast_the_loss_is_refused(name, shape):
    p = probabilities((2, 3), 0)
    with pytest.raises(ShapeError, match=rf"{name} must broadcast to the shape \(2, 3\)"):
        binary_cross_entropy_with_logits(p, p, **{name: np.ones(shape)})


def test_a_layer_refuses_an_unknown_reduction_when_it_is_made():
    with pytest.raises(HyperparameterError, match="MSELoss: reduction must be one of"):
        MSELoss("average")
