"""Dropout by kernel: the CPU's mask, from the counter, in both passes."""

import numpy as np
import pytest
from bfloat16 import bits_of_bfloat16, from_bfloat16

import isograd as ig
from isograd import nn
from isograd.backend.chance import Chance
from isograd.kernels.cuda.dropout import DROPOUT, THREADS


def applied(host, x, chance, dtype, scale_type=np.float32, blocks=1):
    y = np.full_like(x, 77)
    numbers = (scale_type(chance.scale), np.int64(chance.threshold), np.int64(x.size))
    args = (x, y, *chance.place.numbers, *numbers)
    host(DROPOUT, "dropout_apply", dtype, (blocks,), (THREADS,), args)
    return y


@pytest.mark.parametrize("n", [1, 15, 16, 17, 4097])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_elements_are_kept_and_scaled_as_on_the_cpu(host, n, dtype):
    generator = ig.random.Generator(1)
    generator.random(3)  # not at the beginning of a block
    chance = Chance(generator, 0.7, n)
    x = np.random.default_rng(0).standard_normal(n).astype(dtype)
    y = applied(host, x, chance, dtype, np.float64 if dtype == "float64" else np.float32)
    expected = x * chance.factors((n,), np.dtype(dtype), ig.current_device())
    if dtype == "float16":  # here the factor is float32 and the product is rounded once
        np.testing.assert_allclose(y, expected, rtol=2e-3)
    else:
        np.testing.assert_array_equal(y, expected)


def test_arrays_that_begin_between_packs_are_taken_one_by_one(host_cupy):
    x = np.random.default_rng(0).standard_normal(70).astype(np.float32)
    results = []
    for array in (x, host_cupy.array(x)):
        results.append(nn.dropout(array[1:], 0.4, generator=ig.random.Generator(5)))
    np.testing.assert_array_equal(host_cupy.view(results[1]), results[0])


def test_bfloat16_is_rounded_once(host):
    chance = Chance(ig.random.Generator(1), 0.7, 100)
    x = bits_of_bfloat16(np.random.default_rng(0).standard_normal(100).astype(np.float32))
    y = from_bfloat16(applied(host, x, chance, "bfloat16"))
    exact = from_bfloat16(x) * chance.factors((100,), np.dtype("float32"), ig.current_device())
    np.testing.assert_allclose(y, exact, rtol=2.0**-8)


def test_a_dropped_infinity_gives_nan_as_on_the_cpu(host):
    chance = Chance(ig.random.Generator(0), 0.5, 64)
    y = applied(host, np.full(64, np.inf, np.float32), chance, "float32")
    assert np.isnan(y).any()
    assert np.isinf(y).any()


@pytest.mark.parametrize("p", [0.1, 0.5, 1.0])
def test_both_passes_on_cupy_are_one_launch_with_the_mask_of_the_cpu(host_cupy, p):
    x = np.random.default_rng(0).standard_normal((9, 31)).astype(np.float32)
    results = []
    for array in (x, host_cupy.array(x)):
        tensor = ig.Tensor(array, requires_grad=True)
        y = nn.dropout(tensor, p, generator=ig.random.Generator(5))
        y.backward(array)
        results.append((y.data, tensor.grad))
    for here, there in zip(*results, strict=True):
        np.testing.assert_array_equal(host_cupy.view(there), here)
    assert host_cupy.compiler.launched == ["dropout_apply"] * 2
    assert host_cupy.used == []
