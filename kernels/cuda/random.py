"""Random numbers on CuPy in one launch a draw, the same bits as by definition."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...backend import Array
from ...backend.distributions import Draw, Form
from ...backend.normal_table import DOUBLE, SINGLE, NormalTable
from ...backend.place import Place
from .arrays import cupy
from .dropout import CHOICES, DROPOUT, THREADS, grid_for
from .source import Source

POLYNOMIALS = (
    "centre_numerator",
    "centre_denominator",
    "near_numerator",
    "near_denominator",
    "far_numerator",
    "far_denominator",
    "log_series",
)
NUMBERS = ("centre_square", "near_root", "far_root", "root_half", "half_log_2", "log_2")


def draw_on_gpu(draw: Draw, place: Place, size: int) -> Any:
    """size numbers of a draw, as a new array of the current GPU; declines draws without a form."""
    form = draw.form
    if form is None or size == 0:
        return NotImplemented
    y = cupy().empty(size, form.dtype)
    if form.kind == "bernoulli":
        numbers = (np.int64(form.threshold), np.int64(size))
        args = (y, *place.numbers, *numbers)
        DROPOUT.launch("bernoulli", "float32", grid_for(size, CHOICES), (THREADS,), args)
    else:
        _fill(form, place, y)
    return y


def _fill(form: Form, place: Place, y: Array) -> None:
    kind = np.dtype(form.dtype).type
    numbers = (kind(form.scale), kind(form.offset), kind(form.top), np.int64(y.size))
    grid = grid_for(y.size, 8 if form.dtype == "float32" else 4)
    args = (y, *place.numbers, *numbers)
    RANDOM.launch(f"random_{form.kind}", form.dtype, grid, (THREADS,), args)


def normal_text() -> str:
    """The constants of the normal quantile as CUDA text, for both dtypes."""
    return "\n".join(["template <class X>", "struct Normal;", *map(_normal_text, (SINGLE, DOUBLE))])


def _normal_text(table: NormalTable) -> str:
    kind = {"float32": "float", "float64": "double"}[table.dtype]
    lines = ["template <>", f"struct Normal<{kind}> {{"]
    lines += [f"  static constexpr bool HAS_FAR = {str(bool(table.far_numerator)).lower()};"]
    lines += [f"  static constexpr unsigned long long SPLIT = {table.split}ull;"]
    constants = {name: getattr(table, name) for name in NUMBERS}
    constants["step"] = math.ldexp(1.0, -table.bits)
    lines += [
        f"  static __device__ __forceinline__ {kind} {name}() {{ return {value.hex()}; }}"
        for name, value in constants.items()
    ]
    lines += ["};"]
    for name in POLYNOMIALS:
        listed = ", ".join(value.hex() for value in getattr(table, name) or (0.0, 0.0))
        lines += [
            f"__device__ __forceinline__ {kind} {name}({kind} x) {{",
            f"  const {kind} c[] = {{{listed}}};",
            "  return polynomial(x, c);",
            "}",
        ]
    return "\n".join(lines)


RANDOM = Source(
    "random.cu",
    dtypes=("float32", "float64"),
    headers=("common.cuh", "philox.cuh", "pack.cuh"),
    generated=normal_text,
)
