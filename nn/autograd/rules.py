"""Derivative rules: which values a rule names, and what it is given when the walk reaches it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any

from ...backend import Array
from ...backend.errors import NotDifferentiableError

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

    def link(self, parents: Sequence[Any], values: list) -> tuple:
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


class Derivative:
    """All derivative rules of an op: one for each parameter, or one for a group of them."""

    def __init__(self, op: Any) -> None:
        self._op = op
        self.rules: list[Rule] = []
        self.group: GroupRule | None = None

    def __bool__(self) -> bool:
        return self.group is not None or bool(self.rules)

    def add(self, rules: dict[str, Callable[..., Any]]) -> None:
        """Register a rule for each named parameter."""
        if self._op.variadic:
            ((name, function),) = rules.items()
            self.add_group((name,), function)
            return
        self.rules += [Rule(self._op, name, function) for name, function in rules.items()]

    def add_group(self, names: tuple[str, ...], function: Callable[..., Any]) -> None:
        """Register one rule for the gradients of several parameters."""
        self.group = GroupRule(self._op, names, function)

    def links(self, parents: Sequence[Any], values: list) -> tuple:
        """(parent, rule, saved values) for each gradient that the recording wants.

        Raises NotDifferentiableError for a recorded input without a rule.
        """
        if self.group is not None:
            if not self._op.variadic:
                self._check_derivable(parents, self.group.indices)
            return (self.group.link(parents, values),)
        links = []
        for rule in self.rules:
            parent = parents[rule.index] if rule.index < len(parents) else None
            if parent is not None:
                links.append((parent, rule.function, rule.pick(values)))
        if len(links) < sum(parent is not None for parent in parents):
            self._check_derivable(parents, self.indices(len(parents)))
        return tuple(links)

    def indices(self, n_arguments: int) -> Sequence[int]:
        """Positions of the parameters that have a derivative."""
        if self.group is not None and not self._op.variadic:
            return self.group.indices
        return sorted(rule.index for rule in self.rules) or range(n_arguments)

    def keeps(self, node: Any, leaf: Any) -> bool:
        """Whether a rule has saved the memory of a leaf among the parents of a node."""
        if self.group is not None or not self.rules:
            return True
        rules = {rule.function: rule for rule in self.rules}
        used = [(parent, rules[function]) for parent, function, _ in node.links]
        kept = {index for _, rule in used for index, only_shape in rule.wants if not only_shape}
        return any(rule.index in kept for parent, rule in used if leaf_behind(parent) is leaf)

    def _check_derivable(self, parents: Sequence[Any], derivable: Sequence[int]) -> None:
        for i, parent in enumerate(parents):
            if parent is not None and i not in derivable:
                raise NotDifferentiableError(
                    f"{self._op}: no derivative with respect to {self._op.names[i]}; "
                    "give it without a recording, e.g. x.detach()"
                )


def _shape(value: Any) -> tuple:
    """The shape of an array, or the shapes of the arrays of *arrays."""
    return tuple(x.shape for x in value) if value.__class__ is tuple else value.shape


def leaf_behind(parent: Any) -> Any:
    """The leaf that a parent is, or whose memory it shows; None for other nodes."""
    if parent is None:
        return None
    return parent if parent.links is None else parent.source


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


def picker(wanted: tuple[Wanted, ...]) -> Callable[[Sequence[Any]], tuple]:
    """A function that picks these values of a list, as a tuple."""
    positions = [position for position, _ in wanted]
    if wanted and wanted[0][1]:  # the shapes come first
        first, rest = positions[0], picker(wanted[1:])
        return lambda values: (_shape(values[first]), *rest(values))
    if any(shape for _, shape in wanted):
        raise TypeError("a derivative rule must name shapes before whole values")
    if len(positions) == 1:
        position = positions[0]
        return lambda values: (values[position],)
    return itemgetter(*positions) if positions else lambda values: ()
