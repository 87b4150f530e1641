"""How far two arrays are apart, element by element: in units in the last place, and in tolerances.

NaN agrees with NaN and infinity with infinity of the same sign; either is infinitely far from all
else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .convert import to_numpy
from .dtypes import Tolerance, as_dtype, dtype_name, is_complex, tolerance
from .namespaces import Array, array_namespace, unwrap

# Of each format: the bits of its fraction, and the exponent of its smallest normal number.
FORMATS = {
    "float64": (52, -1022),
    "float32": (23, -126),
    "float16": (10, -14),
    "bfloat16": (7, -126),
    "complex128": (52, -1022),
    "complex64": (23, -126),
}
MANY = 1e9  # units in the last place: beside a zero their number tells nothing
_TINY = 1e-280  # what a tolerance of zero counts as where distances are weighed against it


@dataclass(frozen=True)
class Element:
    """One place of two arrays: the values there as Python numbers, and how far they are apart."""

    index: tuple[int, ...]
    actual: Any
    expected: Any
    distance: float
    ulp: float

    def __str__(self) -> str:
        apart = f"apart by {self.distance:.3g}, {counted(self.ulp)}"
        return f"{self.index}: actual {self.actual!r}, expected {self.expected!r}, {apart}"


@dataclass(frozen=True)
class Comparison:
    """What compare() found.

    n: elements. n_different: those whose bits differ; n_beyond: those beyond the tolerance.
    ulp: the largest distance, in units in the last place of the largest expected element; that of
    a sum's rounding errors is small whatever cancels. first, worst: of those beyond the tolerance.
    """

    n: int
    n_different: int
    n_beyond: int
    ulp: float
    first: Element | None
    worst: Element | None


def compare(
    actual: Array, expected: Array, allowed: Tolerance, *, equal_nan: bool = True
) -> Comparison:
    """How far actual is from expected, arrays of one shape, of whichever libraries.

    Where |actual - expected| <= allowed.atol + allowed.rtol |expected| they agree. Of two dtypes
    the less precise one has the units that are counted. equal_nan=False: NaN agrees with nothing.
    """
    name = less_precise(actual, expected)
    a, e = _of_one_kind(on_host(actual), on_host(expected))
    same = _identical(a, e) if equal_nan else _identical(a, e) & (e == e)
    distance = np.where(same, 0.0, _distances(a, e))
    size = _finite_sizes(e)
    limit = allowed.atol + allowed.rtol * size
    beyond = ~(distance <= limit)
    with np.errstate(over="ignore"):
        shares = distance / np.maximum(limit, _TINY)

    def element(i: int) -> Element:
        index = tuple(int(j) for j in np.unravel_index(i, e.shape))
        apart = float(distance[index])
        ulp = apart / spacing(float(size[index]), name)
        return Element(index, a[index].item(), e[index].item(), apart, ulp)

    n_beyond = int(beyond.sum())
    return Comparison(
        n=e.size,
        n_different=int(e.size - same.sum()),
        n_beyond=n_beyond,
        ulp=float(distance.max(initial=0.0)) / spacing(float(size.max(initial=0.0)), name),
        first=element(int(beyond.argmax())) if n_beyond else None,
        worst=element(int(shares.argmax())) if n_beyond else None,
    )


def less_precise(first: Array, second: Array) -> str:
    """The name of the dtype, of two arrays', in which fewer numbers differ; exact ones last."""
    names = [dtype_name(unwrap(x).dtype) for x in (first, second)]
    return max(names, key=lambda name: tolerance(name).rtol)


def spacing(size: float, dtype: Any) -> float:
    """The unit in the last place of a number of this size: the distance to the next larger one.

    1 for integers and booleans.
    """
    name = dtype_name(dtype)
    if name not in FORMATS:
        return 1.0
    fraction_bits, smallest = FORMATS[name]
    exponent = max(math.frexp(size)[1] - 1, smallest) if size else smallest
    return math.ldexp(1.0, exponent - fraction_bits)


def counted(ulp: float) -> str:
    """A number of units in the last place as text."""
    return f"{ulp:.3g} ulp" if ulp < MANY else f"over {MANY:.0e} ulp"


def on_host(x: Array) -> np.ndarray:
    """The values as a NumPy array; those of bfloat16, which NumPy does not have, as float32."""
    raw = unwrap(x)
    if dtype_name(raw.dtype) == "bfloat16":
        xp = array_namespace(raw)
        raw = xp.astype(raw, as_dtype(xp, "float32"))
    return to_numpy(raw)


def _of_one_kind(a: np.ndarray, e: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both in the dtype that holds the values of either."""
    wide = np.result_type(a, e)
    return a.astype(wide, copy=False), e.astype(wide, copy=False)


def _identical(a: np.ndarray, e: np.ndarray) -> np.ndarray:
    """Where the bits are the same; all NaNs count as the same."""
    if is_complex(e):
        return _identical(a.real, e.real) & _identical(a.imag, e.imag)
    if e.dtype.kind != "f":
        return a == e
    return ((a == e) & (np.signbit(a) == np.signbit(e))) | (np.isnan(a) & np.isnan(e))


def _distances(a: np.ndarray, e: np.ndarray) -> np.ndarray:
    """|a - e| as float64; infinite where one of them is NaN or infinite."""
    if e.dtype.kind in "iu":  # the larger minus the smaller always fits the unsigned type
        unsigned = np.dtype(f"u{e.dtype.itemsize}")
        larger, smaller = np.maximum(a, e).astype(unsigned), np.minimum(a, e).astype(unsigned)
        return np.subtract(larger, smaller).astype("float64")
    wide = "complex128" if e.dtype.kind == "c" else "float64"
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(a.astype(wide) - e.astype(wide))
    return np.where(np.isfinite(apart), apart, np.inf)


def _finite_sizes(e: np.ndarray) -> np.ndarray:
    """|e| as float64, zero where it is NaN or infinite."""
    sizes = np.abs(e.astype("complex128" if e.dtype.kind == "c" else "float64"))
    return np.where(np.isfinite(sizes), sizes, 0.0)
