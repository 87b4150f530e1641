"""How the tape runs fused kernels: their forward pass, and a rule that stays differentiable."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ...backend import Array, settings
from ...backend.libraries import library_of
from ...kernels.fused import Fused
from .direct import gradients_of
from .rules import INTO, NEEDS, picker, wanted_values
from .tape import Leaf
from .tensor import Tensor


def fused_pair(pairs: dict[str, Fused], x: Array) -> Fused | None:
    """The kernels for the library of x."""
    return pairs.get(library_of(x).name) if pairs else None


def fused_forward(pair: Fused, definition: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel for callers who want only y; the definition where it declines or is off."""
    kernel = pair.inference or pair.forward
    is_pair = pair.saves and pair.inference is None

    def forward(*args: Any, **kwargs: Any) -> Any:
        if settings().disable_kernels:
            return definition(*args, **kwargs)
        result = kernel(*args, **kwargs)
        if result is NotImplemented:
            return definition(*args, **kwargs)
        return result[0] if is_pair else result

    return forward


class FusedRule:
    """The derivative by fused kernel where dy is a plain array, else by the op's own rule."""

    def __init__(self, op: Any, pair: Fused) -> None:
        assert pair.backward is not None
        self._op = op
        self._pair = pair
        self._backward = pair.backward
        self.indices = tuple(op.names.index(name) for name in pair.of)
        self._others = tuple(i for i in range(len(op.names)) if i not in self.indices)
        self._pick = picker(wanted_values(op.names, pair.backward))
        parameters = inspect.signature(pair.backward).parameters
        self._wants_needs = NEEDS in parameters
        self._wants_into = INTO in parameters

    @staticmethod
    def of(op: Any, pairs: dict[str, Fused], x: Array) -> FusedRule | None:
        pair = fused_pair(pairs, x)
        return FusedRule(op, pair) if pair is not None and pair.backward is not None else None

    def leaves_out(self, parents: Sequence[Any]) -> bool:
        """Whether a recorded argument is none of those for which the kernel has a gradient."""
        return any([parents[i] is not None for i in self._others if i < len(parents)])

    def forward(self, args: Sequence[Any], kwargs: dict) -> tuple[Any, Any]:
        """y and what the backward pass wants saved; NotImplemented twice where it declines."""
        result = self._pair.forward(*args, **kwargs)
        if result is NotImplemented:
            return NotImplemented, NotImplemented
        return result if self._pair.saves else (result, None)

    def link(self, parents: Sequence[Any], values: list, plain: Any) -> tuple:
        """(parents, this rule, saved); plain is what the op's own rule needs: see _by_own_rule."""
        wanted = tuple(parents[i] if i < len(parents) else None for i in self.indices)
        return (wanted, self, (self._pick(values), plain))

    def contributions(
        self, dy: Array, saved: tuple, parents: tuple, gradients: dict
    ) -> Iterable[tuple[Any, Array]]:
        picked, plain = saved
        dys = dy if dy.__class__ is tuple else (dy,)  # a tuple for an op with several outputs
        if any([isinstance(one, Tensor) for one in dys]):
            return self._by_own_rule(dy, plain, parents)
        options: dict[str, Any] = {}
        if self._wants_needs:
            options[NEEDS] = self._needs(parents)
        if self._wants_into:
            options[INTO] = self._buffers(parents, gradients)
        dxs = self._backward(dy, *picked, **options)
        return [(p, dx) for p, dx in zip(parents, dxs, strict=True) if p is not None]

    def _needs(self, parents: tuple) -> frozenset:
        wanted = zip(self._pair.of, parents, strict=True)
        return frozenset(name for name, parent in wanted if parent is not None)

    def _buffers(self, parents: tuple, gradients: dict) -> dict[str, Array]:
        """Buffers of leaves that have no gradient yet: a kernel may write it there at once."""
        return {
            name: parent.buffer
            for name, parent in zip(self._pair.of, parents, strict=True)
            if isinstance(parent, Leaf)
            and parent.buffer is not None
            and parent.grad is None
            and parent not in gradients
            and parents.count(parent) == 1  # one buffer cannot hold two gradients
        }

    def _by_own_rule(self, dy: Tensor, plain: Any, parents: tuple) -> Iterable[tuple[Any, Array]]:
        """The same gradients by the op's rule, or by differentiating its definition."""
        links, args, kwargs = plain
        if links is None:
            indices = [i for i, p in zip(self.indices, parents, strict=True) if p is not None]
            dxs = gradients_of(self._op.definition, dy, args, kwargs, indices)
            return list(zip([p for p in parents if p is not None], dxs, strict=True))
        contributions = []
        for parent, rule, saved in links:
            if isinstance(parent, tuple):
                contributions += rule.contributions(dy, saved, parent, {})
            else:
                contributions.append((parent, rule(dy, *saved)))
        return contributions
