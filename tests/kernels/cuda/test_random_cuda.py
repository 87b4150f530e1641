"""Random numbers and choices by kernels: the same bits as backend/distributions.py makes."""

import numpy as np
import pytest

import isograd as ig
from isograd.backend.errors import CaptureError
from isograd.backend.philox import FAR
from isograd.backend.place import Place
from isograd.backend.replay import HostShare, recording
from isograd.kernels.cuda.dropout import DROPOUT
from isograd.kernels.cuda.dropout import THREADS as CHOICE_THREADS
from isograd.kernels.cuda.random import RANDOM, THREADS

KEY = (0x0123456789ABCDEF, 0xFEDCBA9876543210)


def place(position):
    return Place(lambda: (KEY, position))


def reference(position):
    """A Generator that has got so far."""
    generator = ig.random.Generator(0)
    generator.state = {"key_0": KEY[0], "key_1": KEY[1], "position": position}
    return generator


def filled(host, kind, dtype, n, position, scale=1.0, offset=0.0, top=np.inf, blocks=1):
    y = np.full(n, np.nan, dtype)
    numbers = [y.dtype.type(number) for number in (scale, offset, top)]
    args = (y, *place(position).numbers, *numbers, np.int64(n))
    host(RANDOM, f"random_{kind}", dtype, (blocks,), (THREADS,), args)
    return y


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("n", "position"), [(1, 0), (7, 1), (64, 3), (2500, 10**6 + 2)])
def test_uniform_numbers_are_those_of_the_generator(host, dtype, n, position):
    y = filled(host, "unit", dtype, n, position)
    np.testing.assert_array_equal(y, reference(position).random(n, dtype=dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("n", "position"), [(1, 0), (7, 1), (64, 3), (5000, 10**6 + 2)])
def test_normal_numbers_are_those_of_the_generator_bit_for_bit(host, dtype, n, position):
    y = filled(host, "normal", dtype, n, position)
    np.testing.assert_array_equal(y, reference(position).normal(n, dtype=dtype))


def test_an_array_that_begins_between_packs_gets_the_same_numbers(host):
    y = np.full(301, np.nan, np.float32)
    args = (y[1:], *place(6).numbers, *map(np.float32, (1.0, 0.0, np.inf)), np.int64(300))
    host(RANDOM, "random_unit", "float32", (1,), (THREADS,), args)
    np.testing.assert_array_equal(y[1:], reference(6).random(300, dtype="float32"))
    assert np.isnan(y[0])


@pytest.mark.parametrize("n", [1023, 1024, 1025, 3000])
@pytest.mark.parametrize("blocks", [2, 3])
def test_words_that_change_owners_stay_in_order_in_every_grid(host, n, blocks):
    y = filled(host, "unit", "float64", n, 2, blocks=blocks)
    np.testing.assert_array_equal(y, reference(2).random(n, dtype="float64"))


@pytest.mark.parametrize("position", [2**66 - 3, 2**130 - 6, 2**258 - 8])
def test_the_counter_carries_into_its_upper_words(host, position):
    y = filled(host, "unit", "float64", 12, position)
    np.testing.assert_array_equal(y, reference(0)._on_host(unit_draw("float64"), position, 12))


def unit_draw(dtype):
    from isograd.backend.distributions import unit_draw

    return unit_draw(dtype)


def choices(host, threshold, n, position):
    y = np.ones(n, bool)
    args = (y, *place(position).numbers, np.int64(threshold), np.int64(n))
    host(DROPOUT, "bernoulli", "float32", (1,), (CHOICE_THREADS,), args)
    return y


@pytest.mark.parametrize("p", [0.0, 2.0**-32, 0.3, 0.5, 1.0 - 2.0**-32, 1.0])
@pytest.mark.parametrize(("n", "position"), [(1, 0), (33, 3), (5000, 10**9 + 1)])
def test_choices_are_those_of_the_generator(host, p, n, position):
    y = choices(host, round(p * 2**32), n, position)
    np.testing.assert_array_equal(y, reference(position).bernoulli(p, n))


def test_a_chunk_at_the_threshold_is_decided_by_its_twin(host):
    n, position = 4096, 5
    words = np.random.Philox(key=np.array(KEY, np.uint64))
    words.random_raw(position)
    chunks = words.random_raw(n // 4).view(np.uint16)
    upper = int(chunks[17])
    threshold = upper * 2**16 + 30_000
    y = choices(host, threshold, n, position)
    twins = ig.backend.philox.HostWords(KEY).take(position + FAR, n // 4).view(np.uint16)
    expected = (chunks < upper) | ((chunks == upper) & (twins < 30_000))
    np.testing.assert_array_equal(y, expected)
    assert (chunks == upper).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_generator_makes_the_same_numbers_on_cupy_in_one_launch(host_cupy, dtype):
    here, there = ig.random.Generator(3), ig.random.Generator(3)
    for draw in (
        lambda g, d: g.uniform((3, 5), -2.0, 3.0, dtype=dtype, device=d),
        lambda g, d: g.normal((4, 7), 1.0, 0.5, dtype=dtype, device=d),
        lambda g, d: g.bernoulli(0.25, (6, 3), device=d),
    ):
        host_cupy.compiler.launched.clear()
        expected, got = draw(here, "cpu"), draw(there, "cuda")
        np.testing.assert_array_equal(host_cupy.view(got), expected)
        assert len(host_cupy.compiler.launched) == 1
    assert here.state == there.state


def test_integers_cannot_be_drawn_in_a_captured_step():
    generator = ig.random.Generator(0)
    with recording(HostShare(0)), pytest.raises(CaptureError, match="pass them as an argument"):
        generator.integers(0, 5, 3)
    assert generator.state["position"] == 0
