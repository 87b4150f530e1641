"""What the tests of xp.linalg and xp.fft share: inputs, and functions of complex arrays checked."""

from __future__ import annotations

import numpy as np

import isograd as ig
from isograd.backend import array_namespace


def namespace():
    """The differentiable namespace of the current device's library."""
    return ig.wrap_namespace(ig.current_device().xp)


def drawn(*shape, seed=0):
    """Normal numbers on the current device, the same every time."""
    return ig.array(np.random.default_rng(seed).standard_normal(shape))


def regular(*shape, seed=0):
    """Square matrices far from singular ones."""
    return ig.array(ig.to_numpy(drawn(*shape, seed=seed)) + 3.0 * np.eye(shape[-1]))


def hermitian(x):
    """The conjugate transpose."""
    xp = array_namespace(x)
    return xp.matrix_transpose(xp.conj(x)) if xp.isdtype(x.dtype, "complex floating") else x.mT


def hermitian_part(x):
    return 0.5 * (x + hermitian(x))


def positive_definite(x):
    return x @ hermitian(x) + hermitian(x) @ x


def complex_of(a, b):
    """a + ib, for arrays of any library and for Tensors."""
    xp = array_namespace(a)
    wide = xp.complex128 if a.dtype == xp.float64 else xp.complex64
    return xp.astype(a, wide) + 1j * xp.astype(b, wide)


def real_parts(y):
    """Real and imaginary parts of every array of a result, as a flat list."""
    parts = []
    for part in y if isinstance(y, tuple | list) else [y]:
        xp = array_namespace(part)
        if xp.isdtype(part.dtype, "complex floating"):
            parts += [xp.real(part), xp.imag(part)]
        else:
            parts.append(part)
    return parts


def check(f, *inputs, order=2):
    """check_gradients for any result, also complex ones; a few entries of each input."""
    ig.check_gradients(lambda *xs: real_parts(f(*xs)), *inputs, order=order, max_entries=4)


def check_complex(f, *inputs, order=2):
    """The same for complex inputs, whose imaginary parts are drawn: both parts are inputs."""
    n = len(inputs)
    imaginary = [drawn(*x.shape, seed=i + 7) for i, x in enumerate(inputs)]

    def of_parts(*parts):
        return f(*map(complex_of, parts[:n], parts[n:]))

    check(of_parts, *inputs, *imaginary, order=order)
