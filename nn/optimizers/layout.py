"""Where the parameters of an optimizer stand: side by side in one buffer, gradients in another.

An update is then one pass over one array, and the backward pass writes gradients where it looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from weakref import WeakSet

from ...backend import (
    Array,
    Device,
    array_namespace,
    as_dtype,
    assign,
    device_of,
    dtype_name,
    unwrap,
)
from ...backend.errors import DeviceError, DtypeError, ShapeError
from ..autograd import Tensor
from .masters import MASTER, is_half, wide_dtype, widened

ALIGNMENT = 256  # bytes: whole cache lines (64) and GPU transactions (128), as CUDA allocates
ITEM_BYTES = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}
DTYPES = tuple(ITEM_BYTES)

_layouts: WeakSet[Layout] = WeakSet()


class Layout:
    """Parameters of one device and dtype, with views of two flat buffers as values and gradients.

    values, gradients: 1-D; parameter i stands at starts[i] to stops[i], every start a multiple of
    256 bytes; the gaps hold zeros. masters: as values, but float32, where these have half
    precision, else None (masters.py). A library whose slices are copies has layouts of one
    parameter, whose buffers have its shape.
    """

    def __init__(self, parameters: list[Tensor], *, flat: bool = True) -> None:
        first = parameters[0]
        self.parameters = parameters
        self.device = device_of(first)
        self.dtype = dtype_name(first.dtype)
        self.starts, self.stops = _places(parameters, self.dtype)
        self.flat = flat
        self.values = self._zeros(self.dtype)
        self.gradients = self._zeros(self.dtype)
        self._views = list(
            zip(parameters, self.views(self.values), self.views(self.gradients), strict=True)
        )
        for parameter, view, gradient in self._views:
            _adopt(parameter, view, gradient)
        self.masters = None
        if is_half(self.dtype):
            self.masters = assign(self.zeros(), widened(self.values))
        _layouts.add(self)

    @property
    def wide_dtype(self) -> str:
        """The dtype of updates and of what they need: float32 for half precision, else the own."""
        return wide_dtype(self.dtype)

    def zeros(self) -> Array:
        """A buffer of this layout, on its device, of the wide dtype."""
        return self._zeros(self.wide_dtype)

    def views(self, buffer: Array) -> list[Array]:
        """The parts of a buffer, in the shapes of the parameters."""
        return [self.view(buffer, i) for i in range(len(self.parameters))]

    def view(self, buffer: Array, i: int) -> Array:
        """What a buffer holds for parameter i, in its shape."""
        if not self.flat:
            return buffer
        part = buffer[self.starts[i] : self.stops[i]]
        return array_namespace(buffer).reshape(part, self.parameters[i].shape)

    def part(self, buffer: Array, first: int, last: int) -> Array:
        """What a buffer holds for the parameters first to last, gaps between them included."""
        if not self.flat or (first == 0 and last == len(self.parameters) - 1):
            return buffer
        return buffer[self.starts[first] : self.stops[last]]

    def master_of(self, i: int) -> dict[str, Array]:
        """The master of parameter i by its name, a view; empty where it has none."""
        return {} if self.masters is None else {MASTER: self.view(self.masters, i)}

    def set_master(self, i: int, values: Array | None) -> None:
        """Overwrite the master of parameter i, if it has one; None: with the parameter."""
        if self.masters is not None:
            values = widened(self.view(self.values, i)) if values is None else values
            assign(self.view(self.masters, i), values)

    def holds(self, parameters: list[Tensor]) -> bool:
        """Whether these very parameters stand here, in this order."""
        return len(parameters) == len(self._views) and all(
            ours is theirs and ours._data is view
            for (ours, view, _), theirs in zip(self._views, parameters, strict=True)
        )

    def collect(self) -> list[bool]:
        """Which parameters have a gradient; values and gradients are in their places afterwards.

        A gradient that was assigned by hand is copied in, and so are the values of a parameter that
        another optimizer has laid out elsewhere. Raises DeviceError, DtypeError or ShapeError when
        they do not fit.
        """
        found = []
        for parameter, view, gradient in self._views:
            if parameter._data is not view:
                self._check("parameter", view, parameter._data)
                _adopt(parameter, view, gradient)
            leaf: Any = parameter._node
            given = None if leaf is None else leaf.grad
            if leaf is not None and given is not gradient:
                leaf.buffer = gradient
                if given is not None:
                    given = unwrap(given)
                    self._check("gradient", view, given)
                    assign(gradient, given)
            found.append(given is not None)
        return found

    def bump_versions(self, first: int, last: int) -> None:
        """Tell graphs recorded before that the parameters first to last were changed in place."""
        for parameter in self.parameters[first : last + 1]:
            leaf: Any = parameter._node
            if leaf is not None:
                leaf.version += 1

    def _zeros(self, dtype: str) -> Array:
        like = unwrap(self.parameters[0])
        if self.flat:
            return aligned_zeros(self.stops[-1], dtype, like, self.device)
        xp = array_namespace(like)
        return xp.zeros_like(like, dtype=as_dtype(xp, dtype))

    def _check(self, what: str, place: Array, data: Array) -> None:
        """Raises unless data fits into its place here."""
        if device_of(data) != self.device:
            raise DeviceError(
                f"optimizer: the {what} of shape {tuple(data.shape)} must be on {self.device}, "
                f"where the optimizer has its memory, got {device_of(data)}; make the optimizer "
                "after model.to(device)"
            )
        if dtype_name(data.dtype) != self.dtype:
            raise DtypeError(
                f"optimizer: the {what} of shape {tuple(data.shape)} must be {self.dtype}, as when "
                f"the optimizer was made, got {dtype_name(data.dtype)}; cast it, or make the "
                "optimizer after the cast"
            )
        if tuple(data.shape) != tuple(place.shape):
            raise ShapeError(
                f"optimizer: the {what} must have the shape {tuple(place.shape)}, as when the "
                f"optimizer was made, got {tuple(data.shape)}"
            )


def layouts_of(parameters: list[Tensor]) -> list[Layout]:
    """Layouts that hold all these parameters: one for each device and dtype among them.

    Where another optimizer has laid out exactly the same ones, its layout is shared.
    """
    alike: dict[tuple[Device, str], list[Tensor]] = {}
    for parameter in parameters:
        key = (device_of(parameter), dtype_name(parameter.dtype))
        alike.setdefault(key, []).append(parameter)
    layouts = []
    for members in alike.values():
        if slices_share_memory(unwrap(members[0])):
            layouts.append(_known(members) or Layout(members))
        else:
            layouts += [_known([one]) or Layout([one], flat=False) for one in members]
    return layouts


def slices_share_memory(like: Array) -> bool:
    """Whether writing to a reshaped slice changes the array that it was cut from: it is tried."""
    xp = array_namespace(like)
    with device_of(like).active():
        whole = xp.zeros((4,), dtype=like.dtype, device=device_of(like).raw)
    assign(xp.reshape(whole[1:3], (2, 1)), 1.0)
    return bool(xp.all(whole[1:3] == 1.0))


def aligned_zeros(n: int, dtype: str, like: Array, device: Device) -> Array:
    """n zeros of an array's library; their address, where it is known, a multiple of 256."""
    xp = array_namespace(like)
    per_line = ALIGNMENT // ITEM_BYTES[dtype]
    with device.active():
        roomy = xp.zeros((n + per_line,), dtype=as_dtype(xp, dtype), device=device.raw)
    protocol = getattr(roomy, "__array_interface__", None)  # how NumPy tells an address
    address = protocol["data"][0] if protocol else 0
    skipped = (-address % ALIGNMENT) // ITEM_BYTES[dtype]
    return roomy[skipped : skipped + n]


def gradient_parts(parameters: Iterable[Tensor]) -> Iterator[tuple[Array, Any]]:
    """The gradients of these parameters, joined to one flat array where they stand side by side.

    With each comes the leaf that it belongs to, or None where it is a buffer of ours, which may be
    written to; a gradient outside of a buffer may share memory with other arrays.
    """
    wanted = {id(p): p for p in parameters if p.grad is not None}
    for layout in list(_layouts):
        places = [(p, gradient) for p, _, gradient in layout._views]
        ours = [id(p) in wanted and p.grad is gradient for p, gradient in places]
        for first, last in stretches(ours):
            yield layout.part(layout.gradients, first, last), None
        for (p, _), is_ours in zip(places, ours, strict=True):
            if is_ours:
                del wanted[id(p)]
    for p in wanted.values():
        yield unwrap(p.grad), p._node


def stretches(keys: list[Any]) -> Iterator[tuple[int, int]]:
    """First and last index of neighbours with equal keys; those of None and False are left out."""
    first = 0
    for i in range(1, len(keys) + 1):
        if i == len(keys) or keys[i] != keys[first]:
            if keys[first] is not None and keys[first] is not False:
                yield first, i - 1
            first = i


def _known(parameters: list[Tensor]) -> Layout | None:
    """The layout that holds these parameters already."""
    return next((layout for layout in list(_layouts) if layout.holds(parameters)), None)


def _adopt(parameter: Tensor, view: Array, gradient: Array) -> None:
    """Move a parameter's values into its place; its next gradient will be written beside them."""
    assign(view, unwrap(parameter._data))
    parameter._data = view
    leaf: Any = parameter._node
    if leaf is not None:
        leaf.buffer = gradient


def _places(parameters: list[Tensor], dtype: str) -> tuple[list[int], list[int]]:
    """Start and stop of each parameter in a flat buffer."""
    per_line = ALIGNMENT // ITEM_BYTES[dtype]
    starts, stops, stop = [], [], 0
    for parameter in parameters:
        start = -(-stop // per_line) * per_line
        stop = start + parameter.size
        starts.append(start)
        stops.append(stop)
    return starts, stops
