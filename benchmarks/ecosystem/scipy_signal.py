"""scipy.fft, scipy.signal, its windows, and scipy.ndimage."""

from __future__ import annotations

import numpy as np

from ...backend import Array, array_namespace
from .case import KINKED, Input, case, cases, like

SIGNAL = Input((8,))
SHORT = Input((3,))
IMAGE = Input((4, 6))
LONG = Input((40,))
TIMES = Input((6,), 0.1, 5.0)
SECTIONS = np.asarray([[0.2, 0.4, 0.2, 1.0, -0.3, 0.1]])

WINDOWS = (
    "barthann bartlett blackman blackmanharris bohman boxcar cosine flattop hamming hann "
    "lanczos nuttall parzen taylor triang tukey"
)


def section(b: Array) -> Array:
    """A second-order section with that numerator."""
    return array_namespace(b).concat([b, like(b, [[1.0, -0.3, 0.1]])], axis=1)


CASES = [
    *cases("scipy.fft", "fft ifft rfft irfft hfft ihfft", SIGNAL),
    *cases("scipy.fft", "fft2 ifft2 fftn ifftn rfft2 irfft2 rfftn irfftn", IMAGE),
    *cases("scipy.fft", "hfft2 ihfft2 hfftn ihfftn", IMAGE),
    *cases("scipy.fft", "dct idct dst idst", SIGNAL),
    *cases("scipy.fft", "dctn idctn dstn idstn", IMAGE),
    *cases("scipy.fft", "fftshift ifftshift", SIGNAL),
    *cases("scipy.fft", "fht ifht", SIGNAL, dln=0.1, mu=0.5),
    *cases("scipy.signal", "convolve correlate fftconvolve oaconvolve", SIGNAL, SHORT),
    *cases(
        "scipy.signal",
        "convolve correlate",
        SIGNAL,
        SHORT,
        method="fft",
        variant='method="fft"',
    ),
    *cases("scipy.signal", "convolve2d correlate2d", IMAGE, Input((2, 3))),
    *cases("scipy.signal", "detrend hilbert envelope", SIGNAL),
    case("scipy.signal.hilbert2", IMAGE),
    case("scipy.signal.resample", SIGNAL, call=lambda f, x: f(x, 12)),
    case("scipy.signal.resample_poly", SIGNAL, call=lambda f, x: f(x, 3, 2)),
    case("scipy.signal.upfirdn", SHORT, SIGNAL, up=2),
    case("scipy.signal.lfilter", SHORT, np.asarray([1.0, -0.3]), SIGNAL),
    case("scipy.signal.filtfilt", SHORT, np.asarray([1.0, -0.3]), LONG),
    *cases("scipy.signal", "sosfilt sosfiltfilt", SECTIONS, LONG),
    case("scipy.signal.savgol_filter", SIGNAL, call=lambda f, x: f(x, 5, 2)),
    *cases("scipy.signal", "medfilt wiener", SIGNAL, order=KINKED),
    case("scipy.signal.medfilt2d", IMAGE, order=KINKED),
    case("scipy.signal.vectorstrength", TIMES, call=lambda f, x: f(x, like(x, 2.0))),
    case("scipy.signal.gauss_spline", SIGNAL, call=lambda f, x: f(x, 3)),
    *cases("scipy.signal", "cspline1d qspline1d", SIGNAL),
    case("scipy.signal.freqz", SHORT, worN=8),
    case("scipy.signal.freqs", SHORT, np.asarray([1.0, 0.4]), worN=np.asarray([0.5, 1.0])),
    case("scipy.signal.freqz_sos", Input((1, 3)), call=lambda f, b: f(section(b), 8)),
    case("scipy.signal.group_delay", SHORT, call=lambda f, b: f((b, like(b, [1.0])))),
    *cases("scipy.signal", "lp2lp lp2hp lp2bp lp2bs bilinear", SHORT, np.asarray([1.0, 0.4, 0.3])),
    case("scipy.signal.normalize", SHORT, Input((3,), 0.5, 1.5)),
    case("scipy.signal.minimum_phase", Input((7,), 0.5, 1.5)),
    *[
        case(
            f"scipy.signal.windows.{name}",
            SIGNAL,
            call=lambda f, x: x * f(8, xp=array_namespace(x)),
        )
        for name in WINDOWS.split()
    ],
    case(
        "scipy.signal.windows.kaiser",
        Input((), 2.0, 8.0),
        call=lambda f, b: f(8, b, xp=array_namespace(b)),
    ),
    case(
        "scipy.signal.windows.gaussian",
        Input((), 1.0, 3.0),
        call=lambda f, s: f(8, s, xp=array_namespace(s)),
    ),
    case(
        "scipy.signal.windows.exponential",
        Input((), 1.0, 3.0),
        call=lambda f, tau: f(8, None, tau, xp=array_namespace(tau)),
    ),
    case(
        "scipy.signal.windows.general_gaussian",
        Input((), 1.0, 3.0),
        Input((), 1.0, 3.0),
        call=lambda f, p, s: f(8, p, s, xp=array_namespace(p)),
    ),
    case(
        "scipy.signal.windows.general_hamming",
        Input((), 0.3, 0.7),
        call=lambda f, a: f(8, a, xp=array_namespace(a)),
    ),
    case("scipy.signal.windows.general_cosine", SHORT, call=lambda f, a: f(8, a)),
    case(
        "scipy.signal.windows.chebwin",
        SIGNAL,
        call=lambda f, x: x * f(8, 60.0, xp=array_namespace(x)),
    ),
    *cases("scipy.ndimage", "gaussian_filter uniform_filter", IMAGE, call=lambda f, x: f(x, 2)),
    *cases("scipy.ndimage", "sobel prewitt laplace spline_filter", IMAGE),
    *cases("scipy.ndimage", "convolve correlate", IMAGE, Input((3, 3))),
    *cases("scipy.ndimage", "median_filter maximum_filter", IMAGE, size=2, order=KINKED),
    *cases("scipy.ndimage", "sum mean variance center_of_mass", IMAGE),
    *cases("scipy.ndimage", "shift zoom rotate", IMAGE, call=lambda f, x: f(x, 2)),
]
