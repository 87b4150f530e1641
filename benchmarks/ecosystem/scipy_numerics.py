"""scipy.integrate, interpolate, optimize, differentiate, linalg, cluster, spatial, constants."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import Array
from .case import KINKED, Input, case, cases

CURVE = Input((9,))
POINTS = Input((9,), 0.0, 4.0, ascending=True)
ROTATIONS = Input((2, 3), 0.2, 1.2)
QUATERNIONS = Input((2, 4), 0.2, 1.0)
VECTORS = Input((2, 3))
ROTATION = "scipy.spatial.transform.Rotation"
TRANSFORM = "scipy.spatial.transform.RigidTransform"
OBSERVATIONS = Input((6, 3))
SCALAR = Input((), 0.5, 2.0)
MATRIX = Input((3, 4))
QUERIES = np.asarray([0.3, 1.2, 2.1])
KNOTS = np.linspace(0.0, 4.0, 9)


def _namespace(x: Array) -> Any:
    from array_api_compat import array_namespace

    return array_namespace(x)


def _like(x: Array, values: Any) -> Array:
    """The numbers as an array beside x."""
    return _namespace(x).asarray(values, dtype=x.dtype)


INTEGRATE = [
    *cases("scipy.integrate", "trapezoid simpson cumulative_trapezoid", CURVE, POINTS),
    case("scipy.integrate.cumulative_simpson", CURVE, POINTS, call=lambda f, y, x: f(y, x=x)),
    case("scipy.integrate.romb", CURVE),
    case(
        "scipy.integrate.fixed_quad",
        SCALAR,
        call=lambda f, a: f(lambda t: _namespace(a).exp(-a * _like(a, t)), 0.0, 1.0)[0],
    ),
    case(
        "scipy.integrate.tanhsinh",
        SCALAR,
        call=lambda f, a: f(
            lambda t: _namespace(t).exp(-a * t), _like(a, 0.0), _like(a, 1.0)
        ).integral,
    ),
    case(
        "scipy.integrate.nsum",
        Input((), 2.0, 3.0),
        call=lambda f, p: f(lambda n, p: n ** (-p), _like(p, 1.0), _like(p, 20.0), args=(p,)).sum,
    ),
    case(
        "scipy.integrate.cubature",
        SCALAR,
        call=lambda f, a: f(
            lambda t: _namespace(t).exp(-a * t[:, 0] * t[:, 1]), _like(a, [0.0, 0.0]), _like(a, [1.0, 1.0])
        ).estimate,
    ),
    case(
        "scipy.integrate.qmc_quad",
        SCALAR,
        call=lambda f, a: f(
            lambda t: _namespace(t).exp(-a * t[0, ...]), _like(a, [0.0, 0.0]), _like(a, [1.0, 1.0]), n_points=16, n_estimates=2, qrng=_sobol()
        ).integral,
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
        call=lambda f, c: f(
            lambda x, c: (x - c) ** 2, (c * 0.0 - 1.0, c * 0.0 + 1.0, c * 0.0 + 5.0), args=(c,)
        ).f_x,
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
        call=lambda f, x: f(lambda t: _namespace(t).exp(t), x).df,
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
        call=lambda f, y: f(_like(y, KNOTS), y)(_like(y, QUERIES)),
    ),
    case(
        "scipy.interpolate.CubicHermiteSpline",
        CURVE,
        CURVE,
        call=lambda f, y, dy: f(_like(y, KNOTS), y, dy)(_like(y, QUERIES)),
    ),
    *cases(
        "scipy.interpolate",
        "PPoly BPoly",
        Input((3, 4)),
        call=lambda f, c: f(c, _like(c, KNOTS[:5]))(_like(c, QUERIES)),
    ),
    case(
        "scipy.interpolate.BSpline",
        Input((5,)),
        call=lambda f, c: f(_like(c, KNOTS), c, 3)(_like(c, QUERIES)),
    ),
    case(
        "scipy.interpolate.RegularGridInterpolator",
        CURVE,
        call=lambda f, y: f((_like(y, KNOTS),), y)(_like(y, QUERIES)),
    ),
    case(
        "scipy.interpolate.RBFInterpolator",
        CURVE,
        call=lambda f, y: f(_like(y, KNOTS[:, None]), y)(_like(y, QUERIES[:, None])),
    ),
]

LINEAR = [
    case("scipy.linalg.block_diag", Input((2, 2)), Input((2, 3))),
    case("scipy.linalg.fiedler", Input((4,)), order=KINKED),
    case("scipy.linalg.orthogonal_procrustes", Input((4, 3)), Input((4, 3))),
    *cases("scipy.linalg", "det inv expm sqrtm", Input((3, 3), 1.0, 2.0)),
    case("scipy.linalg.cholesky", Input((3, 3)), call=lambda f, x: f(x @ x.T + _like(x, np.eye(3)))),
    case("scipy.cluster.vq.whiten", OBSERVATIONS),
    case("scipy.cluster.vq.vq", OBSERVATIONS, Input((2, 3)), order=KINKED),
    case("scipy.cluster.hierarchy.linkage", OBSERVATIONS, order=KINKED),
    case("scipy.constants.convert_temperature", CURVE, old_scale="Celsius", new_scale="Fahrenheit"),
    *cases("scipy.constants", "lambda2nu nu2lambda", Input((4,), 0.5, 2.0)),
    case("scipy.spatial.distance.cdist", OBSERVATIONS, Input((2, 3))),
]

SPATIAL = [
    case(f"{ROTATION}.from_rotvec", ROTATIONS, call=lambda f, x: f(x).as_matrix()),
    case(f"{ROTATION}.from_mrp", ROTATIONS, call=lambda f, x: f(x).as_matrix()),
    case(f"{ROTATION}.from_quat", QUATERNIONS, call=lambda f, x: f(x).as_matrix()),
    case(
        f"{ROTATION}.from_matrix",
        Input((3, 3), -0.3, 0.3),
        call=lambda f, x: f(x + _like(x, np.eye(3))).as_matrix(),
    ),
    case(f"{ROTATION}.from_euler", ROTATIONS, call=lambda f, x: f("xyz", x).as_matrix()),
    case(
        f"{ROTATION}.from_davenport",
        Input((2, 2), 0.2, 1.2),
        call=lambda f, x: f(_like(x, [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]), "intrinsic", x).as_matrix(),
    ),
    *[
        case(
            f"{ROTATION}.{name}",
            QUATERNIONS,
            call=lambda f, q, name=name: getattr(_rotation().from_quat(q), name)(),
        )
        for name in ("as_quat", "as_matrix", "as_rotvec", "as_mrp", "magnitude")
    ],
    case(f"{ROTATION}.as_euler", QUATERNIONS, call=lambda f, q: _rotation().from_quat(q).as_euler("xyz")),
    case(f"{ROTATION}.as_davenport", QUATERNIONS, call=lambda f, q: _rotation().from_quat(q).as_davenport(_like(q, [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]), "intrinsic")),
    case(f"{ROTATION}.inv", QUATERNIONS, call=lambda f, q: _rotation().from_quat(q).inv().as_rotvec()),
    case(f"{ROTATION}.mean", QUATERNIONS, call=lambda f, q: _rotation().from_quat(q).mean().as_matrix()),
    case(f"{ROTATION}.apply", QUATERNIONS, VECTORS, call=lambda f, q, v: _rotation().from_quat(q).apply(v)),
    case(f"{ROTATION}.__mul__", QUATERNIONS, QUATERNIONS, call=lambda f, p, q: (_rotation().from_quat(p) * _rotation().from_quat(q)).as_matrix()),
    case(f"{ROTATION}.__pow__", QUATERNIONS, call=lambda f, q: (_rotation().from_quat(q) ** 0.5).as_matrix()),
    case(f"{ROTATION}.concatenate", QUATERNIONS, QUATERNIONS, call=lambda f, p, q: f([_rotation().from_quat(p), _rotation().from_quat(q)]).as_matrix()),
    case(f"{ROTATION}.align_vectors", Input((4, 3)), Input((4, 3)), call=lambda f, a, b: f(a, b)[0].as_matrix()),
    case(
        "scipy.spatial.transform.Slerp",
        QUATERNIONS,
        call=lambda f, q: f(_like(q, [0.0, 1.0]), _rotation().from_quat(q))(_like(q, [0.2, 0.7])).as_matrix(),
    ),
    case(f"{TRANSFORM}.from_exp_coords", Input((2, 6), 0.2, 1.2), call=lambda f, x: f(x).as_matrix()),
    case(f"{TRANSFORM}.from_dual_quat", Input((2, 8), 0.2, 1.0), call=lambda f, x: f(x).as_matrix()),
    case(f"{TRANSFORM}.from_translation", VECTORS, call=lambda f, x: f(x).as_matrix()),
    case(f"{TRANSFORM}.apply", Input((2, 6), 0.2, 1.2), VECTORS, call=lambda f, x, v: _transform().from_exp_coords(x).apply(v)),
    case(f"{TRANSFORM}.inv", Input((2, 6), 0.2, 1.2), call=lambda f, x: _transform().from_exp_coords(x).inv().as_exp_coords()),
    case(f"{TRANSFORM}.as_dual_quat", Input((2, 6), 0.2, 1.2), call=lambda f, x: _transform().from_exp_coords(x).as_dual_quat()),
]


def _rotation() -> Any:
    from scipy.spatial.transform import Rotation

    return Rotation


def _transform() -> Any:
    from scipy.spatial.transform import RigidTransform

    return RigidTransform


CASES = [*INTEGRATE, *OPTIMIZE, *INTERPOLATE, *LINEAR, *SPATIAL]
