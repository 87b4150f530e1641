"""The judge of other people's code: what it calls differentiable is, and no fault is overlooked."""

import sys
from types import ModuleType

import numpy as np
import pytest

import isograd as ig
from isograd.backend import array_namespace
from isograd.benchmarks.ecosystem.case import Input, case, cases
from isograd.benchmarks.ecosystem.outcome import (
    CONSTANT,
    DIFFERENTIABLE,
    REFUSED,
    VALUE_ONLY,
    WRONG,
    outcome,
)

VECTOR = Input((5,), 0.5, 2.0)
LIBRARIES = ["numpy", "array_api_strict"]


@pytest.fixture
def stranger(monkeypatch):
    """A function that becomes stranger.function, the one that a case names."""

    def introduce(function, n_inputs=1):
        module = ModuleType("stranger")
        module.function = function
        monkeypatch.setitem(sys.modules, "stranger", module)
        return case("stranger.function", *[VECTOR] * n_inputs)

    return introduce


def is_tensor(x):
    return isinstance(x, ig.Tensor)


@pytest.mark.parametrize("library", LIBRARIES)
def test_code_written_to_the_standard_is_differentiable(stranger, library):
    result = outcome(stranger(lambda x: array_namespace(x).exp(x) * x), library)
    assert (result.state, result.order) == (DIFFERENTIABLE, 2)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_recording_that_is_lost_in_silence_is_wrong(stranger, library):
    def lost(x):
        xp = array_namespace(x)
        return xp.asarray([float(x[i]) ** 2 for i in range(5)], dtype=xp.float64)

    assert outcome(stranger(lost), library).state == WRONG


def test_a_recording_that_is_lost_in_one_of_two_results_is_wrong(stranger):
    def lost(x):
        return x * x, (x * 1.0 if not is_tensor(x) else ig.Tensor(np.asarray([*map(float, x)])))

    assert outcome(stranger(lost), "numpy").state == WRONG


def test_a_wrong_value_is_wrong(stranger):
    result = outcome(stranger(lambda x: x * (1.0 + 1e-8 * is_tensor(x))), "numpy")
    assert result.state == WRONG
    assert result.reason.startswith("a value off by")


def test_a_value_that_is_wrong_only_when_it_is_recorded_is_wrong(stranger):
    def other_branch(x):
        return x * 2.0 if is_tensor(x) and x.requires_grad else x * 1.0

    result = outcome(stranger(other_branch), "numpy")
    assert result.state == WRONG
    assert result.reason.startswith("when recorded, a value off by")


def test_a_wrong_shape_is_wrong(stranger):
    result = outcome(stranger(lambda x: x[:, None] if is_tensor(x) else x), "numpy")
    assert result.state == WRONG
    assert "shape (5, 1) instead of (5,)" in result.reason


def test_a_wrong_rule_is_wrong(stranger):
    square = ig.differentiable(lambda x: x * x)
    square.backward(lambda dy, x: dy * x)
    assert outcome(stranger(square), "numpy").state == WRONG


def test_a_rule_that_cannot_be_differentiated_again_is_wrong_at_order_two(stranger):
    square = ig.differentiable(lambda x: x * x)
    square.backward(lambda dy, x: dy * (x.detach() * 2.0 if is_tensor(x) else x * 2.0))
    assert outcome(stranger(square), "numpy", max_order=1).state == DIFFERENTIABLE
    assert outcome(stranger(square), "numpy", max_order=2).state == WRONG


def test_code_that_makes_a_numpy_array_gives_values_only(stranger):
    result = outcome(stranger(lambda x: np.sin(np.asarray(x))), "numpy")
    assert result.state == VALUE_ONLY
    assert result.reason.startswith("__array__: this Tensor is recorded")


def test_a_python_number_is_a_value_only(stranger):
    result = outcome(stranger(lambda x: float(array_namespace(x).sum(x))), "numpy")
    assert result.state == VALUE_ONLY
    assert result.reason.startswith("returns a Python number")


@pytest.mark.parametrize(
    "function",
    [lambda x: array_namespace(x).argsort(x), lambda x: array_namespace(x).round(x), lambda x: 1.5],
    ids=["integers", "steps", "a constant"],
)
def test_a_result_that_does_not_vary_is_constant(stranger, function):
    assert outcome(stranger(function), "numpy").state == CONSTANT


def test_an_error_is_a_refusal_with_its_reason(stranger):
    def picky(x):
        if is_tensor(x):
            raise TypeError("no strangers\nplease")
        return x

    result = outcome(stranger(picky), "numpy")
    assert (result.state, result.reason) == (REFUSED, "TypeError: no strangers")


def test_a_library_that_is_refused_itself_is_named(stranger):
    def knows_numpy_only(x):
        if not isinstance(x, np.ndarray):
            raise TypeError("not NumPy's, from '/somewhere/numpy.py' at 0x7f00")
        return x

    result = outcome(stranger(knows_numpy_only), "array_api_strict")
    assert result.state == REFUSED
    assert result.reason == "as array_api_strict's own arrays: TypeError: not NumPy's,"


def test_a_function_that_another_version_lacks_is_refused(stranger):
    stranger(lambda x: x)
    result = outcome(case("stranger.missing", VECTOR), "array_api_strict")
    assert result.state == REFUSED
    assert result.reason.startswith("as numpy's own arrays: AttributeError")


def test_both_parts_of_a_complex_result_are_checked(stranger):
    def wrong_imaginary_part(x):
        xp = array_namespace(x)
        return x + 1j * (x.detach() if is_tensor(x) else x) + 0.0 * xp.sum(x)

    assert outcome(stranger(lambda x: x + 1j * x * x), "numpy").state == DIFFERENTIABLE
    assert outcome(stranger(wrong_imaginary_part), "numpy").state == WRONG


def test_a_function_that_changes_its_argument_does_not_disturb_the_next_call(stranger):
    def changing(x, y):
        x *= 2.0
        return x * y

    assert outcome(stranger(changing, n_inputs=2), "numpy").state == DIFFERENTIABLE


def test_a_case_says_where_its_function_is():
    method = case("scipy.spatial.transform.Rotation.mean", VECTOR, variant="weighted")
    assert (method.library, method.module) == ("scipy", "scipy.spatial.transform")
    assert method.name == "Rotation.mean"
    assert method.title == "scipy.spatial.transform.Rotation.mean(weighted)"
    assert case("array_api_extra.at.set", VECTOR).name == "at.set"


def test_cases_are_alike_but_for_the_function():
    first, second = cases("numpy", "sum mean", VECTOR, axis=0, order=1)
    assert (first.function, second.function) == ("numpy.sum", "numpy.mean")
    assert first.options == second.options == {"axis": 0}
    assert np.array_equal(first.arrays()[0], first.arrays()[0])
    assert not np.array_equal(first.arrays()[0], second.arrays()[0])
