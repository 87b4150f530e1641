"""Optimizer updates by kernel: the bits of the NumPy kernels."""

import numpy as np
import pytest

from isograd.backend.replay import CAPACITY, HostShare, recording
from isograd.kernels.adam import adam_numpy, adamw_numpy
from isograd.kernels.cuda.adam import ADAM, THREADS, _factors, adam_cupy, adamw_cupy
from isograd.kernels.cuda.adam import FIELDS as ADAM_FIELDS
from isograd.kernels.cuda.arrays import NULL
from isograd.kernels.cuda.packs import n_packs
from isograd.kernels.cuda.rmsprop import FIELDS as RMSPROP_FIELDS
from isograd.kernels.cuda.rmsprop import RMSPROP, rmsprop_cupy
from isograd.kernels.cuda.rmsprop import _factors as rmsprop_factors
from isograd.kernels.cuda.sgd import FIELDS as SGD_FIELDS
from isograd.kernels.cuda.sgd import SGD, sgd_cupy
from isograd.kernels.cuda.sgd import _factors as sgd_factors
from isograd.kernels.rmsprop import rmsprop_numpy
from isograd.kernels.sgd import sgd_numpy

ADAM_SETTINGS = {"lr": 1e-2, "betas": (0.9, 0.99), "eps": 1e-8, "weight_decay": 0.1}
SGD_SETTINGS = {
    "lr": 0.1,
    "momentum": 0.9,
    "dampening": 0.0,
    "weight_decay": 0.01,
    "nesterov": False,
    "ewma": False,
}
SIZES = [1, 3, 4, 5, 1027]


def arrays(n, dtype, count):
    rng = np.random.default_rng(0)
    made = [rng.standard_normal(n).astype(dtype) for _ in range(count)]
    made[-1] = abs(made[-1])  # the running mean of squares
    return made


def struct(fields, values, dtype):
    return np.array(values, np.dtype([(name, dtype) for name in fields]))[()]


@pytest.mark.parametrize("decoupled", [False, True])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", SIZES)
def test_adam_gives_the_bits_of_the_numpy_kernel(host, n, dtype, weight_decay, decoupled):
    settings = {**ADAM_SETTINGS, "weight_decay": weight_decay, "t": 3}
    p, dp, m, v = arrays(n, dtype, 4)
    expected = [array.copy() for array in (p, dp, m, v)]
    (adamw_numpy if decoupled else adam_numpy)(*expected, **settings)
    now = struct(ADAM_FIELDS, _factors(decoupled=decoupled, **settings), dtype)
    for packed in (True, False):
        found = [array.copy() for array in (p, dp, m, v)]
        packs = np.int64(p.nbytes // 16 if packed else 0)
        flags = np.uint64(0), np.bool_(decoupled)
        args = (found[0], NULL, *found[1:], now, *flags, packs, np.int64(n))
        host(ADAM, "adam_update", dtype, (2,), (THREADS,), args)
        for got, want in zip(found, expected, strict=True):
            np.testing.assert_array_equal(got, want)


def test_numbers_below_the_normal_ones_are_not_taken_for_zero(host):
    scales = (1.0, 1e-19, 1e-38, 1e-39)
    made = [x * np.float32(s) for x, s in zip(arrays(8, "float32", 4), scales, strict=True)]
    settings = {**ADAM_SETTINGS, "eps": 0.0, "weight_decay": 0.0, "t": 3}
    expected = [array.copy() for array in made]
    adam_numpy(*expected, **settings)
    now = struct(ADAM_FIELDS, _factors(decoupled=False, **settings), "float32")
    flags = np.uint64(0), np.bool_(False)
    args = (made[0], NULL, *made[1:], now, *flags, np.int64(2), np.int64(8))
    host(ADAM, "adam_update", "float32", (1,), (THREADS,), args)
    assert expected[3].max() < np.finfo(np.float32).tiny
    for got, want in zip(made, expected, strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"momentum": 0.0, "weight_decay": 0.0},
        {"nesterov": True},
        {"ewma": True},
        {"dampening": 0.5, "weight_decay": 0.0},
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", SIZES)
def test_sgd_gives_the_bits_of_the_numpy_kernel(host, n, dtype, changes):
    settings = {**SGD_SETTINGS, **changes, "t": 2}
    made = arrays(n, dtype, 3 if settings["momentum"] else 2)
    expected = [array.copy() for array in made]
    sgd_numpy(*expected, **settings)
    now = struct(SGD_FIELDS, sgd_factors(**settings), dtype)
    kernel = "momentum_update" if settings["momentum"] else "sgd_update"
    for packed in (True, False):
        found = [array.copy() for array in made]
        packs = np.int64(found[0].nbytes // 16 if packed else 0)
        args = (found[0], NULL, *found[1:], now, np.uint64(0), packs, np.int64(n))
        host(SGD, kernel, dtype, (2,), (THREADS,), args)
        for got, want in zip(found, expected, strict=True):
            np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("centered", [False, True])
@pytest.mark.parametrize(("n", "dtype"), [(5, "float32"), (1027, "float32"), (5, "float64")])
def test_rmsprop_gives_the_bits_of_the_numpy_kernel(
    host, n, dtype, centered, momentum, weight_decay
):
    settings = {
        **{"lr": 0.1, "alpha": 0.9, "eps": 1e-8, "t": 2},
        **{"centered": centered, "momentum": momentum, "weight_decay": weight_decay},
    }
    p, dp, *others, square = arrays(n, dtype, 3 + centered + bool(momentum))
    expected = [array.copy() for array in (p, dp, square, *others)]
    rmsprop_numpy(*expected, **settings)
    now = struct(RMSPROP_FIELDS, rmsprop_factors(**settings), dtype)
    for packed in (True, False):
        found = [array.copy() for array in (p, dp, square, *others)]
        ends = (found[3], found[-1]) if others else (NULL, NULL)
        packs = np.int64(p.nbytes // 16 if packed else 0)
        args = (found[0], NULL, *found[1:3], *ends, now, np.uint64(0), packs, np.int64(n))
        host(RMSPROP, "rmsprop_update", dtype, (2,), (THREADS,), args)
        for got, want in zip(found, expected, strict=True):
            np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(("centered", "momentum"), [(False, 0.0), (True, 0.0), (True, 0.9)])
def test_the_rmsprop_launcher_updates_in_one_launch(host_cupy, centered, momentum):
    settings = {"lr": 0.1, "alpha": 0.9, "eps": 1e-8, "weight_decay": 0.0, "t": 1}
    settings |= {"centered": centered, "momentum": momentum}
    p, dp, *others, square = arrays(37, "float32", 3 + centered + bool(momentum))
    expected = [p, dp, square, *others]
    found = [host_cupy.array(array) for array in expected]
    rmsprop_numpy(*expected, **settings)
    rmsprop_cupy(*found, numbers=lambda: settings)
    for got, want in zip(found, expected, strict=True):
        np.testing.assert_array_equal(host_cupy.view(got), want)
    assert host_cupy.compiler.launched == ["rmsprop_update"]


def test_numbers_of_a_captured_step_are_read_from_their_place(host):
    p, dp, m, v = arrays(10, "float32", 4)
    settings = {**ADAM_SETTINGS, "t": 5}
    expected = [array.copy() for array in (p, dp, m, v)]
    adam_numpy(*expected, **settings)
    later = struct(ADAM_FIELDS, _factors(decoupled=False, **settings), "float32").reshape(1)
    nothing = struct(ADAM_FIELDS, (0.0,) * len(ADAM_FIELDS), "float32")
    args = (p, NULL, dp, m, v, nothing, later, np.bool_(False), np.int64(2), np.int64(10))
    host(ADAM, "adam_update", "float32", (1,), (THREADS,), args)
    np.testing.assert_array_equal(p, expected[0])


@pytest.mark.parametrize(("kernel", "twin"), [(adam_cupy, adam_numpy), (adamw_cupy, adamw_numpy)])
def test_the_adam_launchers_update_in_one_launch(host_cupy, kernel, twin):
    settings = {**ADAM_SETTINGS, "t": 1}
    expected = arrays(37, "float32", 4)
    found = [host_cupy.array(array) for array in expected]
    twin(*expected, **settings)
    kernel(*found, numbers=lambda: settings)
    for got, want in zip(found, expected, strict=True):
        np.testing.assert_array_equal(host_cupy.view(got), want)
    assert host_cupy.compiler.launched == ["adam_update"]
    assert host_cupy.used == []


@pytest.mark.parametrize(("count", "kernel"), [(2, "sgd_update"), (3, "momentum_update")])
def test_the_sgd_launcher_updates_in_one_launch(host_cupy, count, kernel):
    settings = {**SGD_SETTINGS, "t": 1, "momentum": 0.9 if count == 3 else 0.0}
    expected = arrays(37, "float64", count)
    found = [host_cupy.array(array) for array in expected]
    sgd_numpy(*expected, **settings)
    sgd_cupy(*found, numbers=lambda: settings)
    for got, want in zip(found, expected, strict=True):
        np.testing.assert_array_equal(host_cupy.view(got), want)
    assert host_cupy.compiler.launched == [kernel]


def test_arrays_that_begin_between_packs_are_read_one_by_one(host_cupy):
    x = host_cupy.array(np.zeros(9, np.float32))
    assert n_packs(x) == 2
    assert n_packs(x[1:]) == 0
    assert n_packs(x[4:], x[:5]) == 1


def test_in_a_capture_the_settings_are_asked_for_at_each_replay(host_cupy):
    asked = []

    def numbers():
        asked.append(len(asked))
        return {**ADAM_SETTINGS, "t": len(asked)}

    memory = host_cupy.array(np.zeros(CAPACITY, np.uint8))
    share = HostShare(memory.data.ptr)
    found = [host_cupy.array(array) for array in arrays(8, "float32", 4)]
    with recording(share):
        adam_cupy(*found, numbers=numbers)
    assert asked == []
    for _ in range(2):
        share.do()
    assert asked == [0, 1]
