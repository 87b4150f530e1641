import numpy as np
import pytest

from isograd.backend.distributions import (
    Draw,
    bernoulli_draw,
    halves,
    integer_draw,
    quarters,
    scaled_draw,
    shuffled_indices,
    unit_draw,
)
from isograd.backend.philox import FAR, DeviceWords, HostWords

KEY = (0x0123456789ABCDEF, 2**64 - 5)


class FixedWords:
    """A source of the words it was given."""

    xp = np

    def __init__(self, *words):
        self.words = np.array(words, dtype=np.uint64)

    def take(self, start, n):
        return self.words[start : start + n]


def test_a_number_of_words_is_rounded_up_to_whole_groups():
    draw = Draw(make=lambda source, start, n: None, numbers=4, words=3)
    assert [draw.n_words(size) for size in (0, 1, 4, 5)] == [0, 3, 3, 6]


def test_halves_and_quarters_begin_with_the_lowest_bits():
    word = np.array([0x4444333322221111], dtype=np.uint64)
    assert halves(word, np).tolist() == [0x22221111, 0x44443333]
    assert quarters(word, np).tolist() == [0x1111, 0x2222, 0x3333, 0x4444]


def test_halves_and_quarters_are_the_same_by_the_definition():
    strict = pytest.importorskip("array_api_strict")
    words = HostWords(KEY).take(0, 100)
    for split in (halves, quarters):
        there = split(strict.asarray(words), strict)
        np.testing.assert_array_equal(np.from_dlpack(there), split(words, np))


@pytest.mark.parametrize(("dtype", "bits"), [("float32", 24), ("float64", 53)])
def test_the_largest_unit_number_is_one_step_below_1(dtype, bits):
    made = unit_draw(dtype).make(FixedWords(2**64 - 1), 0, 1)
    assert set(made.tolist()) == {1 - 2.0**-bits}


def test_a_scaled_number_does_not_reach_its_upper_end():
    # 1 + (1 - 2**-24) lies half way between 2 - 2**-23 and 2, and would be rounded to 2
    draw = scaled_draw(unit_draw("float32"), 1.0, 1.0, top=2.0 - 2.0**-23)
    assert draw.make(FixedWords(2**64 - 1), 0, 1).tolist() == [2.0 - 2.0**-23] * 2


@pytest.mark.parametrize("span", [1, 2, 10, 60_000, 2**32 - 1, 2**32])
def test_integers_are_the_floor_of_span_times_64_bits(span):
    words = [0, 2**64 - 1, *HostWords(KEY).take(0, 50).tolist()]
    made = integer_draw(-7, span, "int64").make(FixedWords(*words), 0, len(words))
    assert made.tolist() == [(word * span >> 64) - 7 for word in words]


@pytest.mark.parametrize("span", [2**32 + 1, 3 * 2**61 + 12_345, 2**63 - 1, 2**63])
def test_wide_integers_are_the_floor_of_span_times_128_bits(span):
    words = [0, 0, 2**64 - 1, 2**64 - 1, *HostWords(KEY).take(0, 400).tolist()]
    made = integer_draw(-(2**62), span, "int64").make(FixedWords(*words), 0, len(words))
    pairs = zip(words[::2], words[1::2], strict=True)
    assert made.tolist() == [(((u << 64) + v) * span >> 128) - 2**62 for u, v in pairs]


def test_wide_integers_carry_from_the_lower_product():
    # span * upper ends in 2**64 - 1 and span * lower / 2**64 is 1 or more: the sum carries
    span = 2**63 - 1
    upper = (-pow(span, -1, 2**64)) % 2**64
    made = integer_draw(0, span, "int64").make(FixedWords(upper, 2**64 - 1), 0, 2)
    assert made.tolist() == [((upper << 64) + 2**64 - 1) * span >> 128]
    assert made.tolist() != [upper * span >> 64]


@pytest.mark.parametrize("threshold", [0, 1, 2**16, 2**31, 429_496_730, 2**32 - 1, 2**32])
@pytest.mark.parametrize("source", [HostWords(KEY), DeviceWords(KEY, np)], ids=["host", "device"])
def test_bernoulli_compares_32_bits_with_the_threshold(threshold, source):
    n = 100_000  # words: 400,000 numbers, of which six agree with the threshold's upper half
    upper = quarters(HostWords(KEY).take(3, n), np).astype(np.uint64)
    lower = quarters(HostWords(KEY).take(3 + FAR, n), np)
    expected = (upper << 16 | lower) < threshold
    np.testing.assert_array_equal(bernoulli_draw(threshold).make(source, 3, n), expected)


def test_shuffled_indices_are_the_stable_order_of_the_words():
    words = HostWords(KEY).take(0, 5_000)
    words[1_000:2_000] = words[:1_000]  # equal words keep their order
    words[3_000:3_500] &= 2**48 - 1  # and so many share their upper 16 bits
    np.testing.assert_array_equal(shuffled_indices(words), np.argsort(words, kind="stable"))
