"""einsum on every library: NumPy's numbers, and derivatives of every order."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import isograd as ig
from isograd.backend.errors import ShapeError
from isograd.nn.autograd import einsum
from isograd.nn.autograd.ops.einsum import _in_pairs
from isograd.nn.autograd.ops.subscripts import parsed

# subscripts, then the shape of each operand
CASES = [
    ("ij->ji", (3, 4)),
    ("ij->", (2, 3)),
    ("abcd->bd", (3, 2, 3, 2)),
    ("ba", (2, 3)),
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij, jk -> ki", (2, 3), (3, 4)),
    ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)),
    ("i,j->ji", (2,), (3,)),
    (",->", (), ()),
    ("k,nk->", (5,), (4, 5)),
    ("ij,k", (3, 4), (3,)),
    ("ijk,lji,lli->lki", (3, 4, 4), (4, 4, 3), (4, 4, 3)),
    ("i,i,i->i", (3,), (3,), (3,)),
    ("ij,jk,kl->il", (2, 3), (3, 2), (2, 4)),
    ("...ij,...jk->...ik", (2, 2, 3), (3, 4)),
    ("...,...->...", (4, 4), (3, 4, 4)),
    ("jk...,lj...->lk...", (3, 2, 4), (2, 3, 4)),
    ("j...k,lj...->lk...", (2, 2, 2), (2, 2, 2)),
    ("...k,...nk", (3, 5), (3, 4, 5)),
    ("ii", (3, 3)),
    ("ii->i", (3, 3)),
    ("iii->i", (3, 3, 3)),
    ("iij->j", (3, 3, 2)),
    ("...ii->...i", (2, 3, 3)),
    ("ij,ij->ij", (1, 3), (4, 3)),
    ("ij,ij->", (3, 1), (3, 4)),
    ("ii,i->i", (1, 1), (3,)),
]


def name(case):
    return f"{case[0]} {case[1:]}"


def inputs(shapes):
    random = np.random.default_rng(7)
    return [random.uniform(0.5, 1.5, shape) for shape in shapes]


each_case = pytest.mark.parametrize("case", CASES, ids=name)


@each_case
def test_the_numbers_are_numpys(case, device):
    subscripts, *shapes = case
    arrays = inputs(shapes)
    y = einsum(subscripts, *(ig.array(x, "float64") for x in arrays))
    expected = np.einsum(subscripts, *arrays)
    assert tuple(y.shape) == expected.shape
    assert_allclose(ig.to_numpy(y), expected, rtol=1e-12)


@each_case
def test_pairs_in_terms_of_the_standard_give_the_numbers_of_the_librarys_own(case):
    subscripts, *shapes = case
    arrays = inputs(shapes)
    terms, output = parsed(subscripts, tuple(x.ndim for x in arrays))
    expected = np.einsum(subscripts, *arrays)
    assert_allclose(_in_pairs(arrays, terms, output), expected, rtol=1e-12)


@each_case
def test_derivatives_agree_with_central_differences(case, device):
    subscripts, *shapes = case
    arrays = [ig.array(x, "float64") for x in inputs(shapes)]
    order = 2 if device == "cpu" else 1
    ig.check_gradients(lambda *xs: einsum(subscripts, *xs), *arrays, order=order, max_entries=2)


def test_the_third_derivative_of_a_product_of_three():
    x, y, z = inputs([(2, 3), (3,), (2,)])
    ig.check_gradients(lambda *xs: einsum("ij,j,i->", *xs), x, y, z, order=3)


def test_labels_may_stand_in_lists():
    x, y = inputs([(2, 2, 3), (3, 4)])
    expected = np.einsum("...ij,jk->...ik", x, y)
    assert_allclose(einsum(x, [..., 0, 1], y, [1, 2], [..., 0, 2]), expected)
    assert_allclose(einsum(x, [2, 1, 0]), np.einsum(x, [2, 1, 0]))


def test_axes_of_length_zero():
    x, y = np.zeros((0, 2, 3)), np.zeros((0, 3, 4))
    result, pull = ig.vjp(lambda *xs: einsum("...ij,...jk->...ik", *xs), x, y)
    assert [dx.shape for dx in pull(result)] == [x.shape, y.shape]
    empty = einsum("ij,jk->ik", np.zeros((2, 0)), np.zeros((0, 3)))
    assert_allclose(empty, np.zeros((2, 3)))


def test_complex_operands_are_not_conjugated():
    random = np.random.default_rng(2)
    x, y = (random.standard_normal((3, 3)) + 1j * random.standard_normal((3, 3)) for _ in "ab")
    _, pull = ig.vjp(lambda x, y: einsum("ij,jk->ik", x, y), x, y)
    dy = random.standard_normal((3, 3)) + 0j
    for found, expected in zip(pull(dy), (dy @ y.conj().T, x.conj().T @ dy), strict=True):
        assert_allclose(found, expected)


def test_more_axes_than_there_are_letters():
    x = np.ones((1,) * 60)
    with pytest.raises(ValueError):
        np.einsum(x, list(range(60)))
    assert einsum("...", x).shape == x.shape


@pytest.mark.parametrize(
    ("subscripts", "shapes", "message"),
    [
        ("ij,jk->ik", [(2, 3)], "names 2 operands, got 1"),
        ("ij->i", [(2, 3, 4)], "one letter for each axis, got an array of 3"),
        ("ijk->i", [(2, 3)], "one letter for each axis, got an array of 2"),
        ("ij,jk->ik", [(2, 3), (4, 2)], "label 'j' must have one length, got 3 and 4"),
        ("ij->ijk", [(2, 3)], "must name labels of the operands, each once"),
        ("ij->ii", [(2, 3)], "must name labels of the operands, each once"),
        ("i1->i", [(2, 3)], "must be made of letters"),
    ],
)
def test_what_does_not_fit_is_refused(subscripts, shapes, message):
    with pytest.raises(ShapeError, match=message):
        einsum(subscripts, *inputs(shapes))
