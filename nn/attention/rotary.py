"""Rotary positions: pairs of features turned by an angle that grows with the position."""

from __future__ import annotations

import math

from array_api_compat import device

from ...backend import Array, array_namespace
from ...backend.errors import HyperparameterError, ShapeError
from ..autograd import differentiable
from ..autograd.tensor import innermost
from ..dimensions import check_integer
from ..module import Module
from ..reduction import check_arrays, check_same_dtype


@differentiable
def rotary(
    x: Array,
    positions: Array | None = None,
    *,
    base: float = 10_000.0,
    interleaved: bool = True,
    inverse: bool = False,
) -> Array:
    """Each pair (a, b) of features turned: (a cos - b sin, b cos + a sin), so lengths stay.

    Pair i at position t turns by t / base^(2 i / features). Inner products of turned queries and
    keys then depend on the distance of their positions alone.
    x: floating (..., length, features), features even; positions: integer (length,), 0, 1, ...
    unless given (for parts of a sequence, as when it is generated). interleaved: pairs are
    (0, 1), (2, 3), ... as in the paper; else i and i + features / 2, as in GPT-NeoX and Llama.
    inverse: turned back. Raises ShapeError, DtypeError. Source: Su et al. 2021, section 3.4.2.
    """
    xp = array_namespace(x)
    half = x.shape[-1] // 2
    cos, sin = _turns(innermost(x), innermost(positions), base, inverse)
    cos, sin = xp.asarray(cos), xp.asarray(sin)
    pairs = (*x.shape[:-1], half, 2) if interleaved else (*x.shape[:-1], 2, half)
    axis = -1 if interleaved else -2
    a, b = xp.unstack(xp.reshape(x, pairs), axis=axis)
    turned = xp.stack([a * cos - b * sin, b * cos + a * sin], axis=axis)
    return xp.reshape(turned, x.shape)


@rotary.requires
def _(
    x: Array,
    positions: Array | None = None,
    base: float = 10_000.0,
    interleaved: bool = True,
    inverse: bool = False,
) -> None:
    check_arrays("rotary", x=x)
    check_same_dtype("rotary", x=x)
    if x.ndim < 2 or x.shape[-1] % 2:
        raise ShapeError(
            "rotary: x must be (..., length, features) with an even number of features, got shape "
            f"{tuple(x.shape)}"
        )
    if positions is not None and tuple(positions.shape) != (x.shape[-2],):
        raise ShapeError(
            f"rotary: positions must have the shape (length,) = ({x.shape[-2]},), got "
            f"{tuple(positions.shape)}"
        )


def _dx(dy: Array, positions: Array | None, base: float, interleaved: bool, inverse: bool) -> Array:
    # the transpose of a rotation is the rotation back
    return rotary(dy, positions, base=base, interleaved=interleaved, inverse=not inverse)


rotary.backward(x=_dx)


def _turns(x: Array, positions: Array | None, base: float, inverse: bool) -> tuple[Array, Array]:
    """cos and sin of the angles (length, features / 2), plain, computed in float64."""
    xp = array_namespace(x)
    where = device(x)
    if positions is None:
        steps = xp.arange(x.shape[-2], dtype=xp.float64, device=where)
    else:
        steps = xp.astype(positions, xp.float64)
    pairs = xp.arange(x.shape[-1] // 2, dtype=xp.float64, device=where)
    speeds = xp.exp(pairs * (-2.0 * math.log(base) / max(x.shape[-1], 1)))
    angles = steps[:, None] * speeds[None, :] * (-1.0 if inverse else 1.0)
    return xp.astype(xp.cos(angles), x.dtype), xp.astype(xp.sin(angles), x.dtype)


class Rotary(Module):
    """rotary() for x (..., length, features), with its settings.

    Raises HyperparameterError unless features is even.
    """

    def __init__(self, features: int, *, base: float = 10_000.0, interleaved: bool = True) -> None:
        check_integer("Rotary", "features", features, least=2)
        if features % 2:
            raise HyperparameterError(
                f"Rotary: features must be even, for pairs of them, got {features}"
            )
        self.features, self.base, self.interleaved = features, base, interleaved

    def forward(self, x: Array, positions: Array | None = None) -> Array:
        check_arrays("Rotary", x=x)
        if tuple(x.shape[-1:]) != (self.features,):
            raise ShapeError(
                f"Rotary: x must be (..., length, {self.features}), got shape {tuple(x.shape)}"
            )
        return rotary(x, positions, base=self.base, interleaved=self.interleaved)

    def extra_repr(self) -> str:
        return f"{self.features}, base={self.base:g}, interleaved={self.interleaved}"
