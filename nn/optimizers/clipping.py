"""Bounds for gradients between backward() and step()."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from ...backend import Array, array_namespace, device_of, multiply_, settings, unwrap, write
from ...backend.errors import CaptureError, NonFiniteError
from ...backend.libraries import library_of
from ...backend.replay import is_capturing
from ...kernels.cuda.clipping import NORM_CUPY, NormKernels
from ..autograd import Tensor
from .hyperparameters import non_negative, positive
from .layout import gradient_parts
from .masters import widened

NORM_KERNELS = {"cupy": NORM_CUPY}


def clip_grad_norm(
    parameters: Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = True,
) -> Any:
    """The norm of all gradients together; each is then times min(1, max_norm / (norm + 1e-6)).

    parameters without a gradient are left out; max_norm >= 0; norm_type > 0, math.inf for the
    largest size. Gradients that an optimizer keeps side by side are reduced and scaled as one
    array. Raises HyperparameterError, and NonFiniteError for a norm that is NaN or
    infinite: no gradient is changed then. With error_if_nonfinite=False the gradients are
    scaled all the same, which spreads NaN over all of them; a GPU is not waited for then, and the
    norm stays there, () float64; in a captured step that is the only way.
    Source: Pascanu, Mikolov, Bengio 2013, algorithm 1; the 1e-6 is torch's.
    """
    max_norm = non_negative("clip_grad_norm: max_norm", max_norm)
    norm_type = (
        math.inf if norm_type == math.inf else positive("clip_grad_norm: norm_type", norm_type)
    )
    parameters = _as_list(parameters)
    parts = [(part, leaf) for part, leaf in gradient_parts(parameters) if 0 not in part.shape]
    kernels = _kernels_for([part for part, _ in parts])
    if kernels is not None and norm_type == 2.0 and not settings().disable_kernels:
        return _clipped_there(kernels, parts, max_norm, error_if_nonfinite, parameters)
    # In half precision squares would overflow, and their sums stand still.
    total = _norm([widened(part) for part, _ in parts], norm_type)
    if error_if_nonfinite and not math.isfinite(total):
        raise NonFiniteError(_first_bad("clip_grad_norm", parameters))
    factor = max_norm / (total + 1e-6)
    if factor < 1.0 or math.isnan(factor):
        for part, leaf in parts:
            if leaf is None:
                multiply_(part, factor)
            else:
                leaf.grad = part * factor
    return total


def _kernels_for(parts: list[Array]) -> NormKernels | None:
    """The kernels that serve these gradients; None on the CPU, and on several devices."""
    kernels = NORM_KERNELS.get(library_of(parts[0]).name) if parts else None
    return kernels if kernels and len(set(map(device_of, parts))) == 1 else None


def _clipped_there(
    kernels: NormKernels,
    parts: list[tuple[Array, Any]],
    max_norm: float,
    error_if_nonfinite: bool,
    parameters: list[Tensor],
) -> Any:
    """clip_grad_norm on a device whose kernels pass the norm on among themselves."""
    if error_if_nonfinite and is_capturing():
        raise CaptureError(
            "clip_grad_norm: a captured step cannot look whether gradients are finite; pass "
            "error_if_nonfinite=False, which spreads NaN over all of them"
        )
    norm = kernels.norm([part for part, _ in parts], max_norm)
    total = norm[0]
    if error_if_nonfinite:
        total = float(total)
        if not math.isfinite(total):
            raise NonFiniteError(_first_bad("clip_grad_norm", parameters))
    for part, leaf in parts:
        if leaf is None:
            kernels.scale(part, norm)
        else:
            leaf.grad = part * array_namespace(norm).astype(norm[1], part.dtype)
    return total


def clip_grad_value(
    parameters: Iterable[Tensor], clip_value: float, error_if_nonfinite: bool = True
) -> None:
    """Bring every element of every gradient into [-clip_value, clip_value].

    clip_value >= 0. Raises HyperparameterError, and NonFiniteError for NaN or infinite
    elements: no gradient is changed then. With error_if_nonfinite=False infinite ones are brought
    to the bounds and NaN stays.
    """
    bound = non_negative("clip_grad_value: clip_value", clip_value)
    parameters = _as_list(parameters)
    parts = list(gradient_parts(parameters))
    largest = _norm([part for part, _ in parts], math.inf) if error_if_nonfinite else 0.0
    if not math.isfinite(largest):
        raise NonFiniteError(_first_bad("clip_grad_value", parameters))
    for part, leaf in parts:
        if leaf is None:
            write(part, "clip", part, -bound, bound)
        else:
            leaf.grad = array_namespace(part).clip(part, -bound, bound)


def _norm(parts: list[Array], norm_type: float) -> float:
    """(sum of |x|^p over all elements)^(1/p), whatever the order of the parts."""
    if norm_type == math.inf:
        return _largest(parts)
    total = _sum_of_powers(parts, norm_type)
    if math.isfinite(total):
        return total ** (1.0 / norm_type)
    largest = _largest(parts)
    if not math.isfinite(largest):
        return largest
    scaled = [part / largest for part in parts]  # only the powers overflowed
    return largest * _sum_of_powers(scaled, norm_type) ** (1.0 / norm_type)


def _largest(parts: list[Array]) -> float:
    """The largest |x|; NaN if there is one."""
    sizes = [float(_max_abs(part)) for part in parts if 0 not in part.shape]
    return math.nan if any(map(math.isnan, sizes)) else max(sizes, default=0.0)


def _max_abs(part: Array) -> Array:
    xp = array_namespace(part)
    return xp.max(xp.abs(part))


def _sum_of_powers(parts: list[Array], norm_type: float) -> float:
    """The sum of |x|^p; for p = 2 by inner products, which need no second array."""
    powers = []
    for part in parts:
        xp = array_namespace(part)
        flat = xp.reshape(part, (-1,))
        power = flat @ flat if norm_type == 2.0 else xp.sum(xp.abs(flat) ** norm_type)
        powers.append(float(power))
    return sum(sorted(powers))


def _first_bad(operation: str, parameters: list[Tensor]) -> str:
    """The message that names the first gradient with NaN or infinity."""
    for i, parameter in enumerate(parameters):
        if parameter.grad is None:
            continue
        dx = unwrap(parameter.grad)
        xp = array_namespace(dx)
        if not bool(xp.all(xp.isfinite(dx))):
            kind = "NaN" if bool(xp.any(xp.isnan(dx))) else "infinity"
            return (
                f"{operation}: gradients must be finite, but that of parameter {i}, shape "
                f"{tuple(parameter.shape)}, holds {kind}; nothing was changed; look for the layer "
                "that overflowed, or lower the learning rate"
            )
    return f"{operation}: gradients must be finite; nothing was changed"


def _as_list(parameters: Iterable[Tensor]) -> list[Tensor]:
    return [parameters] if isinstance(parameters, Tensor) else list(parameters)
