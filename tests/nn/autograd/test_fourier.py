"""xp.fft: derivatives for every length, axis and norm, and what makes frequencies."""

import numpy as np
import pytest
from matrices import check, check_complex, complex_of, drawn, namespace
from numpy.testing import assert_allclose

import isograd as ig
from isograd.backend import array_namespace
from isograd.backend.errors import NotDifferentiableError

ONE_AXIS = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
SEVERAL_AXES = ("fftn", "ifftn", "rfftn", "irfftn")
OF_REAL = ("rfft", "ihfft", "rfftn")
NORMS = ("backward", "ortho", "forward")
SHIFTS = ("fftshift", "ifftshift")


def transform(name, **options):
    return lambda x: getattr(namespace().fft, name)(x, **options)


def checked(name, shape, **options):
    """Central differences of the transform, of real or of complex numbers as it takes them."""
    f, x = transform(name, **options), drawn(*shape)
    (check if name in OF_REAL else check_complex)(f, x)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("n", [None, 1, 3, 4, 6, 7])  # shorter, longer, odd, even
@pytest.mark.parametrize("name", ONE_AXIS)
def test_a_transform_along_an_axis_has_the_right_derivative(name, n, norm):
    checked(name, (5, 2), n=n, axis=0, norm=norm)
    checked(name, (2, 4), n=n, norm=norm)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(
    ("s", "axes"),
    [(None, None), ((3, 6), (0, 1)), (None, (2, 0)), ((5, 3), (1, -1)), ((5, 2, 6), (0, 1, 2))],
)
@pytest.mark.parametrize("name", SEVERAL_AXES)
def test_a_transform_along_several_axes_has_the_right_derivative(name, s, axes, norm):
    checked(name, (3, 2, 4), s=s, axes=axes, norm=norm)


@pytest.mark.parametrize("name", [*ONE_AXIS, *SEVERAL_AXES])
def test_transforms_have_derivatives_on_every_device(name, device):
    several = name in SEVERAL_AXES
    checked(name, (3, 4), **({"s": (4, 3), "axes": (0, 1)} if several else {"n": 6}))


@pytest.mark.parametrize("name", SHIFTS)
@pytest.mark.parametrize("axes", [None, 0, (1, 0)])
def test_a_shift_is_undone_by_its_derivative(name, axes, device):
    check(transform(name, axes=axes), drawn(3, 4))
    _, pull = ig.vjp(transform(name, axes=axes), drawn(3, 4))
    (dx,) = pull(transform(name, axes=axes)(drawn(3, 4, seed=1)))
    assert_allclose(ig.to_numpy(dx), ig.to_numpy(drawn(3, 4, seed=1)))


@pytest.mark.parametrize("name", [*ONE_AXIS, *SEVERAL_AXES])
def test_the_forward_derivative_is_the_transform_itself(name):
    f = transform(name)
    x, v = drawn(3, 4), drawn(3, 4, seed=1)
    if name not in OF_REAL:
        x, v = complex_of(x, drawn(3, 4, seed=2)), complex_of(v, drawn(3, 4, seed=3))
    assert_allclose(ig.jvp(f, (x,), (v,))[1], f(v), rtol=1e-12, atol=1e-13)


def test_parseval_gives_the_gradient_of_the_energy():
    """The sum of |fft(x)|^2 is n times that of x^2: its gradient is 2 n x."""
    xp = namespace()
    x = drawn(8)

    def energy(x):
        spectrum = xp.fft.rfft(x)
        doubled = xp.concat([spectrum, spectrum[1:-1]])
        return xp.sum(xp.abs(doubled) ** 2)

    assert_allclose(ig.grad(energy)(x), 16.0 * x, rtol=1e-13)


# torch 2.13.0 on the CPU: gradients of weighed(torch.fft...(x))
TORCH = {
    "fft": (
        {"n": 5},
        [
            *(15 + 15j, -5.940954801178 - 0.940954801178j),
            *(-3.312299240582 + 1.687700759418j, -1.687700759418 + 3.312299240582j),
        ],
    ),
    "ifft": ({}, [2.5 + 2.5j, 1j, -0.5 + 0.5j, -1]),
    "rfft": ({"n": 3}, [3.0, -0.866025403784, 0.866025403784, 0.0]),
    "irfft": ({"n": 5}, [3, -1 + 1.376381920471j, -1 + 0.324919696233j, 0]),
    "hfft": (
        {"n": 6, "norm": "ortho"},
        [
            *(8.573214099741, -2.449489742783 - 4.242640687119j),
            *(-2.449489742783 - 1.414213562373j, -1.224744871392),
        ],
    ),
    "ihfft": ({}, [1.5, 0.0, 0.5, -1.0]),
}


def weighed(y):
    """Sum of (1, 2, ...) Re(y) + (n, n - 1, ...) Im(y)."""
    weights = np.arange(1.0, y.shape[-1] + 1)
    xp = array_namespace(y)
    if not xp.isdtype(y.dtype, "complex floating"):
        return xp.sum(y * weights)
    return xp.sum(xp.real(y) * weights) + xp.sum(xp.imag(y) * weights[::-1])


@pytest.mark.parametrize("name", TORCH)
def test_gradients_are_those_of_torch(name):
    options, expected = TORCH[name]
    x = np.asarray([1.0, 2.0, -1.0, 0.5] if name in OF_REAL else [1 + 2j, -1j, 0.5, 2.0])
    dx = ig.grad(lambda x: weighed(transform(name, **options)(x)))(x)
    assert_allclose(dx, expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("name", ["fftfreq", "rfftfreq"])
def test_frequencies_are_those_of_the_library_as_a_tensor(name, device):
    xp = namespace()
    frequencies = getattr(xp.fft, name)(5, d=0.5, dtype=xp.float32)
    assert isinstance(frequencies, ig.Tensor)
    assert frequencies.dtype == xp.float32
    expected = getattr(np.fft, name)(5, d=0.5)
    assert_allclose(ig.to_numpy(frequencies), expected.astype("float32"))


def test_the_spacing_of_frequencies_is_no_recorded_number():
    xp = namespace()
    spacing = ig.Tensor(np.asarray(0.5), requires_grad=True)
    with pytest.raises(NotDifferentiableError, match=r"fftfreq\(n\) / d"):
        xp.fft.fftfreq(5, d=spacing)
    plain = xp.fft.fftfreq(5, d=spacing.detach())
    assert_allclose(ig.to_numpy(plain), np.fft.fftfreq(5, 0.5))


def test_single_precision_stays_single():
    xp = namespace()
    x = drawn(4).astype("float32")
    y, pull = ig.vjp(xp.fft.rfft, x)
    assert y.dtype == np.complex64
    assert pull(y)[0].dtype == np.float32
