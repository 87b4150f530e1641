"""From random words to numbers: each kind of draw as a pure function of a stream and a position.

A draw takes words through source.take(start, n) and computes in source.xp with exactly rounded
operations, so a stream gives the same numbers on every device.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .namespaces import Array, Namespace
from .normal import standard_normal
from .normal_table import DOUBLE, SINGLE
from .philox import FAR, DeviceWords, HostWords, wide_product

Source = DeviceWords | HostWords

LARGEST_SPAN = 2**63


@dataclass(frozen=True)
class Form:
    """A draw as a kernel knows it: its kind and what it is made with.

    "unit", "normal": scale * number + offset, at most top, in the dtype. "bernoulli": threshold.
    """

    kind: str
    dtype: str
    scale: float = 1.0
    offset: float = 0.0
    top: float = math.inf
    threshold: int = 0


@dataclass(frozen=True)
class Draw:
    """make(source, start, n_words) -> (n_words / words * numbers,): each `words` give `numbers`.

    form: the same for a kernel; None for draws that have none.
    """

    make: Callable[[Source, int, int], Array]
    numbers: int = 1
    words: int = 1
    form: Form | None = None

    def n_words(self, size: int) -> int:
        """How many words size numbers take up."""
        return -(-size // self.numbers) * self.words


def unit_draw(dtype: str) -> Draw:
    """Uniform on [0, 1): multiples of 2**-24 (float32) or 2**-53 (float64), as NumPy's random()."""

    def float32(source: Source, start: int, n: int) -> Array:
        y = source.xp.astype(halves(source.take(start, n), source.xp) >> 8, source.xp.float32)
        y *= 2.0**-24
        return y

    def float64(source: Source, start: int, n: int) -> Array:
        y = source.xp.astype(source.take(start, n) >> 11, source.xp.float64)
        y *= 2.0**-53
        return y

    form = Form("unit", dtype)
    return Draw(float32, 2, form=form) if dtype == "float32" else Draw(float64, form=form)


def normal_draw(dtype: str) -> Draw:
    """Standard normal: 32 bits for a float32, 64 bits for a float64."""

    def float32(source: Source, start: int, n: int) -> Array:
        return standard_normal(halves(source.take(start, n), source.xp), SINGLE, source.xp)

    def float64(source: Source, start: int, n: int) -> Array:
        return standard_normal(source.take(start, n), DOUBLE, source.xp)

    form = Form("normal", dtype)
    return Draw(float32, 2, form=form) if dtype == "float32" else Draw(float64, form=form)


def scaled_draw(draw: Draw, scale: float, offset: float, top: float = math.inf) -> Draw:
    """scale * draw + offset, at most top: the sum may be rounded up to the end of the interval."""

    def make(source: Source, start: int, n: int) -> Array:
        y = draw.make(source, start, n)
        y *= scale
        y += offset
        return y if top == math.inf else source.xp.minimum(y, top)

    form = draw.form and replace(draw.form, scale=scale, offset=offset, top=top)
    return Draw(make, draw.numbers, draw.words, form)


def integer_draw(low: int, span: int, dtype: str) -> Draw:
    """Integers low, ..., low + span - 1: floor(span * x) + low for x uniform on [0, 1).

    x has 64 bits for a span up to 2**32 and 128 beyond, so that the probability of any one integer
    is off by less than 2**-32 of itself: seen only by who draws 2**64 numbers. Rejection would
    remove even that, and take a number of words that is known only afterwards.
    """

    def make(source: Source, start: int, n: int) -> Array:
        xp, words = source.xp, source.take(start, n)
        scaled = _scaled_64(words, span) if span <= 2**32 else _scaled_128(words, span, xp)
        shifted = xp.astype(scaled, xp.int64)
        shifted += low
        return xp.astype(shifted, getattr(xp, dtype), copy=False)

    return Draw(make, words=1 if span <= 2**32 else 2)


def bernoulli_draw(threshold: int) -> Draw:
    """True with probability threshold / 2**32, 0 <= threshold <= 2**32, at the cost of 16 bits.

    A number is true where 32 bits are below the threshold. The upper 16 come from the word at its
    place; the lower 16 from that word's twin in the far half of the stream. On the host the twins
    are made only where the upper bits leave it open, once in 65,536 numbers.
    """
    upper, lower = divmod(threshold, 2**16)

    def make(source: Source, start: int, n: int) -> Array:
        chunks = quarters(source.take(start, n), source.xp)
        if upper == 2**16:
            return chunks >= 0
        below = chunks < upper
        if lower == 0:
            return below
        if isinstance(source, HostWords):
            for i in np.flatnonzero(chunks == upper).tolist():
                word = int(source.take(start + i // 4 + FAR, 1)[0])
                below[i] = (word >> 16 * (i % 4) & 0xFFFF) < lower
            return below
        twins = quarters(source.take(start + FAR, n), source.xp)
        return below | ((chunks == upper) & (twins < lower))

    return Draw(make, 4, form=Form("bernoulli", "bool", threshold=threshold))


def halves(words: Array, xp: Namespace) -> Array:
    """uint64 (n,) -> uint32 (2n,), the lower half of each word first."""
    if isinstance(words, np.ndarray):
        return words.astype("<u8", copy=False).view("<u4").astype(np.uint32, copy=False)
    parts = xp.stack([words & (2**32 - 1), words >> 32], axis=1)
    return xp.astype(xp.reshape(parts, (-1,)), xp.uint32)


def quarters(words: Array, xp: Namespace) -> Array:
    """uint64 (n,) -> uint16 (4n,), the lowest quarter of each word first."""
    if isinstance(words, np.ndarray):
        return words.astype("<u8", copy=False).view("<u2").astype(np.uint16, copy=False)
    parts = xp.stack([words >> shift & 0xFFFF for shift in (0, 16, 32, 48)], axis=1)
    return xp.astype(xp.reshape(parts, (-1,)), xp.uint16)


def shuffled_indices(words: np.ndarray) -> np.ndarray:
    """The order that sorts n words, -> int64 (n,): all n! orders but for equal words are as likely.

    Equal words keep their order, so the result is defined; n of them hold a pair with probability
    n**2 / 2**65. Sorting by the top 16 bits first lets NumPy use its radix sort and leaves the
    second sort little to do: 3.5 times as fast as one stable sort of 60,000 words.
    """
    nearly = np.argsort((words >> 48).astype(np.uint16), kind="stable")
    return nearly[np.argsort(words[nearly], kind="stable")].astype(np.int64, copy=False)


def _scaled_64(words: Array, span: int) -> Array:
    """floor(span * words / 2**64) for span <= 2**32, where no product overflows."""
    carried = words & (2**32 - 1)
    carried *= span
    carried >>= 32
    scaled = words >> 32
    scaled *= span
    scaled += carried
    scaled >>= 32
    return scaled


def _scaled_128(words: Array, span: int, xp: Namespace) -> Array:
    """floor(span * x / 2**128), x the 128-bit numbers of two words each, the upper word first."""
    pairs = xp.reshape(words, (-1, 2))
    high, low = wide_product(pairs[:, 0], span)
    carried, _ = wide_product(pairs[:, 1], span)
    total = low + carried
    return high + xp.astype(total < low, xp.uint64)
