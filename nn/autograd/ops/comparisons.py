"""Elementwise functions of the standard whose derivative is zero wherever they have one."""

from __future__ import annotations

from typing import Any

from .special_cases import MendedFloorDivide
from .standard import ConstantOp, standard


def _constant(name: str, *parameters: str, kind: type[ConstantOp] = ConstantOp) -> Any:
    return standard(name, *parameters, kind=kind)


ceil = _constant("ceil", "x")
floor = _constant("floor", "x")
round = _constant("round", "x")
trunc = _constant("trunc", "x")
floor_divide = _constant("floor_divide", "x1", "x2", kind=MendedFloorDivide)
signbit = _constant("signbit", "x")
isfinite = _constant("isfinite", "x")
isinf = _constant("isinf", "x")
isnan = _constant("isnan", "x")

equal = _constant("equal", "x1", "x2")
not_equal = _constant("not_equal", "x1", "x2")
less = _constant("less", "x1", "x2")
less_equal = _constant("less_equal", "x1", "x2")
greater = _constant("greater", "x1", "x2")
greater_equal = _constant("greater_equal", "x1", "x2")

logical_and = _constant("logical_and", "x1", "x2")
logical_not = _constant("logical_not", "x")
logical_or = _constant("logical_or", "x1", "x2")
logical_xor = _constant("logical_xor", "x1", "x2")
bitwise_and = _constant("bitwise_and", "x1", "x2")
bitwise_invert = _constant("bitwise_invert", "x")
bitwise_left_shift = _constant("bitwise_left_shift", "x1", "x2")
bitwise_or = _constant("bitwise_or", "x1", "x2")
bitwise_right_shift = _constant("bitwise_right_shift", "x1", "x2")
bitwise_xor = _constant("bitwise_xor", "x1", "x2")
