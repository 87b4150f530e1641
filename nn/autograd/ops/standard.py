"""Ops that the Array API standard names: the definition is the library's own function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ....backend import Array, array_namespace
from .. import views
from ..differentiable import (
    LIBRARY_ERRORS,
    Op,
    harmless_types,
    kindred_types,
    raise_explained,
    wrap_constants,
)
from ..tape import first_live_level
from ..tensor import Tensor, constant, innermost


class StandardOp(Op):
    """A function of the standard; for plain arrays the library's own one runs."""

    def __init__(self, name: str, signature: inspect.Signature) -> None:
        def definition(*args: Any, **kwargs: Any) -> Any:
            return getattr(array_namespace(*args), name)(*args, **kwargs)

        definition.__name__ = definition.__qualname__ = name
        definition.__doc__ = f"{name}, as the Array API standard defines it."
        super().__init__(definition, signature)

    def _plain(self, x: Array) -> Callable[..., Any]:
        return getattr(array_namespace(x), self.__name__)


class UnaryOp(StandardOp):
    """An elementwise function of one array: the common case, without the loops of Op."""

    def __call__(self, x: Array, /) -> Any:
        if not isinstance(x, Tensor):
            run = self._by_type.get(type(x))
            return run(x) if run is not None else self._run((x,), {})
        if x._level or first_live_level():
            return self._apply([x], {})
        raw = x._data
        run = self._by_type.get(type(raw))
        y = run(raw) if run is not None else self._run((raw,), {})
        node = x._node
        if node is None:
            return constant(y)
        (rule,) = self.derivative.rules
        links = ((node, rule.function, rule.pick((raw, y))),)
        return self._recorded(y, links, (node,))


class BinaryOp(StandardOp):
    """An elementwise function of two arrays: the common case, without the loops of Op."""

    def __call__(self, x1: Array, x2: Array, /) -> Any:
        raw1, node1, raw2, node2 = x1, None, x2, None
        tensors = False
        if isinstance(x1, Tensor):
            tensors = True
            raw1, node1 = x1._data, x1._node
            if x1._level:
                return self._apply((x1, x2), {})
        if isinstance(x2, Tensor):
            tensors = True
            raw2, node2 = x2._data, x2._node
            if x2._level:
                return self._apply((x1, x2), {})
        if tensors and first_live_level():
            return self._apply((x1, x2), {})
        kind1, kind2 = type(raw1), type(raw2)
        if kind1 is kind2 or kind2 in harmless_types or (kind1, kind2) in kindred_types:
            run = self._by_type.get(kind1)
        else:
            run = self._by_type.get(kind2) if kind1 in harmless_types else None
        try:
            y = run(raw1, raw2) if run is not None else self._run((raw1, raw2), {})
        except LIBRARY_ERRORS as error:
            raise_explained(error, (raw1, raw2), self.__name__)
        if node1 is None and node2 is None:
            return constant(y) if tensors else y
        return self._recorded(y, self._both_links(raw1, node1, raw2, node2, y), (node1, node2))

    def _both_links(self, raw1: Any, node1: Any, raw2: Any, node2: Any, y: Array) -> tuple:
        rule1, rule2 = self.derivative.rules
        values = (raw1, raw2, y)
        if node2 is None:
            return ((node1, rule1.function, rule1.pick(values)),)
        link2 = (node2, rule2.function, rule2.pick(values))
        if node1 is None:
            return (link2,)
        return ((node1, rule1.function, rule1.pick(values)), link2)


class ConstantOp(StandardOp):
    """A function of the standard whose derivative is zero wherever it has one."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs:
            args, kwargs = self.parameters.positions(args, kwargs)
        for a in (*args, *kwargs.values()) if kwargs else args:
            if isinstance(a, Tensor):
                break
        else:
            return self._run(args, kwargs)
        plain = {name: innermost(value) for name, value in kwargs.items()} if kwargs else kwargs
        y = self._run([innermost(a) for a in args], plain)
        return wrap_constants(y) if isinstance(y, tuple) else constant(y)


class ViewOp(StandardOp):
    """A function of the standard whose result may share memory with its first argument.

    It only rearranges elements: what is written to the result is written to the argument, where
    the derivative rule, which brings a cotangent back, brings the new elements.
    """

    view = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        y = super().__call__(*args, **kwargs)
        x = args[0]
        if isinstance(y, Tensor) and isinstance(x, Tensor) and self.writes_through(y, x):
            views.remember(y, x, self, args[1:], kwargs)
        return y

    def writes_through(self, y: Tensor, x: Tensor) -> bool:
        """Whether NumPy's result would be a view of x that can be written to."""
        return True

    def put_back(self, y: Array, x: Array, *args: Any, **kwargs: Any) -> Array:
        """The x that this function turns into y."""
        args, kwargs = self.parameters.positions((x, *args), kwargs)
        (rule,) = self.derivative.rules
        return rule.function(y, *rule.pick([*self.parameters.values(args, kwargs), y]))


class ReshapeOp(ViewOp):
    """A function whose result is a view only where the memory of its argument allows it."""

    def writes_through(self, y: Tensor, x: Tensor) -> bool:
        return views.shares_memory(y, x)


class ReadOnlyViewOp(StandardOp):
    """A function whose result may share memory, several elements one place: none is written to."""

    view = True


def standard(
    name: str, *parameters: str, kind: type[StandardOp] = StandardOp, **options: Any
) -> Any:
    """The op for a function of the standard: array parameters, then keyword-only options.

    A parameter written "axis=" may be given by position or by keyword; "shape" by position only.
    """
    listed = [_parameter(text, options) for text in parameters]
    keyword_only = inspect.Parameter.KEYWORD_ONLY
    listed += [inspect.Parameter(n, keyword_only, default=d) for n, d in options.items()]
    return kind(name, inspect.Signature(listed))


def _parameter(text: str, options: dict[str, Any]) -> inspect.Parameter:
    name = text.rstrip("=")
    if not text.endswith("="):
        return inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY)
    default = options.pop(name, inspect.Parameter.empty)
    return inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default)
