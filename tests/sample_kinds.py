"""What a line of the sample table is made of: inputs, samples, and the inputs that many share."""

from __future__ import annotations

import operator
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import isograd as ig
from isograd import nn
from isograd.backend import array_namespace

SMOOTH = 3  # the orders that are checked where no kink is near
ORDER = 2


@dataclass(frozen=True)
class Input:
    """Numbers between low and high, at least gap away from 0; whole ones where dtype is integer."""

    shape: tuple[int, ...] = (2, 3)
    low: float = -2.0
    high: float = 2.0
    gap: float = 0.0
    dtype: str = "float64"

    @property
    def is_floating(self) -> bool:
        return self.dtype == "float64"

    def values(self, random: np.random.RandomState, shape: tuple[int, ...] | None = None) -> Any:
        """A NumPy array of this kind."""
        drawn = random.uniform(self.low, self.high, self.shape if shape is None else shape)
        if not self.is_floating:
            return np.asarray(np.floor(drawn)).astype(self.dtype)
        return np.asarray(drawn + np.copysign(self.gap, drawn))


@dataclass(frozen=True)
class Sample:
    """An op, inputs for it, and what holds of it."""

    name: str
    inputs: tuple[Input, ...]
    order: int = ORDER
    options: dict[str, Any] = field(default_factory=dict)
    call: Callable[..., Any] | None = None  # (op, *arrays) where it is not op(*arrays, **options)
    elementwise: bool = False  # then it is also tried on other shapes and layouts

    def __str__(self) -> str:
        options = ",".join(f"{key}={value}" for key, value in self.options.items())
        return f"{self.name}[{options}]" if options else self.name

    def op(self, x: Any) -> Callable[..., Any]:
        """The op itself, for arrays of the library of x."""
        if self.name.startswith("nn."):
            return getattr(nn, self.name.removeprefix("nn."))
        space = differentiable_namespace(x)
        return IN_BRACKETS.get(self.name) or operator.attrgetter(self.name)(space)

    def apply(self, *arrays: Any) -> Any:
        """The result for arrays or Tensors."""
        op = self.op(arrays[0])
        if self.call is not None:
            return self.call(op, *arrays)
        return op(*arrays, **self.options)

    def arrays(self, shape: tuple[int, ...] | None = None) -> list[Any]:
        """NumPy inputs, the same every time."""
        random = np.random.RandomState(zlib.crc32(self.name.encode()))
        return [given.values(random, shape) for given in self.inputs]


def differentiable_namespace(x: Any) -> Any:
    """The namespace of Tensors around the library of x, also where x is a plain array."""
    return ig.wrap_namespace(array_namespace(x))


def changed(x: Any, key: Any, value: Any) -> Any:
    """A copy of x in which x[key] is value."""
    x = array_namespace(x).asarray(x, copy=True)
    x[key] = value
    return x


IN_BRACKETS = {"[]": operator.getitem, "[]=": changed}


def each(name: str, *inputs: Input, order: int = SMOOTH, **options: Any) -> Sample:
    """A sample of an elementwise op."""
    return Sample(name, inputs or (REAL,), order, options, elementwise=True)


def of(name: str, *inputs: Input, order: int = ORDER, call: Any = None, **options: Any) -> Sample:
    """A sample of an op that is not elementwise."""
    return Sample(name, inputs or (REAL,), order, options, call)


REAL = Input()
OFF_ZERO = Input(gap=0.3)
POSITIVE = Input(low=0.3)
WITHIN_ONE = Input(low=-0.8, high=0.8)
ABOVE_ONE = Input(low=1.3, high=3.0)
INTEGERS = Input(low=1, high=6, dtype="int64")
BOOLEANS = Input(low=0, high=2, dtype="bool")
MATRIX = Input((3, 4))
VECTOR = Input((4,))
CUBE = Input((2, 3, 2))
LOGITS = Input((4, 3))
LABELS = Input((4,), 0, 3, dtype="int64")
CHANCES = Input((4, 3), 0.1, 0.9)
INDICES = Input((3,), 0, 3, dtype="int64")
COUNTS = Input((4,), 0, 3, dtype="int64")
