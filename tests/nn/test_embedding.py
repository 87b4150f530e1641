"""Embedding, Bilinear, Residual: torch's numbers, ties, what is refused and how it is said."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from torch_cases import assert_like_torch, torch_cases

import isograd as ig
from isograd import nn
from isograd.backend.errors import DtypeError, HyperparameterError, LabelError, ShapeError

CASES = torch_cases("recurrent")
TABLE = np.arange(12.0).reshape(4, 3)


@pytest.mark.parametrize("padding_idx", [None, 1, -2])
def test_embedding_is_that_of_torch(padding_idx, device):
    case = CASES[f"embedding-padding_idx={padding_idx}"]
    module = nn.Embedding(5, 3, padding_idx, dtype="float64")
    module.load_state_dict(case.under("parameter"))
    assert_like_torch(module, case, lambda m, _, fixed: {"y": m(fixed["indices"])})


@pytest.mark.parametrize("bias", [True, False])
def test_bilinear_is_that_of_torch(bias, device):
    case = CASES[f"bilinear-bias={bias}"]
    module = nn.Bilinear(3, 4, 2, bias, dtype="float64")
    module.load_state_dict(case.under("parameter"))
    assert_like_torch(module, case, lambda m, xs, _: {"y": m(xs["x1"], xs["x2"])})


@pytest.mark.parametrize("wrong", [4, -1])
def test_an_index_outside_the_table_is_refused_on_every_device(wrong, device):
    says = rf"embedding: every index must be in \[0, 4\), got {wrong}"
    with pytest.raises(LabelError, match=says):
        nn.embedding(ig.array([[0, 1], [wrong, 2]]), ig.array(TABLE))
    with pytest.raises(IndexError, match=r"position \(1, 0\)"):
        nn.Embedding(4, 3)(ig.array([[0, 1], [wrong, 2]]))


def test_no_indices_give_no_rows(device):
    table = ig.Tensor(ig.array(TABLE), requires_grad=True)
    y = nn.embedding(ig.array(np.zeros((2, 0), dtype=np.int64)), table)
    assert tuple(y.shape) == (2, 0, 3)
    y.backward(y.detach())
    assert_array_equal(ig.to_numpy(table.grad), np.zeros((4, 3)))


def test_integers_of_every_size_name_the_same_rows():
    for dtype in (np.int8, np.uint8, np.int32, np.uint16):
        assert_array_equal(nn.embedding(np.array([3, 1], dtype=dtype), TABLE), TABLE[[3, 1]])


def test_first_values_are_normal_with_zeros_for_the_padding():
    weight = nn.Embedding(300, 40, padding_idx=-1, generator=ig.random.Generator(0)).weight.data
    assert_array_equal(weight[-1], np.zeros(40))
    assert abs(weight[:-1].mean()) < 0.05
    assert abs(weight[:-1].std() - 1.0) < 0.05


def test_a_tied_table_gets_the_gradients_of_both_uses():
    tokens, head = nn.Embedding(4, 3, dtype="float64"), nn.Linear(3, 4, bias=False, dtype="float64")
    head.weight = tokens.weight
    y = head(tokens(np.array([0, 2])))
    y.backward(np.ones((2, 4)))
    weight = tokens.weight.data
    by_head = np.tile(weight[0] + weight[2], (4, 1))
    by_rows = np.zeros((4, 3))
    by_rows[[0, 2]] = weight.sum(axis=0)
    np.testing.assert_allclose(tokens.weight.grad, by_head + by_rows)


def test_indices_that_are_no_integers_are_refused():
    with pytest.raises(DtypeError, match="embedding: indices must be integers, got float64"):
        nn.embedding(np.zeros(2), TABLE)


@pytest.mark.parametrize("padding_idx", [4, -5])
def test_a_padding_row_that_there_is_not_is_refused(padding_idx):
    with pytest.raises(HyperparameterError, match="padding_idx must be a row of the table"):
        nn.Embedding(4, 3, padding_idx)
    with pytest.raises(HyperparameterError, match="from -4 to 3"):
        nn.embedding(np.array([0]), TABLE, padding_idx=padding_idx)


@pytest.mark.parametrize("make", [lambda: nn.Embedding(0, 3), lambda: nn.Bilinear(3, 4, -1)])
def test_sizes_that_are_no_positive_integers_are_refused(make):
    with pytest.raises(HyperparameterError, match="must be an integer >= 1"):
        make()


@pytest.mark.parametrize(
    ("shapes", "says"),
    [
        (((2, 3), (2, 5), (2, 3, 4)), "last axes of x1 and x2 must be 3 and 4"),
        (((2, 3), (1, 4), (2, 3, 4)), "the same leading axes"),
        (((2, 3), (2, 4), (2, 3)), r"weight must be \(out, in1, in2\)"),
        (((2, 3), (2, 4), (2, 3, 4), (3,)), r"\(out,\) = \(2,\), got \(3,\)"),
    ],
)
def test_bilinear_refuses_shapes_that_do_not_fit(shapes, says):
    with pytest.raises(ShapeError, match=says):
        nn.bilinear(*map(np.zeros, shapes))


def test_residual_adds_its_input(device):
    x = ig.array(np.arange(6.0, dtype=np.float32).reshape(2, 3))
    layer = nn.Linear(3, 3)
    both = nn.Residual(layer)(x)
    assert_array_equal(ig.to_numpy(both.detach()), ig.to_numpy((layer(x) + x).detach()))
    assert [name for name, _ in nn.Residual(layer).named_parameters()] == [
        "module.weight",
        "module.bias",
    ]


def test_residual_refuses_another_shape_and_takes_a_shortcut():
    x = np.ones((2, 3), dtype=np.float32)
    with pytest.raises(ShapeError, match=r"must keep the shape \(2, 3\).*give a shortcut"):
        nn.Residual(nn.Linear(3, 4))(x)
    assert nn.Residual(nn.Linear(3, 4), nn.Linear(3, 4))(x).shape == (2, 4)
