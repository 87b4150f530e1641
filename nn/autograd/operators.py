"""The operators and indexing of Tensor, each the op of the standard with that meaning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...backend import PYTHON_SCALARS, array_namespace, is_array
from ...backend.errors import DtypeError, ShapeError
from . import views
from .ops import creation, elementwise, indexing, linear_algebra, manipulation
from .tensor import Tensor, innermost, refuse_in_place, strip, write_in_place

BINARY = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "pow": "pow",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "lshift": "bitwise_left_shift",
    "rshift": "bitwise_right_shift",
}
COMPARISONS = {
    "eq": "equal",
    "ne": "not_equal",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
}
UNARY = {"neg": "negative", "pos": "positive", "abs": "abs", "invert": "bitwise_invert"}


operand_types: set[type] = {Tensor, *PYTHON_SCALARS}  # and those of arrays that were seen


def _is_operand(x: Any) -> bool:
    if isinstance(x, Tensor) or is_array(x):
        operand_types.add(x.__class__)
        return True
    return False


def _forward(op: Callable[..., Any]) -> Callable[..., Any]:
    def operator(self: Tensor, other: Any) -> Any:
        if other.__class__ in operand_types or _is_operand(other):
            return op(self, other)
        return NotImplemented

    return operator


def _reflected(op: Callable[..., Any]) -> Callable[..., Any]:
    def operator(self: Tensor, other: Any) -> Any:
        if other.__class__ in operand_types or _is_operand(other):
            return op(other, self)
        return NotImplemented

    return operator


def _in_place(op: Callable[..., Any]) -> Callable[..., Any]:
    def rebind(self: Tensor, other: Any) -> Tensor:
        _change(self, lambda x: op(x, other))
        return self

    return rebind


def _change(tensor: Tensor, change: Callable[[Any], Any]) -> None:
    """Let tensor stand for change(tensor), and have what it is a view of changed with it."""
    root, steps = views.root_of(tensor)
    if root is not tensor:
        _become(root, views.put_back(root, steps, lambda x: _fitting(change(x), x)))
        _become(tensor, views.seen(root, steps))
    else:
        _become(tensor, _fitting(change(tensor), tensor))


def _fitting(result: Tensor, x: Tensor) -> Tensor:
    """The result in the dtype of x. Raises ShapeError unless it has the shape of x."""
    if tuple(result.shape) != tuple(x.shape):
        raise ShapeError(
            f"in-place: the result's shape {tuple(result.shape)} must be {tuple(x.shape)}"
        )
    return result if result.dtype == x.dtype else _cast_back(result, x.dtype)


def _become(tensor: Tensor, result: Tensor) -> None:
    """Let tensor stand for the result: the change is recorded, saved arrays stay as they were.

    Within no_grad() the values change and the recording does not; a leaf keeps its memory too.
    """
    refuse_in_place(tensor, result)
    if tensor._node is None or strip(tensor) is tensor:
        tensor._data, tensor._level, tensor._node = result._data, result._level, result._node
    elif tensor.is_leaf and tensor._level == 0:
        write_in_place(tensor, innermost(result))
    else:
        tensor._data = strip(result)


def _cast_back(result: Tensor, dtype: Any) -> Tensor:
    """The result in the dtype that a change in place must keep, if both are of one kind."""
    xp = array_namespace(result)
    for kind in ("bool", "integral", "real floating", "complex floating"):
        if xp.isdtype(result.dtype, kind) and xp.isdtype(dtype, kind):
            return creation.astype(result, dtype)
    raise DtypeError(f"in-place: a result of {result.dtype} cannot become {dtype}; cast it first")


class _Element:
    """x[key] as a step to a view."""

    def __call__(self, x: Tensor, key: Any) -> Any:
        return indexing.getitem(x, key)

    def put_back(self, y: Tensor, x: Tensor, key: Any) -> Any:
        """x with y at key."""
        if key is None or (key.__class__ is tuple and None in key):
            key = tuple(part for part in key or () if part is not None)  # no place to write to
            y = manipulation.reshape(y, indexing.getitem(x, key).shape)
        return indexing.setitem(x, key, y)


_element = _Element()


def _get_item(self: Tensor, key: Any) -> Any:
    y = indexing.getitem(self, key)
    if views.is_view(y, key):
        views.remember(y, self, _element, (key,), {})
    return y


def _set_item(self: Tensor, key: Any, value: Any) -> None:
    _change(self, lambda x: indexing.setitem(x, key, value))


def install() -> None:
    """Give Tensor its operators. Called once, when the package's ops are defined."""
    for name, function in BINARY.items():
        op = getattr(elementwise, function)
        setattr(Tensor, f"__{name}__", _forward(op))
        setattr(Tensor, f"__r{name}__", _reflected(op))
        setattr(Tensor, f"__i{name}__", _in_place(op))
    for name, function in COMPARISONS.items():
        setattr(Tensor, f"__{name}__", _forward(getattr(elementwise, function)))
    for name, function in UNARY.items():
        op = getattr(elementwise, function)
        setattr(Tensor, f"__{name}__", lambda self, op=op: op(self))
    Tensor.__matmul__ = _forward(linear_algebra.matmul)
    Tensor.__rmatmul__ = _reflected(linear_algebra.matmul)
    Tensor.__imatmul__ = _in_place(linear_algebra.matmul)
    Tensor.__getitem__ = _get_item
    Tensor.__setitem__ = _set_item
    Tensor.__hash__ = object.__hash__  # type: ignore[method-assign]  # __eq__ took it away
    Tensor.T = property(_transpose)
    Tensor.mT = property(lambda self: manipulation.matrix_transpose(self))


def _transpose(self: Tensor) -> Tensor:
    """The transpose of a matrix."""
    if self.ndim != 2:
        raise ShapeError(
            f"T: a Tensor must have two axes, got shape {tuple(self.shape)}; use mT or permute_dims"
        )
    return manipulation.permute_dims(self, (1, 0))
