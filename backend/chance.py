"""Which elements of an array are kept, drawn once and asked for as often as wanted."""

from __future__ import annotations

from typing import Any

from .device import Device
from .distributions import bernoulli_draw
from .namespaces import Array
from .random import Generator


class Chance:
    """One choice for each of so many elements: kept with probability p, to a multiple of 2**-32.

    The words are taken from the generator at once, as Generator.bernoulli takes them. scale: what
    kept elements are multiplied by so that the mean stays, 1 / p; 0 where none is kept.
    """

    def __init__(self, generator: Generator, p: float, size: int) -> None:
        self.threshold = round(p * 2**32)
        self.scale = 1.0 / p if p > 0 else 0.0
        self._draw = bernoulli_draw(self.threshold)
        self._generator = generator
        self.place = generator.place(self._draw.n_words(size))
        self._made: tuple[tuple, Array] | None = None

    def factors(self, shape: tuple[int, ...], dtype: Any, where: Device) -> Array:
        """scale for an element that is kept, 0 for another; made once for each kind of array."""
        kind = (shape, dtype, where)
        if self._made is None or self._made[0] != kind:
            kept = self._generator.made(self._draw, self.place, shape, where)
            self._made = kind, where.xp.astype(kept, dtype) * self.scale
        return self._made[1]
