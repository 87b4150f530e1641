"""Elementwise functions that NumPy has and the standard has not, with NumPy's names and arguments.

Where NumPy's name alone differs, numpy_protocol.RENAMED says so. Names shadow builtins here, as
they do in NumPy; a trailing "_" is no part of the name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ....backend import PYTHON_SCALARS, Array, array_namespace, is_array, is_complex, is_floating
from ....backend.dtypes import is_boolean
from ..differentiable import Op, differentiable
from ..ops import elementwise, indexing
from ..ops.creation import astype, zeros_like
from ..ops.elementwise import abs, floor_divide, isnan, pow, remainder, sign, trunc, where
from .arguments import alike, floating

LOG_2 = math.log(2.0)

# -- ufuncs -------------------------------------------------------------------------------------


def _native(name: str, definition: Callable[..., Array]) -> Op:
    """The op that runs the library's function of that name, or the definition where it has none."""
    op = differentiable(definition)

    def run(*args: Array) -> Array:
        y: Array = getattr(array_namespace(*args), name, definition)(*args)
        return y

    op.definition, op.__name__, op.__qualname__ = run, name, name
    return op


def _cbrt(x: Array, /) -> Array:
    """The real cube root."""
    xp = array_namespace(x)
    return xp.sign(x) * xp.abs(x) ** (1.0 / 3.0)


def _exp2(x: Array, /) -> Array:
    """2^x."""
    return array_namespace(x).exp(x * LOG_2)


def _fmod(x1: Array, x2: Array, /) -> Array:
    """The remainder with the sign of x1."""
    return x1 - array_namespace(x1, x2).trunc(x1 / x2) * x2


cbrt = _native("cbrt", _cbrt)
cbrt.derivative.add({"x": lambda dy, y: dy / (3.0 * y * y)})

exp2 = _native("exp2", _exp2)
exp2.derivative.add({"x": lambda dy, y: dy * (LOG_2 * y)})

fmod = _native("fmod", _fmod)
fmod.derivative.add({"x1": lambda dy: dy, "x2": lambda dy, x1, x2: -dy * trunc(x1 / x2)})


def fabs(x: Array) -> Array:
    """|x| of real x, as a floating number."""
    return abs(floating(x))


def rint(x: Array) -> Array:
    """The nearest whole number, as a floating one; its derivative is zero."""
    return elementwise.round(floating(x))


def deg2rad(x: Array) -> Array:
    """Degrees as radians."""
    return x * (math.pi / 180.0)


def rad2deg(x: Array) -> Array:
    """Radians as degrees."""
    return x * (180.0 / math.pi)


def conjugate(x: Array) -> Array:
    """The complex conjugate; x itself where it is real."""
    return elementwise.conj(x) if is_complex(x) else x


def logaddexp2(x1: Array, x2: Array) -> Array:
    """log2(2^x1 + 2^x2)."""
    return elementwise.logaddexp(x1 * LOG_2, x2 * LOG_2) / LOG_2


def fmax(x1: Array, x2: Array) -> Array:
    """The larger one; NaN only where both are."""
    return _without_nan(x1, x2, elementwise.maximum(x1, x2))


def fmin(x1: Array, x2: Array) -> Array:
    """The smaller one; NaN only where both are."""
    return _without_nan(x1, x2, elementwise.minimum(x1, x2))


def _without_nan(x1: Any, x2: Any, y: Array) -> Array:
    x1, x2 = _as_arrays(y, x1, x2)
    return where(isnan(x1), x2, where(isnan(x2), x1, y))


def _as_arrays(like: Array, *xs: Any) -> list[Array]:
    """Python numbers as arrays of the dtype and the library of another."""
    xp = array_namespace(like)
    return [x if is_array(x) else xp.full_like(like, x) for x in xs]


def float_power(x1: Array, x2: Array) -> Array:
    """x1^x2, in float64 at least."""
    xp = array_namespace(x1, x2)
    wide = (xp.float64, xp.complex128)
    x1, x2 = (astype(x, xp.float64) if is_array(x) and x.dtype not in wide else x for x in (x1, x2))
    return pow(x1, x2)


def heaviside(x1: Array, x2: Array) -> Array:
    """0 where x1 is negative, 1 where it is positive, x2 where it is 0."""
    x1, x2 = _as_arrays(x1 if is_array(x1) else x2, x1, x2)
    return where(x1 == 0, x2, 0.5 + 0.5 * sign(x1))


def divmod(x1: Array, x2: Array) -> tuple[Array, Array]:
    """(x1 // x2, x1 % x2)."""
    return floor_divide(x1, x2), remainder(x1, x2)


def modf(x: Array) -> tuple[Array, Array]:
    """(the fractional part, the whole part), both with the sign of x."""
    x = floating(x)
    whole = trunc(x)
    return x - whole, whole


# -- other functions ----------------------------------------------------------------------------


def round(a: Array, decimals: int = 0) -> Array:
    """a with so many decimals; its derivative is zero."""
    scale = 10.0**decimals
    return elementwise.round(a * scale) / scale if decimals else elementwise.round(a)


def isclose(
    a: Array, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Array:
    """Whether |a - b| <= atol + rtol |b|, elementwise."""
    a, b = alike([a, b])
    xp = array_namespace(a, b)
    close = (xp.abs(a - b) <= atol + rtol * xp.abs(b)) & xp.isfinite(b)
    close = close | (a == b)
    return close | (xp.isnan(a) & xp.isnan(b)) if equal_nan else close


def allclose(
    a: Array, b: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Whether isclose holds everywhere."""
    close = isclose(a, b, rtol, atol, equal_nan)
    return bool(array_namespace(close).all(close))


def sinc(x: Array) -> Array:
    """sin(pi x) / (pi x), 1 at 0: near it by its series, so that derivatives hold there too."""
    z = x * math.pi
    near = abs(z) < 1e-2
    square = where(near, z * z, 0.0 * z)
    series = 1.0 - square / 6.0 * (1.0 - square / 20.0 * (1.0 - square / 42.0))
    divisor = where(near, 0.0 * z + 1.0, z)
    return where(near, series, elementwise.sin(divisor) / divisor)


def nan_to_num(
    x: Array, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None
) -> Array:
    """x with numbers in place of NaN and of the infinities; there the derivative is zero."""
    xp = array_namespace(x)
    if is_complex(x):
        parts = [nan_to_num(part, copy, nan, posinf, neginf) for part in (real(x), imag(x))]
        return parts[0] + parts[1] * 1j
    if not is_floating(x):
        return x
    largest = float(xp.finfo(x.dtype).max)
    above = xp.full_like(x, largest if posinf is None else posinf)
    below = xp.full_like(x, -largest if neginf is None else neginf)
    bounded = where(xp.isinf(x), where(x > 0.0, above, below), x)
    return where(isnan(x), xp.full_like(x, nan), bounded)


def clip(
    a: Array, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None
) -> Array:
    """a within the bounds."""
    low, high = a_min if min is None else min, a_max if max is None else max
    if any(is_floating(x) if is_array(x) else isinstance(x, float) for x in (low, high)):
        a = floating(a)  # as NumPy promotes integers
    bounded: Array = elementwise.clip(a, low, high)
    return bounded


def real(val: Array) -> Array:
    """The real part; val itself where it is real."""
    return elementwise.real(val) if is_complex(val) else val


def imag(val: Array) -> Array:
    """The imaginary part; zeros where val is real."""
    return elementwise.imag(val) if is_complex(val) else zeros_like(val)


def real_if_close(a: Array, tol: float = 100) -> Array:
    """The real part if every imaginary part is below tol machine epsilons, else a."""
    if not is_complex(a):
        return a
    xp = array_namespace(a)
    limit = tol * float(xp.finfo(a.dtype).eps) if tol > 1 else tol
    return real(a) if bool(xp.all(abs(imag(a)) < limit)) else a


def iscomplexobj(x: Array) -> bool:
    """Whether the dtype is complex."""
    return is_complex(x)


def isrealobj(x: Array) -> bool:
    """Whether the dtype is not complex."""
    return not is_complex(x)


def iscomplex(x: Array) -> Array:
    """Where the imaginary part is not zero."""
    return imag(x) != 0


def isreal(x: Array) -> Array:
    """Where the imaginary part is zero."""
    return imag(x) == 0


def angle(z: Array, deg: bool = False) -> Array:
    """The argument of z, in radians or degrees."""
    y = elementwise.atan2(imag(z), real(z))
    return rad2deg(y) if deg else y


def where_(condition: Any, x: Any = None, y: Any = None) -> Any:
    """x where condition holds, else y; without them the indices of what is not zero."""
    if x is None and y is None:
        return indexing.nonzero(condition)
    if type(x) in PYTHON_SCALARS and type(y) in PYTHON_SCALARS:
        condition, x = alike([condition, x])
    elif type(x) in PYTHON_SCALARS or type(y) in PYTHON_SCALARS:  # they take the other's dtype
        condition, other = alike([condition, y if type(x) in PYTHON_SCALARS else x])
        x, y = (x, other) if type(x) in PYTHON_SCALARS else (other, y)
    else:
        condition, x, y = alike([condition, x, y])
    return where(condition if is_boolean(condition) else condition != 0, x, y)


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Array:
    """For each element the first choice whose condition holds, else default."""
    chosen = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        chosen = where_(condition, choice, chosen)
    return chosen
