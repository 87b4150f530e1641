"""The NumPy kernels of the optimizers against the definitions: the same bits."""

import itertools

import numpy as np
import pytest

from isograd.kernels.adam import adam_numpy, adamw_numpy
from isograd.kernels.blocks import BLOCK_BYTES
from isograd.kernels.rmsprop import rmsprop_numpy
from isograd.kernels.sgd import PART, sgd_numpy
from isograd.kernels.threads import threads
from isograd.nn.optimizers.adam import adam, adamw
from isograd.nn.optimizers.rmsprop import rmsprop
from isograd.nn.optimizers.sgd import sgd

ADAM = {"lr": 0.01, "betas": (0.8, 0.95), "eps": 1e-6}
SGD = {"lr": 0.1, "momentum": 0.9, "dampening": 0.0, "nesterov": False, "ewma": False}
RMSPROP = {"lr": 0.01, "alpha": 0.9, "eps": 1e-6}

CASES = {
    "adam": (adam_numpy, adam, 2, {**ADAM, "weight_decay": 0.0}),
    "adam with weight decay": (adam_numpy, adam, 2, {**ADAM, "weight_decay": 0.1}),
    "adamw": (adamw_numpy, adamw, 2, {**ADAM, "weight_decay": 0.1}),
    "sgd": (sgd_numpy, sgd, 0, {**SGD, "weight_decay": 0.0}),
    "sgd with weight decay": (sgd_numpy, sgd, 0, {**SGD, "weight_decay": 0.1}),
    "momentum": (sgd_numpy, sgd, 1, {**SGD, "weight_decay": 0.0}),
    "dampening": (sgd_numpy, sgd, 1, {**SGD, "dampening": 0.3, "weight_decay": 0.1}),
    "nesterov": (sgd_numpy, sgd, 1, {**SGD, "nesterov": True, "weight_decay": 0.1}),
    "ewma": (sgd_numpy, sgd, 1, {**SGD, "ewma": True, "nesterov": True, "weight_decay": 0.1}),
}
for _momentum, _centered, _decay in itertools.product((0.0, 0.5), (False, True), (0.0, 0.1)):
    _settings = {"momentum": _momentum, "centered": _centered, "weight_decay": _decay}
    _n_moments = 1 + _centered + (_momentum > 0)
    CASES[f"rmsprop {_settings}"] = (rmsprop_numpy, rmsprop, _n_moments, {**RMSPROP, **_settings})

SIZES = {"one": 1, "a block": BLOCK_BYTES // 4, "more than two blocks": BLOCK_BYTES // 2 + 77}


def arrays_of(size, dtype, n_moments):
    """p, dp and moments after some steps: mean squares come before means, so squares are larger."""
    random = np.random.RandomState(11)
    p, dp = (random.randn(size).astype(dtype) for _ in range(2))
    moments = [(random.rand(size) + 2.0 - i).astype(dtype) for i in range(n_moments)]
    return p, dp, moments


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("name", CASES)
def test_a_kernel_gives_the_bits_of_its_definition(name, size, dtype, compiled):
    kernel, definition, n_moments, settings = CASES[name]
    p, dp, moments = arrays_of(size, dtype, n_moments)
    for t in (1, 2):
        expected = definition(p, dp, *moments, t=t, **settings)
        before = dp.copy()
        kernel(p, dp, *moments, t=t, **settings)
        for new, wanted in zip((p, *moments), expected, strict=True):
            assert new.dtype == dtype
            assert np.array_equal(new, wanted)
        assert np.array_equal(dp, before)


@pytest.mark.parametrize("name", ["adam with weight decay", "adamw", "nesterov"])
def test_the_number_of_threads_changes_no_bit(name, compiled):
    kernel, _, n_moments, settings = CASES[name]
    found = []
    for n in (1, 2, 4):
        p, dp, moments = arrays_of(2 * PART + 77, "float32", n_moments)
        with threads(n):
            kernel(p, dp, *moments, t=3, **settings)
        found.append((p, *moments))
    for more in found[1:]:
        for one, other in zip(found[0], more, strict=True):
            assert np.array_equal(one, other)


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("name", CASES)
def test_infinities_nan_and_the_sign_of_zero_are_the_definitions(name):
    kernel, definition, n_moments, settings = CASES[name]
    p, _, moments = arrays_of(6, "float32", n_moments)
    p[-1] = np.inf
    dp = np.array([np.nan, np.inf, -np.inf, -0.0, 1e-30, 1.0], np.float32)
    with np.errstate(all="ignore"):
        expected = definition(p, dp, *moments, t=2, **settings)
        kernel(p, dp, *moments, t=2, **settings)
    for new, wanted in zip((p, *moments), expected, strict=True):
        assert np.array_equal(new, wanted, equal_nan=True)
        is_number = ~np.isnan(wanted)
        assert np.array_equal(np.signbit(new[is_number]), np.signbit(wanted[is_number]))


ONES = [np.ones(5, np.float32) for _ in range(5)]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda f: f.sgd(ONES[0], ONES[1][:4], ONES[2], 0, 0, 0, 0, 0), "argument 1 must have 5"),
        (lambda f: f.sgd(*ONES[:2], ONES[2][:4], 0, 0, 0, 0, 0), "argument 2 must have 5"),
        (lambda f: f.rmsprop(*ONES[:2], ONES[2][:0], *ONES[3:], *[0] * 6), "argument 2 must have"),
        (lambda f: f.rmsprop(*ONES[:3], ONES[3][:4], ONES[4], *[0] * 6), "argument 3 must have 5"),
        (lambda f: f.rmsprop(*ONES[:4], ONES[4][:1], *[0] * 6), "argument 4 must have 5"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(loops, call, says):
    with pytest.raises(ValueError, match=says):
        call(loops)
    assert all(np.all(x == 1.0) for x in ONES)
