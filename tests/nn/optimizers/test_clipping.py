"""clip_grad_norm and clip_grad_value: against PyTorch, over arenas, and with bad gradients."""

import math

import numpy as np
import pytest
from oracles import clipped_by_norm, torch_numbers

import isograd as ig
from isograd import nn
from isograd.backend.errors import HyperparameterError, NonFiniteError

NUMBERS = torch_numbers()["clip_grad_norm"]


def tensors_with(gradients, dtype="float64", laid_out=True):
    """Parameters with these gradients, by name; in an optimizer's buffer if laid out."""
    zeros = {name: ig.array(np.zeros(dx.shape), dtype=dtype) for name, dx in gradients.items()}
    tensors = {name: nn.Parameter(values) for name, values in zeros.items()}
    optimizer = nn.SGD(tensors.values()) if laid_out else None
    for name, dx in gradients.items():
        p, dx = tensors[name], ig.array(dx, dtype=dtype)
        if laid_out:
            (p + 0.0).backward(dx)
        else:
            p.grad = dx
    return tensors, optimizer


def gradients_of(tensors):
    return {name: ig.to_numpy(p.grad).copy() for name, p in tensors.items()}


@pytest.mark.parametrize("laid_out", [True, False], ids=["arena", "by hand"])
@pytest.mark.parametrize("case", NUMBERS["cases"])
def test_norm_and_gradients_agree_with_torch(device, case, laid_out):
    case = NUMBERS["cases"][case]
    tensors, _keep = tensors_with(NUMBERS["gradients"], laid_out=laid_out)
    total = nn.clip_grad_norm(tensors.values(), case["max_norm"], float(case["norm_type"]))
    assert total == pytest.approx(float(case["total_norm"]), rel=1e-13)
    for name, dx in gradients_of(tensors).items():
        np.testing.assert_allclose(dx, case["after"][name], rtol=1e-13)


def test_the_norm_of_gradients_here_and_there_agrees_with_a_slow_loop(device):
    random = np.random.RandomState(3)
    here = {f"here {i}": random.randn(i + 1, 3) for i in range(4)}
    there = {f"there {i}": random.randn(2, i + 1) for i in range(2)}
    tensors, _keep = tensors_with(here)
    others, _ = tensors_with(there, laid_out=False)
    mixed = {**tensors, **others}
    expected, after = clipped_by_norm({**here, **there}, 0.5)
    assert nn.clip_grad_norm(mixed.values(), 0.5) == pytest.approx(expected, rel=1e-13)
    for name, dx in gradients_of(mixed).items():
        np.testing.assert_allclose(dx, after[name], rtol=1e-12)


def test_only_the_given_parameters_of_an_arena_count_and_change(device):
    gradients = {name: np.full(3, 4.0) for name in "abcd"}
    tensors, _keep = tensors_with(gradients)
    some = [tensors[name] for name in "abd"]
    assert nn.clip_grad_norm(some, 3.0) == pytest.approx(12.0)
    after = gradients_of(tensors)
    assert after["c"].tolist() == [4.0] * 3
    np.testing.assert_allclose(after["d"], 1.0, rtol=1e-6)


def test_parameters_without_a_gradient_do_not_count_though_the_buffer_still_holds_their_last():
    tensors, optimizer = tensors_with({name: np.full(3, 4.0) for name in "ab"})
    optimizer.zero_grad()
    tensors["a"].grad = np.full(3, 2.0)
    assert nn.clip_grad_norm(tensors.values(), 100.0) == pytest.approx(math.sqrt(12.0))
    optimizer.zero_grad()
    assert nn.clip_grad_norm(tensors.values(), 1.0) == 0.0


def test_gradients_below_the_bound_keep_their_bits():
    gradients = {"a": np.random.RandomState(0).randn(50)}
    tensors, _keep = tensors_with(gradients)
    nn.clip_grad_norm(tensors.values(), 1e3)
    assert np.array_equal(tensors["a"].grad, gradients["a"])


def test_a_gradient_outside_of_a_buffer_is_replaced_and_not_written_to():
    """It may be shared: both gradients of a + b are the same array."""
    shared = np.full(3, 4.0)
    first, second = (nn.Parameter(np.zeros(3)) for _ in range(2))
    first.grad = second.grad = shared
    nn.clip_grad_norm([first, second], 1.0)
    nn.clip_grad_value([first, second], 0.01)
    assert shared.tolist() == [4.0] * 3
    assert first.grad.tolist() == second.grad.tolist() == [0.01] * 3


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("clip", [nn.clip_grad_norm, nn.clip_grad_value])
@pytest.mark.parametrize("laid_out", [True, False], ids=["arena", "by hand"])
def test_a_bad_gradient_is_named_and_no_gradient_is_changed(clip, bad, laid_out):
    gradients = {name: np.full((2, 2), 3.0) for name in "abc"}
    gradients["b"][1, 0] = bad
    gradients["c"][0, 0] = -math.inf  # two infinities of different sign
    tensors, _keep = tensors_with(gradients, laid_out=laid_out)
    with pytest.raises(NonFiniteError, match=r"parameter 1, shape \(2, 2\), holds (NaN|inf)"):
        clip(tensors.values(), 1.0)
    for name, dx in gradients_of(tensors).items():
        assert np.array_equal(dx, gradients[name], equal_nan=True)


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_gradients_whose_squares_overflow_are_clipped_all_the_same():
    tensors, _keep = tensors_with({"a": np.full(3, 1e30), "b": np.ones(2)}, dtype="float32")
    assert nn.clip_grad_norm(tensors.values(), 1.0) == pytest.approx(math.sqrt(3) * 1e30)
    np.testing.assert_allclose(tensors["a"].grad, 1 / math.sqrt(3), rtol=1e-6)


def test_without_the_error_a_bad_norm_comes_back_as_in_torch():
    tensors, _keep = tensors_with({"a": np.array([1.0, math.nan]), "b": np.ones(2)})
    assert math.isnan(nn.clip_grad_norm(tensors.values(), 1.0, error_if_nonfinite=False))
    assert np.all(np.isnan(tensors["b"].grad))


def test_clipping_by_value_bounds_every_element(device):
    tensors, _keep = tensors_with({"a": np.array([-3.0, 0.5, 2.0]), "b": np.array([[-0.25]])})
    nn.clip_grad_value(tensors.values(), 1.0)
    assert ig.to_numpy(tensors["a"].grad).tolist() == [-1.0, 0.5, 1.0]
    assert ig.to_numpy(tensors["b"].grad).tolist() == [[-0.25]]


@pytest.mark.parametrize("bound", [-1.0, math.nan, "1", np.array(1.0)])
def test_a_bound_must_be_a_finite_number_of_at_least_zero(bound):
    p = nn.Parameter([1.0])
    with pytest.raises(HyperparameterError, match="max_norm must be a finite number >= 0"):
        nn.clip_grad_norm([p], bound)
    with pytest.raises(HyperparameterError, match="clip_value must be a finite number >= 0"):
        nn.clip_grad_value([p], bound)


def test_the_kind_of_norm_must_be_positive():
    for norm_type in (0, -1.0, math.nan, "2", None):
        with pytest.raises(HyperparameterError, match="norm_type must be a finite number > 0, got"):
            nn.clip_grad_norm([nn.Parameter([1.0])], 1.0, norm_type=norm_type)
