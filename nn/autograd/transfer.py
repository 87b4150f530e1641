"""Moving a Tensor to another device, recorded: the gradient is moved back."""

from __future__ import annotations

from typing import Any

from ...backend import Array, Device, device_of, find_device, register_array_type
from ...backend import to_device as plain_to_device
from .differentiable import differentiable
from .tensor import Tensor, innermost


@differentiable
def _moved(x: Array, target: Device, source: Device, /) -> Array:
    """x on the target device."""
    return plain_to_device(x, target)


_moved.derivative.add({"x": lambda dy, target, source: _moved(dy, source, target)})


def to_device(x: Tensor, device: str | Device) -> Tensor:
    """x on that device: x itself when it is there, else a copy whose gradient comes back to x."""
    target, source = find_device(device), device_of(innermost(x))
    moved: Tensor = x if target == source else _moved(x, target, source)
    return moved


def _method(self: Tensor, device: Any, /, *, stream: Any = None) -> Tensor:
    """x.to_device(device), as in the standard; stream is passed over."""
    return to_device(self, device)


def install() -> None:
    """Let Tensor be moved, and known to the backend as an array that wraps others."""
    Tensor.to_device = _method
    register_array_type(Tensor, Tensor.__array_namespace__, to_device=to_device)
