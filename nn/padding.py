"""pad: a border around the spatial axes, and its layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from array_api_compat import device

from ..backend import Array, array_namespace
from ..backend.errors import HyperparameterError, ShapeError
from ..backend.missing import pad as pad_raw
from .autograd import differentiable
from .autograd.tensor import innermost
from .dimensions import is_integer_from, with_batch
from .module import Module
from .reduction import check_arrays

Pairs = tuple[tuple[int, int], ...]
MODES = ("constant", "reflect", "replicate", "circular")


@differentiable
def pad_constant(x: Array, *, widths: Pairs, value: float = 0.0) -> Array:
    """x with a border of one value: (before, after) for each of the last axes, none negative."""
    return pad_raw(x, [(0, 0)] * (x.ndim - len(widths)) + list(widths), value)


@pad_constant.backward
def _(dy: Array, widths: Pairs) -> Array:
    ends = zip(widths, dy.shape[-len(widths) :], strict=True)
    return dy[(..., *(slice(before, n - after) for (before, after), n in ends))]


def pad(
    x: Array, widths: Sequence[int], *, mode: str = "constant", value: float = 0.0
) -> Array:
    """x with a border around its last axes.

    widths: as torch, (before, after) of the last axis, then of the one before it, and so on;
    negative ones cut off. mode: "constant" puts the value there, "reflect" mirrors x at its first
    and last elements, "replicate" repeats these, "circular" goes on at the other end.
    Raises HyperparameterError, DtypeError, and ShapeError for a border that x is too short for.
    """
    check_arrays("pad", x=x)
    _check_mode(mode)
    if len(widths) % 2 or not all(is_integer_from(-(2**62), n) for n in widths):
        raise HyperparameterError(
            f"pad: widths must be pairs of integers (before, after), last axis first; got {widths}"
        )
    pairs = tuple((int(b), int(a)) for b, a in zip(widths[::2], widths[1::2], strict=True))[::-1]
    if len(pairs) > x.ndim:
        raise ShapeError(f"pad: {len(pairs)} pairs of widths for x of shape {tuple(x.shape)}")
    return padded(x, pairs, mode, value)


def padded(x: Array, pairs: Pairs, mode: str = "constant", value: float = 0.0) -> Array:
    """pad() with (before, after) in the order of the axes."""
    if not any(map(any, pairs)):
        return x
    if any(n < 0 for pair in pairs for n in pair):
        x = _cropped(x, pairs)
        pairs = tuple((max(before, 0), max(after, 0)) for before, after in pairs)
    if mode == "constant":
        return pad_constant(x, widths=pairs, value=value)
    for axis, (before, after) in enumerate(pairs, start=x.ndim - len(pairs)):
        if before or after:
            x = _extended(x, axis, before, after, mode)
    return x


def _cropped(x: Array, pairs: Pairs) -> Array:
    """x without what negative widths cut off."""
    ends = zip(pairs, x.shape[-len(pairs) :], strict=True)
    slices = tuple(slice(max(-b, 0), n - max(-a, 0)) for (b, a), n in ends)
    if any(part.stop < part.start for part in slices):
        raise ShapeError(f"pad: widths {pairs} cut off more than x has: {tuple(x.shape)}")
    return x[(..., *slices)]


def _extended(x: Array, axis: int, before: int, after: int, mode: str) -> Array:
    """x, read beyond both ends of an axis."""
    n = x.shape[axis]
    longest = {"reflect": n - 1, "circular": n, "replicate": None if n else 0}[mode]
    if longest is not None and max(before, after) > longest:
        raise ShapeError(
            f"pad: mode {mode!r} can add at most {max(longest, 0)} elements to axis {axis} of x, "
            f"whose shape is {tuple(x.shape)}; got {(before, after)}"
        )
    xp, raw = array_namespace(x), innermost(x)
    places = array_namespace(raw).arange(-before, n + after, device=device(raw))
    if mode == "circular":
        places = places % n
    elif mode == "replicate":
        places = array_namespace(raw).clip(places, 0, n - 1)
    else:
        places = abs(places)
        places = (n - 1) - abs((n - 1) - places)
    return xp.take(x, places, axis=axis)


def _check_mode(mode: str) -> None:
    if mode not in MODES:
        raise HyperparameterError(f"pad: mode must be one of {', '.join(MODES)}, got {mode!r}")


class _Padding(Module):
    """pad(x, padding): one number for every side, or two for each axis, the last axis first."""

    mode = "constant"
    n_axes = 1

    def __init__(self, padding: int | Sequence[int], value: float = 0.0) -> None:
        given: Any = padding
        if is_integer_from(-(2**62), padding):
            given = (padding,) * (2 * self.n_axes)
        name = type(self).__name__
        if not isinstance(given, Sequence) or len(given) != 2 * self.n_axes:
            raise HyperparameterError(
                f"{name}: padding must be an integer or {2 * self.n_axes} of them, got {padding!r}"
            )
        self.padding = tuple(given)
        self.value = value

    def forward(self, x: Array) -> Array:
        with_batch(type(self).__name__, x, self.n_axes)
        return pad(x, self.padding, mode=self.mode, value=self.value)

    def extra_repr(self) -> str:
        return f"{self.padding}" + (f", value={self.value}" if self.value else "")


def _layer(name: str, mode: str, n_axes: int) -> Any:
    """The padding layer of that name."""
    about = f"pad(x, padding, mode={mode!r}) over {n_axes} spatial axes."
    return type(name, (_Padding,), {"mode": mode, "n_axes": n_axes, "__doc__": about})


ConstantPad1d, ConstantPad2d, ConstantPad3d = (
    _layer(f"ConstantPad{n}d", "constant", n) for n in (1, 2, 3)
)
ZeroPad1d, ZeroPad2d, ZeroPad3d = (_layer(f"ZeroPad{n}d", "constant", n) for n in (1, 2, 3))
ReflectionPad1d, ReflectionPad2d, ReflectionPad3d = (
    _layer(f"ReflectionPad{n}d", "reflect", n) for n in (1, 2, 3)
)
ReplicationPad1d, ReplicationPad2d, ReplicationPad3d = (
    _layer(f"ReplicationPad{n}d", "replicate", n) for n in (1, 2, 3)
)
CircularPad1d, CircularPad2d, CircularPad3d = (
    _layer(f"CircularPad{n}d", "circular", n) for n in (1, 2, 3)
)
