"""Samples of xp.linalg, xp.fft and xp.special for the table in samples.py; one line an op."""

from __future__ import annotations

from matrices import complex_of, hermitian_part, positive_definite, real_parts
from sample_kinds import MATRIX, REAL, VECTOR, Input, each, of

from isograd.backend import array_namespace
from isograd.nn.autograd.ops import distributions

SMALL = Input((2, 3, 3), -0.5, 0.5)
TALL = Input((2, 4, 3))
TRIPLES = Input((2, 3))


def regular(x):
    """Matrices far from singular ones: the identity times 3 added to small ones."""
    xp = array_namespace(x)
    return x + 3.0 * xp.eye(x.shape[-1], dtype=x.dtype, device=x.device)


def of_regular(name, inputs=(SMALL,), **options):
    """A sample of a function of matrices that must not be singular."""
    return of(f"linalg.{name}", *inputs, call=lambda op, x, *xs: op(regular(x), *xs, **options))


def of_complex(name, **options):
    """A sample of a transform of complex numbers, in real numbers."""
    return of(
        f"fft.{name}",
        *(MATRIX, MATRIX),
        call=lambda op, a, b: tuple(real_parts(op(complex_of(a, b), **options))),
    )


def of_real(name, **options):
    """A sample of a transform of real numbers, whose result is complex."""
    return of(f"fft.{name}", MATRIX, call=lambda op, x: tuple(real_parts(op(x, **options))))


def squares(parts):
    """What does not depend on the signs of vectors."""
    return tuple(part * part for part in real_parts(parts))


LINALG = [
    of("linalg.cross", TRIPLES, TRIPLES),
    of("linalg.diagonal", MATRIX, offset=1),
    of("linalg.matmul", MATRIX, VECTOR),
    of("linalg.matrix_norm", MATRIX, ord=1),
    of("linalg.matrix_norm", TALL, keepdims=True, ord="nuc"),
    of("linalg.matrix_rank", MATRIX, order=0),
    of("linalg.matrix_transpose", MATRIX),
    of("linalg.outer", VECTOR, Input((3,))),
    of("linalg.pinv", TALL),
    of("linalg.tensordot", MATRIX, Input((4, 2)), axes=1),
    of("linalg.trace", MATRIX, offset=-1),
    of("linalg.vecdot", MATRIX, VECTOR),
    of("linalg.vector_norm", MATRIX, axis=1, ord=3),
    of("linalg.vector_norm", MATRIX),
    of_regular("det"),
    of_regular("inv"),
    of("linalg.matrix_power", SMALL, call=lambda op, x: op(regular(x), -2)),
    of_regular("slogdet"),
    of_regular("solve", (SMALL, Input((2, 3, 2)))),
    of_regular("solve", (SMALL, Input((3,)))),
    of("linalg.cholesky", SMALL, call=lambda op, x: op(positive_definite(regular(x)))),
    of("linalg.eigh", SMALL, call=lambda op, x: squares(op(hermitian_part(x)))),
    of("linalg.eigvalsh", SMALL, call=lambda op, x: op(hermitian_part(x))),
    of("linalg.eig", SMALL, call=lambda op, x: squares(op(positive_definite(regular(x))))),
    of("linalg.eigvals", SMALL, call=lambda op, x: tuple(real_parts(op(x)))),
    of("linalg.qr", TALL),
    of("linalg.svd", TALL, call=lambda op, x: squares(op(x, full_matrices=False))),
    of("linalg.svdvals", TALL),
]
FFT = [
    of_complex("fft", n=3),
    of_complex("ifft", norm="ortho"),
    of_complex("fftn"),
    of_complex("ifftn", s=(2, 5), axes=(0, 1)),
    of_real("rfft", n=5),
    of_complex("irfft", axis=0),
    of_real("rfftn", norm="forward"),
    of_complex("irfftn"),
    of_complex("hfft", n=5),
    of_real("ihfft"),
    of("fft.fftshift", MATRIX),
    of("fft.ifftshift", MATRIX, axes=(1,)),
]
CHANCE = Input(low=0.1, high=0.9)
SPECIAL = [
    each("special.erf"),
    each("special.erfc"),
    each("special.erfinv", Input(low=-0.8, high=0.8)),
    each("special.expit"),
    each("special.log_ndtr"),
    each("special.logit", CHANCE),
    each("special.ndtr"),
    each("special.ndtri", CHANCE),
    each("special.xlog1py", REAL, CHANCE),
    each("special.xlogy", REAL, CHANCE),
    of("special.log_softmax", MATRIX),
    of("special.logsumexp", MATRIX, axis=0),
    of("special.softmax", MATRIX, axis=1),
]
OF_SCIPY = ("digamma", "gammaln", "i0", "i0e", "i1", "i1e", "polygamma")
EXTENSIONS = [*LINALG, *FFT, *SPECIAL]

# These make arrays from numbers, or need SciPy: test_special.py has those.
EXTENSION_NO_OPS = {
    *("fft.fftfreq", "fft.rfftfreq"),
    *(f"special.{name}" for name in (*OF_SCIPY, *distributions.__all__)),
}
