"""wrap_namespace(xp): an Array API namespace over a library whose arrays record gradients."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from ...backend import Array, Namespace, array_namespace
from ...backend.errors import NotDifferentiableError
from . import creation, elementwise, indexing, linear_algebra, manipulation, reduction, tree
from .differentiable import Op, wrap_constants
from .tensor import Tensor, innermost, strip
from .transfer import to_device

CONSTANTS = ("e", "inf", "nan", "newaxis", "pi")
DTYPES = (
    "bool",
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float32", "float64", "complex64", "complex128"),
)
CREATION = ("arange", "empty", "eye", "from_dlpack", "full", "linspace", "ones", "zeros")
INSPECTION = ("isdtype", "__array_namespace_info__")
ON_DTYPES = ("can_cast", "finfo", "iinfo", "result_type")  # which also take arrays
OPS = {
    creation: ("astype", "empty_like", "full_like", "ones_like", "zeros_like"),
    elementwise: tuple(name for name, op in vars(elementwise).items() if isinstance(op, Op)),
    indexing: ("argsort", "searchsorted", "sort", "take", "take_along_axis"),
    linear_algebra: ("matmul", "tensordot", "vecdot"),
    manipulation: (
        *("broadcast_arrays", "broadcast_to", "concat", "expand_dims", "flip"),
        *("matrix_transpose", "moveaxis", "permute_dims", "reshape", "roll", "squeeze"),
        *("stack", "tile", "tril", "triu", "unstack"),
    ),
    reduction: (
        *("all", "any", "argmax", "argmin", "count_nonzero", "cumulative_prod"),
        *("cumulative_sum", "max", "mean", "min", "prod", "std", "sum", "var"),
    ),
}

_wrapped: dict[int, WrappedNamespace] = {}


class WrappedNamespace(ModuleType):
    """The standard's names over one library: xp.wrapped is the library's own namespace."""

    def __init__(self, xp: Namespace) -> None:
        library = xp.__name__.removeprefix("array_api_compat.")
        super().__init__(f"isograd.xp.{library}", f"Array API over {library}, differentiable.")
        self.wrapped = xp
        self.__array_api_version__ = getattr(xp, "__array_api_version__", "2024.12")
        for name in (*CONSTANTS, *DTYPES, *INSPECTION):
            if hasattr(xp, name):
                setattr(self, name, getattr(xp, name))
        for name in CREATION:
            setattr(self, name, _creating(getattr(xp, name)))
        for name in ON_DTYPES:
            setattr(self, name, _of_plain(getattr(xp, name)))
        for module, names in OPS.items():
            for name in names:
                setattr(self, name, getattr(module, name))
        self.full = _full(_creating(xp.full))
        self.asarray = _asarray(xp.asarray)
        self.broadcast_shapes = broadcast_shapes
        self.concatenate = manipulation.concat

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"{self.__name__} has no {name!r}: it is not in the standard, or not differentiable yet"
        )


def wrap_namespace(xp: Namespace) -> WrappedNamespace:
    """The differentiable namespace over an Array API namespace or library; the same one each time.

    Its functions take Tensors and plain arrays of that library; its creation functions return
    Tensors that nothing records until grad or requires_grad=True does.
    """
    if isinstance(xp, WrappedNamespace):
        return xp
    if not xp.__name__.startswith("array_api_compat."):
        xp = array_namespace(xp.asarray(0.0))  # as array_namespace(x) has it, e.g. for numpy
    if id(xp) not in _wrapped:
        _wrapped[id(xp)] = WrappedNamespace(xp)
    return _wrapped[id(xp)]


def namespace_of(tensor: Tensor, api_version: str | None = None) -> WrappedNamespace:
    """The namespace of a Tensor. Raises ValueError for a version that the library does not know."""
    xp = wrap_namespace(array_namespace(innermost(tensor)))
    if api_version is not None and api_version > xp.__array_api_version__:
        known = xp.__array_api_version__
        raise ValueError(f"array API version {api_version} is not known, {known} is")
    return xp


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that arrays of these shapes broadcast to, as in the standard."""
    result = [1] * max((len(shape) for shape in shapes), default=0)
    for shape in shapes:
        for i, n in enumerate(reversed(shape), start=1):
            if n not in (1, result[-i]):
                if result[-i] != 1:
                    raise ValueError(f"shapes do not broadcast together: {shapes}")
                result[-i] = n
    return tuple(result)


def _creating(function: Callable[..., Any]) -> Callable[..., Any]:
    name = function.__name__

    def create(*args: Any, **kwargs: Any) -> Any:
        given = (*args, *kwargs.values())
        if any(isinstance(strip(a), Tensor) for a in given):
            raise NotDifferentiableError(
                f"{name}: no derivative with respect to its arguments; give numbers, or x.detach()"
            )
        plain = {key: innermost(value) for key, value in kwargs.items()}
        return wrap_constants(function(*map(innermost, args), **plain))

    create.__name__ = create.__qualname__ = name
    create.__doc__ = f"{name}, as the Array API standard defines it; the result is a Tensor."
    return create


def _full(create: Callable[..., Any]) -> Callable[..., Any]:
    def full(
        shape: int | tuple[int, ...], fill_value: Any, *, dtype: Any = None, device: Any = None
    ) -> Array:
        """An array of that shape full of one value, as in the standard; recorded if that is."""
        if not isinstance(strip(fill_value), Tensor):
            return create(shape, fill_value, dtype=dtype, device=device)
        value = fill_value if dtype is None else creation.astype(fill_value, dtype)
        filled = manipulation.broadcast_to(value, (shape,) if isinstance(shape, int) else shape)
        return creation.duplicate(filled)

    return full


def _of_plain(function: Callable[..., Any]) -> Callable[..., Any]:
    def of_plain(*args: Any, **kwargs: Any) -> Any:
        return function(*map(innermost, args), **kwargs)

    of_plain.__name__ = of_plain.__qualname__ = getattr(function, "__name__", "of_plain")
    return of_plain


def _asarray(function: Callable[..., Any]) -> Callable[..., Any]:
    def asarray(
        obj: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None
    ) -> Array:
        """obj as a Tensor; of a recorded one the recording goes on."""
        if isinstance(obj, list | tuple) and any(isinstance(x, Tensor) for x in tree.leaves(obj)):
            obj = manipulation.stack([asarray(part) for part in obj])
        if isinstance(strip(obj), Tensor):
            return _moved_and_cast(obj, dtype, device, copy)
        if isinstance(obj, Tensor) and dtype is None and device is None and not copy:
            return obj
        return wrap_constants(function(innermost(obj), dtype=dtype, device=device, copy=copy))

    return asarray


def _moved_and_cast(x: Tensor, dtype: Any, device: Any, copy: bool | None) -> Tensor:
    """asarray() of a recorded Tensor. Raises ValueError for copy=False where one is needed."""
    new_dtype = dtype is not None and dtype != x.dtype
    new_device = device is not None and device != x.device
    if copy is False and (new_dtype or new_device):
        raise ValueError("asarray: another dtype or device needs a copy; leave out copy=False")
    if new_device:
        x = to_device(x, device)
    if new_dtype:
        return creation.astype(x, dtype)
    return creation.duplicate(x) if copy and not new_device else x
