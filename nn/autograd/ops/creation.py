"""New arrays like given ones, and changes of dtype."""

from __future__ import annotations

from typing import Any

from ....backend import Array, array_namespace
from ..differentiable import differentiable
from ..tensor import Tensor, strip
from ..transfer import to_device
from .standard import ConstantOp, StandardOp, standard

zeros_like = standard("zeros_like", "x", kind=ConstantOp, dtype=None, device=None)
ones_like = standard("ones_like", "x", kind=ConstantOp, dtype=None, device=None)
empty_like = standard("empty_like", "x", kind=ConstantOp, dtype=None, device=None)


class FillOp(ConstantOp):
    """full_like: the recording goes on from the value, if it is a recorded 0-d Tensor."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = self.parameters.positions(args, kwargs)
        x, value = args
        if not isinstance(strip(value), Tensor):
            return super().__call__(x, value, **kwargs)
        zeros = zeros_like(x, **kwargs)
        return zeros + astype(value, zeros.dtype)


full_like = standard("full_like", "x", "fill_value=", kind=FillOp, dtype=None, device=None)


@differentiable
def duplicate(x: Array, /) -> Array:
    """x in memory of its own."""
    return array_namespace(x).asarray(x, copy=True)


duplicate.derivative.add({"x": lambda dy: dy})


class CastOp(StandardOp):
    """astype: its options may give the Tensor itself back, or move it, recorded."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs and isinstance(args[0], Tensor):
            return self._with_options(*args, **kwargs)
        return super().__call__(*args, **kwargs)

    def _with_options(self, x: Tensor, dtype: Any, *, copy: bool = True, device: Any = None) -> Any:
        moved = x if device is None else to_device(x, device)
        if dtype != x.dtype:
            return super().__call__(moved, dtype)
        return duplicate(moved) if copy and moved is x else moved

astype = standard("astype", "x", "dtype", kind=CastOp, copy=True, device=None)
astype.derivative.add({"x": lambda dy: dy})  # the engine casts it back to the dtype of x
