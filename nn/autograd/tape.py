"""The tape: what a recording keeps, and the walk that turns it into gradients.

Every recorded operation leaves a Node that knows its parents and, for each, the derivative rule
with the values that the rule names. Nothing else is kept alive. Orders count downwards, so a heap
of them hands out the newest node first: by then all of a node's readers have been seen.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from heapq import heappop, heappush
from typing import Any

from ...backend import PYTHON_SCALARS, Array, array_namespace, assign, is_complex, settings
from ...backend.errors import GraphFreedError, ShapeError, StaleArrayError

_orders = itertools.count(0, -1)
_levels = itertools.count(1)

# Levels of the transforms whose function is running, and whether float() or item() was asked of a
# Tensor that they record: no derivative follows a Python number.
numbers_read: dict[int, bool] = {}

# Debug mode: every saved array is fingerprinted. Read where a recording starts, at its leaf.
watching = False

# Recordings below this level rest: no_grad() raises it above every recording that is open.
_first_live_level: ContextVar[int] = ContextVar("isograd_first_live_level", default=0)
_blocks: ContextVar[tuple[int, ...]] = ContextVar("isograd_no_grad_blocks", default=())
first_live_level = _first_live_level.get


class _Freed(tuple):
    """In place of the links of a node whose saved arrays are gone."""


FREED = _Freed()


class Node:
    """One recorded operation: links are (parent, rule, saved values), one for each gradient."""

    __slots__ = ("order", "op", "links", "shape", "dtype", "source", "guards")

    def __init__(self, op: Any, links: tuple, shape: Any, dtype: Any) -> None:
        self.order = next(_orders)
        self.op = op
        self.links = links
        self.shape = shape
        self.dtype = dtype
        self.source: Leaf | None = None  # the leaf whose memory this result shows, if it is a view
        self.guards: tuple = ()  # (what, its version at this time): see refuse_stale


class Leaf:
    """Where a recording starts and a gradient ends.

    buffer is where an optimizer wants the gradient to stand; version counts in-place changes.
    """

    __slots__ = ("order", "shape", "dtype", "is_complex", "grad", "buffer", "version")
    links = None
    op = None

    def __init__(self, shape: Any, dtype: Any) -> None:
        global watching
        watching = settings().debug
        self.order = next(_orders)
        self.shape = shape
        self.dtype = dtype
        self.is_complex = is_complex(dtype)
        self.grad: Array | None = None
        self.buffer: Array | None = None
        self.version = 0

    def accumulate(self, dx: Array) -> None:
        """Add a gradient to .grad, in the buffer where there is one."""
        if self.buffer is None:
            self.grad = _owned(dx) if self.grad is None else self.grad + dx
            return
        if self.grad is not None:
            assign(self.buffer, self.grad + dx)  # a grad set by hand is not the buffer
        elif dx is not self.buffer:
            assign(self.buffer, dx)
        self.grad = self.buffer


class Join:
    """An operation with several outputs; dy is a Cotangents, which its Output nodes add up."""

    __slots__ = ("order", "op", "links", "source", "guards", "outputs")
    shape = dtype = None  # those of a Cotangents: nothing to undo between an Output and its Join

    def __init__(self, op: Any, links: tuple, outputs: tuple) -> None:
        self.order = next(_orders)
        self.op = op
        self.links: Any = list(links)  # no tuple: the walk opens it with all cotangents in place
        self.source = None
        self.guards: tuple = ()
        self.outputs = outputs  # (shape, dtype) of each


class Cotangents:
    """Cotangents of some of an operation's outputs, by position."""

    __slots__ = ("by_position",)
    shape = dtype = None

    def __init__(self, by_position: dict[int, Array]) -> None:
        self.by_position = by_position

    def __add__(self, other: Cotangents) -> Cotangents:
        total = dict(self.by_position)
        for position, dy in other.by_position.items():
            total[position] = total[position] + dy if position in total else dy
        return Cotangents(total)

    def filled(self, outputs: tuple) -> tuple[Array, ...]:
        """One cotangent for each output: zeros for those that nothing depends on."""
        some = next(iter(self.by_position.values()))
        xp = array_namespace(some)
        return tuple(
            self.by_position[i]
            if i in self.by_position
            else xp.zeros(shape, dtype=dtype, device=some.device)
            for i, (shape, dtype) in enumerate(outputs)
        )


class Rematerialize:
    """A node without saved values: its result is computed anew when the walk reaches it."""

    __slots__ = ("order", "op", "links", "shape", "dtype", "source", "guards")

    def __init__(self, op: Any, recompute: Callable[[], Any], shape: Any, dtype: Any) -> None:
        self.order = next(_orders)
        self.op = op
        self.links = recompute
        self.shape = shape
        self.dtype = dtype
        self.source = None
        self.guards = ()


def new_level() -> int:
    """A recording level above all that exist."""
    return next(_levels)


@contextmanager
def no_grad() -> Iterator[None]:
    """Within the block nothing is recorded by the recordings that are open outside it.

    A derivative that starts inside the block (grad, vjp, ...) still works. Other threads and
    coroutines go on recording. A generator shares its caller's context: one that is suspended
    inside the block keeps its caller in it.
    """
    level = next(_levels)
    _open_blocks((*_blocks.get(), level))
    try:
        yield
    finally:  # blocks of generators may end in any order, so each takes away its own level
        _open_blocks(tuple(block for block in _blocks.get() if block != level))


def _open_blocks(levels: tuple[int, ...]) -> None:
    _blocks.set(levels)
    _first_live_level.set(max(levels, default=0))


def backpropagate(  # noqa: C901  # one loop on purpose: a call per gradient would double its cost
    root: Any, dy: Array, *, free: bool = False, lift: Callable[[tuple], tuple] | None = None
) -> dict[Leaf, Array]:
    """The gradient of every leaf below root, for the cotangent dy of root.

    Newest node first, without recursion. free=True lets go of each node's saved values as soon as
    they were used. lift is applied to saved values: where dy is a Tensor, it makes them Tensors.
    Raises GraphFreedError, StaleArrayError.
    """
    gradients: dict[Any, Array] = {}
    if root.links is None:
        return {root: dy}
    pending: dict[int, tuple] = {}
    heap: list[int] = []
    node = root
    while True:
        links = node.links
        if links.__class__ is not tuple:
            links, dy = _open(node, links, dy)
        for owner, version in node.guards:
            if owner.version != version:
                refuse_stale(node, owner)
        if free:
            node.links = FREED
        for parent, rule, saved in links:
            if lift is not None:
                saved = lift(saved)
            if parent.__class__ is tuple:
                contributions = rule.contributions(dy, saved, parent, gradients)
            else:
                contributions = ((parent, rule(dy, *saved)),)
            for target, dx in contributions:
                if dx.shape != target.shape or dx.dtype is not target.dtype:
                    dx = fit(dx, target, node)
                if target.links is None:
                    if target in gradients:
                        dx = gradients[target] + dx
                    elif dx is dy and target.buffer is None:
                        dx = copied(dx)  # another leaf may get the same dy
                    gradients[target] = dx
                    continue
                order = target.order
                if order in pending:
                    pending[order] = (target, pending[order][1] + dx)
                else:
                    pending[order] = (target, dx)
                    heappush(heap, order)
        if not heap:
            return gradients
        node, dy = pending.pop(heappop(heap))


def _open(node: Any, links: Any, dy: Any) -> tuple[Any, Any]:
    """Links and cotangent of a node that is not plain: freed, of several outputs, or recomputed."""
    if links is FREED:
        raise GraphFreedError(
            f"backward: the saved arrays of {node.op} were freed by an earlier backward(); "
            "run the forward pass again, or call backward(retain_graph=True) the first time"
        )
    if isinstance(node, Join):
        return links, dy.filled(node.outputs)
    again = links()
    return (() if again is None else ((again, _pass, ()),)), dy


def _pass(dy: Array) -> Array:
    return dy


def _owned(dx: Array) -> Array:
    """dx if it is known to own its memory, else a copy: a rule may return a view of dy."""
    return dx if getattr(dx, "base", dx) is None else copied(dx)


def copied(x: Array) -> Array:
    """A new array with the values of x."""
    return array_namespace(x).asarray(x, copy=True)


def fit(dx: Array, node: Any, of: Any) -> Array:
    """dx summed over what the forward pass broadcast, and cast back from what it promoted.

    Of a complex dx a real node gets the real part: see complex_numbers.py.
    """
    if dx.shape != node.shape:
        dx = sum_to_shape(dx, node.shape, of)
    if dx.dtype == node.dtype:
        return dx
    xp = array_namespace(dx)
    if is_complex(dx) and not is_complex(node):
        dx = xp.real(dx)
    return dx if dx.dtype == node.dtype else xp.astype(dx, node.dtype)


def conjugated(x: Array) -> Array:
    """The complex conjugate of an array or a number; x itself where it is real."""
    if x.__class__ in PYTHON_SCALARS:
        return x.conjugate()
    return array_namespace(x).conj(x) if is_complex(x) else x


def sum_to_shape(dx: Array, shape: tuple[int, ...], of: Any = "a rule") -> Array:
    """dx summed to shape: the transpose of broadcasting shape to dx.shape."""
    n_new = len(dx.shape) - len(shape)
    pairs = list(zip(shape, dx.shape[max(n_new, 0) :], strict=False))
    if n_new < 0 or any(n not in (1, m) for n, m in pairs):
        raise ShapeError(
            f"{getattr(of, 'op', of)}: its rule must return the shape of the input {tuple(shape)}, "
            f"or one that this broadcasts to, got {tuple(dx.shape)}"
        )
    stretched = [n_new + i for i, (n, m) in enumerate(pairs) if n != m]
    axes = tuple(range(n_new)) + tuple(stretched)
    xp = array_namespace(dx)
    total = xp.sum(dx, axis=axes, dtype=dx.dtype)
    return total if total.shape == shape else xp.reshape(total, shape)


def refuse_stale(node: Any, owner: Any) -> None:
    """Raises StaleArrayError if what was changed is something that a rule of node has saved."""
    if isinstance(owner, Leaf) and not node.op.saves(node, owner):
        return
    raise StaleArrayError(
        f"backward: an input of {node.op}, shape {tuple(owner.shape)}, was changed in place after "
        "the forward pass, so its derivative would be wrong; call backward() before the change "
        "(optimizer.step(), load_state_dict(), x[...] = ...), or change a copy"
    )
