"""The error function, which the Array API standard lacks, and NumPy too."""

from __future__ import annotations

import importlib

import numpy as np

from .dtypes import FLOATING, dtype_name
from .errors import DtypeError
from .libraries import library_of
from .namespaces import Array, Namespace, array_namespace

BLOCK_BYTES = 2**16  # of one array: the six of a block stay in a core's second-level cache

# Where |x| < 1: erf(x) = x + x H(x**2). Elsewhere: erf(x) = 1 - exp(T(x)), T = log(1 - erf), where
# rounding errors fade with exp(T); beyond the last argument erf rounds to 1. The coefficients,
# constant term first, minimise the largest relative error of erf (Remez's exchange algorithm with
# 60 digits, then rounded): 7.4e-18 and 3.1e-17 for float64, 1.2e-9 and 2.2e-11 for float32.
HEAD = {
    "float64": (
        0.12837916709551256, -0.3761263890318352, 0.112837916709442, -0.026866170643113415,
        0.005223977606130842, -0.0008548325929766244, 0.0001205529358693695,
        -1.4924712439534814e-05, 1.6447132699786621e-06, -1.6206318752969208e-07,
        1.3710988704190523e-08, -7.779462971761597e-10,
    ),
    "float32": (
        0.12837916572955937, -0.376126258374651, 0.11283585248605635, -0.02685381458207252,
        0.005188330482592488, -0.0008010202699272506, 7.853849828429409e-05,
    ),
}  # fmt: skip
TAIL = {
    "float64": (
        -1.0633276893993572e-06, -1.1283687146029797, -0.6366675686867301, -0.10263767571998965,
        0.018865429686249484, 0.0005840074404448445, -0.0020987239854064776,
        0.000919909900628277, -0.0002306323381841969, 2.799285249165156e-05,
        3.612271872990886e-06, -2.673269097116701e-06, 6.878034207881507e-07,
        -1.0822819959980068e-07, 1.0904074759634715e-08, -6.518605319974546e-10,
        1.7705569878539337e-11,
    ),
    "float32": (
        0.00018846289639399603, -1.1295802896921912, -0.6332164373127963, -0.10842205868257875,
        0.025210315474282426, -0.0042052762871963596, 0.0004414710460073977,
        -2.1697486425693808e-05,
    ),
}  # fmt: skip
LAST = {"float64": 6.0, "float32": 4.0}


def erf(x: Array) -> Array:
    """erf(x) = 2 / sqrt(pi) * integral of exp(-t**2) from 0 to x, elementwise, within 2 ulp.

    x: real floating, any shape -> same shape and dtype; NaN stays, the limits are -1 and 1.
    Raises DtypeError for anything else. Uses the library's own function where it has one.
    """
    xp = array_namespace(x)
    name = dtype_name(x.dtype)
    if name not in FLOATING:
        raise DtypeError(f"erf: x must be real floating, got {name}; cast it first")
    library = library_of(x).name
    if library == "torch":
        return importlib.import_module("torch").special.erf(x)
    if library == "cupy":
        return importlib.import_module("cupyx.scipy.special").erf(x)
    if name not in HEAD:
        return xp.astype(erf(xp.astype(x, xp.float32)), x.dtype)
    return _in_blocks(x, name, xp) if library == "numpy" else _erf(x, name, xp)


def _erf(x: Array, name: str, xp: Namespace) -> Array:
    """The definition, for float32 and float64. In-place operators act on arrays made here alone."""
    magnitude = xp.minimum(xp.abs(x), xp.asarray(LAST[name], dtype=x.dtype, device=x.device))
    tail = _polynomial(magnitude, TAIL[name])
    tail = 1.0 - xp.exp(tail)
    head = _polynomial(magnitude * magnitude, HEAD[name])
    head *= magnitude
    head += magnitude
    return xp.copysign(xp.where(magnitude < 1.0, head, tail), x)


def _polynomial(x: Array, coefficients: tuple[float, ...]) -> Array:
    """Sum of coefficients[k] * x**k by Horner's rule."""
    y = x * coefficients[-1]
    for coefficient in coefficients[-2:0:-1]:
        y += coefficient
        y *= x
    y += coefficients[0]
    return y


def _in_blocks(x: np.ndarray, name: str, xp: Namespace) -> np.ndarray:
    """The definition on blocks of a NumPy array that fit the cache."""
    if x.nbytes <= BLOCK_BYTES:
        return np.asarray(_erf(x, name, xp))
    flat = x.reshape(-1)
    result = np.empty_like(flat)
    step = BLOCK_BYTES // x.itemsize
    for start in range(0, flat.size, step):
        result[start : start + step] = _erf(flat[start : start + step], name, xp)
    return result.reshape(x.shape)
