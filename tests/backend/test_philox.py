import numpy as np
import pytest

from isograd.backend import find_device, to_numpy
from isograd.backend.philox import (
    HostWords,
    defined_words,
    has_uint64_arithmetic,
    wide_product,
    words,
)

KEY = (0x0123456789ABCDEF, 2**64 - 5)

# counter, key, block: philox4x64 10 in kat_vectors of Random123 1.14
KNOWN_ANSWERS = [
    (
        (0, 0, 0, 0),
        (0, 0),
        (0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B),
    ),
    (
        (2**64 - 1,) * 4,
        (2**64 - 1,) * 2,
        (0x87B092C3013FE90B, 0x438C3C67BE8D0224, 0x9CC7D7C69CD777B6, 0xA09CAEBF594F0BA0),
    ),
    (
        (0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0, 0x082EFA98EC4E6C89),
        (0x452821E638D01377, 0xBE5466CF34E90C6C),
        (0xA528F45403E61D95, 0x38C72DBD566E9788, 0xA5A1610E72FD18B5, 0x57BD43B5E52B7FE6),
    ),
]


def numpy_words(key, n):
    return np.random.Philox(key=np.array(key, dtype=np.uint64)).random_raw(n)


def position_of(counter):
    """Where a block stands in the stream: NumPy increments the counter before it makes a block."""
    number = sum(word << 64 * i for i, word in enumerate(counter))
    return 4 * ((number - 1) % 2**256)


@pytest.mark.parametrize(("counter", "key", "block"), KNOWN_ANSWERS)
def test_the_definition_gives_the_known_answers_of_random123(counter, key, block):
    assert tuple(defined_words(key, position_of(counter), 4, np).tolist()) == block


@pytest.mark.parametrize(("counter", "key", "block"), KNOWN_ANSWERS)
def test_the_host_words_give_the_known_answers_of_random123(counter, key, block):
    assert tuple(HostWords(key).take(position_of(counter), 4).tolist()) == block


@pytest.mark.parametrize("start", [0, 1, 2, 3, 4, 777, 9_998])
def test_words_from_any_position_are_those_of_numpys_philox(device, start):
    where = find_device(device)
    with where.active():
        made = words(KEY, start, 103, where.xp, where.raw)
    assert made.dtype == where.xp.uint64
    np.testing.assert_array_equal(to_numpy(made), numpy_words(KEY, 10_200)[start : start + 103])


@pytest.mark.parametrize("blocks", [2**64, 2**128, 2**192, 2**255, 2**256])
def test_the_definition_carries_between_the_words_of_the_counter(blocks):
    start = 4 * (blocks - 3) + 1
    np.testing.assert_array_equal(defined_words(KEY, start, 13, np), HostWords(KEY).take(start, 13))


def test_words_read_in_pieces_are_the_words_read_at_once():
    source, whole = HostWords(KEY), numpy_words(KEY, 40)
    pieces = [source.take(0, 3), source.take(3, 10), source.take(13, 0), source.take(13, 27)]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


def test_a_jump_backwards_reads_the_same_words_again():
    source = HostWords(KEY)
    first = source.take(5, 9)
    source.take(1_000, 2)
    np.testing.assert_array_equal(source.take(5, 9), first)


def test_no_words_are_an_empty_array(device):
    where = find_device(device)
    with where.active():
        assert words(KEY, 7, 0, where.xp, where.raw).shape == (0,)


def test_wide_product_is_that_of_pythons_integers():
    edges = [0, 1, 2**32 - 1, 2**32, 2**63, 2**64 - 1, *numpy_words(KEY, 50).tolist()]
    for constant in edges:
        high, low = wide_product(np.array(edges, dtype=np.uint64), constant)
        assert [(h << 64) + w for h, w in zip(high.tolist(), low.tolist(), strict=True)] == [
            x * constant for x in edges
        ]


def test_a_device_without_uint64_arithmetic_is_found_out():
    strict = pytest.importorskip("array_api_strict")
    assert not has_uint64_arithmetic(strict, strict.Device("no_x64"))
    assert has_uint64_arithmetic(strict, strict.Device("device1"))
