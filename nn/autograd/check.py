"""check_gradients: derivatives by rule against central differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, isfinite
from typing import Any

from ...backend import Array, array_namespace, to_numpy
from ...backend.errors import DtypeError, GradientCheckError
from ...backend.random import Generator
from . import tree
from .tensor import innermost
from .transforms import grad, innermost_device


def check_gradients(
    f: Callable[..., Any],
    *inputs: Array,
    order: int = 1,
    step: float = 1e-5,
    rtol: float = 1e-6,
    atol: float = 1e-7,
    max_entries: int = 64,
    seed: int = 0,
) -> float:
    """The largest relative error of f's derivatives up to this order; raises beyond tolerance.

    f: function of float64 arrays that returns an array or a nest of arrays; inputs: float64.
    f is projected on random vectors to a scalar phi, whose gradient is compared with
    (phi(x + h) - phi(x - h)) / 2h entry by entry (at most max_entries of each input, drawn at
    random). Order 2 does the same to gradient . v for a random v, and so on: the error of each
    stage is one of the rules of that order alone. step: h, times max(1, |x|).
    Raises GradientCheckError, which names the worst entry, and DtypeError for other than float64.
    """
    _check_float64(inputs)
    generator = Generator(seed).fold_in("check_gradients")
    projected = _projection(f, inputs, generator)
    worst = 0.0
    for stage in range(1, order + 1):
        gradient = grad(projected, argnums=range(len(inputs)))
        for error in _errors(projected, gradient, inputs, step, max_entries, generator):
            worst = max(worst, error.relative)
            if not (isfinite(error.absolute) and error.absolute <= atol + rtol * error.scale):
                raise GradientCheckError(error.report(stage, f))
        if stage < order:
            projected = _directional(gradient, inputs, generator)
    return worst


class _Error:
    """One entry of a gradient beside its central difference."""

    def __init__(self, argument: int, index: tuple, ours: float, numeric: float, scale: float):
        self.argument, self.index, self.ours, self.numeric = argument, index, ours, numeric
        self.absolute = abs(ours - numeric)
        self.scale = scale
        self.relative = self.absolute / max(scale, 1e-300) if self.absolute else 0.0

    def report(self, order: int, f: Callable[..., Any]) -> str:
        name = getattr(f, "__name__", "f")
        return (
            f"check_gradients: derivative of order {order} of {name} is wrong; worst entry: "
            f"argument {self.argument}, index {self.index}: rule {self.ours:.10g}, central "
            f"difference {self.numeric:.10g}, difference {self.absolute:.3g}, largest entry "
            f"{self.scale:.3g}"
        )


def _check_float64(inputs: Sequence[Any]) -> None:
    for i, x in enumerate(inputs):
        dtype = str(getattr(x, "dtype", type(x).__name__))
        if not dtype.endswith("float64"):
            raise DtypeError(
                f"check_gradients: input {i} must be a float64 array, got {dtype}; central "
                "differences of lower precision show nothing"
            )


def _projection(
    f: Callable[..., Any], inputs: Sequence[Array], generator: Generator
) -> Callable[..., Array]:
    """phi(*x) = sum of random weights times every output of f."""
    weights = [_random_like(y, generator) for y in tree.leaves(f(*inputs))]

    def phi(*xs: Array) -> Array:
        return _dot(weights, tree.leaves(f(*xs)))

    return phi


def _directional(
    gradient: Callable[..., Any], inputs: Sequence[Array], generator: Generator
) -> Callable[..., Array]:
    """phi(*x) = gradient(x) . v for a random v."""
    vs = [_random_like(x, generator) for x in inputs]
    return lambda *xs: _dot(vs, gradient(*xs))


def _dot(weights: Sequence[Array], arrays: Sequence[Array]) -> Array:
    total: Any = 0.0
    for w, x in zip(weights, arrays, strict=True):
        total = total + array_namespace(x).sum(x * w)
    return total


def _random_like(x: Array, generator: Generator) -> Array:
    """Weights between 1/2 and 3/2: no output cancels another."""
    raw = innermost(x)
    xp = array_namespace(raw)
    values = generator.uniform(tuple(raw.shape), 0.5, 1.5, dtype="float64", device="cpu")
    return xp.asarray(values, dtype=raw.dtype, device=innermost_device(raw))


def _errors(
    phi: Callable[..., Array],
    gradient: Callable[..., Any],
    inputs: Sequence[Array],
    step: float,
    max_entries: int,
    generator: Generator,
) -> list[_Error]:
    """The entries that were compared, worst first."""
    errors = []
    gradients = gradient(*inputs)
    for argument, dx in enumerate(gradients):
        ours = to_numpy(innermost(dx))  # f may close over parameters, which record dx
        size = int(ours.size)
        chosen = range(size)
        if size > max_entries:
            chosen = to_numpy(generator.permutation(size))[:max_entries].tolist()
        numeric = {i: _central_difference(phi, inputs, argument, i, step) for i in chosen}
        scale = max([abs(v) for v in numeric.values()] + [abs(ours).max()] if size else [0.0])
        for i, value in numeric.items():
            index = tuple(int(j) for j in _unraveled(i, ours.shape))
            errors.append(_Error(argument, index, float(ours[index]), value, float(scale)))
    return sorted(errors, key=lambda error: -error.absolute if isfinite(error.absolute) else -inf)


def _central_difference(
    phi: Callable[..., Array], inputs: Sequence[Array], argument: int, i: int, step: float
) -> float:
    """(phi(x + h e_i) - phi(x - h e_i)) / 2h."""
    x = inputs[argument]
    index = _unraveled(i, x.shape)
    h = step * max(1.0, abs(float(x[index])))
    values = []
    for sign in (1.0, -1.0):
        moved = list(inputs)
        moved[argument] = _moved(x, index, sign * h)
        values.append(float(phi(*moved)))
    return (values[0] - values[1]) / (2.0 * h)


def _moved(x: Array, index: tuple[int, ...], by: float) -> Array:
    xp = array_namespace(x)
    moved = xp.asarray(x, copy=True)
    moved[index] = float(x[index]) + by
    return moved


def _unraveled(i: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    index = []
    for n in reversed(shape):
        index.append(i % n)
        i //= n
    return tuple(reversed(index))
