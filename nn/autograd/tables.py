"""Where each function of the standard's main namespace comes from, and what its derivative is.

Every name of Array API 2025.12 stands in exactly one of the tables; a test counts them.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from .ops import (
    comparisons,
    complex_numbers,
    creation,
    elementwise,
    exponential,
    indexing,
    linear_algebra,
    manipulation,
    reduction,
    scans,
    selection,
    sets,
)

Table = dict[ModuleType, tuple[str, ...]]

# Functions with a derivative rule, or composed of functions with one.
DIFFERENTIABLE: Table = {
    complex_numbers: ("conj", "imag", "real"),
    creation: ("astype", "full_like"),
    elementwise: (
        *("add", "divide", "multiply", "negative", "positive", "pow", "reciprocal"),
        *("remainder", "square", "subtract"),
    ),
    exponential: (
        *("acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cos", "cosh", "exp"),
        *("expm1", "hypot", "log", "log10", "log1p", "log2", "logaddexp", "sin", "sinh"),
        *("sqrt", "tan", "tanh"),
    ),
    indexing: ("repeat", "sort", "take", "take_along_axis"),
    linear_algebra: ("matmul", "tensordot", "vecdot"),
    manipulation: (
        *("broadcast_arrays", "broadcast_to", "concat", "expand_dims", "flip"),
        *("matrix_transpose", "meshgrid", "moveaxis", "permute_dims", "reshape", "roll"),
        *("squeeze", "stack", "tile", "tril", "triu", "unstack"),
    ),
    reduction: ("max", "mean", "min", "prod", "std", "sum", "var"),
    scans: ("cumulative_prod", "cumulative_sum", "diff"),
    selection: (
        *("abs", "clip", "copysign", "maximum", "minimum", "nextafter", "sign", "where"),
    ),
    sets: ("unique_all", "unique_counts", "unique_inverse", "unique_values"),
}

# Functions whose derivative is zero wherever they have one: results that nothing records.
CONSTANT: Table = {
    comparisons: (
        *("bitwise_and", "bitwise_invert", "bitwise_left_shift", "bitwise_or"),
        *("bitwise_right_shift", "bitwise_xor", "ceil", "equal", "floor", "floor_divide"),
        *("greater", "greater_equal", "isfinite", "isinf", "isnan", "less", "less_equal"),
        *("logical_and", "logical_not", "logical_or", "logical_xor", "not_equal", "round"),
        *("signbit", "trunc"),
    ),
    creation: ("empty_like", "ones_like", "zeros_like"),
    indexing: ("argsort", "nonzero", "searchsorted"),
    manipulation: ("broadcast_shapes",),
    reduction: ("all", "any", "argmax", "argmin", "count_nonzero"),
    sets: ("isin",),
}

# Bound to a library when its namespace is wrapped: see factories.py and inspection.py.
DIFFERENTIABLE_FACTORIES = ("asarray", "full", "linspace")
CONSTANT_INSPECTIONS = (
    *("__array_namespace_info__", "can_cast", "finfo", "iinfo", "isdtype", "result_type"),
)
# These raise NotDifferentiableError where an argument is recorded.
NOT_DIFFERENTIABLE = ("arange", "empty", "eye", "from_dlpack", "ones", "zeros")

CONSTANTS = ("e", "inf", "nan", "newaxis", "pi")
DTYPES = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float32", "float64", "complex64", "complex128"),
)


def functions() -> dict[str, Any]:
    """The functions that serve the arrays of every library, by name."""
    return {
        name: getattr(module, name)
        for table in (DIFFERENTIABLE, CONSTANT)
        for module, names in table.items()
        for name in names
    }
