"""@differentiable: one op in one place, its definition, its derivative rule, its fused kernels."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from numbers import Number
from typing import Any

from ...backend import Array, array_namespace, is_array, mixed_devices
from ...backend.dtypes import is_floating
from ...backend.errors import DeviceError, NotDifferentiableError
from . import tape
from .fusion import FusedRule, fused_forward, fused_pair
from .rules import GroupRule, Rule
from .tape import Cotangents, Join, Node, first_live_level
from .tensor import Tensor, constant, recorded, strip
from .watch import fingerprints

REQUIRED = inspect.Parameter.empty

# Types of arguments that go well with any array: an op need not look at them again. NumPy's scalars,
# which its reductions return, join when they are seen.
harmless_types: set[type] = {bool, int, float, complex, str, tuple, list, slice, type(None)}


class Op:
    """A function of arrays with a derivative rule; made by @differentiable or by standard(...).

    Plain arrays in, plain arrays out: the definition (or the library's own function, or a fused
    kernel) runs, and nothing is recorded. With a recorded Tensor among the arguments, the arguments
    of the highest recording are unwrapped, the op is applied one level below, and the result is
    recorded. Keyword-only parameters are never arrays.
    """

    view = False  # whether the result may share memory with the first argument

    def __init__(self, definition: Callable[..., Any], signature: inspect.Signature) -> None:
        self.definition = definition
        self.__name__ = definition.__name__
        self.__qualname__ = definition.__qualname__
        self.__module__ = definition.__module__
        self.__doc__ = definition.__doc__
        self.__signature__ = signature
        self._read_signature(signature)
        self._rules: list[Rule] = []
        self._group: GroupRule | None = None
        self._fused: dict[str, Any] = {}
        self._check: Callable[..., None] | None = None
        self._by_type: dict[type, Callable[..., Any]] = {}
        self._fused_by_type: dict[type, Any] = {}

    def _read_signature(self, signature: inspect.Signature) -> None:
        parameters = list(signature.parameters.values())
        positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        self.variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        keyword_only = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
        self.names = tuple(p.name for p in parameters)
        self._movable = frozenset(p.name for p in positional if p.kind is p.POSITIONAL_OR_KEYWORD)
        self._positional = tuple(p.name for p in positional)
        self._defaults = tuple(p.default for p in positional)
        self._keyword_only = tuple((p.name, p.default) for p in keyword_only)

    def __repr__(self) -> str:
        return f"<op {self.__name__}{self.__signature__}>"

    def __str__(self) -> str:
        return self.__name__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs and self._movable:
            args, kwargs = self._move_to_positions(args, kwargs)
        if self._check is not None:
            self._check(*args, **kwargs)
        for a in args:
            if isinstance(a, Tensor):
                return self._apply(args, kwargs)
        return self._run(args, kwargs)

    # -- registration ---------------------------------------------------------------------------

    @property
    def backward(self) -> Backward:
        """Registers the derivative rule (as decorator, or x1=rule), or calls it: backward(dy, x)."""
        return Backward(self)

    def requires(self, check: Callable[..., None]) -> Callable[..., None]:
        """Register what must hold of the arguments; it is called once, on the outermost call."""
        self._check = check
        return check

    def fused_by(self, **kernels: Any) -> None:
        """Attach fused kernels by library name: numpy=Fused(...), cupy=Fused(...)."""
        self._fused.update(kernels)
        self._by_type.clear()
        self._fused_by_type.clear()

    def add_rules(self, rules: dict[str, Callable[..., Any]]) -> None:
        if self.variadic:
            ((name, function),) = rules.items()
            self.add_group_rule((name,), function)
            return
        for name, function in rules.items():
            self._rules.append(Rule(self, name, function))

    def add_group_rule(self, names: tuple[str, ...], function: Callable[..., Any]) -> None:
        self._group = GroupRule(self, names, function)

    # -- plain arrays ---------------------------------------------------------------------------

    def _run(self, args: Any, kwargs: dict) -> Any:
        """The result for plain arrays."""
        kind = type(args[0]) if args else None
        run = self._by_type.get(kind)
        for a in args:
            if type(a) is not kind and type(a) not in harmless_types:
                run = None
        if run is None:
            run = self._choose(args)
        try:
            return run(*args, **kwargs)
        except (TypeError, ValueError, RuntimeError) as error:
            raise self._explained(error, args) from error

    def _choose(self, args: Any) -> Callable[..., Any]:
        """What runs for these arguments; remembered by the type of the array among them."""
        arrays = [a for a in args if is_array(a)]
        if not arrays:
            return self.definition
        if any(type(a) is not type(arrays[0]) for a in arrays):
            _refuse_mixture(arrays, self.__name__)
        harmless_types.update(type(a) for a in args if not is_array(a) or isinstance(a, Number))
        run = self._plain(arrays[0])
        pair = fused_pair(self._fused, arrays[0])
        if pair is not None:
            run = fused_forward(pair, run)
        self._by_type[type(arrays[0])] = run
        return run

    def _plain(self, x: Array) -> Callable[..., Any]:
        """The definition, as it runs for arrays of the type of x."""
        return self.definition

    def _explained(self, error: Exception, args: tuple) -> Exception:
        """The error of the library, or a DeviceError where two devices are the cause."""
        arrays = [a for a in args if is_array(a)]
        if not isinstance(error, DeviceError) and len(arrays) > 1:
            devices = {str(getattr(a, "device", None)) for a in arrays}
            if len(devices) > 1 or len({type(a) for a in arrays}) > 1:
                return mixed_devices(tuple(arrays), self.__name__)
        return error

    # -- Tensors --------------------------------------------------------------------------------

    def _apply(self, args: tuple, kwargs: dict) -> Any:
        """The result when at least one argument is a Tensor."""
        live = first_live_level()
        level = -1
        for a in args:
            if isinstance(a, Tensor) and a._node is not None and a._level > level:
                level = a._level
        if level < live:
            args = tuple([strip(a) if isinstance(a, Tensor) else a for a in args])
            if any([isinstance(a, Tensor) for a in args]):
                return self._apply(args, kwargs)
            return wrap_constants(self._run(args, kwargs))
        return self._record(level, args, kwargs)

    def _record(self, level: int, args: tuple, kwargs: dict) -> Any:
        """The recorded result at that level, from this op one level below."""
        below = []
        parents = []
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
        if plain and self._fused:
            fused = self._fused_for(below)
            if fused is not None:
                result = self._record_fused(fused, level, below, parents, kwargs)
                if result is not NotImplemented:
                    return result
        if self._group is None and not self._rules:
            return self.definition(*args, **kwargs)
        y = self._run(below, kwargs) if plain else self._apply(below, kwargs)
        links = self._links(below, parents, kwargs, y)
        return self._wrap(y, level, links, parents)

    def _links(self, below: list, parents: list, kwargs: dict, y: Any) -> tuple:
        """(parent, rule, saved values) for each gradient that the recording wants."""
        values = self._values(below, kwargs, y)
        if self._group is not None:
            return (self._group.link(parents, values),)
        links = []
        for rule in self._rules:
            parent = parents[rule.index] if rule.index < len(parents) else None
            if parent is not None:
                links.append((parent, rule.function, rule.pick(values)))
        if len(links) < len(parents) - parents.count(None):
            self._refuse_underivable(parents)
        return tuple(links)

    def _values(self, below: list, kwargs: dict, y: Any) -> list:
        """Every parameter's value in the order of the signature, then y."""
        if self.variadic:
            values = [tuple(below)]
        else:
            values = [*below, *self._defaults[len(below) :]]
        for name, default in self._keyword_only:
            values.append(kwargs.get(name, default) if kwargs else default)
        values.append(y)
        return values

    def _wrap(self, y: Any, level: int, links: tuple, parents: list) -> Any:
        if isinstance(y, tuple):
            return self._wrap_several(y, level, links)
        return self._recorded(y, links, parents, level)

    def _recorded(self, y: Array, links: tuple, parents: Any, level: int = 0) -> Tensor:
        """y as a Tensor whose node has these links."""
        node = Node(self, links, y.shape, y.dtype)
        for parent in parents:
            if parent is not None and (parent.links is None or parent.source is not None):
                leaf = parent if parent.links is None else parent.source
                if self.view:
                    node.source = leaf
                node.guards = ((leaf, leaf.version), *node.guards)
        if tape.watching:
            node.guards += fingerprints(links)
        return recorded(y, level, node)

    def saves(self, node: Node, leaf: Any) -> bool:
        """Whether a rule of this op has kept the memory of a leaf among the node's parents."""
        if self._group is not None or self._fused:
            return True
        wants = {rule.function: rule.wants for rule in self._rules}
        kept = {index for _, rule, _ in node.links for index, shape in wants[rule] if not shape}
        inputs = {r.index: p for r in self._rules for p, f, _ in node.links if f is r.function}
        return any(index in kept for index, p in inputs.items() if leaf in (p, p.source))

    def _wrap_several(self, y: tuple, level: int, links: tuple) -> Any:
        join = Join(self, links, tuple((part.shape, part.dtype) for part in y))
        parts = []
        for i, part in enumerate(y):
            node = Node(self, ((join, _output(i), ()),), part.shape, part.dtype)
            parts.append(recorded(part, level, node))
        return type(y)(*parts) if hasattr(y, "_fields") else tuple(parts)

    # -- fused kernels --------------------------------------------------------------------------

    def _fused_for(self, below: list) -> FusedRule | None:
        kind = type(below[0])
        if kind not in self._fused_by_type:
            self._fused_by_type[kind] = FusedRule.of(self, self._fused, below[0])
        return self._fused_by_type[kind]

    def _record_fused(
        self, fused: FusedRule, level: int, below: list, parents: list, kwargs: dict
    ) -> Any:
        """The recorded result of the fused kernels; NotImplemented where they decline."""
        y, saved = fused.forward(below, kwargs)
        if y is NotImplemented:
            return NotImplemented
        own = None
        if self._group is not None or self._rules:
            own = self._links(below, parents, kwargs, y)
        values = [*self._values(below, kwargs, y), saved]
        link = fused.link(parents, values, (own, () if own else below, kwargs))
        return self._wrap(y, level, (link,), parents)

    # -- arguments ------------------------------------------------------------------------------

    def _move_to_positions(self, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        """Arguments given by name, moved to their positions: arrays are looked for only there."""
        if not any(name in self._movable for name in kwargs):
            return args, kwargs
        positions = list(args)
        kwargs = dict(kwargs)
        last = max(self._positional.index(name) for name in kwargs if name in self._movable)
        for i in range(len(args), last + 1):
            name = self._positional[i]
            value = kwargs.pop(name, self._defaults[i]) if name in self._movable else self._defaults[i]
            if value is REQUIRED:
                raise TypeError(f"{self.__name__}: missing argument {name!r}")
            positions.append(value)
        return tuple(positions), kwargs

    def _refuse_underivable(self, parents: list) -> None:
        derivable = {rule.index for rule in self._rules}
        names = [
            self._positional[i]
            for i, parent in enumerate(parents)
            if parent is not None and i not in derivable
        ]
        raise NotDifferentiableError(
            f"{self.__name__}: no derivative with respect to {', '.join(names)}; "
            "give it without a recording, e.g. x.detach()"
        )

    def gradients(self, dy: Array, args: tuple, kwargs: dict) -> Any:
        """The rule called directly: the gradient of each argument that has one, for cotangent dy."""
        args, kwargs = self._move_to_positions(args, kwargs)
        gradients = self.gradients_of(self, dy, args, kwargs, self._derivable(args))
        return gradients[0] if len(gradients) == 1 else gradients

    def gradients_of(
        self, function: Callable[..., Any], dy: Array, args: Any, kwargs: dict, indices: list[int]
    ) -> tuple:
        """The gradients of function(*args) at these positions, for cotangent dy."""
        from .transforms import vjp  # transforms are built on ops

        def of_wanted(*inputs: Array) -> Any:
            merged = list(args)
            for i, x in zip(indices, inputs, strict=True):
                merged[i] = x
            return function(*merged, **kwargs)

        _, pull = vjp(of_wanted, *(args[i] for i in indices))
        return pull(dy)

    def _derivable(self, args: tuple) -> list[int]:
        """Positions of the floating arguments that have a derivative rule."""
        if self._group is not None and not self.variadic:
            indices = list(self._group.indices)
        elif self._rules:
            indices = sorted(rule.index for rule in self._rules)
        else:
            indices = list(range(len(args)))
        return [i for i in indices if i < len(args) and is_array(args[i]) and is_floating(args[i])]


class Backward:
    """op.backward: a decorator that registers a rule, and the rule itself when given arrays."""

    def __init__(self, op: Op) -> None:
        self._op = op

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        op = self._op
        if args and inspect.isfunction(args[0]):
            op.add_rules({op.names[0]: args[0]})
            return args[0]
        if args and all(isinstance(a, str) for a in args):
            return lambda function: (op.add_group_rule(args, function), function)[1]
        if not args and all(inspect.isfunction(rule) for rule in kwargs.values()):
            op.add_rules(kwargs)
            return None
        if not args:
            raise TypeError(f"{op}.backward: give the cotangent dy and the inputs of {op}")
        return op.gradients(args[0], args[1:], kwargs)


def differentiable(definition: Callable[..., Any]) -> Op:
    """The op that a plain definition stands for. Without a rule it is a composition of its parts."""
    return Op(definition, inspect.signature(definition))


def wrap_constants(y: Any) -> Any:
    """Results as Tensors that no recording follows, tuples part by part."""
    if isinstance(y, tuple):
        parts = [wrap_constants(part) for part in y]
        return type(y)(*parts) if hasattr(y, "_fields") else tuple(parts)
    return constant(y) if is_array(y) and not isinstance(y, Tensor) else y


def _output(position: int) -> Callable[[Array], Cotangents]:
    return lambda dy: Cotangents({position: dy})


def _refuse_mixture(arrays: list, operation: str) -> None:
    """Raises DeviceError unless the types differ only as a library's scalars and arrays do."""
    try:
        array_namespace(*arrays)
    except DeviceError:
        raise mixed_devices(tuple(arrays), operation) from None
