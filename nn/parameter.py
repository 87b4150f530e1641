"""Parameter: an array that a module learns."""

from __future__ import annotations

from typing import Any

from ..backend import Array, Device, array, device_of, is_array, to_device, unwrap
from .autograd import Tensor


class Parameter(Tensor):
    """A leaf of the tape that is found by the module whose attribute it is.

    data: an array, which stays on its device, or lists and numbers; copied, so that updates are
        seen nowhere else.
    requires_grad=False: it stays as it is while others learn (it is frozen).
    Raises NotDifferentiableError for other than floating data that requires a gradient.
    """

    __slots__ = ()

    def __init__(self, data: Any, *, requires_grad: bool = True) -> None:
        device = device_of(data) if is_array(data) else None
        super().__init__(array(data, device=device, copy=True), requires_grad=requires_grad)

    def __repr__(self) -> str:
        return f"Parameter({self.data!r}{'' if self.requires_grad else ', frozen'})"

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        """A new leaf with a copy of the values and no gradient."""
        return Parameter(self.data, requires_grad=self.requires_grad)


def copied(x: Array) -> Array:
    """The values of x, recorded or not, as a new plain array on the same device."""
    return array(unwrap(x), device=device_of(x), copy=True)


def move(parameter: Parameter, device: Device) -> None:
    """Put values and gradient on a device, in memory of their own; the object stays the same."""
    leaf: Any = parameter._node
    if device_of(parameter) == device:
        return
    parameter._data = to_device(unwrap(parameter), device)
    if leaf is not None:
        leaf.version += 1  # graphs recorded before would give gradients on the old device
        leaf.dtype = parameter.dtype  # of the other library
        leaf.buffer = None
        leaf.grad = None if leaf.grad is None else to_device(leaf.grad, device)
