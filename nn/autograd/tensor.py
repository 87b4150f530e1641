"""Tensor: an Array API array around one of any library, which can record what is done to it."""

from __future__ import annotations

import operator
from copy import deepcopy
from typing import Any

import array_api_compat

from ...backend import (
    Array,
    Namespace,
    array,
    array_namespace,
    assign,
    describe_device,
    is_array,
    mixed_devices,
)
from ...backend.dtypes import is_complex, is_floating
from ...backend.errors import (
    DeviceError,
    InPlaceError,
    NotDifferentiableError,
    NotRecordedError,
    ShapeError,
)
from ...backend.one import shared_one
from .installed import Installed
from .tape import (
    Leaf,
    Node,
    backpropagate,
    conjugated,
    copied,
    first_live_level,
    fit,
    numbers_read,
)


class Tensor(Installed):
    """An array that can record. x.data is the wrapped array, x.grad its gradient after backward().

    data: an array of any library, shared, not copied (or lists and numbers, which isograd.array
    turns into one). requires_grad=True starts a recording at it: the floating array is then a leaf.
    A Tensor that no recording follows is a constant. level: 0 for the tape of backward(), higher
    for the recordings of grad, vjp and their kin, each of which wraps the one below.
    Raises TypeError for a Tensor, NotDifferentiableError for requires_grad on a non-floating dtype.
    """

    __slots__ = ("_data", "_level", "_node", "_view", "__weakref__")
    __array_priority__ = 1000.0  # NumPy and CuPy arrays leave `array + tensor` to us

    def __init__(self, data: Any, *, requires_grad: bool = False) -> None:
        if isinstance(data, Tensor):
            raise TypeError("Tensor: data must be an array, got a Tensor; use x.detach() or x.data")
        self._data = data if is_array(data) else array(data)
        self._level = 0
        self._node: Leaf | Node | None = None
        if requires_grad:
            self.requires_grad = True

    @property
    def data(self) -> Array:
        """The array at the level below: of the library, or the Tensor of an outer recording."""
        return self._data

    @property
    def level(self) -> int:
        return self._level

    @property
    def grad(self) -> Array | None:
        """The gradient that backward() left at this leaf: a plain array, or None."""
        return self._node.grad if isinstance(self._node, Leaf) else None

    @grad.setter
    def grad(self, value: Array | None) -> None:
        leaf = self._node
        if not isinstance(leaf, Leaf):
            raise NotRecordedError("grad: only a leaf has one, see Tensor(x, requires_grad=True)")
        if value is not None and tuple(value.shape) != tuple(leaf.shape):
            raise ShapeError(
                f"grad: shape must be {tuple(leaf.shape)}, the leaf's, got {tuple(value.shape)}"
            )
        leaf.grad = value

    @property
    def requires_grad(self) -> bool:
        """Whether a recording follows this Tensor. Settable on leaves and constants."""
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if value and self._node is None:
            self._node = new_leaf(self._data)
            if self._data.shape == ():  # NumPy's 0-d results are scalars, which cannot change
                self._data = array_namespace(self._data).asarray(self._data)
        elif not value and self._node is not None:
            if not isinstance(self._node, Leaf):
                raise NotRecordedError("requires_grad: a result cannot be unset; use x.detach()")
            self._node = None

    @property
    def is_leaf(self) -> bool:
        return self._node is None or isinstance(self._node, Leaf)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._data.shape

    @property
    def dtype(self) -> Any:
        return self._data.dtype

    @property
    def device(self) -> Any:
        return array_api_compat.device(self._data)

    @property
    def ndim(self) -> int:
        return self._data.ndim

    @property
    def size(self) -> int:
        return array_api_compat.size(self._data)

    def detach(self) -> Tensor:
        """The same memory as a constant: the gradients of all recordings stop here."""
        return constant(innermost(self))

    def backward(self, dy: Array | None = None, *, retain_graph: bool = False) -> None:
        """Add the gradient of this Tensor to .grad of every leaf that it was computed from.

        dy: cotangent, shape and dtype of this Tensor; may be left out for a real scalar (one). The
        gradient of a complex z = a + ib is dL/da + i dL/db, the direction of steepest ascent.
        Saved arrays are freed on the way unless retain_graph.
        Raises NotRecordedError, ShapeError, GraphFreedError, StaleArrayError.
        """
        node = self._node
        if node is None or self._level != 0:
            raise NotRecordedError(_why_not_recorded(self))
        dy = _cotangent(self, dy)
        for leaf, dx in backpropagate(node, dy, free=not retain_graph).items():
            leaf.accumulate(conjugated(dx) if leaf.is_complex else dx)

    def __array_namespace__(self, /, *, api_version: str | None = None) -> Namespace:
        from .namespace import namespace_of  # the namespace is made of ops, which need Tensor

        return namespace_of(self, api_version)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if self._node is not None:
            raise NotDifferentiableError(
                "__array__: this Tensor is recorded, and NumPy would drop its gradient silently; "
                "use isograd.to_numpy(x.detach())"
            )
        if not hasattr(self._data, "__array__"):
            raise DeviceError("__array__: the data is not on the CPU; use isograd.to_numpy(x)")
        kwargs = {} if copy is None else {"copy": copy}
        return self._data.__array__(*(() if dtype is None else (dtype,)), **kwargs)

    def __repr__(self) -> str:
        if self._node is None:
            state = "constant"
        else:
            state = "leaf" if isinstance(self._node, Leaf) else f"from {self._node.op}"
        level = f", level {self._level}" if self._level else ""
        return f"Tensor({self._data!r}, {state}{level})"

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len: a 0-d Tensor has no length")
        return self.shape[0]

    def __iter__(self) -> Any:
        if not self.shape:
            raise TypeError("iter: a 0-d Tensor cannot be iterated over")
        return (self[i, ...] for i in range(self.shape[0]))

    def item(self) -> Any:
        """The only element, as a Python number; the recording does not follow it."""
        note_reading(self)
        return innermost(self).item() if hasattr(innermost(self), "item") else _scalar(self)

    def __bool__(self) -> bool:
        return bool(_only_element(self, "bool"))

    def __int__(self) -> int:
        return int(_only_element(self, "int"))

    def __float__(self) -> float:
        note_reading(self)
        return float(_only_element(self, "float"))

    def __complex__(self) -> complex:
        note_reading(self)
        return complex(_only_element(self, "complex"))

    def __index__(self) -> int:
        x = _only_element(self, "index")
        return operator.index(x if hasattr(x, "__index__") else x.item())  # CuPy's have none

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if self.shape == () and spec else str(self)

    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        if self._node is not None:
            raise NotDifferentiableError("__dlpack__: this Tensor is recorded; use x.detach()")
        options = {
            "stream": stream, "max_version": max_version, "dl_device": dl_device, "copy": copy
        }
        given = {name: value for name, value in options.items() if value is not None}
        return self._data.__dlpack__(**given)

    def __dlpack_device__(self) -> Any:
        return self._data.__dlpack_device__()

    def __deepcopy__(self, memo: dict) -> Tensor:
        """A leaf or a constant with data and gradient of its own. A result raises."""
        if not self.is_leaf or self._level:
            raise NotRecordedError(
                "deepcopy: a Tensor must be a leaf or a constant, got a result of a recording, "
                "which a copy would leave behind; copy x.detach()"
            )
        twin = type(self).__new__(type(self))
        for name, value in getattr(self, "__dict__", {}).items():  # of a subclass
            setattr(twin, name, deepcopy(value, memo))
        twin._data, twin._level, twin._node = copied(self._data), 0, None
        if isinstance(self._node, Leaf):
            twin._node = new_leaf(twin._data)
            twin._node.grad = None if self.grad is None else copied(self.grad)
        return twin


def constant(data: Array) -> Tensor:
    """data as a Tensor that no recording follows."""
    tensor = Tensor.__new__(Tensor)
    tensor._data = data
    tensor._level = 0
    tensor._node = None
    return tensor


def recorded(data: Array, level: int, node: Any) -> Tensor:
    """data as the Tensor that node describes in the recording of that level."""
    tensor = Tensor.__new__(Tensor)
    tensor._data = data
    tensor._level = level
    tensor._node = node
    return tensor


def new_leaf(data: Array) -> Leaf:
    """A leaf for data. Raises NotDifferentiableError unless data is floating or complex."""
    if not (is_floating(data) or is_complex(data)):
        raise NotDifferentiableError(
            f"requires_grad: only floating arrays have gradients, got {data.dtype}; cast it first"
        )
    return Leaf(data.shape, data.dtype)


def _cotangent(y: Tensor, dy: Any) -> Array:
    """What backward() starts from: dy in the dtype of y, or one for a scalar. Raises ShapeError."""
    raw = y._data
    if type(dy) is type(raw) and (dy.shape, dy.dtype, dy.device) == (
        raw.shape,
        raw.dtype,
        raw.device,
    ):
        return conjugated(dy)
    shape = tuple(raw.shape)
    if dy is None:
        if shape != ():
            raise ShapeError(
                f"backward: a Tensor of shape {shape} is no scalar; reduce it "
                "(sum, mean, a loss) or give the cotangent: y.backward(dy)"
            )
        if is_complex(y):
            raise NotDifferentiableError(
                "backward: a complex Tensor has no one direction of ascent; make it real "
                "(abs, real), or give the cotangent: y.backward(dy)"
            )
        if y._node.__class__ is Leaf:  # whose gradient it would be, for its owner to write to
            return array_namespace(raw).ones_like(raw)
        return shared_one(raw)
    dy = innermost(dy)
    got = tuple(getattr(dy, "shape", ()))
    if got != shape:
        raise ShapeError(f"backward: dy must have the shape {shape}, got {got}")
    if not is_array(dy):
        dy = array_namespace(raw).full_like(raw, dy)
    if describe_device(dy) != describe_device(raw):
        raise mixed_devices((raw, dy), "backward")
    return conjugated(fit(dy, y, "backward"))


def _only_element(x: Tensor, operation: str) -> Any:
    """The plain array without axes that becomes a Python number."""
    if x.shape != ():
        raise TypeError(
            f"{operation}: only a 0-d Tensor is a Python number, got shape {tuple(x.shape)}; "
            "index it, or reduce it (sum, any, all)"
        )
    return innermost(x)


def note_reading(x: Any) -> None:
    """Let the transforms that record x know that a number of it leaves them."""
    while numbers_read and isinstance(x, Tensor):
        if x._node is not None and x._level in numbers_read:
            numbers_read[x._level] = True
        x = x._data


def strip(x: Any) -> Any:
    """x without the Tensors around it that no live recording follows."""
    live = first_live_level()
    while isinstance(x, Tensor) and (x._node is None or x._level < live):
        x = x._data
    return x


def lifted(x: Any) -> Any:
    """x with every plain array in it, also inside tuples and lists, as a constant Tensor.

    Some libraries refuse `array * tensor` in place of leaving it to the Tensor.
    """
    if isinstance(x, tuple | list):
        return type(x)(map(lifted, x)) if not hasattr(x, "_fields") else x
    return constant(x) if is_array(x) and not isinstance(x, Tensor) else x


def innermost(x: Any) -> Array:
    """The plain array inside x."""
    while isinstance(x, Tensor):
        x = x._data
    return x


def write_in_place(tensor: Tensor, values: Array) -> None:
    """Overwrite a leaf's or a constant's array, and let saved uses of it know."""
    assign(innermost(tensor), values)
    if isinstance(tensor._node, Leaf):
        tensor._node.version += 1


def refuse_in_place(tensor: Tensor, result: Tensor) -> None:
    """Raises InPlaceError for a leaf of backward(): its gradient would have nowhere to go."""
    if not isinstance(tensor._node, Leaf) or tensor._level > 0:
        return
    if first_live_level() == 0 or isinstance(strip(result), Tensor):
        raise InPlaceError(
            "a leaf that requires a gradient cannot be changed in place while recording; "
            "do it within isograd.no_grad(), or on a copy"
        )


def _why_not_recorded(tensor: Tensor) -> str:
    if tensor._level != 0:
        return "backward: inside grad or vjp the transform differentiates; return the value instead"
    return (
        "backward: nothing recorded leads to this Tensor; give the inputs requires_grad=True, "
        "and compute it outside of no_grad()"
    )


def _scalar(tensor: Tensor) -> Any:
    kind = {"b": bool, "i": int, "u": int, "f": float, "c": complex}
    name = str(tensor.dtype).rsplit(".", 1)[-1]
    return kind[name[0]](innermost(tensor))

