"""The norm of gradients by kernel."""

import numpy as np
import pytest

import isograd as ig
from isograd import nn
from isograd.backend.errors import NonFiniteError
from isograd.kernels.cuda.clipping import (
    CLIPPING,
    THREADS,
    TOTAL_THREADS,
    norm_on_gpu,
    scale_on_gpu,
)
from isograd.nn.optimizers import clipping


def gradients(n, dtype="float32"):
    return np.random.default_rng(0).standard_normal(n).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize(("n", "blocks"), [(1, 1), (31, 1), (257, 2), (5000, 3)])
def test_the_sums_of_squares_are_those_of_float64(host, n, blocks, dtype):
    x, sums = gradients(n, dtype), np.full(blocks, np.nan)
    host(CLIPPING, "square_sums", dtype, (blocks,), (THREADS,), (x, sums, np.int64(n)))
    np.testing.assert_allclose(sums.sum(), (x.astype(np.float64) ** 2).sum(), rtol=1e-14)


@pytest.mark.parametrize("n", [1, 1000, 1025])
def test_the_total_gives_norm_and_factor(host, n):
    sums, norm = abs(gradients(n, "float64")), np.full(2, np.nan)
    args = (sums, norm, np.float64(0.5), np.int64(n))
    host(CLIPPING, "norm_total", "float64", (1,), (TOTAL_THREADS,), args)
    root = np.sqrt(sums.sum())
    np.testing.assert_allclose(norm, [root, min(1.0, 0.5 / (root + 1e-6))], rtol=1e-14)


@pytest.mark.parametrize("factor", [1.0, 0.25, np.nan])
def test_gradients_are_scaled_by_the_factor(host, factor):
    x = gradients(700)
    expected = x * np.float32(factor)
    norm = np.array([3.0, factor])
    host(CLIPPING, "scale_by_norm", "float32", (2,), (THREADS,), (x, norm, np.int64(x.size)))
    np.testing.assert_array_equal(x, expected)


def test_squares_that_overflow_float32_do_not(host_cupy):
    norm = norm_on_gpu([host_cupy.array(np.full(4, 1e30, np.float32))], 1.0)
    np.testing.assert_allclose(host_cupy.view(norm)[0], 2e30, rtol=1e-6)


def test_several_arrays_have_one_norm_and_no_number_goes_to_the_host(host_cupy):
    parts = [gradients(n, dtype) for n, dtype in ((9, "float32"), (20_000, "float64"))]
    there = [host_cupy.array(part) for part in parts]
    norm = norm_on_gpu(there, 1.0)
    for part in there:
        scale_on_gpu(part, norm)
    root = np.sqrt(sum((part.astype(np.float64) ** 2).sum() for part in parts))
    np.testing.assert_allclose(host_cupy.view(norm), [root, 1.0 / (root + 1e-6)], rtol=1e-12)
    for part, got in zip(parts, there, strict=True):
        np.testing.assert_allclose(host_cupy.view(got), part / (root + 1e-6), rtol=1e-6)
    assert host_cupy.used == []


@pytest.mark.parametrize("kept_together", [False, True])
@pytest.mark.parametrize("checked", [False, True])
def test_clip_grad_norm_is_that_of_the_cpu(host_cupy, kept_together, checked):
    results = []
    for place in ("cpu", "cuda"):
        with ig.using(place):
            ps = [nn.Parameter(ig.array(gradients(n))) for n in (5, 40)]
            if kept_together:
                nn.SGD(ps, lr=0.1)
            for p in ps:
                (p * p).backward(ig.array(np.full(p.shape, 3.0, np.float32)))
            norm = nn.clip_grad_norm(ps, 2.0, error_if_nonfinite=checked)
            results.append([float(norm), *(ig.to_numpy(p.grad) for p in ps)])
    for here, there in zip(*results, strict=True):
        np.testing.assert_allclose(there, here, rtol=1e-6)


def test_a_norm_that_is_not_finite_is_the_error_of_the_cpu(host_cupy):
    with ig.using("cuda"):
        p = nn.Parameter(ig.array([1.0, np.inf]))
        (p * p).backward(ig.array([1.0, 1.0]))
        with pytest.raises(NonFiniteError, match="parameter 0"):
            nn.clip_grad_norm([p], 1.0)


@pytest.mark.host_only
def test_gradients_on_several_gpus_are_not_read_by_kernels_of_one(host_cupy, monkeypatch):
    monkeypatch.setattr(clipping, "device_of", id)
    with ig.using("cuda"):
        ps = [nn.Parameter(ig.array(gradients(n))) for n in (5, 40)]
        for p in ps:
            (p * p).backward(ig.array(np.full(p.shape, 3.0, np.float32)))
        host_cupy.compiler.launched.clear()
        nn.clip_grad_norm(ps, 2.0)
    assert host_cupy.compiler.launched == []
