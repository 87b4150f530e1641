"""The same numbers for every library: each name has a stream of its own."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np


def normal(name: str, *shape: int, scale: float = 1.0) -> np.ndarray:
    """Normally distributed float32 numbers that depend on the name and the shape alone."""
    generator = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))
    return generator.standard_normal(shape, np.float32) * np.float32(scale)


def integers(name: str, below: int, *shape: int) -> np.ndarray:
    """Integers of 0 to below - 1, as int64."""
    generator = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))
    return generator.integers(0, below, shape)


def weights(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Starting parameters by name: (out, in, ...) scaled by 1 / sqrt(inputs), norms close to 1."""
    return {name: _weight(name, shape) for name, shape in shapes.items()}


def mlp_shapes(sizes: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """What the parameters of Linear, ReLU, Linear, ... are called in a Sequential, as torch's."""
    shapes: dict[str, tuple[int, ...]] = {}
    for i, (n_in, n_out) in enumerate(zip(sizes, sizes[1:], strict=False)):
        shapes[f"{2 * i}.weight"], shapes[f"{2 * i}.bias"] = (n_out, n_in), (n_out,)
    return shapes


def _weight(name: str, shape: tuple[int, ...]) -> np.ndarray:
    if len(shape) > 1:
        inputs = int(np.prod(shape[1:]))
        return normal(name, *shape, scale=inputs**-0.5)
    offset = 1.0 if name.endswith("weight") else 0.0
    return normal(name, *shape, scale=0.1) + np.float32(offset)


def count(n: int) -> str:
    """1000 -> "1k", 10_000_000 -> "10M"."""
    for unit, name in ((10**6, "M"), (10**3, "k")):
        if n >= unit and n % unit == 0:
            return f"{n // unit}{name}"
    return str(n)
