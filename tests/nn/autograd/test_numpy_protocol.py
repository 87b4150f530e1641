"""NumPy's own functions and operators on Tensors: the same numbers, and they record."""

import array_api_strict
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy_calls import CALLS, CONSTANTS

import isograd as ig
from isograd.backend.errors import NotDifferentiableError
from isograd.nn.autograd import numpy_protocol


def parts(y):
    """The arrays of a result: most functions return one, some a tuple or a list."""
    return list(y) if isinstance(y, tuple | list) else [y]


def plain(y):
    return ig.to_numpy(y.detach()) if isinstance(y, ig.Tensor) else y


def leaf(values):
    return ig.Tensor(np.asarray(values, dtype=np.float64), requires_grad=True)


def table(calls):
    return pytest.mark.parametrize("call", calls, ids=str)


@table(CALLS)
def test_a_function_of_numpy_gives_the_same_numbers_recorded(call):
    inputs = call.inputs()
    expected = parts(call.function(*inputs))
    for arguments in (map(ig.Tensor, inputs), map(leaf, inputs)):
        found = parts(call.function(*arguments))
        assert len(found) == len(expected)
        for y, number in zip(found, expected, strict=True):
            assert isinstance(y, ig.Tensor)
            assert tuple(y.shape) == np.shape(number)
            assert_allclose(plain(y), number, rtol=1e-12, atol=1e-12)


@table(CALLS)
def test_its_derivatives_agree_with_central_differences(call):
    ig.check_gradients(lambda *xs: call.function(*xs), *call.inputs(), order=2, max_entries=2)


@table(CONSTANTS)
def test_whole_numbers_and_truth_values_come_out_without_a_recording(call):
    inputs = call.inputs()
    expected = parts(call.function(*inputs))
    for y, number in zip(parts(call.function(*map(leaf, inputs))), expected, strict=True):
        assert not isinstance(y, ig.Tensor) or not y.requires_grad
        if isinstance(y, ig.Tensor):
            assert_array_equal(plain(y), number)
        else:
            assert y == number
