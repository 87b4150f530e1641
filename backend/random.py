"""Random numbers that are the same on every device: Generator, seed(), default_generator()."""

from __future__ import annotations

import hashlib
import math
import operator
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from .device import Device, current_device, find_device
from .distributions import (
    LARGEST_SPAN,
    Draw,
    bernoulli_draw,
    integer_draw,
    normal_draw,
    scaled_draw,
    shuffled_indices,
    unit_draw,
)
from .dtypes import dtype_name, is_integer
from .errors import DtypeError, HyperparameterError, ShapeError, StateDictError
from .libraries import NUMPY
from .namespaces import Array
from .philox import DeviceWords, HostWords, Key, has_uint64_arithmetic
from .place import Place
from .settings import settings

# Numbers made at a time on the host: a block's arrays, 64 KiB each for float32, stay in a level-2
# cache and below the size that glibc gives back to the system after each use.
BLOCK = 2**14


class Generator:
    """A stream of Philox4x64-10 words and the place reached in it.

    seed: an integer >= 0 of any size, default ISOGRAD_SEED. A call takes the words that follow the
    last call's, as many as its docstring says, whatever the device: the same calls give the same
    bits everywhere. Two threads may share a generator; each call's numbers are then one run of the
    stream, but which thread gets which run is open: give each a fold_in() of its own.
    Arrays are made on `device`, default the current one, and are float32 unless dtype= asks for
    float64. A negative size raises ShapeError, another dtype DtypeError.
    """

    def __init__(self, seed: int | None = None):
        self._lock = threading.Lock()
        self._start(_seed_key(settings().seed if seed is None else seed), 0)

    def __repr__(self) -> str:
        return f"Generator(key=0x{self._key[1]:016x}{self._key[0]:016x}, position={self._position})"

    def random(
        self, shape: int | tuple[int, ...], dtype: Any = None, device: str | Device | None = None
    ) -> Array:
        """Uniform on [0, 1), multiples of 2**-24 (float32) or 2**-53 (float64).

        The numbers of numpy.random.Generator.random. Takes a word for two float32, for one float64.
        """
        return self._numbers("random", unit_draw(_floating("random", dtype)), shape, device)

    def uniform(
        self,
        shape: int | tuple[int, ...],
        low: float = 0.0,
        high: float = 1.0,
        dtype: Any = None,
        device: str | Device | None = None,
    ) -> Array:
        """low + (high - low) * random(shape), in [low, high). Takes words as random() does.

        Raises HyperparameterError unless low < high, finite and so even when rounded to the dtype.
        """
        name = _floating("uniform", dtype)
        kind = np.dtype(name).type
        with np.errstate(over="ignore", invalid="ignore"):
            bottom, end = kind(low), kind(high)
            width = end - bottom
        if not (bottom < end and np.isfinite(width)):
            raise HyperparameterError(
                f"uniform: low must be below high, both and their distance finite in {name}, "
                f"got low={low}, high={high}"
            )
        draw = unit_draw(name)
        if (low, high) != (0.0, 1.0):
            top = float(np.nextafter(end, bottom))
            draw = scaled_draw(draw, float(width), float(bottom), top)
        return self._numbers("uniform", draw, shape, device)

    def normal(
        self,
        shape: int | tuple[int, ...],
        mean: float = 0.0,
        std: float = 1.0,
        dtype: Any = None,
        device: str | Device | None = None,
    ) -> Array:
        """mean + std * z, z standard normal, |z| at most 6.34 (float32), 9.16 (float64).

        By the inverse distribution function (normal.py). Takes words as random() does.
        Raises HyperparameterError unless std >= 0 and both are finite in the dtype.
        """
        name = _floating("normal", dtype)
        kind = np.dtype(name).type
        with np.errstate(over="ignore"):
            centre, spread = float(kind(mean)), float(kind(std))
        if not (math.isfinite(centre) and math.isfinite(spread) and spread >= 0.0):
            raise HyperparameterError(
                f"normal: std must be >= 0, mean and std finite in {name}, "
                f"got mean={mean}, std={std}"
            )
        draw = normal_draw(name)
        if (centre, spread) != (0.0, 1.0):
            draw = scaled_draw(draw, spread, centre)
        return self._numbers("normal", draw, shape, device)

    def integers(
        self,
        low: int,
        high: int,
        shape: int | tuple[int, ...],
        dtype: Any = None,
        device: str | Device | None = None,
    ) -> Array:
        """Integers from low to high - 1, equally likely to within 2**-32 of their probability.

        int64 unless dtype= asks for another integer dtype. Takes a word a number, two beyond a
        distance of 2**32. Raises HyperparameterError unless low < high, high - low <= 2**63 and the
        dtype holds low and high - 1.
        """
        name = "int64" if dtype is None else dtype_name(dtype)
        if not is_integer(name):
            raise DtypeError(f"integers: dtype must be an integer dtype, got {name}")
        low, high = _integer("integers: low", low), _integer("integers: high", high)
        limits = np.iinfo(np.dtype(name))
        largest = min(int(limits.max), 2**63 - 1)  # uint64 too: the sums run in int64
        if not low < high <= low + LARGEST_SPAN or low < limits.min or high - 1 > largest:
            raise HyperparameterError(
                f"integers: low must be below high by at most 2**63, low and high - 1 from "
                f"{limits.min} to {largest} ({name}), got low={low}, high={high}"
            )
        return self._numbers("integers", integer_draw(low, high - low, name), shape, device)

    def bernoulli(
        self, p: float, shape: int | tuple[int, ...], device: str | Device | None = None
    ) -> Array:
        """True with probability p (rounded to a multiple of 2**-32), else False: bool.

        Takes a word for four numbers. Raises HyperparameterError unless 0 <= p <= 1.
        """
        if not 0.0 <= p <= 1.0:
            raise HyperparameterError(f"bernoulli: p must be in [0, 1], got {p}")
        return self._numbers("bernoulli", bernoulli_draw(round(float(p) * 2**32)), shape, device)

    def permutation(self, n: int, device: str | Device | None = None) -> Array:
        """0, ..., n - 1 in random order -> int64 (n,).

        The order that sorts n words, found on the host. Takes n words.
        """
        (n,) = _shape("permutation", n)
        where = current_device() if device is None else find_device(device)
        _, start = self.place(n).taken
        with self._lock:
            order = shuffled_indices(self._host.take(start, n))
        return _handed_over(order, where)

    def fold_in(self, name: str | int) -> Generator:
        """A new generator for a name or a number, the same whatever was drawn from this one before.

        Its key is a hash (SHA-256) of this one's key and the name: fold_in("encoder.0") gives a
        layer its own stream, which does not depend on the other layers or on their order.
        """
        if isinstance(name, str):
            text = "name " + name
        else:
            text = f"number {_integer('fold_in: name, when it is not a str,', name)}"
        key_bytes = b"".join(word.to_bytes(8, "little") for word in self._key)
        return _generator(_hashed_key(key_bytes + text.encode()), 0)

    @property
    def state(self) -> dict[str, int]:
        """Key and position as plain integers, for a checkpoint; may be set to such a dictionary.

        Setting raises StateDictError, and changes nothing, unless it is one.
        """
        with self._lock:
            return {"key_0": self._key[0], "key_1": self._key[1], "position": self._position}

    @state.setter
    def state(self, state: dict[str, int]) -> None:
        limits = {"key_0": 2**64, "key_1": 2**64, "position": 2**256}
        fits = isinstance(state, dict) and state.keys() == limits.keys()
        if not fits or not all(type(v) is int and 0 <= v < limits[k] for k, v in state.items()):
            raise StateDictError(
                "Generator.state: must be {'key_0': ..., 'key_1': ..., 'position': ...}, integers "
                f">= 0 below 2**64, 2**64 and 2**256, as another Generator's state; got {state!r}"
            )
        with self._lock:
            self._start((state["key_0"], state["key_1"]), state["position"])

    def __getstate__(self) -> dict[str, int]:
        return self.state

    def __setstate__(self, state: dict[str, int]) -> None:
        self._lock = threading.Lock()
        self.state = state

    def _start(self, key: Key, position: int) -> None:
        self._key = key
        self._position = position
        self._host = HostWords(key)

    def place(self, n_words: int) -> Place:
        """The place of the next n_words words, which are taken."""
        return Place(lambda: self._advance(n_words))

    def _advance(self, n_words: int) -> tuple[Key, int]:
        """The key, and the position before n_words more are taken."""
        with self._lock:
            start = self._position
            self._position += n_words
            return self._key, start

    def _on_host(self, draw: Draw, start: int, size: int) -> np.ndarray:
        """size numbers of a kind, made by NumPy."""
        with self._lock:
            return _made_on_host(draw, self._host, start, size)

    def _numbers(
        self,
        operation: str,
        draw: Draw,
        shape: int | tuple[int, ...],
        device: str | Device | None,
    ) -> Array:
        """Numbers of a kind in a shape, taken from the stream now."""
        shape = _shape(operation, shape)
        where = current_device() if device is None else find_device(device)
        return self.made(draw, self.place(draw.n_words(math.prod(shape))), shape, where)

    def made(self, draw: Draw, place: Place, shape: tuple[int, ...], where: Device) -> Array:
        """The numbers of a kind that begin at a place, by kernel or by definition."""
        size, kernel = math.prod(shape), draw_kernels.get(where.library.name)
        flat = NotImplemented
        if kernel is not None and not settings().disable_kernels:
            with where.active():
                flat = kernel(draw, place, size)
        if flat is NotImplemented:
            flat = self._by_definition(draw, place, size, where)
        return where.xp.reshape(flat, shape)

    def _by_definition(self, draw: Draw, place: Place, size: int, where: Device) -> Array:
        """made() of so many numbers, by the Array API there if it can, else on the host."""
        key, start = place.taken
        if where.library is NUMPY or not has_uint64_arithmetic(where.xp, where.raw):
            return _handed_over(self._on_host(draw, start, size), where)
        with where.active():
            source = DeviceWords(key, where.xp, where.raw)
            return draw.make(source, start, draw.n_words(size))[:size]


# Kernels by library name: (draw, place, size) -> (size,) on the current device of the library, or
# NotImplemented. The floor above fills it in.
draw_kernels: dict[str, Callable[[Draw, Place, int], Any]] = {}

_default: Generator | None = None
_default_lock = threading.Lock()


def default_generator() -> Generator:
    """The process's own generator, seeded with ISOGRAD_SEED when it is first asked for."""
    global _default
    with _default_lock:
        if _default is None:
            _default = Generator()
        return _default


def seed(n: int) -> None:
    """Restart the default generator as Generator(n); who holds it sees the new stream.

    Raises HyperparameterError unless n is an integer >= 0.
    """
    default_generator().state = Generator(n).state


def _made_on_host(draw: Draw, source: HostWords, start: int, size: int) -> np.ndarray:
    """size numbers from the words at start, in blocks that stay in the cache."""
    if size <= BLOCK:
        return draw.make(source, start, draw.n_words(size))[:size]
    made: np.ndarray | None = None
    for first in range(0, size, BLOCK):
        n = min(BLOCK, size - first)
        block = draw.make(source, start + draw.n_words(first), draw.n_words(n))
        if made is None:
            made = np.empty(size, dtype=block.dtype)
        made[first : first + n] = block[:n]
    assert made is not None
    return made


def _handed_over(host: np.ndarray, where: Device) -> Array:
    """A new host array as an array of the device; no user's data is copied, only these numbers."""
    return host if where.library is NUMPY else where.library.from_host(host, where.raw)


def _generator(key: Key, position: int) -> Generator:
    made = Generator.__new__(Generator)
    made.__setstate__({"key_0": key[0], "key_1": key[1], "position": position})
    return made


def _seed_key(seed: int) -> Key:
    n = _integer("Generator: seed", seed)
    if n < 0:
        raise HyperparameterError(f"Generator: seed must be an integer >= 0, got {n}")
    return _hashed_key(f"isograd seed {n}".encode())


def _hashed_key(text: bytes) -> Key:
    """Two words from the SHA-256 of a text: near seeds and names give unrelated keys."""
    digest = hashlib.sha256(text).digest()
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:16], "little")


def _integer(what: str, value: Any) -> int:
    """The value as an int; a bool or a float is none."""
    if not isinstance(value, bool | np.bool_):
        try:
            return operator.index(value)
        except TypeError:
            pass
    raise HyperparameterError(f"{what} must be an integer, got {value!r}")


def _shape(operation: str, shape: int | tuple[int, ...]) -> tuple[int, ...]:
    """The shape as a tuple of ints >= 0."""
    try:
        sizes = tuple(map(operator.index, shape if isinstance(shape, tuple | list) else (shape,)))
    except TypeError:
        sizes = (-1,)
    if any(n < 0 for n in sizes):
        raise ShapeError(f"{operation}: shape must be integers >= 0, got {shape!r}")
    return sizes


def _floating(operation: str, dtype: Any) -> str:
    """The name of a dtype that floating numbers can be made in."""
    name = "float32" if dtype is None else dtype_name(dtype)
    if name not in ("float32", "float64"):
        raise DtypeError(
            f"{operation}: dtype must be float32 or float64, got {name}; cast the result instead"
        )
    return name
