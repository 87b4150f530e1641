"""First values of parameters: plain arrays by shape, torch's layout (out, in, *kernel).

The random ones draw from a Generator (the process's own unless given): the same on every device;
those of float16 and bfloat16 are the float32 ones, rounded, a bound of uniform() included.
n_in and n_out: how many numbers feed one output and how many outputs one number feeds, both times
the kernel's size. gain: a factor for the activation that follows.
"""

from __future__ import annotations

import math
from typing import Any

from ..backend import (
    Array,
    Device,
    array,
    as_dtype,
    current_device,
    device_of,
    dtype_name,
    find_device,
)
from ..backend.dtypes import HALF
from ..backend.errors import HyperparameterError, ShapeError
from ..backend.random import Generator, default_generator

Shape = tuple[int, ...]
Where = str | Device | None

RELU_GAIN = math.sqrt(2.0)  # relu halves the mean square


def zeros(shape: Shape, *, dtype: Any = None, device: Where = None) -> Array:
    """Zeros. Right for biases; as weights of a hidden layer they keep all its units equal."""
    return constant(shape, 0.0, dtype=dtype, device=device)


def ones(shape: Shape, *, dtype: Any = None, device: Where = None) -> Array:
    """Ones."""
    return constant(shape, 1.0, dtype=dtype, device=device)


def constant(shape: Shape, value: float, *, dtype: Any = None, device: Where = None) -> Array:
    """One value everywhere, float32 unless dtype= asks for another. Raises ShapeError."""
    where = current_device() if device is None else find_device(device)
    _check_shape("constant", shape)
    kind = as_dtype(where.xp, "float32" if dtype is None else dtype)
    with where.active():
        return where.xp.full(shape, value, dtype=kind, device=where.raw)


def uniform(
    shape: Shape,
    low: float = 0.0,
    high: float = 1.0,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Where = None,
) -> Array:
    """U(low, high). Raises HyperparameterError unless low < high and both are finite."""
    source = generator or default_generator()
    drawn = source.uniform(shape, low, high, dtype=_drawn_in(dtype), device=device)
    return _cast(drawn, dtype)


def normal(
    shape: Shape,
    mean: float = 0.0,
    std: float = 1.0,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Where = None,
) -> Array:
    """N(mean, std^2). Raises HyperparameterError unless std >= 0 and both are finite."""
    source = generator or default_generator()
    drawn = source.normal(shape, mean, std, dtype=_drawn_in(dtype), device=device)
    return _cast(drawn, dtype)


def glorot_uniform(
    shape: Shape,
    *,
    gain: float = 1.0,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Where = None,
) -> Array:
    """U(-a, a) with a = gain sqrt(6 / (n_in + n_out)); torch's xavier_uniform_.

    Raises ShapeError for fewer than two axes, HyperparameterError unless gain > 0.
    Source: Glorot and Bengio 2010, Understanding the difficulty of training deep feedforward neural
    networks, equation 16.
    """
    n_in, n_out = fans("glorot_uniform", shape)
    variance = _ratio(2.0, n_in + n_out)
    return _uniform("glorot_uniform", shape, gain, variance, generator, dtype, device)


def glorot_normal(
    shape: Shape,
    *,
    gain: float = 1.0,
    root: bool = True,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Where = None,
) -> Array:
    """N(0, s^2) with s = gain sqrt(2 / (n_in + n_out)); torch's xavier_normal_.

    root=False leaves the root out, s = gain 2 / (n_in + n_out), as Weidman 2019 (Deep Learning from
    Scratch, chapter 4) prints it. Raises ShapeError for fewer than two axes, HyperparameterError
    unless gain > 0. Source: Glorot and Bengio 2010, equation 12.
    """
    n_in, n_out = fans("glorot_normal", shape)
    variance = _ratio(2.0, n_in + n_out)
    variance = variance if root else variance**2
    return _normal("glorot_normal", shape, gain, variance, generator, dtype, device)


def he_uniform(
    shape: Shape,
    *,
    gain: float = RELU_GAIN,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Where = None,
) -> Array:
    """U(-a, a) with a = gain sqrt(3 / n_in), so sqrt(6 / n_in) by default; kaiming_uniform_.

    gain: sqrt(2 / (1 + slope^2)) for a leaky relu. Raises ShapeError for fewer than two axes,
    HyperparameterError unless gain > 0.
    Source: He, Zhang, Ren, Sun 2015, Delving deep into rectifiers, equations 10 and 15.
    """
    n_in, _ = fans("he_uniform", shape)
    return _uniform("he_uniform", shape, gain, _ratio(1.0, n_in), generator, dtype, device)


def he_normal(
    shape: Shape,
    *,
    gain: float = RELU_GAIN,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Where = None,
) -> Array:
    """N(0, s^2) with s = gain / sqrt(n_in), so sqrt(2 / n_in) by default; kaiming_normal_.

    gain: sqrt(2 / (1 + slope^2)) for a leaky relu. Raises ShapeError for fewer than two axes,
    HyperparameterError unless gain > 0.
    Source: He, Zhang, Ren, Sun 2015, Delving deep into rectifiers, equations 10 and 15.
    """
    n_in, _ = fans("he_normal", shape)
    return _normal("he_normal", shape, gain, _ratio(1.0, n_in), generator, dtype, device)


def lecun_uniform(
    shape: Shape,
    *,
    gain: float = 1.0,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Where = None,
) -> Array:
    """U(-a, a) with a = gain sqrt(3 / n_in).

    Raises ShapeError for fewer than two axes, HyperparameterError unless gain > 0.
    Source: LeCun, Bottou, Orr, Müller 1998, Efficient BackProp, section 4.6: variance 1 / n_in.
    """
    n_in, _ = fans("lecun_uniform", shape)
    return _uniform("lecun_uniform", shape, gain, _ratio(1.0, n_in), generator, dtype, device)


def lecun_normal(
    shape: Shape,
    *,
    gain: float = 1.0,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Where = None,
) -> Array:
    """N(0, s^2) with s = gain / sqrt(n_in).

    Raises ShapeError for fewer than two axes, HyperparameterError unless gain > 0.
    Source: LeCun, Bottou, Orr, Müller 1998, Efficient BackProp, section 4.6, equation 16.
    """
    n_in, _ = fans("lecun_normal", shape)
    return _normal("lecun_normal", shape, gain, _ratio(1.0, n_in), generator, dtype, device)


def fans(operation: str, shape: Shape) -> tuple[int, int]:
    """(n_in, n_out) of a weight (out, in, *kernel). Raises ShapeError for fewer than two axes."""
    _check_shape(operation, shape)
    if len(shape) < 2:
        raise ShapeError(
            f"{operation}: shape must be (out, in, *kernel), got {tuple(shape)}; "
            "for a bias use zeros or uniform"
        )
    n_out, n_in, *kernel = shape
    return n_in * math.prod(kernel), n_out * math.prod(kernel)


def _uniform(
    operation: str,
    shape: Shape,
    gain: float,
    variance: float,
    generator: Generator | None,
    dtype: Any,
    device: Where,
) -> Array:
    """U(-a, a) of standard deviation gain sqrt(variance), which is a / sqrt(3)."""
    _check_gain(operation, gain)
    bound = gain * math.sqrt(3.0 * variance)
    return uniform(shape, -bound, bound, generator=generator, dtype=dtype, device=device)


def _normal(
    operation: str,
    shape: Shape,
    gain: float,
    variance: float,
    generator: Generator | None,
    dtype: Any,
    device: Where,
) -> Array:
    """N(0, gain^2 variance)."""
    _check_gain(operation, gain)
    std = gain * math.sqrt(variance)
    return normal(shape, 0.0, std, generator=generator, dtype=dtype, device=device)


def _drawn_in(dtype: Any) -> Any:
    """The dtype that numbers are drawn in: float32 for the half ones."""
    return dtype if dtype is None or dtype_name(dtype) not in HALF else "float32"


def _cast(x: Array, dtype: Any) -> Array:
    """x, rounded where another dtype than that of x is asked for."""
    return x if dtype is None else array(x, dtype=dtype, device=device_of(x))


def _ratio(numerator: float, count: int) -> float:
    """numerator / count; a weight without elements takes any."""
    return numerator / count if count else numerator


def _check_gain(operation: str, gain: float) -> None:
    if not 0.0 < gain < math.inf:
        raise HyperparameterError(f"{operation}: gain must be positive and finite, got {gain!r}")


def _check_shape(operation: str, shape: Shape) -> None:
    """Raises ShapeError unless the shape is a tuple of integers >= 0."""
    lengths = shape if isinstance(shape, tuple | list) else (None,)
    if not all(hasattr(n, "__index__") and not isinstance(n, bool) and n >= 0 for n in lengths):
        raise ShapeError(f"{operation}: shape must be a tuple of integers >= 0, got {shape!r}")
