"""softmax and log_softmax: torch's numbers, invariants, extremes, errors, layers."""

from __future__ import annotations

import numpy as np
import oracles
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import isograd as ig
from isograd import nn
from isograd.backend import tolerance
from isograd.backend.errors import DtypeError, ShapeError

NUMBERS = oracles.torch_numbers()["row_functions"]
OPS = {"softmax": nn.softmax, "log_softmax": nn.log_softmax}
each_op = pytest.mark.parametrize("name", OPS)


@pytest.mark.parametrize("name", NUMBERS["cases"])
def test_values_and_two_derivatives_are_those_of_torch(name, device):
    case = NUMBERS["cases"][name]
    op = OPS[name.split("_axis")[0]]
    x, dy, v = (ig.array(NUMBERS[key]) for key in ("x", "dy", "v"))

    def dx_along_v(x, dy):
        xp = x.__array_namespace__()
        return xp.sum(op.backward(dy, x, axis=case["axis"]) * v)

    second_x, second_dy = ig.grad(dx_along_v, (0, 1))(x, dy)
    found = {
        "y": op(x, axis=case["axis"]),
        "dx": op.backward(dy, x, axis=case["axis"]),
        "second_x": second_x,
        "second_dy": second_dy,
    }
    near = tolerance("float64")
    for key, value in found.items():
        assert_allclose(ig.to_numpy(value), case[key], near.rtol, near.atol, err_msg=key)


def test_rows_of_softmax_are_positive_and_add_up_to_one(device):
    x = ig.array(np.random.RandomState(0).randn(5, 7))
    y = ig.to_numpy(nn.softmax(x))
    assert (y > 0).all()
    assert_allclose(y.sum(axis=-1), 1.0, rtol=1e-15)


@each_op
def test_a_shift_of_the_logits_changes_nothing(name, device):
    x = np.random.RandomState(1).randint(-5, 5, (3, 4)).astype(np.float64)
    assert_array_equal(
        ig.to_numpy(OPS[name](ig.array(x))), ig.to_numpy(OPS[name](ig.array(x + 1024.0)))
    )


@each_op
def test_logits_that_overflow_exp_are_no_trouble(name, device):
    x = ig.array([[1e4, 0.0, -1e4]])
    y = ig.to_numpy(OPS[name](x))
    expected = [[1.0, 0.0, 0.0]] if name == "softmax" else [[0.0, -1e4, -2e4]]
    assert_array_equal(y, np.asarray(expected, dtype=np.float32))


def test_log_softmax_is_right_where_softmax_rounds_to_zero(device):
    y = ig.to_numpy(nn.log_softmax(ig.array([0.0, -200.0])))
    assert_allclose(y, [0.0, -200.0])


@each_op
def test_a_batch_without_rows_is_no_trouble(name, device):
    x = ig.array(np.zeros((0, 3)))
    assert tuple(OPS[name](x).shape) == (0, 3)
    assert tuple(OPS[name].backward(x, x).shape) == (0, 3)


@each_op
@pytest.mark.parametrize(("shape", "axis"), [((), -1), ((3,), 1), ((2, 0), -1)])
def test_an_axis_that_is_missing_or_empty_is_refused(name, shape, axis):
    with pytest.raises(ShapeError, match=f"{name}: x must have an axis {axis} .*at least one"):
        OPS[name](np.zeros(shape), axis=axis)


@each_op
def test_integers_are_refused(name):
    with pytest.raises(DtypeError, match=f"{name}: x must be floating, got int64"):
        OPS[name](np.arange(3))


@pytest.mark.parametrize(
    ("layer", "op"), [(nn.Softmax, nn.softmax), (nn.LogSoftmax, nn.log_softmax)]
)
def test_a_layer_computes_its_function_along_its_axis(layer, op):
    x = np.random.RandomState(2).randn(3, 4)
    assert_array_equal(layer()(x), op(x))
    assert_array_equal(layer(axis=0)(x), op(x, axis=0))
    assert f"{layer.__name__}(axis=0)" in repr(layer(axis=0))
