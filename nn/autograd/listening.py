"""listening(): every op that a block of code applies, in order, with its result and its gradient.

For tools that look at a computation op by op. An op that is applied within another one is its part:
a definition has parts, a fused kernel has none. While nobody listens no op pays for it: the classes
of ops have their own __call__, and the listening one only within the block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from .differentiable import Op
from .tape import Leaf, Node
from .tensor import Tensor, innermost
from .tree import leaves, mapped


@dataclass(eq=False)
class Call:
    """One application of an op.

    args, kwargs: what it was given, y: its result, with plain arrays in the place of Tensors.
    followed: the positions of the arguments that a recording followed. parts: the ops that it
    applied itself. dys: for each array of y the gradient that the walk back brought there, None
    where it has not come by, or nothing was recorded.
    """

    op: Op
    args: tuple
    kwargs: dict[str, Any]
    followed: tuple[int, ...]
    y: Any = None
    parts: list[Call] = field(default_factory=list)
    dys: list[Any] = field(default_factory=list)


_heard: ContextVar[list[Call] | None] = ContextVar("isograd_heard", default=None)
_originals: dict[type[Op], Callable[..., Any]] = {}  # the __call__ of each class, while one listens
_n_listeners = 0


@contextmanager
def listening() -> Iterator[list[Call]]:
    """Within the `with` block: a list that grows by a Call for each op that this thread applies.

    The arrays are kept alive, not copied. backward() may come after the block; it fills in .dys.
    """
    calls: list[Call] = []
    token = _heard.set(calls)
    _open_ears()
    try:
        yield calls
    finally:
        _close_ears()
        _heard.reset(token)


def _open_ears() -> None:
    """Put the listening __call__ in the place of that of every class of ops."""
    global _n_listeners
    _n_listeners += 1
    if _n_listeners == 1:
        for kind in _kinds(Op):
            if "__call__" in vars(kind):
                _originals[kind] = kind.__call__
                kind.__call__ = _listening_call(kind, kind.__call__)  # type: ignore[method-assign]


def _close_ears() -> None:
    global _n_listeners
    _n_listeners -= 1
    if _n_listeners == 0:
        for kind, original in _originals.items():
            kind.__call__ = original  # type: ignore[method-assign]
        _originals.clear()


def _kinds(kind: type[Op]) -> Iterator[type[Op]]:
    """A class and all below it."""
    yield kind
    for narrower in kind.__subclasses__():
        yield from _kinds(narrower)


def _listening_call(kind: type[Op], original: Callable[..., Any]) -> Callable[..., Any]:
    def __call__(self: Op, *args: Any, **kwargs: Any) -> Any:
        calls = _heard.get()
        if calls is None or _calling_class(type(self)) is not kind:  # the latter: by way of super()
            return original(self, *args, **kwargs)
        args, kwargs = self.parameters.positions(args, kwargs)
        followed = tuple(i for i, a in enumerate(args) if any(map(_is_followed, leaves(a))))
        call = Call(self, _plain(args), _plain(kwargs), followed)
        token = _heard.set(call.parts)
        try:
            y = original(self, *args, **kwargs)
        finally:
            _heard.reset(token)
        call.y = _plain(y)
        call.dys = [None] * len(leaves(y))
        for i, part in enumerate(leaves(y)):
            if isinstance(part, Tensor):
                _listen_to_gradient(part, call.dys, i)
        calls.append(call)
        return y

    return __call__


def _calling_class(kind: type[Op]) -> type:
    """The class whose __call__ runs for objects of this kind."""
    return next(base for base in kind.__mro__ if base in _originals)


def _is_followed(x: Any) -> bool:
    return isinstance(x, Tensor) and x.requires_grad


def _plain(tree: Any) -> Any:
    """The tree with the plain arrays of its Tensors."""
    return mapped(lambda x: innermost(x) if isinstance(x, Tensor) else x, tree)


def _listen_to_gradient(y: Tensor, dys: list, i: int) -> None:
    """Have the walk that comes by y write its cotangent to dys[i]."""
    below = y._node
    if below is None or isinstance(below, Leaf):
        return

    def note(dy: Any) -> Any:
        dys[i] = innermost(dy)
        return dy

    node = Node(below.op, ((below, note, ()),), below.shape, below.dtype)
    node.source = below.source
    y._node = node
