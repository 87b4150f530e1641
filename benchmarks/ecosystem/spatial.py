"""scipy.spatial.transform: rotations and rigid transforms."""

from __future__ import annotations

from typing import Any

import numpy as np

from .case import Input, case, like

ROTATION = "scipy.spatial.transform.Rotation"
TRANSFORM = "scipy.spatial.transform.RigidTransform"
ROTATIONS = Input((2, 3), 0.2, 1.2)
QUATERNIONS = Input((2, 4), 0.2, 1.0)
MOTIONS = Input((2, 6), 0.2, 1.2)
VECTORS = Input((2, 3))
AXES = [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]


def turned(q: Any) -> Any:
    """The rotations of these quaternions."""
    from scipy.spatial.transform import Rotation

    return Rotation.from_quat(q)


def moved(x: Any) -> Any:
    """The rigid transforms of these exponential coordinates."""
    from scipy.spatial.transform import RigidTransform

    return RigidTransform.from_exp_coords(x)


CASES = [
    case(f"{ROTATION}.from_rotvec", ROTATIONS, call=lambda f, x: f(x).as_matrix()),
    case(f"{ROTATION}.from_mrp", ROTATIONS, call=lambda f, x: f(x).as_matrix()),
    case(f"{ROTATION}.from_quat", QUATERNIONS, call=lambda f, x: f(x).as_matrix()),
    case(
        f"{ROTATION}.from_matrix",
        Input((3, 3), -0.3, 0.3),
        call=lambda f, x: f(x + like(x, np.eye(3))).as_matrix(),
    ),
    case(f"{ROTATION}.from_euler", ROTATIONS, call=lambda f, x: f("xyz", x).as_matrix()),
    case(
        f"{ROTATION}.from_davenport",
        Input((2, 2), 0.2, 1.2),
        call=lambda f, x: f(like(x, AXES[:2]), "intrinsic", x).as_matrix(),
    ),
    *[
        case(
            f"{ROTATION}.{name}",
            QUATERNIONS,
            call=lambda f, q, name=name: getattr(turned(q), name)(),
        )
        for name in ("as_quat", "as_matrix", "as_rotvec", "as_mrp", "magnitude")
    ],
    case(f"{ROTATION}.as_euler", QUATERNIONS, call=lambda f, q: turned(q).as_euler("xyz")),
    case(
        f"{ROTATION}.as_davenport",
        QUATERNIONS,
        call=lambda f, q: turned(q).as_davenport(like(q, AXES), "intrinsic"),
    ),
    case(f"{ROTATION}.inv", QUATERNIONS, call=lambda f, q: turned(q).inv().as_rotvec()),
    case(f"{ROTATION}.mean", QUATERNIONS, call=lambda f, q: turned(q).mean().as_matrix()),
    case(f"{ROTATION}.apply", QUATERNIONS, VECTORS, call=lambda f, q, v: turned(q).apply(v)),
    case(
        f"{ROTATION}.__mul__",
        QUATERNIONS,
        QUATERNIONS,
        call=lambda f, p, q: (turned(p) * turned(q)).as_matrix(),
    ),
    case(f"{ROTATION}.__pow__", QUATERNIONS, call=lambda f, q: (turned(q) ** 0.5).as_matrix()),
    case(
        f"{ROTATION}.concatenate",
        QUATERNIONS,
        QUATERNIONS,
        call=lambda f, p, q: f([turned(p), turned(q)]).as_matrix(),
    ),
    case(
        f"{ROTATION}.align_vectors",
        Input((4, 3)),
        Input((4, 3)),
        call=lambda f, a, b: f(a, b)[0].as_matrix(),
    ),
    case(
        "scipy.spatial.transform.Slerp",
        QUATERNIONS,
        call=lambda f, q: f(like(q, [0.0, 1.0]), turned(q))(like(q, [0.2, 0.7])).as_matrix(),
    ),
    case(f"{TRANSFORM}.from_exp_coords", MOTIONS, call=lambda f, x: f(x).as_matrix()),
    case(
        f"{TRANSFORM}.from_dual_quat", Input((2, 8), 0.2, 1.0), call=lambda f, x: f(x).as_matrix()
    ),
    case(f"{TRANSFORM}.from_translation", VECTORS, call=lambda f, x: f(x).as_matrix()),
    case(f"{TRANSFORM}.apply", MOTIONS, VECTORS, call=lambda f, x, v: moved(x).apply(v)),
    case(f"{TRANSFORM}.inv", MOTIONS, call=lambda f, x: moved(x).inv().as_exp_coords()),
    case(f"{TRANSFORM}.as_dual_quat", MOTIONS, call=lambda f, x: moved(x).as_dual_quat()),
]
