"""Special functions that the standard lacks, with their derivatives."""

from __future__ import annotations

import math

from ..backend import Array, array_namespace
from ..backend.erf import erf as plain_erf
from .autograd import differentiable


@differentiable
def erf(x: Array) -> Array:
    """2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x, elementwise; x: floating."""
    return plain_erf(x)


@erf.backward
def _(dy: Array, x: Array) -> Array:
    return dy * (2.0 / math.sqrt(math.pi) * array_namespace(x).exp(-x * x))
