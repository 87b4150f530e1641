"""Sums and means by kernel: rows, columns, all elements."""

import numpy as np
import pytest
from bfloat16 import bits_of_bfloat16, from_bfloat16

import isograd as ig
from isograd.backend.dtypes import tolerance
from isograd.kernels.cuda.arrays import NULL
from isograd.kernels.cuda.columns import ROWS_ALONE, THREADS
from isograd.kernels.cuda.reduction import ALONE, REDUCTION, column_totals
from isograd.kernels.cuda.rows import LONG_THREADS, SHORT_THREADS
from isograd.nn.autograd.ops import reduction as ops

ONE = np.float32(1.0)


def draw(*shape, dtype="float32"):
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


def assert_close(found, expected, dtype="float32", factor=8.0):
    near = tolerance(dtype, factor)  # sums of a few hundred numbers of either sign
    np.testing.assert_allclose(found, expected, rtol=near.rtol, atol=near.atol)


@pytest.mark.parametrize(("team", "threads"), [("short", SHORT_THREADS), ("long", LONG_THREADS)])
@pytest.mark.parametrize("shape", [(1, 1), (5, 31), (9, 33), (3, 300)])
def test_the_sums_of_rows_are_those_of_float64(host, shape, team, threads):
    x, y = draw(*shape), np.full(shape[0], np.nan, np.float32)
    args = (x, y, np.float32(0.5), *map(np.int64, shape))
    host(REDUCTION, f"row_sums_{team}", "float32", (2,), (threads,), args, IS_PACKED=0)
    assert_close(y, 0.5 * x.astype(np.float64).sum(axis=1))


@pytest.mark.parametrize("n", [1, 255, 257, 1500])
def test_parts_of_all_elements_and_their_total_are_those_of_float64(host, n):
    x, sums = draw(n), np.full(3, np.nan, np.float32)
    y = np.full(1, np.nan, np.float32)
    block = (LONG_THREADS,)
    host(REDUCTION, "sum_parts", "float32", (3,), block, (x, sums, np.int64(n)), IS_PACKED=0)
    host(REDUCTION, "sum_total", "float32", (1,), block, (sums, y, ONE, np.int64(3)), IS_PACKED=0)
    assert_close(y[0], x.astype(np.float64).sum())


@pytest.mark.parametrize(
    ("m", "n", "rows", "pack"),
    [(1, 1, 1, 1), (3, 31, 3, 1), (9, 33, 4, 1), (70, 68, 33, 4), (41, 260, 8, 4)],
)
def test_the_sums_of_columns_are_those_of_float64(host, m, n, rows, pack):
    x, y, n_parts = draw(m, n), np.full(n, np.nan, np.float32), -(-m // rows)
    partial = np.full((n_parts, n), np.nan, np.float32)
    grid, macros = (-(-n // (32 * pack)), n_parts), {"IS_PACKED": int(pack > 1)}
    place = partial if n_parts > 1 else NULL
    args = (x, place, y, np.float32(0.5), *map(np.int64, (m, n, rows)))
    host(REDUCTION, "column_sums", "float32", grid, (THREADS,), args, **macros)
    if n_parts > 1:
        assert np.isnan(y).all()
        args = (partial, y, np.float32(0.5), np.int64(n_parts), np.int64(n))
        host(REDUCTION, "column_totals", "float32", grid[:1], (THREADS,), args, **macros)
    assert_close(y, 0.5 * x.astype(np.float64).sum(axis=0))


def test_float64_sums_keep_its_digits(host):
    x, y = draw(2, 40, dtype="float64"), np.full(2, np.nan)
    args = (x, y, np.float64(1.0), np.int64(2), np.int64(40))
    host(REDUCTION, "row_sums_short", "float64", (1,), (SHORT_THREADS,), args, IS_PACKED=0)
    np.testing.assert_allclose(y, x.sum(axis=1), rtol=1e-13)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_numbers_are_added_up_in_float32(host, dtype):
    x = np.ones((1, 3000), np.float16)  # neither has all whole numbers to 3000
    y = np.zeros(1, np.float16)
    if dtype == "bfloat16":
        x, y = bits_of_bfloat16(x.astype(np.float32)), np.zeros(1, np.uint16)
    args = (x, y, np.float32(1 / 8), np.int64(1), np.int64(3000))
    host(REDUCTION, "row_sums_long", dtype, (1,), (LONG_THREADS,), args, IS_PACKED=0)
    found = from_bfloat16(y) if dtype == "bfloat16" else y
    assert found == (376 if dtype == "bfloat16" else 375)


CASES = [
    ((6, 50), -1, ["row_sums_short"]),
    ((2, 3, 1500), 2, ["row_sums_long"]),
    ((2, 3, 5), (1, 2), ["row_sums_short"]),
    ((6, 50), 0, ["column_sums"]),
    ((2, 3, 8), (0, 1), ["column_sums"]),
    ((ROWS_ALONE + 1, 5), 0, ["column_sums", "column_totals"]),
    ((6, 50), None, ["row_sums_short"]),
    ((6, 50), (1, 0), ["row_sums_short"]),
    ((ALONE + 1,), 0, ["sum_parts", "sum_total"]),
]


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", ["sum", "mean"])
@pytest.mark.parametrize(("shape", "axis", "kernels"), CASES)
def test_the_ops_on_cupy_run_own_kernels(host_cupy, shape, axis, kernels, name, keepdims):
    x, op = draw(*shape), getattr(ops, name)
    y = op(ig.Tensor(host_cupy.array(x)), axis=axis, keepdims=keepdims)
    expected = getattr(np, name)(x.astype(np.float64), axis=axis, keepdims=keepdims)
    assert y.shape == expected.shape
    assert_close(host_cupy.view(y.data), expected, factor=80.0)  # up to 16,385 numbers
    assert host_cupy.compiler.launched == kernels
    assert host_cupy.used == []


@pytest.mark.parametrize("axis", [1, (0, 2), ()])
def test_other_axes_are_the_librarys(host_cupy, axis):
    x = draw(2, 3, 5)
    y = ops.sum(host_cupy.array(x), axis=axis)
    assert_close(host_cupy.view(y), x.sum(axis=axis))
    assert host_cupy.compiler.launched == []


def test_gradients_are_those_of_the_op(host_cupy):
    x = ig.Tensor(host_cupy.array(draw(4, 6)), requires_grad=True)
    ops.mean(x).backward()
    np.testing.assert_allclose(host_cupy.view(x.grad), np.full((4, 6), 1 / 24), rtol=1e-6)


def test_totals_go_where_they_are_wanted(host_cupy):
    partial, y = host_cupy.array(draw(3, 8)), host_cupy.array(np.zeros(8, np.float32))
    column_totals(partial, y, 4)
    assert_close(host_cupy.view(y), draw(3, 8).sum(axis=0))
