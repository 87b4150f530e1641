import math

import numpy as np
import pytest

from isograd.backend import find_device, to_numpy
from isograd.backend.normal import standard_normal
from isograd.backend.normal_table import DOUBLE, SINGLE
from isograd.backend.philox import has_uint64_arithmetic

TABLES = [pytest.param(SINGLE, id="float32"), pytest.param(DOUBLE, id="float64")]


def bits_for(table, n):
    """Random bits, and magnitudes near 0, near the largest and on both sides of the split."""
    kind = np.dtype(f"uint{table.bits}")
    random = np.random.default_rng(0).integers(0, 2**table.bits, n, dtype=kind)
    powers = [2**k for k in range(table.bits - 1)]
    edges = [0, *powers, *(table.magnitude - p for p in powers), table.magnitude]
    edges += [table.split + k for k in (-1, 0, 1, 2)]
    return np.concatenate([random, np.array(edges, dtype=kind)])


def centre_and_tail(bits, table):
    """q and r = 1/2 - q of each number in float64, neither by a difference of near numbers."""
    magnitude = bits & table.magnitude
    scale = 2.0**-table.bits
    q = (magnitude.astype(np.float64) + 0.5) * scale
    return q, ((magnitude ^ table.magnitude).astype(np.float64) + 0.5) * scale


@pytest.mark.parametrize("table", TABLES)
def test_every_device_makes_the_same_bits(device, table):
    where = find_device(device)
    if not has_uint64_arithmetic(where.xp, where.raw):
        pytest.skip(f"{device} has no uint64 arithmetic: its numbers are made on the host")
    bits = bits_for(table, 20_000)
    with where.active():
        there = standard_normal(where.xp.asarray(bits, device=where.raw), table, where.xp)
    assert there.dtype == getattr(where.xp, table.dtype)
    np.testing.assert_array_equal(
        to_numpy(there).view(bits.dtype), standard_normal(bits, table, np).view(bits.dtype)
    )


@pytest.mark.parametrize("table", TABLES)
def test_the_numbers_are_the_quantiles_of_the_normal_distribution(table):
    bits = bits_for(table, 5_000)
    q, r = centre_and_tail(bits, table)
    size = np.abs(standard_normal(bits, table, np).astype(np.float64))
    # the distance in probability over the density is the distance in size, to first order
    middle = q - [math.erf(z / math.sqrt(2)) / 2 for z in size]
    outside = np.array([math.erfc(z / math.sqrt(2)) / 2 for z in size]) - r
    density = np.exp(-size * size / 2) / math.sqrt(2 * math.pi)
    error = np.where(q < 0.25, middle, outside) / density / size
    # 1.2e-15 is the documented 1e-15 and what math.erfc itself may be off by
    assert np.max(np.abs(error)) < {"float32": 5e-7, "float64": 1.2e-15}[table.dtype]


@pytest.mark.parametrize("table", TABLES)
def test_flipping_the_top_bit_changes_the_sign_alone(table):
    bits = bits_for(table, 1_000)
    flipped = bits ^ (table.magnitude + 1)
    np.testing.assert_array_equal(
        standard_normal(flipped, table, np), -standard_normal(bits, table, np)
    )


@pytest.mark.parametrize(
    ("table", "smallest", "largest"),
    [(SINGLE, 2.91809937e-10, 6.33795775), (DOUBLE, 6.79422955e-20, 9.15529377)],
)
def test_the_extreme_bits_give_the_extreme_numbers(table, smallest, largest):
    bits = np.array([0, table.magnitude], dtype=f"uint{table.bits}")
    np.testing.assert_allclose(standard_normal(bits, table, np), [smallest, largest], rtol=5e-7)


@pytest.mark.parametrize("table", TABLES)
def test_the_numbers_rise_with_the_bits_across_centre_and_tail(table):
    magnitudes = np.linspace(0, table.magnitude, 5_000, endpoint=False).astype(f"uint{table.bits}")
    assert np.all(np.diff(standard_normal(magnitudes, table, np)) > 0)


def test_no_bits_are_no_numbers():
    assert standard_normal(np.zeros(0, dtype=np.uint32), SINGLE, np).shape == (0,)


def test_the_bits_that_are_given_stay_as_they_are():
    bits = bits_for(SINGLE, 100)
    before = bits.copy()
    standard_normal(bits, SINGLE, np)
    np.testing.assert_array_equal(bits, before)
