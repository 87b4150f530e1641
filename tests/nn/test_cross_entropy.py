"""cross_entropy: torch's numbers by kernel and by definition, labels checked alike everywhere."""

import math
import tracemalloc

import numpy as np
import oracles
import pytest
from numpy.random import default_rng
from numpy.testing import assert_allclose, assert_array_equal

import isograd as ig
from isograd.backend.dtypes import tolerance
from isograd.backend.errors import (
    DeviceError,
    DtypeError,
    EmptyReductionError,
    HyperparameterError,
    LabelError,
    NotDifferentiableError,
    ShapeError,
)
from isograd.nn.cross_entropy import (
    cross_entropy,
    cross_entropy_of_labels,
    cross_entropy_of_probabilities,
)
from isograd.nn.loss_layers import CrossEntropyLoss

TORCH_CASES = {
    name: case
    for name, case in oracles.torch_numbers()["losses"].items()
    if case["loss"] == "cross_entropy"
}
LOGITS = default_rng(0).normal(0.0, 2.0, (5, 4))
LABELS = np.array([0, 3, 1, 1, 2])
PROBABILITIES = default_rng(1).dirichlet(np.ones(4), 5)
WEIGHT = np.array([0.5, 2.0, 1.0, 0.25])
ONE_HOT = np.eye(4)[LABELS]

each_reduction = pytest.mark.parametrize("reduction", ["mean", "sum", "none"])


@each_reduction
@pytest.mark.parametrize("name", TORCH_CASES)
def test_value_and_gradient_agree_with_torch(name, reduction):
    case, settings = TORCH_CASES[name], dict(TORCH_CASES[name]["settings"])
    expected = case[reduction]
    logits = ig.Tensor(np.array(case["prediction"]), requires_grad=True)
    y = cross_entropy(logits, case["target"], reduction=reduction, **settings)
    y.backward(np.array(expected["dy"]))
    assert_allclose(y.data, expected["value"], rtol=1e-12, atol=0)
    assert_allclose(logits.grad, expected["dprediction"], rtol=1e-12, atol=0)


@each_reduction
def test_the_kernel_gives_the_numbers_of_the_definition(reduction):
    def value_and_gradient(loss, *settings, **options):
        logits = ig.Tensor(LOGITS, requires_grad=True)
        y = loss(logits, LABELS, *settings, reduction=reduction, **options)
        y.backward(np.full(y.shape, 0.7))
        return y.data, logits.grad

    plain = {"label_smoothing": 0.0, "ignore_index": None}
    defined = value_and_gradient(cross_entropy_of_labels, None, **plain)
    for actual, expected in zip(value_and_gradient(cross_entropy), defined, strict=True):
        assert_allclose(actual, expected, rtol=1e-14, atol=1e-16)


@each_reduction
@pytest.mark.parametrize("kind", ["labels", "smooth labels", "probabilities"])
def test_every_device_gives_the_numbers_of_numpy_in_the_dtype_of_the_logits(
    kind, reduction, device
):
    targets = PROBABILITIES.astype("float32") if kind == "probabilities" else LABELS
    smoothing = 0.1 if kind == "smooth labels" else 0.0
    options = {"reduction": reduction, "label_smoothing": smoothing}
    logits = ig.Tensor(ig.array(LOGITS.astype("float32")), requires_grad=True)
    weight = ig.array(WEIGHT.astype("float32"))
    y = cross_entropy(logits, ig.array(targets), weight, **options)
    dy = np.linspace(0.5, 1.0, 5) if reduction == "none" else np.array(1.0)
    y.backward(ig.array(dy, dtype="float32"))
    assert ig.device_of(y) == ig.device_of(logits.grad) == ig.current_device()

    wide = targets if kind != "probabilities" else PROBABILITIES.astype("float32").astype("float64")
    value, pull = ig.vjp(
        lambda x: cross_entropy(x, wide, WEIGHT, **options), LOGITS.astype("float32").astype(float)
    )
    close = tolerance("float32")
    for actual, expected in ((y.data, value), (logits.grad, pull(dy)[0])):
        assert ig.to_numpy(actual).dtype == np.float32
        assert_allclose(ig.to_numpy(actual), expected, rtol=close.rtol, atol=close.atol)


@each_reduction
@pytest.mark.parametrize(
    ("targets", "settings"),
    [
        (LABELS, {}),
        (LABELS, {"weight": WEIGHT, "label_smoothing": 0.2, "ignore_index": 1}),
        (PROBABILITIES, {"weight": WEIGHT, "label_smoothing": 0.2}),
    ],
    ids=["labels", "labels with all settings", "probabilities"],
)
def test_logits_have_first_and_second_derivatives(targets, settings, reduction):
    def loss(x):
        return cross_entropy(x, targets, reduction=reduction, **settings)

    ig.check_gradients(loss, LOGITS, order=2)


def test_probabilities_have_derivatives():
    def loss(x, t):
        return cross_entropy(x, t, WEIGHT, label_smoothing=0.1)

    ig.check_gradients(loss, LOGITS, PROBABILITIES, order=2)


def test_class_weights_have_none_and_say_so():
    for targets in (LABELS, PROBABILITIES):
        with pytest.raises(NotDifferentiableError, match="no derivative with respect to weight"):
            cross_entropy(LOGITS, targets, ig.Tensor(WEIGHT, requires_grad=True))


def test_labels_and_their_one_hot_rows_give_the_same_loss():
    assert_allclose(cross_entropy(LOGITS, ONE_HOT), cross_entropy(LOGITS, LABELS), rtol=1e-15)


def test_equal_logits_cost_the_logarithm_of_the_number_of_classes(device):
    y = cross_entropy(ig.array(np.zeros((3, 10))), ig.array([0, 5, 9]))
    assert float(y) == pytest.approx(math.log(10.0), rel=1e-15)


def test_a_shift_of_a_row_changes_nothing():
    shift = np.array([[64.0], [-32.0], [0.0], [8.0], [-1024.0]])
    assert_allclose(
        cross_entropy(LOGITS + shift, LABELS), cross_entropy(LOGITS, LABELS), rtol=1e-12
    )


@pytest.mark.parametrize("smoothing", [0.0, 0.1], ids=["kernel", "definition"])
def test_extreme_logits_stay_finite_without_a_warning(smoothing, device):
    logits = np.array([[1e4, -1e4, 0.0], [-1e4, 1e4, 0.0]], "float32")
    x = ig.Tensor(ig.array(logits), requires_grad=True)
    y = cross_entropy(x, ig.array([0, 0]), label_smoothing=smoothing, reduction="sum")
    y.backward()
    assert float(y) == pytest.approx(2e4, rel=1e-6)  # 0 and 2e4 of the labels, 1e4 of all
    right = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    wanted = (1 - smoothing) * np.array([[1.0, 0, 0], [1.0, 0, 0]]) + smoothing / 3
    assert_allclose(ig.to_numpy(x.grad), right - wanted, atol=1e-6)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint64"])
def test_labels_of_every_integer_dtype_are_taken(dtype, device):
    if device.startswith("torch") and dtype == "uint64":
        pytest.skip("torch computes little with uint64")
    labels = ig.array(LABELS.astype(dtype))
    for smoothing in (0.0, 0.1):
        y = cross_entropy(ig.array(LOGITS), labels, label_smoothing=smoothing)
        expected = cross_entropy(LOGITS, LABELS, label_smoothing=smoothing)
        assert_allclose(float(y), float(expected), rtol=1e-14)


@pytest.mark.parametrize("targets", [LABELS[:4], PROBABILITIES[:4]], ids=["labels", "chances"])
def test_leading_axes_are_rows(targets):
    deep = targets.reshape(2, 2, *targets.shape[1:])
    logits = ig.Tensor(LOGITS[:4].reshape(2, 2, 4), requires_grad=True)
    y = cross_entropy(logits, deep, reduction="none")
    assert_array_equal(y.data, cross_entropy(LOGITS[:4], targets, reduction="none").reshape(2, 2))
    mean = cross_entropy(logits, deep)
    mean.backward()
    assert_allclose(float(mean), float(cross_entropy(LOGITS[:4], targets)), rtol=1e-15)
    expected = ig.grad(cross_entropy)(LOGITS[:4], targets)
    assert_allclose(logits.grad.reshape(4, 4), expected, rtol=1e-14, atol=1e-16)


def test_ignored_rows_have_no_gradient_and_do_not_count(device):
    labels = np.array([0, 9, 1, 9, 2])
    logits = ig.Tensor(ig.array(LOGITS), requires_grad=True)
    y = cross_entropy(logits, ig.array(labels), ignore_index=9)
    y.backward()
    kept = [0, 2, 4]
    assert_allclose(float(y), float(cross_entropy(LOGITS[kept], labels[kept])), rtol=1e-14)
    gradient = ig.to_numpy(logits.grad)
    assert_array_equal(gradient[[1, 3]], 0.0)
    assert_allclose(gradient[kept], ig.grad(cross_entropy)(LOGITS[kept], labels[kept]), rtol=1e-12)


@pytest.mark.parametrize(("wrong", "place"), [(7, 2), (4, 0), (-1, 4), (-100, 3)])
def test_a_label_out_of_range_is_the_same_error_on_every_device(wrong, place, device):
    labels = LABELS.copy()
    labels[place] = wrong
    message = rf"^cross_entropy: targets: .*in \[0, 4\), got {wrong} at position \({place},\)"
    by_definition = {"label_smoothing": 0.1}  # CuPy's kernel, which does not wait, tells it later
    for settings in (by_definition,) if device == "cuda" else ({}, by_definition):
        with pytest.raises(LabelError, match=message) as caught:
            cross_entropy(ig.array(LOGITS), ig.array(labels), **settings)
        assert "ignore_index=" in str(caught.value)


def test_a_label_out_of_range_deep_in_a_batch_is_named_by_its_place():
    labels = np.zeros((2, 3), "int64")
    labels[1, 2] = 4
    with pytest.raises(LabelError, match=r"got 4 at position \(1, 2\)"):
        cross_entropy(np.zeros((2, 3, 4)), labels)


@pytest.mark.parametrize(
    ("targets", "error", "message"),
    [
        (LABELS[:, None], ShapeError, r"got \(5, 1\); use reshape\(targets, \(5,\)\)"),
        (LABELS[:3], ShapeError, r"shape \(5,\) .* got \(3,\); give one label for each row"),
        (ONE_HOT.astype("int64"), ShapeError, "one-hot targets must be floating"),
        (
            LABELS.astype("float64"),
            DtypeError,
            r"labels must be integers, got float64; cast .*int64",
        ),
        (LABELS > 0, DtypeError, "labels must be integers, got bool"),
        (PROBABILITIES[:, :3], ShapeError, r"the shape \(5, 4\) of the logits, got \(5, 3\)"),
        (PROBABILITIES.astype("float32"), DtypeError, "targets must be float64 like logits"),
        (LABELS.tolist(), DtypeError, "targets must be an array, got list"),
    ],
)
def test_targets_that_do_not_fit_the_logits_are_refused(targets, error, message):
    with pytest.raises(error, match=message):
        cross_entropy(LOGITS, targets)


def test_logits_that_are_no_rows_of_floats_are_refused():
    with pytest.raises(ShapeError, match=r"logits\[None, :\]"):
        cross_entropy(LOGITS[0], np.array(0))
    with pytest.raises(DtypeError, match="logits must be floating, got int64"):
        cross_entropy(np.zeros((5, 4), "int64"), LABELS)


def test_weights_that_do_not_fit_the_classes_are_refused():
    with pytest.raises(ShapeError, match=r"shape \(4,\), got \(3,\)"):
        cross_entropy(LOGITS, LABELS, WEIGHT[:3])
    with pytest.raises(DtypeError, match="weight must be float64 like logits, got float32"):
        cross_entropy(LOGITS, LABELS, WEIGHT.astype("float32"))


@pytest.mark.parametrize(("one", "other"), [("cpu", "strict"), ("strict:cpu", "strict:device1")])
def test_two_devices_are_refused_by_name(one, other):
    pytest.importorskip("array_api_strict")
    with pytest.raises(DeviceError, match=f"^cross_entropy: .*{one}.* and strict:"):
        cross_entropy(ig.array(LOGITS, device=one), ig.array(LABELS, device=other))


@pytest.mark.parametrize(
    ("logits", "labels", "settings"),
    [
        (LOGITS[:0], LABELS[:0], {}),
        (LOGITS, np.full(5, -100), {"ignore_index": -100}),
        (LOGITS, np.full(5, 1), {"weight": np.array([1.0, 0.0, 1.0, 1.0])}),
    ],
    ids=["an empty batch", "all ignored", "no weight"],
)
def test_the_mean_over_nothing_is_refused_and_the_sum_is_zero(logits, labels, settings, device):
    settings = {k: ig.array(v) if k == "weight" else v for k, v in settings.items()}
    logits, labels = ig.array(logits), ig.array(labels)
    with pytest.raises(EmptyReductionError, match="the mean must be over at least one"):
        cross_entropy(logits, labels, **settings)
    assert float(cross_entropy(logits, labels, reduction="sum", **settings)) == 0.0


@pytest.mark.parametrize("smoothing", [-0.1, 1.5, math.nan])
def test_label_smoothing_out_of_range_is_refused(smoothing):
    for call in (cross_entropy, lambda *_, **settings: CrossEntropyLoss(**settings)):
        with pytest.raises(HyperparameterError, match=r"label_smoothing must be in \[0, 1\]"):
            call(LOGITS, LABELS, label_smoothing=smoothing)


def test_ignore_index_is_refused_with_probabilities():
    with pytest.raises(HyperparameterError, match="ignore_index must be left out"):
        cross_entropy(LOGITS, PROBABILITIES, ignore_index=0)


def test_backward_may_run_twice_over_a_kept_graph():
    logits = ig.Tensor(LOGITS, requires_grad=True)
    y = cross_entropy(logits, LABELS)
    y.backward(retain_graph=True)
    once = logits.grad.copy()
    y.backward()
    assert_array_equal(logits.grad, 2 * once)


def test_a_step_with_labels_makes_two_arrays_of_the_size_of_the_logits():
    logits = default_rng(2).normal(size=(500, 1000))
    labels = default_rng(3).integers(0, 1000, 500)
    x = ig.Tensor(logits, requires_grad=True)
    tracemalloc.start()
    cross_entropy(x, labels).backward()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2.1 * logits.nbytes


def test_the_layer_is_the_function_with_the_settings_kept():
    layer = CrossEntropyLoss(WEIGHT, ignore_index=3, label_smoothing=0.1)
    expected = cross_entropy(LOGITS, LABELS, WEIGHT, ignore_index=3, label_smoothing=0.1)
    assert_array_equal(layer(LOGITS, LABELS), expected)
    assert [name for name, _ in layer.named_buffers()] == ["weight"]


def test_the_rule_may_be_called_directly():
    dlogits, dtargets = cross_entropy.backward(np.array(1.0), LOGITS, PROBABILITIES)
    p = oracles.softmax(LOGITS)
    assert_allclose(dlogits, (p - PROBABILITIES) / 5, rtol=1e-12)
    assert_allclose(dtargets, -oracles.log_softmax(LOGITS) / 5, rtol=1e-12)
    of_probabilities = {"label_smoothing": 0.0, "reduction": "sum"}
    assert_allclose(
        cross_entropy_of_probabilities(LOGITS, PROBABILITIES, None, **of_probabilities),
        -np.sum(PROBABILITIES * oracles.log_softmax(LOGITS)),
        rtol=1e-14,
    )
