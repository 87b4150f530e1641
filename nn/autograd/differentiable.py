"""@differentiable: one op in one place, its definition, its derivative rule, its fused kernels."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from ...backend import (
    Array,
    array_namespace,
    describe_device,
    is_array,
    is_complex,
    is_floating,
    mixed_devices,
    settings,
)
from ...backend.errors import DeviceError, IsogradError, NotDifferentiableError
from ...kernels.fused import Fused
from . import tape
from .direct import Backward
from .fusion import FusedRule, fused_forward, fused_pair
from .rules import Derivative, leaf_behind
from .signature import Signature
from .tape import Cotangents, Join, Node, first_live_level
from .tensor import Tensor, constant, lifted, recorded, strip
from .watch import fingerprints

LIBRARY_ERRORS = (TypeError, ValueError, RuntimeError)  # what libraries raise for two devices

# Types of arguments that go well with any array, and pairs of array types of one library (NumPy's
# arrays and the scalars that its reductions return): an op need not look at them again.
harmless_types: set[type] = {bool, int, float, complex, str, tuple, list, slice, type(None)}
kindred_types: set[tuple[type, type]] = set()


class Op:
    """A function of arrays with a derivative rule; made by @differentiable or by standard(...).

    Plain arrays in, plain arrays out: the definition (or the library's own function, or a fused
    kernel) runs, and nothing is recorded. With a recorded Tensor among the arguments, the arguments
    of the highest recording are unwrapped, the op is applied one level below, and the result is
    recorded. Without a rule the definition itself runs on the Tensors, and its parts record.
    """

    view = False  # whether the result may share memory with the first argument

    def __init__(self, definition: Callable[..., Any], signature: inspect.Signature) -> None:
        self.definition = definition
        self.__name__ = definition.__name__
        self.__qualname__ = definition.__qualname__
        self.__module__ = definition.__module__
        self.__doc__ = definition.__doc__
        self.__signature__ = signature
        self.parameters = Signature(definition.__name__, signature)
        self.names = self.parameters.names
        self.variadic = self.parameters.variadic
        self.derivative = Derivative(self)
        self._fused: dict[str, Fused] = {}
        self._has_fused_rule = False  # whether a kernel computes the derivative, too
        self._check: Callable[..., None] | None = None
        self._by_type: dict[type, Callable[..., Any]] = {}
        self._fused_by_type: dict[type, FusedRule | None] = {}

    def __repr__(self) -> str:
        return f"<op {self.__name__}{self.__signature__}>"

    def __str__(self) -> str:
        return self.__name__

    def __deepcopy__(self, memo: dict) -> Op:
        """The op itself: as with functions, a copied module calls the same one."""
        return self

    @property
    def backward(self) -> Backward:
        """Registers the derivative rule, or is the rule when given arrays: backward(dy, x)."""
        return Backward(self)

    def requires(self, check: Callable[..., None]) -> Callable[..., None]:
        """Register what must hold of the arguments; it is called once, on the outermost call."""
        self._check = check
        return check

    def fused_by(self, **kernels: Fused) -> None:
        """Attach fused kernels by library name: numpy=Fused(...), cupy=Fused(...)."""
        self._fused.update(kernels)
        self._has_fused_rule = any(pair.backward is not None for pair in self._fused.values())
        self._by_type.clear()
        self._fused_by_type.clear()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs:
            args, kwargs = self.parameters.positions(args, kwargs)
            if self.derivative or self._fused:
                kwargs = {name: self._option(name, value) for name, value in kwargs.items()}
        if self._check is not None:
            self._check(*args, **kwargs)
        run = self._known(args)
        if run is None:
            for a in args:
                if isinstance(a, Tensor):
                    return self._apply(args, kwargs)
            run = self._choose(args)
        try:
            return run(*args, **kwargs)
        except LIBRARY_ERRORS as error:
            raise_explained(error, args, self.__name__)

    def _option(self, name: str, value: Any) -> Any:
        """The value of a keyword-only argument, which no rule can differentiate: never recorded."""
        value = strip(value)
        if isinstance(value, Tensor):
            raise NotDifferentiableError(
                f"{self}: {name} must not be recorded, since arguments without a position have no "
                "derivative; pass x.detach()"
            )
        return value

    # -- plain arrays ---------------------------------------------------------------------------

    def _run(self, args: Sequence[Any], kwargs: dict) -> Any:
        """The result for plain arrays."""
        run = self._known(args) or self._choose(args)
        try:
            return run(*args, **kwargs)
        except LIBRARY_ERRORS as error:
            raise_explained(error, args, self.__name__)

    def _known(self, args: Sequence[Any]) -> Callable[..., Any] | None:
        """What runs for plain arrays of types that were seen before; None for all others."""
        kind: Any = type(args[0]) if args else None
        run = self._by_type.get(kind)
        if run is not None and len(args) > 1:
            for a in args:
                other = type(a)
                if other is kind or other in harmless_types or (kind, other) in kindred_types:
                    continue
                return None
        return run

    def _choose(self, args: Sequence[Any]) -> Callable[..., Any]:
        """What runs for these plain arguments; remembered by the type of the array among them.

        Raises DeviceError for arrays of two libraries.
        """
        arrays = [a for a in args if is_array(a)]
        if not arrays:
            return self.definition
        if any(type(a) is not type(arrays[0]) for a in arrays):
            _refuse_mixture(arrays, self.__name__)
        harmless_types.update(type(a) for a in args if not is_array(a))
        kindred_types.update((type(a), type(b)) for a in arrays for b in arrays)
        run = self._plain(arrays[0])
        pair = fused_pair(self._fused, arrays[0])
        if pair is not None:
            run = fused_forward(pair, run)
        self._by_type[type(arrays[0])] = run
        return run

    def _plain(self, x: Array) -> Callable[..., Any]:
        """The definition, as it runs for arrays of the type of x."""
        return self.definition

    # -- Tensors --------------------------------------------------------------------------------

    def _apply(self, args: Sequence[Any], kwargs: dict) -> Any:
        """The result when at least one argument is a Tensor."""
        level = -1
        for a in args:
            if isinstance(a, Tensor) and a._node is not None and a._level > level:
                level = a._level
        if level >= first_live_level():
            return self._record(level, args, kwargs)
        args = [strip(a) for a in args]
        if any([isinstance(a, Tensor) for a in args]):
            return self._apply(args, kwargs)
        return wrap_constants(self._run(args, kwargs))

    def _record(self, level: int, args: Sequence[Any], kwargs: dict) -> Any:
        """The recorded result at that level, from this op one level below."""
        below, parents, plain = _unwrapped(args, level)
        if plain and self._has_fused_rule and not settings().disable_kernels:
            result = self._record_fused(level, below, parents, kwargs)
            if result is not NotImplemented:
                return result
        if not self.derivative:
            return self.definition(*map(lifted, args), **kwargs)
        if plain:
            y = self._run(below, kwargs)
        else:
            below = lifted(below)
            y = self._apply(below, kwargs)
        values = self.parameters.values(below, kwargs)
        values.append(y)
        return self._wrap(y, level, self.derivative.links(parents, values), parents)

    def _record_fused(self, level: int, below: list, parents: list, kwargs: dict) -> Any:
        """The recorded result of the fused kernels; NotImplemented where there are none for it."""
        array = next(a for a in below if is_array(a))
        kind = type(array)
        if kind not in self._fused_by_type:
            self._fused_by_type[kind] = FusedRule.of(self, self._fused, array)
        fused = self._fused_by_type[kind]
        if fused is None or fused.leaves_out(parents):
            return NotImplemented
        if self._known(below) is None:
            self._choose(below)  # no kernel meets arrays of two libraries
        y, saved = fused.forward(below, kwargs)
        if y is NotImplemented:
            return NotImplemented
        values = [*self.parameters.values(below, kwargs), y]
        if self.derivative:  # what the op's own rule needs, should dy turn out to be a Tensor
            own: tuple = (self.derivative.links(parents, values), (), {})
        else:
            own = (None, below, kwargs)
        link = fused.link(parents, [*values, saved], own)
        return self._wrap(y, level, (link,), parents)

    def _wrap(self, y: Any, level: int, links: tuple, parents: Sequence[Any]) -> Any:
        if isinstance(y, tuple):
            return _wrap_several(self, y, level, links, parents)
        if y.dtype is not next(p.dtype for p in parents if p is not None) and not _is_smooth(y):
            return wrap_constants(y)
        return self._recorded(y, links, parents, level)

    def _recorded(self, y: Array, links: tuple, parents: Sequence[Any], level: int = 0) -> Tensor:
        """y as a Tensor whose node has these links, and guards for the leaves that it relies on."""
        node = Node(self, links, y.shape, y.dtype)
        for parent in parents:
            if parent is None or (parent.links is not None and parent.source is None):
                continue
            leaf = leaf_behind(parent)
            if self.view:
                node.source = leaf
            node.guards = ((leaf, leaf.version), *node.guards)
        if tape.watching:
            node.guards += fingerprints(links)
        return recorded(y, level, node)

    def saves(self, node: Node, leaf: Any) -> bool:
        """Whether a rule of this op has kept the memory of a leaf among the node's parents."""
        return self._has_fused_rule or self.derivative.keeps(node, leaf)


def differentiable(definition: Callable[..., Any]) -> Op:
    """The op that a plain definition stands for.

    Parameters that may be arrays have positions (they may be given by name too); keyword-only ones
    are never arrays. Rules are attached by op.backward, checks by op.requires, kernels by
    op.fused_by. Without a rule the op is a composition: its parts record.
    """
    return Op(definition, inspect.signature(definition))


def wrap_constants(y: Any) -> Any:
    """Results as Tensors that no recording follows, tuples part by part."""
    if isinstance(y, tuple):
        parts = [wrap_constants(part) for part in y]
        return type(y)(*parts) if hasattr(y, "_fields") else tuple(parts)
    return constant(y) if is_array(y) and not isinstance(y, Tensor) else y


def _unwrapped(args: Sequence[Any], level: int) -> tuple[list, list, bool]:
    """Arguments one level below, their nodes at this level, and whether all of them are plain."""
    below: list[Any] = []
    parents: list[Any] = []
    plain = True
    for a in args:
        node = None
        if isinstance(a, Tensor):
            if a._level == level and a._node is not None:
                node = a._node
                a = a._data
            else:
                a = strip(a)
            if isinstance(a, Tensor):
                plain = False
        below.append(a)
        parents.append(node)
    return below, parents, plain


def _wrap_several(op: Op, y: tuple, level: int, links: tuple, parents: Sequence[Any]) -> Any:
    """The outputs of an op with several, joined in one node."""
    join = Join(op, links, tuple((part.shape, part.dtype) for part in y))
    leaves = [leaf for leaf in map(leaf_behind, parents) if leaf is not None]
    join.guards = tuple((leaf, leaf.version) for leaf in leaves)
    if tape.watching:
        join.guards += fingerprints(links)
    parts = []
    for i, part in enumerate(y):
        node = Node(op, ((join, _output(i), ()),), part.shape, part.dtype)
        parts.append(recorded(part, level, node) if _is_smooth(part) else wrap_constants(part))
    return type(y)(*parts) if hasattr(y, "_fields") else tuple(parts)


def _is_smooth(y: Array) -> bool:
    """Whether the dtype of a result can change a little: integers have no derivative but zero."""
    return is_floating(y) or is_complex(y)


def _output(position: int) -> Callable[[Array], Cotangents]:
    return lambda dy: Cotangents({position: dy})


def raise_explained(error: Exception, args: Sequence[Any], operation: str) -> NoReturn:
    """Raises the library's error again, or a DeviceError where two devices are the cause."""
    arrays = tuple(a for a in args if is_array(a))
    if not isinstance(error, IsogradError) and len(set(map(describe_device, arrays))) > 1:
        raise mixed_devices(arrays, operation) from error
    raise error


def _refuse_mixture(arrays: list, operation: str) -> None:
    """Raises DeviceError unless the types differ only as a library's scalars and arrays do."""
    try:
        array_namespace(*arrays)
    except DeviceError:
        raise mixed_devices(tuple(arrays), operation) from None
