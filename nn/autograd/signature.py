"""The parameters of an op, and where the arguments of a call belong."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

REQUIRED = inspect.Parameter.empty


class Signature:
    """Parameters in order. Arrays are looked for among those that have a position, nowhere else."""

    def __init__(self, op_name: str, signature: inspect.Signature) -> None:
        parameters = list(signature.parameters.values())
        positional = [
            p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
        self.op_name = op_name
        self.names = tuple(p.name for p in parameters)
        self.variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        self._positional = tuple(p.name for p in positional)
        self._defaults = tuple(p.default for p in positional)
        self._movable = frozenset(p.name for p in positional if p.kind is p.POSITIONAL_OR_KEYWORD)
        self._keyword_only = tuple(
            (p.name, p.default) for p in parameters if p.kind is p.KEYWORD_ONLY
        )

    def positions(self, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        """The call with every argument at its position that has one but was given by name."""
        named = [name for name in kwargs if name in self._movable]
        if not named:
            return args, kwargs
        rest = {name: value for name, value in kwargs.items() if name not in named}
        last = max(self._positional.index(name) for name in named)
        if any(self._positional.index(name) < len(args) for name in named):
            raise TypeError(f"{self.op_name}: {' or '.join(named)} was given twice")
        moved = []
        for name, default in list(zip(self._positional, self._defaults, strict=True))[
            len(args) : last + 1
        ]:
            value = kwargs.get(name, default) if name in self._movable else default
            if value is REQUIRED:
                raise TypeError(f"{self.op_name}: missing argument {name!r}")
            moved.append(value)
        return (*args, *moved), rest

    def values(self, args: Sequence[Any], kwargs: dict) -> list:
        """The value of every parameter, in order; those of *arrays as one tuple."""
        if self.variadic:
            values: list = [tuple(args)]
        else:
            values = [*args, *self._defaults[len(args) :]]
        for name, default in self._keyword_only:
            values.append(kwargs.get(name, default) if kwargs else default)
        return values
