"""scipy.integrate, optimize, differentiate, interpolate, linalg, cluster and constants."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import Array, array_namespace
from .case import KINKED, Input, case, cases, like

CURVE = Input((9,))
POINTS = Input((9,), 0.0, 4.0, ascending=True)
OBSERVATIONS = Input((6, 3))
SCALAR = Input((), 0.5, 2.0)
QUERIES = np.asarray([0.3, 1.2, 2.1])
KNOTS = np.linspace(0.0, 4.0, 9)


INTEGRATE = [
    *cases("scipy.integrate", "trapezoid simpson cumulative_trapezoid", CURVE, POINTS),
    case("scipy.integrate.cumulative_simpson", CURVE, POINTS, call=lambda f, y, x: f(y, x=x)),
    case("scipy.integrate.romb", CURVE),
    case(
        "scipy.integrate.fixed_quad",
        SCALAR,
        call=lambda f, a: f(lambda t: array_namespace(a).exp(-a * like(a, t)), 0.0, 1.0)[0],
    ),
    case(
        "scipy.integrate.tanhsinh",
        SCALAR,
        call=lambda f, a: (
            f(lambda t: array_namespace(t).exp(-a * t), like(a, 0.0), like(a, 1.0)).integral
        ),
    ),
    case(
        "scipy.integrate.nsum",
        Input((), 2.0, 3.0),
        call=lambda f, p: f(lambda n, p: n ** (-p), like(p, 1.0), like(p, 20.0), args=(p,)).sum,
    ),
    case(
        "scipy.integrate.cubature",
        SCALAR,
        call=lambda f, a: (
            f(
                lambda t: array_namespace(t).exp(-a * t[:, 0] * t[:, 1]),
                like(a, [0.0, 0.0]),
                like(a, [1.0, 1.0]),
            ).estimate
        ),
    ),
    case(
        "scipy.integrate.qmc_quad",
        SCALAR,
        call=lambda f, a: (
            f(
                lambda t: array_namespace(t).exp(-a * t[0, ...]),
                like(a, [0.0, 0.0]),
                like(a, [1.0, 1.0]),
                n_points=16,
                n_estimates=2,
                qrng=_sobol(),
            ).integral
        ),
    ),
]


def _sobol() -> Any:
    from scipy.stats import qmc

    return qmc.Halton(2, rng=np.random.default_rng(0))


OPTIMIZE = [
    *cases("scipy.optimize", "rosen rosen_der rosen_hess", Input((4,))),
    case("scipy.optimize.rosen_hess_prod", Input((4,)), Input((4,))),
    case(
        "scipy.optimize.elementwise.find_root",
        Input((3,), 1.0, 3.0),
        call=lambda f, c: f(lambda x, c: x * x - c, (c * 0.0, c * 0.0 + 3.0), args=(c,)).x,
    ),
    case(
        "scipy.optimize.elementwise.find_minimum",
        Input((3,), 1.0, 3.0),
        call=lambda f, c: (
            f(lambda x, c: (x - c) ** 2, (c * 0.0 - 1.0, c * 0.0 + 1.0, c * 0.0 + 5.0), args=(c,)).x
        ),
    ),
    case(
        "scipy.optimize.elementwise.bracket_root",
        Input((3,), 1.0, 3.0),
        call=lambda f, c: f(lambda x, c: x * x - c, c * 0.1, args=(c,)).bracket,
    ),
    case(
        "scipy.optimize.elementwise.bracket_minimum",
        Input((3,), 1.0, 3.0),
        call=lambda f, c: f(lambda x, c: (x - c) ** 2, c * 0.1, args=(c,)).bracket,
    ),
    case(
        "scipy.differentiate.derivative",
        Input((3,), 0.5, 2.0),
        call=lambda f, x: f(lambda t: array_namespace(t).exp(t), x).df,
    ),
    case(
        "scipy.differentiate.jacobian",
        Input((3,), 0.5, 2.0),
        call=lambda f, x: f(lambda t: t**3, x).df,
    ),
    case(
        "scipy.differentiate.hessian",
        Input((3,), 0.5, 2.0),
        call=lambda f, x: f(_rosen, x).ddf,
        order=KINKED,
    ),
]


def _rosen(x: Array) -> Any:
    from scipy.optimize import rosen

    return rosen(x)


INTERPOLATE = [
    *cases(
        "scipy.interpolate",
        "CubicSpline Akima1DInterpolator PchipInterpolator make_interp_spline",
        CURVE,
        call=lambda f, y: f(like(y, KNOTS), y)(like(y, QUERIES)),
    ),
    case(
        "scipy.interpolate.CubicHermiteSpline",
        CURVE,
        CURVE,
        call=lambda f, y, dy: f(like(y, KNOTS), y, dy)(like(y, QUERIES)),
    ),
    *cases(
        "scipy.interpolate",
        "PPoly BPoly",
        Input((3, 4)),
        call=lambda f, c: f(c, like(c, KNOTS[:5]))(like(c, QUERIES)),
    ),
    case(
        "scipy.interpolate.BSpline",
        Input((5,)),
        call=lambda f, c: f(like(c, KNOTS), c, 3)(like(c, QUERIES)),
    ),
    case(
        "scipy.interpolate.RegularGridInterpolator",
        CURVE,
        call=lambda f, y: f((like(y, KNOTS),), y)(like(y, QUERIES)),
    ),
    case(
        "scipy.interpolate.RBFInterpolator",
        CURVE,
        call=lambda f, y: f(like(y, KNOTS[:, None]), y)(like(y, QUERIES[:, None])),
    ),
]

LINEAR = [
    case("scipy.linalg.block_diag", Input((2, 2)), Input((2, 3))),
    case("scipy.linalg.fiedler", Input((4,)), order=KINKED),
    case("scipy.linalg.orthogonal_procrustes", Input((4, 3)), Input((4, 3))),
    *cases("scipy.linalg", "det inv expm sqrtm", Input((3, 3), 1.0, 2.0)),
    case("scipy.linalg.cholesky", Input((3, 3)), call=lambda f, x: f(x @ x.T + like(x, np.eye(3)))),
    case("scipy.cluster.vq.whiten", OBSERVATIONS),
    case("scipy.cluster.vq.vq", OBSERVATIONS, Input((2, 3)), order=KINKED),
    case("scipy.cluster.hierarchy.linkage", OBSERVATIONS, order=KINKED),
    case("scipy.constants.convert_temperature", CURVE, old_scale="Celsius", new_scale="Fahrenheit"),
    *cases("scipy.constants", "lambda2nu nu2lambda", Input((4,), 0.5, 2.0)),
    case("scipy.spatial.distance.cdist", OBSERVATIONS, Input((2, 3))),
]

CASES = [*INTEGRATE, *OPTIMIZE, *INTERPOLATE, *LINEAR]
