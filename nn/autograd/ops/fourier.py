"""xp.fft: discrete Fourier transforms with their derivatives.

All are linear, so a rule is the transpose, without conjugation: that of a complex transform is the
transform itself, since the matrix exp(-2 pi i j k / n) is symmetric; lengthening an axis by zeros
and shortening it are each other's transpose. A real transform keeps half of the spectrum: its
transpose is the inverse one, conjugated, where a frequency that stands for two counts twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from array_api_compat import device

from ....backend import Array, Namespace, array_namespace
from ....backend.errors import NotDifferentiableError
from ..differentiable import wrap_constants
from ..tensor import Tensor, innermost, strip
from .elementwise import where
from .extension_ops import FourierOp, conj
from .manipulation import concat
from .standard import standard

# A transform and its transpose scale alike; the inverse transform, by default, does the opposite.
OPPOSITE = {"backward": "forward", "ortho": "ortho", "forward": "backward"}

Shape = tuple[int, ...]
Axes = Sequence[int] | None


def _one_axis(name: str) -> Any:
    return standard(name, "x", kind=FourierOp, n=None, axis=-1, norm="backward")


def _several_axes(name: str) -> Any:
    return standard(name, "x", kind=FourierOp, s=None, axes=None, norm="backward")


# -- complex to complex -------------------------------------------------------------------------

fft = _one_axis("fft")
ifft = _one_axis("ifft")
fftn = _several_axes("fftn")
ifftn = _several_axes("ifftn")


@fft.backward
def _dfft(dy: Array, x_shape: Shape, axis: int, norm: str) -> Array:
    return _fitted(fft(dy, axis=axis, norm=norm), x_shape)


@ifft.backward
def _difft(dy: Array, x_shape: Shape, axis: int, norm: str) -> Array:
    return _fitted(ifft(dy, axis=axis, norm=norm), x_shape)


@fftn.backward
def _dfftn(dy: Array, x_shape: Shape, s: Axes, axes: Axes, norm: str) -> Array:
    return _fitted(fftn(dy, axes=_axes(x_shape, s, axes), norm=norm), x_shape)


@ifftn.backward
def _difftn(dy: Array, x_shape: Shape, s: Axes, axes: Axes, norm: str) -> Array:
    return _fitted(ifftn(dy, axes=_axes(x_shape, s, axes), norm=norm), x_shape)


# -- real to half of a spectrum, and back -------------------------------------------------------

rfft = _one_axis("rfft")
irfft = _one_axis("irfft")
hfft = _one_axis("hfft")
ihfft = _one_axis("ihfft")


@rfft.backward
def _drfft(dy: Array, x_shape: Shape, n: int | None, axis: int, norm: str) -> Array:
    """Re of the sum over k of dy_k exp(-2 pi i j k / n)."""
    length = x_shape[axis] if n is None else n
    half = _weighted(conj(dy), 0.5, length, axis)
    return _fitted(irfft(half, n=length, axis=axis, norm=OPPOSITE[norm]), x_shape)


@irfft.backward
def _dirfft(dy: Array, x_shape: Shape, axis: int, norm: str) -> Array:
    spectrum = conj(rfft(dy, axis=axis, norm=OPPOSITE[norm]))
    return _fitted(_weighted(spectrum, 2.0, dy.shape[axis], axis), x_shape)


@hfft.backward
def _dhfft(dy: Array, x_shape: Shape, axis: int, norm: str) -> Array:
    """hfft(x) = irfft(conj(x)), scaled the opposite way."""
    spectrum = rfft(dy, axis=axis, norm=norm)
    return _fitted(_weighted(spectrum, 2.0, dy.shape[axis], axis), x_shape)


@ihfft.backward
def _dihfft(dy: Array, x_shape: Shape, n: int | None, axis: int, norm: str) -> Array:
    """ihfft(x) = conj(rfft(x)), scaled the opposite way."""
    length = x_shape[axis] if n is None else n
    half = _weighted(dy, 0.5, length, axis)
    return _fitted(irfft(half, n=length, axis=axis, norm=norm), x_shape)


rfftn = _several_axes("rfftn")
irfftn = _several_axes("irfftn")


@rfftn.backward
def _drfftn(dy: Array, x_shape: Shape, s: Axes, axes: Axes, norm: str) -> Array:
    """The real transform of the last axis comes first, so that its transpose comes last."""
    *others, last = _axes(x_shape, s, axes)
    if others:
        dy = fftn(dy, axes=others, norm=norm)
    shape = (*dy.shape[:last], x_shape[last], *dy.shape[last + 1 :])
    return _fitted(_drfft(dy, shape, None if s is None else s[-1], last, norm), x_shape)


@irfftn.backward
def _dirfftn(dy: Array, x_shape: Shape, s: Axes, axes: Axes, norm: str) -> Array:
    *others, last = _axes(x_shape, s, axes)
    shape = (*dy.shape[:last], x_shape[last], *dy.shape[last + 1 :])
    dx = _dirfft(dy, shape, last, norm)
    return _fitted(ifftn(dx, axes=others, norm=norm) if others else dx, x_shape)


# -- order and frequencies ----------------------------------------------------------------------

fftshift = standard("fftshift", "x", kind=FourierOp, axes=None)
ifftshift = standard("ifftshift", "x", kind=FourierOp, axes=None)
fftshift.derivative.add({"x": lambda dy, axes: ifftshift(dy, axes=axes)})
ifftshift.derivative.add({"x": lambda dy, axes: fftshift(dy, axes=axes)})


def frequencies_of(library: Namespace) -> dict[str, Callable[..., Array]]:
    """fftfreq and rfftfreq of a library's fft namespace: they make arrays, as Tensors."""
    names = ("fftfreq", "rfftfreq")
    return {name: _creating(getattr(library, name)) for name in names if hasattr(library, name)}


def _creating(function: Callable[..., Array]) -> Callable[..., Array]:
    def create(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Array:
        if isinstance(strip(d), Tensor):
            raise NotDifferentiableError(
                f"{create.__name__}: no derivative with respect to d; give a number, "
                f"or divide: {create.__name__}(n) / d"
            )
        return wrap_constants(function(n, d=float(innermost(d)), dtype=dtype, device=device))

    create.__name__ = create.__qualname__ = function.__name__
    create.__doc__ = f"{function.__name__}, as the Array API standard defines it; a Tensor."
    return create


# -- parts of rules -----------------------------------------------------------------------------


def _axes(shape: Shape, s: Axes, axes: Axes) -> list[int]:
    """The axes that are transformed, in order, none negative."""
    if axes is None:
        axes = range(-len(shape) if s is None else -len(s), 0)
    return [axis % len(shape) for axis in axes]


def _fitted(x: Array, shape: Shape) -> Array:
    """x with every axis shortened, or lengthened by zeros, to that shape."""
    if tuple(x.shape) == tuple(shape):
        return x
    x = x[tuple(slice(min(n, m)) for n, m in zip(shape, x.shape, strict=True))]
    xp = array_namespace(x)
    for axis, n in enumerate(shape):
        missing = n - x.shape[axis]
        if missing:
            zeros = (*x.shape[:axis], missing, *x.shape[axis + 1 :])
            x = concat([x, xp.zeros(zeros, dtype=x.dtype, device=device(x))], axis=axis)
    return x


def _weighted(spectrum: Array, weight: float, n: int, axis: int) -> Array:
    """Half of a spectrum of n frequencies, times weight where one stands for two."""
    xp = array_namespace(spectrum)
    k = xp.arange(spectrum.shape[axis], device=device(spectrum))
    single = (k == 0) | (2 * k == n)
    single = xp.reshape(single, (-1,) + (1,) * (spectrum.ndim - 1 - axis % spectrum.ndim))
    return where(single, spectrum, weight * spectrum)
