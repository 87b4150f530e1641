"""Products of arrays with any strides as strided batches, against NumPy."""

import itertools

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

from isograd.kernels.cuda.matmul_layout import (
    MOST_CALLS,
    MOST_MATRICES,
    Arrangement,
    Stored,
    arranged,
    in_parts,
    result_shape,
    stored,
)

random = np.random.RandomState(3)


def array(*shape):
    return random.randn(*shape)


def in_elements(x):
    return tuple(stride // x.itemsize for stride in x.strides)


def arrangement_of(a, b):
    return arranged(a.shape, in_elements(a), b.shape, in_elements(b))


def matrix(x, offset, rows, columns, how):
    """The matrix that begins so many elements behind the first one of x."""
    size = x.itemsize
    strides = (size, how.leading_dimension * size)
    first = x.reshape(-1)[:1] if x.flags.c_contiguous else x[(slice(0, 1),) * x.ndim]
    place = as_strided(first, (offset + 1,), (size,))[offset:]
    return as_strided(place, (rows, columns), strides if how.transposed else strides[::-1])


def computed(a, b, arrangement):
    """a b by nothing but the arrangement; NaN where it writes nothing."""
    y = np.full(result_shape(a.shape, b.shape), np.nan)
    flat = y.reshape(-1)
    m, n, k, how_a, how_b, batch, (step_a, step_b, step_y), offsets = arrangement
    for (at_a, at_b, at_y), i in itertools.product(offsets, range(batch)):
        left = matrix(a, at_a + i * step_a, m, k, how_a)
        right = matrix(b, at_b + i * step_b, k, n, how_b)
        start = at_y + i * step_y
        flat[start : start + m * n] = (left @ right).reshape(-1)
    return y


HEADS = array(2, 5, 4, 3).transpose(0, 2, 1, 3)  # (batch, time, heads, features) in memory
CASES = {
    "matrices": (array(3, 4), array(4, 5)),
    "transposed-a": (array(4, 3).T, array(4, 5)),
    "transposed-b": (array(3, 4), array(5, 4).T),
    "transposed-both": (array(4, 3).T, array(5, 4).T),
    "rows-with-gaps": (array(3, 9)[:, 2:6], array(4, 5)),
    "every-other-row": (array(6, 4)[::2], array(8, 5)[::2]),
    "one-row": (array(1, 4), array(4, 5)),
    "one-column": (array(3, 4), array(4, 1)),
    "one-of-all": (array(1, 1), array(1, 1)),
    "sum-of-one": (array(3, 1), array(1, 5)),
    "batch": (array(6, 3, 4), array(6, 4, 5)),
    "batch-of-transposes": (array(6, 4, 3).transpose(0, 2, 1), array(6, 5, 4).transpose(0, 2, 1)),
    "two-batch-axes": (array(2, 6, 3, 4), array(2, 6, 4, 5)),
    "tall": (array(6, 3, 4), array(4, 5)),
    "tall-two-axes": (array(2, 6, 3, 4), array(4, 5)),
    "tall-transposed": (array(6, 4, 3).transpose(0, 2, 1), array(4, 5)),
    "repeated-a": (array(3, 4), array(6, 4, 5)),
    "repeated-both": (array(2, 1, 3, 4), array(1, 6, 4, 5)),
    "repeated-outer": (array(6, 3, 4), array(2, 6, 4, 5)),
    "attention-scores": (HEADS, HEADS.transpose(0, 1, 3, 2)),
    "attention-values": (array(2, 4, 5, 5), HEADS),
    "every-other-matrix": (array(6, 3, 4)[::2], array(6, 4, 5)[::2]),
    "one-matrix-axes": (array(1, 1, 3, 4), array(1, 4, 5)),
}


@pytest.mark.parametrize("name", CASES)
def test_an_arrangement_computes_the_product(name):
    a, b = CASES[name]
    np.testing.assert_allclose(computed(a, b, arrangement_of(a, b)), np.matmul(a, b), rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "m", "batch", "n_calls"),
    [
        ("batch", 3, 6, 1),
        ("two-batch-axes", 3, 12, 1),
        ("tall", 18, 1, 1),
        ("tall-two-axes", 36, 1, 1),
        ("tall-transposed", 3, 6, 1),
        ("repeated-a", 3, 6, 1),
        ("repeated-both", 3, 6, 2),
        ("attention-scores", 5, 4, 2),
    ],
)
def test_few_calls_do_for_many_matrices(name, m, batch, n_calls):
    found = arrangement_of(*CASES[name])
    assert (found.m, found.batch, len(found.offsets)) == (m, batch, n_calls)


@pytest.mark.parametrize(
    "x",
    [
        array(4, 6)[:, ::2],
        array(4, 6)[::-1],
        array(4, 6)[:, ::-1],
        np.broadcast_to(array(6), (4, 6)),
    ],
    ids=["every-other-column", "upside-down", "mirrored", "one-row-repeated"],
)
def test_a_matrix_with_gaps_or_repeated_rows_has_to_be_copied(x):
    assert stored(x.shape, in_elements(x)) is None
    assert arrangement_of(x, array(6, 5)[: x.shape[1]]) is None


def test_too_many_calls_are_left_to_a_copy_and_the_copy_is_taken():
    a = array(MOST_CALLS + 1, 3, MOST_CALLS + 2, 4).transpose(0, 2, 1, 3)
    b = array(MOST_CALLS + 1, MOST_CALLS + 2, 5, 4).transpose(0, 1, 3, 2)
    assert arrangement_of(a, b) is None
    copied = arrangement_of(np.ascontiguousarray(a), b)
    assert (copied.batch, len(copied.offsets)) == ((MOST_CALLS + 1) * (MOST_CALLS + 2), 1)


def test_a_batch_beyond_what_cublaslt_takes_is_split():
    whole = Arrangement(
        1, 1, 1, Stored(False, 1), Stored(False, 1), 2 * MOST_MATRICES + 1, (2, 0, 1), ((5, 7, 0),)
    )
    parts = in_parts(whole)
    assert [part.batch for part in parts] == [MOST_MATRICES, MOST_MATRICES, 1]
    starts = [part.offsets[0] for part in parts]
    assert starts == [(5, 7, 0), (5 + 2 * MOST_MATRICES, 7, MOST_MATRICES)] + [
        (5 + 4 * MOST_MATRICES, 7, 2 * MOST_MATRICES)
    ]


@pytest.mark.parametrize(
    ("a", "b"), [((3, 4), (5, 6)), ((2, 3, 4), (3, 4, 5)), ((0, 2, 3, 4), (2, 2, 4, 5))]
)
def test_shapes_that_do_not_fit_have_no_result(a, b):
    assert result_shape(a, b) is None


@pytest.mark.parametrize(
    ("a", "b"), [((3, 4), (4, 6)), ((1, 3, 4), (7, 4, 5)), ((2, 1, 3, 4), (7, 4, 5))]
)
def test_the_shape_of_the_result_is_numpys(a, b):
    assert result_shape(a, b) == np.matmul(np.ones(a), np.ones(b)).shape
