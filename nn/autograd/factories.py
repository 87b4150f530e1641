"""Functions of the standard that make arrays, bound to one library: zeros, arange, asarray, ..."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...backend import Array, Namespace, is_array
from ...backend.errors import NotDifferentiableError
from . import tree
from .differentiable import wrap_constants
from .ops.creation import astype, duplicate
from .ops.manipulation import broadcast_to, stack
from .tensor import Tensor, innermost, strip
from .transfer import to_device

Shape = int | tuple[int, ...]


def factories(xp: Namespace) -> dict[str, Callable[..., Any]]:
    """The creation functions over a library by name; what they return nothing records."""
    made = [_arange, _asarray, _empty, _eye, _from_dlpack, _full, _linspace, _ones, _zeros]
    functions = [make(xp) for make in made]
    for function in functions:
        function.__qualname__ = function.__name__
    return {function.__name__: function for function in functions}


def _made(function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """A Tensor of what the library's function makes of plain arguments, options that are None left
    out. Raises NotDifferentiableError for recorded ones: they have no derivative."""
    given = {name: value for name, value in options.items() if value is not None}
    if any(isinstance(strip(a), Tensor) for a in (*args, *given.values())):
        raise NotDifferentiableError(
            f"{function.__name__}: no derivative with respect to its arguments; "
            "give numbers, or x.detach()"
        )
    plain = {name: innermost(value) for name, value in given.items()}
    return wrap_constants(function(*map(innermost, args), **plain))


def _arange(xp: Namespace) -> Callable[..., Any]:
    def arange(
        start: float,
        /,
        stop: float | None = None,
        step: float = 1,
        *,
        dtype: Any = None,
        device: Any = None,
    ) -> Array:
        """start, start + step, ... below stop, as in the standard."""
        return _made(xp.arange, start, stop, step, dtype=dtype, device=device)

    return arange


def _empty(xp: Namespace) -> Callable[..., Any]:
    def empty(shape: Shape, *, dtype: Any = None, device: Any = None) -> Array:
        """An array of that shape with any values, as in the standard."""
        return _made(xp.empty, shape, dtype=dtype, device=device)

    return empty


def _ones(xp: Namespace) -> Callable[..., Any]:
    def ones(shape: Shape, *, dtype: Any = None, device: Any = None) -> Array:
        """An array of that shape full of ones, as in the standard."""
        return _made(xp.ones, shape, dtype=dtype, device=device)

    return ones


def _zeros(xp: Namespace) -> Callable[..., Any]:
    def zeros(shape: Shape, *, dtype: Any = None, device: Any = None) -> Array:
        """An array of that shape full of zeros, as in the standard."""
        return _made(xp.zeros, shape, dtype=dtype, device=device)

    return zeros


def _eye(xp: Namespace) -> Callable[..., Any]:
    def eye(
        n_rows: int,
        n_cols: int | None = None,
        /,
        *,
        k: int = 0,
        dtype: Any = None,
        device: Any = None,
    ) -> Array:
        """Ones on the k-th diagonal of a matrix, zeros elsewhere, as in the standard."""
        return _made(xp.eye, n_rows, n_cols, k=k, dtype=dtype, device=device)

    return eye


def _from_dlpack(xp: Namespace) -> Callable[..., Any]:
    def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Array:
        """The array behind any object with __dlpack__, as in the standard."""
        return _made(xp.from_dlpack, x, device=device, copy=copy)

    return from_dlpack


def _full(xp: Namespace) -> Callable[..., Any]:
    def full(shape: Shape, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Array:
        """An array of that shape full of one value, as in the standard; recorded if that is."""
        if not isinstance(strip(fill_value), Tensor):
            return _made(xp.full, shape, fill_value, dtype=dtype, device=device)
        value = _asarray(xp)(fill_value, dtype=dtype, device=device)
        return duplicate(broadcast_to(value, (shape,) if isinstance(shape, int) else shape))

    return full


def _linspace(xp: Namespace) -> Callable[..., Any]:
    def linspace(
        start: Any,
        stop: Any,
        /,
        num: int,
        *,
        dtype: Any = None,
        device: Any = None,
        endpoint: bool = True,
    ) -> Array:
        """num numbers from start to stop, evenly spaced, as in the standard; recorded if the ends
        are."""
        options = {"device": device, "endpoint": endpoint}
        ends = [x for x in (start, stop) if isinstance(strip(x), Tensor)]
        if not ends:
            return _made(xp.linspace, start, stop, num, dtype=dtype, **options)
        kind = xp.result_type(*map(innermost, ends)) if dtype is None else dtype
        way = _made(xp.linspace, 0.0, 1.0, num, dtype=kind, **options)
        return start * (1.0 - way) + stop * way

    return linspace


def _asarray(xp: Namespace) -> Callable[..., Any]:
    def asarray(
        obj: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None
    ) -> Array:
        """obj as a Tensor, as in the standard; of a recorded one the recording goes on."""
        if isinstance(obj, list | tuple) and any(isinstance(x, Tensor) for x in tree.leaves(obj)):
            obj = _stacked(obj, xp)
        if isinstance(obj, Tensor):
            return _moved_and_cast(obj, dtype, device, copy)
        return wrap_constants(xp.asarray(obj, dtype=dtype, device=device, copy=copy))

    return asarray


def _stacked(nest: Any, xp: Namespace) -> Tensor:
    """A nest of lists that holds Tensors as one; its numbers take the dtype of the Tensors."""
    parts = tree.leaves(nest)
    tensor = next(part for part in parts if isinstance(part, Tensor))
    dtype = xp.result_type(*map(innermost, parts))
    device = tensor.device

    def joined(part: Any) -> Any:
        if isinstance(part, list | tuple):
            return stack([joined(item) for item in part])
        if is_array(part):
            return astype(part, dtype)
        return wrap_constants(xp.asarray(part, dtype=dtype, device=device))

    return joined(nest)


def _moved_and_cast(x: Tensor, dtype: Any, device: Any, copy: bool | None) -> Tensor:
    """asarray() of a Tensor. Raises ValueError for copy=False where one is needed."""
    new_dtype = dtype is not None and dtype != x.dtype
    new_device = device is not None and device != x.device
    if copy is False and (new_dtype or new_device):
        raise ValueError("asarray: another dtype or device needs a copy; leave out copy=False")
    if new_device:
        x = to_device(x, device)
    if new_dtype:
        return astype(x, dtype)
    return duplicate(x) if copy and not new_device else x
