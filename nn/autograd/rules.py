"""Derivative rules: which values a rule names, and what it is given when the walk reaches it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any

from ...backend import Array

# What a rule may name beside the parameters of its op. A parameter's name with this ending stands
# for its shape alone, so that the array itself need not be kept alive.
SHAPE_ENDING = "_shape"
COTANGENT = "dy"
OUTPUT = "y"
SAVED = "saved"  # what a fused forward pass hands to its backward pass
NEEDS = "needs"  # the names of the inputs whose gradients are wanted
INTO = "into"  # arrays by input name that a gradient may be written to


Wanted = tuple[int, bool]  # (position of a value, whether only its shape is wanted)


class Rule:
    """The derivative with respect to one parameter: function(dy, the values it names)."""

    __slots__ = ("name", "index", "function", "wants", "pick")

    def __init__(self, op: Any, name: str, function: Callable[..., Any]) -> None:
        if name not in op.names:
            raise TypeError(f"{op}.backward: {name!r} is none of its parameters {op.names}")
        self.name = name
        self.index = op.names.index(name)
        self.function = function
        self.wants = wanted_values(op.names, function)
        self.pick = picker(self.wants)


class GroupRule:
    """One rule for the derivatives with respect to several parameters, or to all of *arrays."""

    __slots__ = ("names", "indices", "function", "wants", "pick", "wants_needs", "variadic")

    def __init__(self, op: Any, names: tuple[str, ...], function: Callable[..., Any]) -> None:
        self.names = names
        self.variadic = op.variadic
        self.indices = tuple(op.names.index(name) for name in names)
        self.function = function
        self.wants = wanted_values(op.names, function)
        self.pick = picker(self.wants)
        self.wants_needs = NEEDS in inspect.signature(function).parameters

    def link(self, parents: list, values: list) -> tuple:
        """(parents, this rule, saved): one link that yields several gradients."""
        if self.variadic:
            wanted = tuple(parents)
        else:
            wanted = tuple(parents[i] if i < len(parents) else None for i in self.indices)
        return (wanted, self, self.pick(values))

    def contributions(
        self, dy: Array, saved: tuple, parents: tuple, gradients: dict
    ) -> Iterable[tuple[Any, Array]]:
        """(parent, its gradient) for every parent that the recording follows."""
        if self.wants_needs:
            dxs = self.function(dy, *saved, needs=self.needs(parents))
        else:
            dxs = self.function(dy, *saved)
        return [(p, dx) for p, dx in zip(parents, dxs, strict=True) if p is not None]

    def needs(self, parents: tuple) -> frozenset:
        """The names, or for *arrays the positions, of the inputs whose gradients are wanted."""
        labels = range(len(parents)) if self.variadic else self.names
        wanted = zip(labels, parents, strict=True)
        return frozenset(label for label, parent in wanted if parent is not None)


def wanted_values(names: tuple[str, ...], function: Callable[..., Any]) -> tuple[Wanted, ...]:
    """What a rule names after dy: positions among (parameters..., y, saved), whole or shape."""
    known = (*names, OUTPUT, SAVED)
    parameters = list(inspect.signature(function).parameters)
    if not parameters or parameters[0] != COTANGENT:
        raise TypeError(f"a derivative rule's first parameter must be dy, got {parameters}")
    wanted: list[Wanted] = []
    for name in parameters[1:]:
        if name in known:
            wanted.append((known.index(name), False))
        elif name.removesuffix(SHAPE_ENDING) in known:
            wanted.append((known.index(name.removesuffix(SHAPE_ENDING)), True))
        elif name not in (NEEDS, INTO):
            raise TypeError(f"a derivative rule may name {known}, needs and into; got {name!r}")
    return tuple(wanted)


def picker(wanted: tuple[Wanted, ...]) -> Callable[[list], tuple]:
    """A function that picks these values of a list, as a tuple."""
    positions = [position for position, _ in wanted]
    if any(shape for _, shape in wanted):
        return lambda values: tuple(
            tuple(values[i].shape) if shape else values[i] for i, shape in wanted
        )
    if len(positions) == 1:
        position = positions[0]
        return lambda values: (values[position],)
    return itemgetter(*positions) if positions else lambda values: ()
