"""Philox4x64-10 random words in NumPy's convention: any word of a stream in O(1), on any device.

Source: Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3". A block of
four 64-bit words is a keyed scrambling of a 256-bit counter, so block i needs no block before it.
NumPy increments its counter before it makes a block: word 0 of a stream comes from counter 1.
"""

from __future__ import annotations

import array_api_compat
import numpy as np

from .namespaces import Array, Namespace

Key = tuple[int, int]  # two unsigned 64-bit words

FAR = 2**257  # half of the 2**258 words of a stream: position + FAR is a second word for a position

_MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
_WEYL = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)  # the golden ratio and sqrt(3) - 1
_ROUNDS = 10
_WORD = 2**64 - 1
_HALF = 2**32 - 1

_uint64_arithmetic: dict[tuple[str, str], bool] = {}


def words(key: Key, start: int, n: int, xp: Namespace = np, device: object = None) -> Array:
    """Words start, ..., start + n - 1 of the stream of key, as numpy.random.Philox makes them.

    -> uint64 (n,) of the namespace xp on its device. The stream has 2**258 words, then begins anew.
    """
    if array_api_compat.is_numpy_namespace(xp):
        return HostWords(key).take(start, n)
    if has_uint64_arithmetic(xp, device):
        return defined_words(key, start, n, xp, device)
    return xp.asarray(HostWords(key).take(start, n), device=device)  # ours, nobody's data is copied


def defined_words(key: Key, start: int, n: int, xp: Namespace, device: object = None) -> Array:
    """The definition of words(), by integer operations of the Array API only."""
    block, skipped = divmod(start, 4)
    first = block + 1
    count = (skipped + n + 3) // 4
    pieces = []
    while count:
        low, high = first & _WORD, first >> 64
        length = min(count, 2**64 - low)  # the counter's upper words are the same in all of a piece
        indices = xp.arange(length, dtype=xp.uint64, device=device) + low
        zeros = xp.zeros_like(indices)
        upper = [zeros ^ (high >> shift & _WORD) for shift in (0, 64, 128)]
        blocks = _scrambled([indices, *upper], key)
        pieces.append(xp.reshape(xp.stack(blocks, axis=1), (-1,)))
        first, count = first + length, count - length
    if not pieces:
        return xp.zeros(0, dtype=xp.uint64, device=device)
    whole = pieces[0] if len(pieces) == 1 else xp.concat(pieces)
    return whole[skipped : skipped + n]


def wide_product(x: Array, constant: int) -> tuple[Array, Array]:
    """High and low 64-bit words of x * constant: x uint64, 0 <= constant < 2**64.

    By products of 32-bit halves. No sum overflows: (2**32 - 1)**2 + 2 (2**32 - 1) = 2**64 - 1.
    """
    x_low, x_high = x & _HALF, x >> 32
    c_low, c_high = constant & _HALF, constant >> 32
    bottom = x_low * c_low
    inner = x_low * c_high
    middle = (bottom >> 32) + (inner & _HALF) + x_high * c_low
    high = x_high * c_high + (inner >> 32) + (middle >> 32)
    return high, (middle << 32) | (bottom & _HALF)


def has_uint64_arithmetic(xp: Namespace, device: object = None) -> bool:
    """Whether defined_words() runs there and is right: one block is made and compared with NumPy's.

    torch 2.13 has no shifts, sums and comparisons of uint64; array_api_strict's no_x64 no uint64.
    """
    place = (xp.__name__, str(device))
    if place not in _uint64_arithmetic:
        key = (_WEYL[0], _WEYL[1])
        try:
            made = defined_words(key, 0, 4, xp, device)
            known = HostWords(key).take(0, 4)
            answer = [int(made[i]) for i in range(4)] == known.tolist()
        except (TypeError, ValueError, AttributeError, RuntimeError):  # whatever it says no with
            answer = False
        _uint64_arithmetic[place] = answer
    return _uint64_arithmetic[place]


class DeviceWords:
    """The words of one stream, made by the definition on a device that has_uint64_arithmetic()."""

    def __init__(self, key: Key, xp: Namespace, device: object = None):
        self.xp = xp
        self._key = key
        self._device = device

    def take(self, start: int, n: int) -> Array:
        """Words start, ..., start + n - 1 -> uint64 (n,)."""
        return defined_words(self._key, start, n, self.xp, self._device)


class HostWords:
    """The words of one stream on the host, made by numpy.random.Philox itself.

    Reading on from where the last take() ended costs nothing extra, a jump a few microseconds.
    Not for two threads at once.
    """

    xp: Namespace = np

    def __init__(self, key: Key):
        self._key = np.array(key, dtype=np.uint64)
        self._philox = np.random.Philox(key=self._key)
        self._position = 0

    def take(self, start: int, n: int) -> np.ndarray:
        """Words start, ..., start + n - 1 -> uint64 (n,)."""
        if start != self._position:
            self._jump(start)
        self._position = start + n
        return self._philox.random_raw(n)

    def _jump(self, start: int) -> None:
        block, skipped = divmod(start, 4)
        counter = np.frombuffer((block % 2**256).to_bytes(32, "little"), dtype="<u8")
        self._philox.state = {
            "bit_generator": "Philox",
            "state": {"counter": counter.astype(np.uint64), "key": self._key},
            "buffer": np.zeros(4, dtype=np.uint64),
            "buffer_pos": 4,  # used up: the next word comes from a new block
            "has_uint32": 0,
            "uinteger": 0,
        }
        self._philox.random_raw(skipped, output=False)


def _scrambled(counter: list[Array], key: Key) -> list[Array]:
    """The four words of each block from the four words of its counter: ten rounds."""
    x0, x1, x2, x3 = counter
    key0, key1 = key
    for _ in range(_ROUNDS):
        high0, low0 = wide_product(x0, _MULTIPLIERS[0])
        high1, low1 = wide_product(x2, _MULTIPLIERS[1])
        x0, x1, x2, x3 = high1 ^ x1 ^ key0, low1, high0 ^ x3 ^ key1, low0
        key0, key1 = (key0 + _WEYL[0]) & _WORD, (key1 + _WEYL[1]) & _WORD
    return [x0, x1, x2, x3]
