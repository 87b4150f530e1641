"""array-api-extra: all of its functions, and every method of at()."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import Array, array_namespace
from .case import KINKED, Input, case, cases

VECTOR = Input((6,))
MATRIX = Input((3, 4))
POSITIVE = Input((6,), 0.3, 2.0)
POSITIONS = np.asarray([4, 0, 2])
WITH_NANS = np.asarray([1.0, np.nan, -2.0, 1.5, 0.5, np.nan])
INTEGERS = np.asarray([3, 1, 3, 2, 1, 1])


def changed(method: str) -> Any:
    """A call of one method of at(x, key), with and without a mask."""

    def call(at: Any, x: Array, y: Array) -> list[Array]:
        return [
            getattr(at(x, slice(1, 4)), method)(y[1:4]),
            getattr(at(x)[x > 1.0], method)(0.5),
            getattr(at(x, 2), method)(y[2]),
        ]

    return call


def with_nans(f: Any, x: Array, nans: Array, **options: Any) -> Array:
    """f of an array in which some elements are not a number."""
    xp = array_namespace(x)
    return f(xp.where(xp.isnan(nans), nans, x), **options)


def branches(f: Any, x: Array) -> Array:
    """apply_where with functions that are poison on the other's side."""
    xp = array_namespace(x)
    return f(x > 0.0, (x,), lambda x: xp.log(x), lambda x: xp.sqrt(-x))


CASES = [
    *[
        case(
            f"array_api_extra.at.{name}",
            POSITIVE,
            POSITIVE,
            call=lambda f, x, y, name=name: changed(name)(_at(), x, y),
        )
        for name in ("set", "add", "subtract", "multiply", "divide", "power")
    ],
    *[
        case(
            f"array_api_extra.at.{name}",
            VECTOR,
            VECTOR,
            order=KINKED,
            call=lambda f, x, y, name=name: changed(name)(_at(), x, y),
        )
        for name in ("min", "max")
    ],
    case("array_api_extra.angle", VECTOR, VECTOR, call=lambda f, x, y: f(x + 1j * y)),
    case("array_api_extra.apply_where", VECTOR, call=branches),
    case("array_api_extra.atleast_nd", VECTOR, ndim=3),
    case("array_api_extra.cov", MATRIX),
    case("array_api_extra.create_diagonal", VECTOR, offset=1),
    *cases("array_api_extra", "deg2rad rad2deg sinc nan_to_num", VECTOR),
    case("array_api_extra.expand_dims", MATRIX, axis=(0, 2)),
    case("array_api_extra.isclose", VECTOR, VECTOR),
    case("array_api_extra.isin", INTEGERS, POSITIONS),
    case("array_api_extra.kron", MATRIX, Input((2, 2))),
    *cases(
        "array_api_extra",
        "nanmax nanmin nansum nanmean",
        VECTOR,
        WITH_NANS,
        call=with_nans,
        order=KINKED,
    ),
    case("array_api_extra.nunique", INTEGERS),
    case("array_api_extra.one_hot", INTEGERS, call=lambda f, x: f(x, 5)),
    case("array_api_extra.pad", MATRIX, call=lambda f, x: f(x, (1, 2))),
    *cases(
        "array_api_extra",
        "partition argpartition",
        VECTOR,
        call=lambda f, x: array_namespace(x).sort(f(x, 2)[:2]),
        order=KINKED,
    ),
    case("array_api_extra.searchsorted", Input((5,), ascending=True), VECTOR),
    *cases("array_api_extra", "setdiff1d union1d", VECTOR, Input((3,)), order=KINKED),
    case("array_api_extra.lazy_apply", VECTOR, call=lambda f, x: f(np.sin, x, as_numpy=True)),
    case("array_api_extra.broadcast_shapes", call=lambda f: list(f((2, 1), (3,)))),
    *cases(
        "array_api_extra", "diag_indices", MATRIX, call=lambda f, x: x[f(3, xp=array_namespace(x))]
    ),
    *cases(
        "array_api_extra",
        "tril_indices triu_indices",
        Input((3, 3)),
        call=lambda f, x: x[f(3, xp=array_namespace(x))],
    ),
    case("array_api_extra.unravel_index", INTEGERS, call=lambda f, x: list(f(x, (2, 2)))),
    case("array_api_extra.default_dtype", VECTOR, call=lambda f, x: x * _ones(f, x)),
]


def _ones(f: Any, x: Array) -> Array:
    xp = array_namespace(x)
    return xp.ones(x.shape, dtype=f(xp))


def _at() -> Any:
    import array_api_extra

    return array_api_extra.at
