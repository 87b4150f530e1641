"""Sets of the standard: isin, and the values of an array without repetition.

The values are recorded: each is the first of its equals in x, and its gradient goes there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ....backend import Array, array_namespace
from ..differentiable import wrap_constants
from ..tensor import Tensor, innermost, strip
from .manipulation import reshape
from .standard import ConstantOp, standard

isin = standard("isin", "x1", "x2", kind=ConstantOp, invert=False)


class UniqueAll(NamedTuple):
    """What unique_all returns."""

    values: Array
    indices: Array
    inverse_indices: Array
    counts: Array


class UniqueCounts(NamedTuple):
    """What unique_counts returns."""

    values: Array
    counts: Array


class UniqueInverse(NamedTuple):
    """What unique_inverse returns."""

    values: Array
    inverse_indices: Array


def unique_all(x: Array, /) -> Any:
    """The distinct values of x, where each stands first, which each element is, how many there are.

    As in the standard: nan differs from nan, and values are in the library's order.
    """
    found = _native(_unique_all, x)
    if isinstance(strip(x), Tensor):
        found = found._replace(values=reshape(x, (-1,))[found.indices])
    return found


def unique_counts(x: Array, /) -> Any:
    """The distinct values of x and how often each occurs, as in the standard."""
    if isinstance(strip(x), Tensor):
        found = unique_all(x)
        return UniqueCounts(found.values, found.counts)
    return _native(lambda raw: array_namespace(raw).unique_counts(raw), x)


def unique_inverse(x: Array, /) -> Any:
    """The distinct values of x and which of them each element is, as in the standard."""
    if isinstance(strip(x), Tensor):
        found = unique_all(x)
        return UniqueInverse(found.values, found.inverse_indices)
    return _native(lambda raw: array_namespace(raw).unique_inverse(raw), x)


def unique_values(x: Array, /) -> Array:
    """The distinct values of x, as in the standard."""
    if isinstance(strip(x), Tensor):
        return unique_all(x).values
    return _native(lambda raw: array_namespace(raw).unique_values(raw), x)


def _native(function: Callable[[Array], Any], x: Array) -> Any:
    """function of the plain array; constants where x is a Tensor."""
    y = function(innermost(x))
    return wrap_constants(y) if isinstance(x, Tensor) else y


def _unique_all(x: Array) -> Any:
    """unique_all for plain arrays; where the library has none (torch), from unique_inverse."""
    xp = array_namespace(x)
    try:
        return xp.unique_all(x)
    except NotImplementedError:
        values, inverse = xp.unique_inverse(x)
    _, counts = xp.unique_counts(x)
    order = xp.argsort(xp.reshape(inverse, (-1,)), stable=True)  # equals stand side by side
    return UniqueAll(values, order[xp.cumulative_sum(counts) - counts], inverse, counts)
