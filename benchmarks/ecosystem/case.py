"""A case: a function that strangers wrote, how it is called, and where its inputs lie."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...backend import Array, array_namespace

SMOOTH = 2  # the orders of derivatives that central differences can confirm
KINKED = 1
FIELDS = ("call", "parts", "order", "variant")  # of a Case, by keyword
CLASSES = ("at",)  # those whose names are not capitalised


@dataclass(frozen=True)
class Input:
    """Numbers between low and high, in float64; growing along the last axis if ascending."""

    shape: tuple[int, ...]
    low: float = -2.0
    high: float = 2.0
    ascending: bool = False

    def values(self, random: np.random.RandomState) -> np.ndarray:
        """An array of this kind."""
        drawn = np.asarray(random.uniform(self.low, self.high, self.shape))
        return np.sort(drawn, axis=-1) if self.ascending else drawn


@dataclass(frozen=True)
class Case:
    """One function and one way to call it.

    function: its dotted path. inputs: an Input is differentiated, a NumPy array is handed over as a
    constant. call: (function, *arrays) -> result where it is not function(*arrays, **options).
    parts: attributes of the result that hold its arrays. order: how many orders are checked.
    variant: tells two cases of one function apart.
    """

    function: str
    inputs: tuple[Any, ...]
    call: Callable[..., Any] | None = None
    parts: tuple[str, ...] = ()
    order: int = SMOOTH
    variant: str = ""
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The function, and which way of calling it if there are several."""
        return f"{self.function}({self.variant})" if self.variant else self.function

    @property
    def library(self) -> str:
        """The first word of the path: the package that it belongs to."""
        return self.function.partition(".")[0]

    @property
    def module(self) -> str:
        """The path without the function; of a method, without its class."""
        words = self.function.split(".")[:-1]
        return ".".join(word for word in words if word[0].islower() and word not in CLASSES)

    @property
    def name(self) -> str:
        """The function below its module, as the table has it."""
        return self.function.removeprefix(self.module + ".")

    def resolved(self) -> Callable[..., Any]:
        """The function itself. Raises ImportError where its library is missing."""
        target: Any = importlib.import_module(self.module)
        for word in self.name.split("."):
            target = getattr(target, word)
        return target

    def arrays(self) -> list[np.ndarray]:
        """The inputs as NumPy arrays, the same every time."""
        random = np.random.RandomState(zlib.crc32(self.function.encode()))
        return [x.values(random) if isinstance(x, Input) else np.asarray(x) for x in self.inputs]

    def differentiated(self) -> list[int]:
        """Positions of the inputs that are no constants."""
        return [i for i, x in enumerate(self.inputs) if isinstance(x, Input)]

    def results(self, arrays: list[Array]) -> list[Any]:
        """Every array that the function returns for these arrays."""
        function = self.resolved()
        if self.call is None:
            result = function(*arrays, **self.options)
        else:
            result = self.call(function, *arrays, **self.options)
        if self.parts:
            result = [getattr(result, part) for part in self.parts]
        return flattened(result)


def case(function: str, *inputs: Any, **options: Any) -> Case:
    """A Case; what is no field of Case is an option of the function."""
    fields = {name: options.pop(name) for name in FIELDS if name in options}
    if isinstance(fields.get("parts"), str):
        fields["parts"] = tuple(fields["parts"].split())
    return Case(function, inputs, options=options, **fields)


def cases(module: str, names: str, *inputs: Any, **options: Any) -> list[Case]:
    """A Case for each of several functions of a module that are called alike."""
    return [case(f"{module}.{name}", *inputs, **options) for name in names.split()]


def flattened(result: Any) -> list[Any]:
    """The arrays in nested tuples and lists, in order; None is left out."""
    if isinstance(result, tuple | list):
        return [array for part in result for array in flattened(part)]
    return [] if result is None else [result]


def like(x: Array, values: Any) -> Array:
    """Numbers as an array of the kind of x."""
    return array_namespace(x).asarray(values, dtype=x.dtype)
