"""Muon: steps along the nearest orthogonal matrix of a momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from ...backend import Array, array_namespace
from ...backend.errors import HyperparameterError, ShapeError
from .arena import Shape
from .hyperparameters import below_one, count, finite, non_negative, one_of, switch
from .optimizer import Optimizer

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # Jordan's: steepest at 0, and then within 0.7 to 1.2


def muon(
    p: Array,
    dp: Array,
    v: Array,
    *,
    t: int,
    lr: float,
    weight_decay: float,
    momentum: float,
    nesterov: bool,
    ns_coefficients: tuple[float, float, float],
    eps: float,
    ns_steps: int,
    adjust_lr_fn: str | None,
) -> tuple[Array, Array]:
    """((1 - lr weight_decay) p - lr scale orthogonalized(v), v) for a matrix p of shape (n, m).

    v = momentum v + (1 - momentum) dp; nesterov: momentum v + (1 - momentum) dp once more in place
    of v. scale = learning_rate_scale((n, m), adjust_lr_fn). t is not used.
    Source: Jordan and others 2024, Muon; "match_rms_adamw": Liu and others 2025, section 2.2.
    """
    v = momentum * v + (1.0 - momentum) * dp
    ahead = momentum * v + (1.0 - momentum) * dp if nesterov else v
    direction = orthogonalized(ahead, ns_coefficients, ns_steps, eps)
    step = lr * learning_rate_scale(tuple(p.shape), adjust_lr_fn)
    return (1.0 - lr * weight_decay) * p - step * direction, v


def orthogonalized(
    x: Array, coefficients: tuple[float, float, float], n_steps: int, eps: float
) -> Array:
    """Roughly U V^T of x = U S V^T, a matrix: n_steps times a x + (b y + c y y) x with y = x x^T.

    x is first divided by its norm, which counts as eps at least. Jordan's (a, b, c) bring singular
    values between 0.7 and 1.2, not to 1. It computes in the dtype of x; torch's in bfloat16.
    Source: Newton-Schulz iteration of fifth order, as in Jordan and others 2024.
    """
    xp = array_namespace(x)
    a, b, c = coefficients
    wide = x.shape[0] <= x.shape[1]
    y = x if wide else x.mT
    y = y / xp.clip(xp.sqrt(xp.sum(y * y)), min=eps)
    for _ in range(n_steps):
        gram = y @ y.mT  # of the shorter side
        y = a * y + (b * gram + c * (gram @ gram)) @ y
    return y if wide else y.mT


def learning_rate_scale(shape: Shape, adjust_lr_fn: str | None) -> float:
    """sqrt(max(1, n / m)) of an (n, m) matrix; for "match_rms_adamw" sqrt(max(n, m)) / 5."""
    n, m = shape
    if adjust_lr_fn == "match_rms_adamw":
        return 0.2 * max(n, m) ** 0.5
    return max(1.0, n / m) ** 0.5


def three_finite(name: str, value: Any) -> tuple[float, ...]:
    """Three finite numbers, as a tuple of floats. Raises HyperparameterError."""
    if not isinstance(value, tuple | list) or len(value) != 3:
        raise HyperparameterError(f"{name} must be three finite numbers, got {value!r}")
    return tuple(finite(f"{name}[{i}]", number) for i, number in enumerate(value))


class Muon(Optimizer):
    """p - lr O, with O the momentum of the gradients brought near an orthogonal matrix.

    For the weight matrices of hidden layers; biases, embeddings, norms and the last layer go to
    AdamW. params, errors: see Optimizer, and ShapeError for a parameter that has not two axes.
    lr, weight_decay (AdamW's), eps >= 0; momentum in [0, 1); nesterov: look ahead; ns_steps >= 0
    iterations with ns_coefficients; adjust_lr_fn: "original" or None, "match_rms_adamw".
    It iterates in the moments' dtype, where torch takes bfloat16. optax's muon corrects
    the momentum's bias, has no weight decay by default, and gives other parameters to Adam itself.
    Source: see muon(); defaults as in torch.
    """

    checks: ClassVar = {
        "lr": non_negative,
        "weight_decay": non_negative,
        "momentum": below_one,
        "nesterov": switch,
        "ns_coefficients": three_finite,
        "eps": non_negative,
        "ns_steps": lambda name, value: count(name, value, least=0),
        "adjust_lr_fn": one_of(None, "original", "match_rms_adamw"),
    }
    moment_names = ("momentum_buffer",)
    definition = staticmethod(muon)
    elementwise = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = COEFFICIENTS,
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        settings: dict[str, Any] = {"lr": lr, "weight_decay": weight_decay, "momentum": momentum}
        settings |= {"nesterov": nesterov, "ns_coefficients": ns_coefficients, "eps": eps}
        settings |= {"ns_steps": ns_steps, "adjust_lr_fn": adjust_lr_fn}
        super().__init__(params, settings)

    def check_shape(self, i: int, shape: Shape) -> None:
        """Raises ShapeError for a parameter that is no matrix."""
        if len(shape) != 2:
            raise ShapeError(
                f"{self}: params[{i}] must be a matrix (two axes), got shape {shape}; give Muon "
                "those with p.ndim == 2, and the others to AdamW"
            )
