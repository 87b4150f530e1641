"""Updates of parameters of 16 bits by kernel: the bits of the NumPy kernels on float32 masters."""

import numpy as np
import pytest
from bfloat16 import bits_of_bfloat16, from_bfloat16

from isograd.kernels.adam import adam_numpy, adamw_numpy
from isograd.kernels.cuda.adam import ADAM, THREADS, adam_half_cupy, adamw_half_cupy
from isograd.kernels.cuda.adam import FIELDS as ADAM_FIELDS
from isograd.kernels.cuda.adam import _factors as adam_factors
from isograd.kernels.cuda.rmsprop import FIELDS as RMSPROP_FIELDS
from isograd.kernels.cuda.rmsprop import RMSPROP, rmsprop_half_cupy
from isograd.kernels.cuda.rmsprop import _factors as rmsprop_factors
from isograd.kernels.cuda.sgd import FIELDS as SGD_FIELDS
from isograd.kernels.cuda.sgd import SGD, sgd_half_cupy
from isograd.kernels.cuda.sgd import _factors as sgd_factors
from isograd.kernels.rmsprop import rmsprop_numpy
from isograd.kernels.sgd import sgd_numpy

ADAM_SETTINGS = {"lr": 1e-4, "betas": (0.9, 0.99), "eps": 1e-8, "weight_decay": 0.1, "t": 3}
SGD_SETTINGS = {
    **{"lr": 1e-4, "momentum": 0.9, "dampening": 0.0, "weight_decay": 0.01},
    **{"nesterov": True, "ewma": False, "t": 2},
}
RMSPROP_SETTINGS = {
    **{"lr": 1e-4, "alpha": 0.9, "eps": 1e-8, "weight_decay": 0.1, "t": 2},
    **{"momentum": 0.9, "centered": True},
}
CASES = [("float16", 1), ("float16", 5), ("float16", 1027), ("bfloat16", 7), ("bfloat16", 1027)]


def stored(x, dtype):
    """float32 numbers in 16 bits; bfloat16 as its bits."""
    return bits_of_bfloat16(x) if dtype == "bfloat16" else x.astype(np.float16)


def seen(x):
    """Numbers of 16 bits in float32."""
    return from_bfloat16(x) if x.dtype == np.uint16 else x.astype(np.float32)


def arrays(n, dtype, n_moments):
    """p, its master, dp and the moments; every fifth p was set to 0.25 by somebody else."""
    rng = np.random.default_rng(0)
    master, dp, *moments = (rng.standard_normal(n).astype("float32") for _ in range(2 + n_moments))
    if moments:
        moments[-1] = abs(moments[-1])  # the running mean of squares
    values = master.copy()
    values[::5] = 0.25
    return stored(values, dtype), master, stored(dp, dtype), *moments


def expected(update, p, master, dp, moments, settings):
    """Master and moments after the NumPy kernel, p rounded from that master."""
    dtype = "bfloat16" if p.dtype == np.uint16 else "float16"
    values = np.where(seen(stored(master, dtype)) == seen(p), master, seen(p))
    new = [x.copy() for x in moments]
    update(values, seen(dp), *new, **settings)
    return [stored(values, dtype), values, dp, *new]


def launched(host, source, kernel, dtype, arrays, fields, factors, *flags):
    """What the kernel makes of the arrays: in packs, then one by one."""
    now = np.array(factors, np.dtype([(name, "float32") for name in fields]))[()]
    n = arrays[0].size
    for packs in (n // 4, 0):
        found = [array.copy() for array in arrays]
        args = (*found, now, np.uint64(0), *flags, np.int64(packs), np.int64(n))
        host(source, kernel, dtype, (2,), (THREADS,), args)
        yield found


def same(found, wanted):
    for got, want in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("decoupled", [False, True])
@pytest.mark.parametrize(("dtype", "n"), CASES)
def test_adam_updates_the_master_and_rounds_it(host, dtype, n, decoupled):
    made = p, master, dp, *moments = arrays(n, dtype, 2)
    twin = adamw_numpy if decoupled else adam_numpy
    wanted = expected(twin, p, master, dp, moments, ADAM_SETTINGS)
    factors = adam_factors(decoupled=decoupled, **ADAM_SETTINGS)
    flag = np.bool_(decoupled)
    for found in launched(host, ADAM, "adam_update", dtype, made, ADAM_FIELDS, factors, flag):
        same(found, wanted)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize(("dtype", "n"), CASES)
def test_sgd_updates_the_master_and_rounds_it(host, dtype, n, momentum):
    settings = {**SGD_SETTINGS, "momentum": momentum, "nesterov": momentum > 0}
    made = p, master, dp, *velocity = arrays(n, dtype, 1 if momentum else 0)
    wanted = expected(sgd_numpy, p, master, dp, velocity, settings)
    kernel = "momentum_update" if momentum else "sgd_update"
    for found in launched(host, SGD, kernel, dtype, made, SGD_FIELDS, sgd_factors(**settings)):
        same(found, wanted)


@pytest.mark.parametrize(("dtype", "n"), CASES)
def test_rmsprop_updates_the_master_and_rounds_it(host, dtype, n):
    p, master, dp, *others, square = arrays(n, dtype, 3)
    wanted = expected(rmsprop_numpy, p, master, dp, [square, *others], RMSPROP_SETTINGS)
    made = (p, master, dp, square, *others)
    factors = rmsprop_factors(**RMSPROP_SETTINGS)
    for found in launched(host, RMSPROP, "rmsprop_update", dtype, made, RMSPROP_FIELDS, factors):
        same(found, wanted)


def test_a_change_from_outside_of_a_tiny_bfloat16_is_seen(host):
    """2^-130 is below the normal numbers, which CuPy's -ftz=true would take for the master's 0."""
    p, master, dp = bits_of_bfloat16(np.float32([2.0**-130])), np.zeros(1, "float32"), np.zeros(1)
    settings = {**SGD_SETTINGS, "momentum": 0.0, "nesterov": False, "weight_decay": 0.0}
    made = (p, master, bits_of_bfloat16(dp))
    factors = sgd_factors(**settings)
    for found in launched(host, SGD, "sgd_update", "bfloat16", made, SGD_FIELDS, factors):
        assert found[1].tolist() == [2.0**-130]


LAUNCHERS = [
    (adam_half_cupy, adam_numpy, ADAM_SETTINGS, 2, "adam_update"),
    (adamw_half_cupy, adamw_numpy, ADAM_SETTINGS, 2, "adam_update"),
    (sgd_half_cupy, sgd_numpy, SGD_SETTINGS, 1, "momentum_update"),
    (rmsprop_half_cupy, rmsprop_numpy, {**RMSPROP_SETTINGS, "momentum": 0.0, "centered": False},
     1, "rmsprop_update"),
]  # fmt: skip


@pytest.mark.parametrize(("launcher", "twin", "settings", "n_moments", "kernel"), LAUNCHERS)
def test_the_launchers_update_and_round_in_one_launch(
    host_cupy, launcher, twin, settings, n_moments, kernel
):
    p, master, dp, *moments = arrays(37, "float16", n_moments)
    wanted = expected(twin, p, master, dp, moments, settings)
    found = [host_cupy.array(array) for array in (p, master, dp, *moments)]
    launcher(*found, numbers=lambda: settings)
    same([host_cupy.view(x) for x in found], wanted)
    assert host_cupy.compiler.launched == [kernel]
    assert host_cupy.used == []
