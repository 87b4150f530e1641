"""New arrays like given ones, and changes of dtype."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...backend import Array
from ...backend.dtypes import is_complex, is_floating
from .differentiable import wrap_constants
from .standard import ConstantOp, StandardOp, standard
from .tensor import innermost

zeros_like = standard("zeros_like", "x", kind=ConstantOp, dtype=None, device=None)
ones_like = standard("ones_like", "x", kind=ConstantOp, dtype=None, device=None)
empty_like = standard("empty_like", "x", kind=ConstantOp, dtype=None, device=None)
full_like = standard("full_like", "x", "fill_value=", kind=ConstantOp, dtype=None, device=None)


def _dcast(dy: Array, dtype: Any) -> Array:
    return dy  # the engine casts it back to the dtype of x


class CastOp(StandardOp):
    """astype: recorded between floating dtypes; a cast to integers has no derivative but zero."""

    def _record(self, level: int, args: Sequence[Any], kwargs: dict) -> Any:
        if is_floating(args[1]) or is_complex(args[1]):
            return super()._record(level, args, kwargs)
        return wrap_constants(self._run([innermost(a) for a in args], kwargs))


astype = standard("astype", "x", "dtype=", kind=CastOp, copy=True, device=None)
astype.derivative.add({"x": _dcast})
