"""Activations in which one half of x opens the other, or chance picks the slope."""

from __future__ import annotations

from ..backend import Array, array_namespace, device_of
from ..backend.errors import ShapeError
from ..backend.random import Generator, default_generator
from .activation import leaky_relu, sigmoid
from .autograd import differentiable
from .hard_activation import check_bounds
from .module import Module


@differentiable
def glu(x: Array, *, axis: int = -1) -> Array:
    """a sigmoid(b), where a and b are the first and second half of x along the axis.

    x: floating, of an even length along the axis -> half that length there.
    Raises ShapeError for an odd length or an axis that x does not have.
    Source: Dauphin, Fan, Auli, Grangier 2016, section 2.
    """
    half = x.shape[axis] // 2
    a, b = (x[_along(x.ndim, axis, part)] for part in (slice(None, half), slice(half, None)))
    return a * sigmoid(b)


@glu.requires
def _(x: Array, axis: int = -1) -> None:
    shape = tuple(x.shape)
    if not -len(shape) <= axis < len(shape):
        raise ShapeError(f"glu: x must have the axis {axis}, got shape {shape}")
    if shape[axis] % 2:
        raise ShapeError(
            f"glu: x must have an even length along axis {axis}, for two halves, got {shape}"
        )


def _along(ndim: int, axis: int, part: slice) -> tuple[slice, ...]:
    """The key of a part of one axis and all of the others."""
    key = [slice(None)] * ndim
    key[axis] = part
    return tuple(key)


def rrelu(
    x: Array,
    lower: float = 1.0 / 8.0,
    upper: float = 1.0 / 3.0,
    *,
    training: bool = False,
    generator: Generator | None = None,
) -> Array:
    """x above 0, slope x elsewhere: slopes drawn from U(lower, upper) in training, else their mean.

    generator: where the slopes are drawn, the process's own unless given; alike on every device.
    Raises HyperparameterError unless lower <= upper, both finite.
    Source: Xu, Wang, Chen, Li 2015, section 2.4.
    """
    check_bounds("rrelu: lower", lower, "upper", upper)
    if not training:
        return leaky_relu(x, negative_slope=0.5 * (lower + upper))
    xp = array_namespace(x)
    source = default_generator() if generator is None else generator
    drawn = source.uniform(tuple(x.shape), lower, upper, device=device_of(x))
    drawn = array_namespace(drawn).astype(drawn, x.dtype)  # alike for every dtype of x
    above = xp.astype(x > 0.0, x.dtype)
    return x * (above + (1.0 - above) * drawn)


class GLU(Module):
    """The first half of x along the axis times the sigmoid of the second."""

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Array) -> Array:
        return glu(x, axis=self.axis)

    def extra_repr(self) -> str:
        return f"axis={self.axis}"


class RReLU(Module):
    """x above 0, slope x elsewhere: slopes from U(lower, upper) in training, else their mean.

    Raises HyperparameterError unless lower <= upper, both finite.
    """

    def __init__(
        self,
        lower: float = 1.0 / 8.0,
        upper: float = 1.0 / 3.0,
        *,
        generator: Generator | None = None,
    ) -> None:
        self.lower, self.upper = check_bounds("RReLU: lower", lower, "upper", upper)
        self.generator = generator

    def forward(self, x: Array) -> Array:
        bounds = self.lower, self.upper
        return rrelu(x, *bounds, training=self.training, generator=self.generator)

    def extra_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}"
