"""Slow answers in float64 to compare fast ones with: plain loops, formulas as in the papers.

Nothing here knows isograd. Sums are math.fsum: exactly rounded, whatever their order.
torch_numbers() reads what PyTorch computed (oracles/make_torch_numbers.py says how).
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

NUMBERS = Path(__file__).parent / "oracles" / "torch_2_13.json"


@functools.cache
def torch_numbers() -> dict[str, Any]:
    """The kept numbers of PyTorch 2.13: nested dicts with read-only float64 and int64 arrays.

    Sections: optimizers, activations, row_functions, losses, linear, mlp, clip_grad_norm,
    training. Every call gives the same object: treat it as constant.
    """
    return decoded(json.loads(NUMBERS.read_text(encoding="utf-8")))


def decoded(value: Any) -> Any:
    """The same nest with every {"shape", "data"} as a read-only array."""
    if not isinstance(value, dict):
        return value
    if "data" not in value:
        return {key: decoded(item) for key, item in value.items()}
    kind = np.dtype(value.get("dtype", "float64"))
    flat = value["data"] if kind == np.int64 else [float(item) for item in value["data"]]
    array = np.asarray(flat, dtype=kind).reshape(value["shape"])
    array.flags.writeable = False
    return array


# Products


def matmul(x1: ndarray, x2: ndarray) -> ndarray:
    """y[i, j] = sum over k of x1[i, k] * x2[k, j]; (n, k), (k, m) -> (n, m)."""
    n, inner = x1.shape
    y = np.empty((n, x2.shape[1]))
    for i in range(n):
        for j in range(x2.shape[1]):
            y[i, j] = math.fsum(float(x1[i, k]) * float(x2[k, j]) for k in range(inner))
    return y


def linear(x: ndarray, weight: ndarray, bias: ndarray | None = None) -> ndarray:
    """y[..., o] = sum over i of x[..., i] * weight[o, i], plus bias[o]: torch's layout."""
    y = np.empty((*x.shape[:-1], weight.shape[0]))
    for place in np.ndindex(*x.shape[:-1]):
        for o in range(weight.shape[0]):
            terms = [float(a) * float(b) for a, b in zip(x[place], weight[o], strict=True)]
            y[(*place, o)] = math.fsum([*terms, 0.0 if bias is None else float(bias[o])])
    return y


def linear_gradients(dy: ndarray, x: ndarray, weight: ndarray) -> tuple[ndarray, ndarray, ndarray]:
    """dx = dy W, dW = dy^T x and db = sum of dy, over all leading axes."""
    dx = linear(dy, weight.T)
    rows_dy, rows_x = dy.reshape(-1, dy.shape[-1]), x.reshape(-1, x.shape[-1])
    dbias = np.array([math.fsum(map(float, column)) for column in rows_dy.T])
    return dx, matmul(rows_dy.T, rows_x), dbias


# Activations: each takes and gives one Python float


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)); below 0 as exp(x) / (1 + exp(x)), which cannot overflow."""
    return 1.0 / (1.0 + math.exp(-x)) if x >= 0 else math.exp(x) / (1.0 + math.exp(x))


def log_sigmoid(x: float) -> float:
    """log(sigmoid(x)) = min(x, 0) - log(1 + exp(-|x|))."""
    return min(x, 0.0) - math.log1p(math.exp(-abs(x)))


def softplus(x: float, beta: float = 1.0, threshold: float = 20.0) -> float:
    """log(1 + exp(beta x)) / beta, and x itself where beta x > threshold."""
    z = beta * x
    return x if z > threshold else (max(z, 0.0) + math.log1p(math.exp(-abs(z)))) / beta


def leaky_relu(x: float, negative_slope: float = 0.01) -> float:
    """x above 0, negative_slope * x elsewhere; slope 0 makes it relu."""
    return x if x > 0 else negative_slope * x


def elu(x: float, alpha: float = 1.0) -> float:
    """x above 0, alpha * (exp(x) - 1) elsewhere. Clevert, Unterthiner, Hochreiter 2015, eq. 16."""
    return x if x > 0 else alpha * math.expm1(x)


def gelu(x: float, approximate: str = "none") -> float:
    """x Phi(x), or its approximation by tanh. Hendrycks and Gimpel 2016, section 2.

    Phi(x) = erfc(-x / sqrt(2)) / 2 keeps its relative accuracy where 1 + erf cancels.
    """
    if approximate == "tanh":
        return 0.5 * x * (1.0 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * math.erfc(-x / math.sqrt(2.0))


ACTIVATIONS: dict[str, Callable[..., float]] = {
    "sigmoid": sigmoid,
    "tanh": math.tanh,
    "relu": lambda x: leaky_relu(x, 0.0),
    "leaky_relu": leaky_relu,
    "elu": elu,
    "gelu": gelu,
    "silu": lambda x: x * sigmoid(x),
    "softplus": softplus,
    "log_sigmoid": log_sigmoid,
}


def elementwise(function: Callable[..., float], x: ndarray, **settings: Any) -> ndarray:
    """function(element, **settings) for every element of x, in float64."""
    flat = [function(float(value), **settings) for value in x.ravel()]
    return np.array(flat, dtype=np.float64).reshape(x.shape)


def log_softmax(x: ndarray) -> ndarray:
    """x - log(sum(exp(x))) along the last axis, shifted by the maximum."""
    y = np.empty(x.shape)
    for place in np.ndindex(*x.shape[:-1]):
        row = [float(value) for value in x[place]]
        top = max(row)
        log_sum = math.log(math.fsum(math.exp(value - top) for value in row))
        y[place] = [value - top - log_sum for value in row]
    return y


def softmax(x: ndarray) -> ndarray:
    """exp(x) / sum(exp(x)) along the last axis."""
    return elementwise(math.exp, log_softmax(x))


# Losses: one term for each example, then the reduction


def cross_entropy(
    logits: ndarray,
    target: ndarray,
    weight: ndarray | None = None,
    label_smoothing: float = 0.0,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> ndarray:
    """-sum over c of weight[c] * wanted[c] * log_softmax(logits)[c] for each row, reduced.

    target: integer labels (batch,) or probabilities (batch, classes). wanted is the target's
    distribution mixed with label_smoothing parts of the uniform one. "mean" divides by the number
    of rows; for integer targets by the sum of weight[label] over the rows that are not ignored.
    """
    n_classes = logits.shape[1]
    weights = np.ones(n_classes) if weight is None else weight
    terms, counts = [], []
    for row, wanted in zip(log_softmax(logits), target, strict=True):
        labelled = target.ndim == 1
        used = not (labelled and wanted == ignore_index)
        chances = [float(c == wanted) for c in range(n_classes)] if labelled else wanted
        mixed = [(1 - label_smoothing) * p + label_smoothing / n_classes for p in chances]
        parts = zip(weights, mixed, row, strict=True)
        terms.append(-math.fsum(w * p * r for w, p, r in parts if p != 0) if used else 0.0)
        counts.append(float(weights[wanted]) if labelled and used else float(used))
    return reduced(np.array(terms), reduction, math.fsum(counts))


def binary_cross_entropy(p: float, target: float) -> float:
    """-(target log p + (1 - target) log(1 - p)), each logarithm not below -100 (torch's bound)."""
    log_p = max(math.log(p), -100.0) if p > 0 else -100.0
    log_q = max(math.log1p(-p), -100.0) if p < 1 else -100.0
    return -(target * log_p + (1.0 - target) * log_q)


def binary_cross_entropy_with_logits(x: float, target: float, pos_weight: float = 1.0) -> float:
    """-(pos_weight target log sigmoid(x) + (1 - target) log sigmoid(-x))."""
    return -(pos_weight * target * log_sigmoid(x) + (1.0 - target) * log_sigmoid(-x))


def squared_error(prediction: float, target: float) -> float:
    """(prediction - target)^2."""
    return (prediction - target) ** 2


def absolute_error(prediction: float, target: float) -> float:
    """|prediction - target|."""
    return abs(prediction - target)


def huber(prediction: float, target: float, delta: float = 1.0) -> float:
    """d^2 / 2 up to |d| = delta, then delta (|d| - delta / 2). Huber 1964, section 4 (with k)."""
    d = abs(prediction - target)
    return 0.5 * d * d if d <= delta else delta * (d - 0.5 * delta)


def smooth_l1(prediction: float, target: float, beta: float = 1.0) -> float:
    """huber with delta = beta, divided by beta. Girshick 2015, section 2.3 (with beta 1)."""
    return huber(prediction, target, beta) / beta


def reduced(terms: ndarray, reduction: str, count: float | None = None) -> ndarray:
    """The terms themselves ("none"), their sum, or their sum over count (their number)."""
    if reduction == "none":
        return terms
    total = math.fsum(map(float, terms.ravel()))
    if reduction == "sum":
        return np.asarray(total)
    return np.asarray(total / (terms.size if count is None else count))


# Optimizers: new parameter of an old one and its gradient; state is a dict that starts empty


def sgd_step(
    p: ndarray,
    dp: ndarray,
    state: dict[str, Any],
    lr: float,
    momentum: float = 0.0,
    ewma: bool = False,
    nesterov: bool = False,
    dampening: float = 0.0,
    weight_decay: float = 0.0,
) -> ndarray:
    """p - lr v, with v = momentum v + dp from v = 0, or v = momentum v + (1 - momentum) dp (ewma).

    Source: Polyak 1964; nesterov, dp + momentum v in place of v: Sutskever, Martens, Dahl, Hinton
    2013. weight_decay adds weight_decay * p to dp first. dampening is torch's: dp counts
    (1 - dampening) times, except in the first step, where it counts fully.
    """
    dp = dp + weight_decay * p
    if momentum == 0:
        return p - lr * dp
    share = 1.0 - momentum if ewma else 1.0 - dampening if "v" in state else 1.0
    v = state["v"] = momentum * state.get("v", np.zeros_like(p)) + share * dp
    return p - lr * (share * dp + momentum * v if nesterov else v)


def rmsprop_step(
    p: ndarray,
    dp: ndarray,
    state: dict[str, Any],
    lr: float,
    alpha: float = 0.99,
    eps: float = 1e-8,
    momentum: float = 0.0,
    centered: bool = False,
    weight_decay: float = 0.0,
) -> ndarray:
    """p - lr dp / (sqrt(s) + eps), with s = alpha s + (1 - alpha) dp^2 from s = 0.

    Source: Tieleman and Hinton 2012, lecture 6e (there without eps); centered, s - mean(dp)^2
    under the root, and momentum over the quotient: Graves 2013, eq. 38 to 41.
    """
    dp = dp + weight_decay * p
    s = state["s"] = alpha * state.get("s", np.zeros_like(p)) + (1.0 - alpha) * dp**2
    if centered:
        mean = state["mean"] = alpha * state.get("mean", np.zeros_like(p)) + (1.0 - alpha) * dp
        s = s - mean**2
    v = state["v"] = momentum * state.get("v", np.zeros_like(p)) + dp / (np.sqrt(s) + eps)
    return p - lr * v


def adam_step(
    p: ndarray,
    dp: ndarray,
    state: dict[str, Any],
    lr: float = 1e-3,
    betas: Iterable[float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
) -> ndarray:
    """p - lr m_hat / (sqrt(v_hat) + eps). Kingma and Ba 2015, algorithm 1; L2 is added to dp."""
    beta1, beta2 = betas
    dp = dp + weight_decay * p
    t = state["t"] = state.get("t", 0) + 1
    m = state["m"] = beta1 * state.get("m", np.zeros_like(p)) + (1.0 - beta1) * dp
    v = state["v"] = beta2 * state.get("v", np.zeros_like(p)) + (1.0 - beta2) * dp**2
    return p - lr * (m / (1.0 - beta1**t)) / (np.sqrt(v / (1.0 - beta2**t)) + eps)


def adamw_step(
    p: ndarray,
    dp: ndarray,
    state: dict[str, Any],
    lr: float = 1e-3,
    betas: Iterable[float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
) -> ndarray:
    """Adam with p shrunk by lr weight_decay p first. Loshchilov and Hutter 2019, algorithm 2.

    As in torch lr multiplies the decay; the paper's has only the schedule's factor there.
    """
    return adam_step(p - lr * weight_decay * p, dp, state, lr, betas, eps)


STEPS: dict[str, Callable[..., ndarray]] = {
    "SGD": sgd_step,
    "RMSprop": rmsprop_step,
    "Adam": adam_step,
    "AdamW": adamw_step,
}


def clipped_by_norm(
    gradients: dict[str, ndarray], max_norm: float, norm_type: float = 2.0
) -> tuple[float, dict[str, ndarray]]:
    """The norm of all gradients together, and each times min(1, max_norm / (norm + 1e-6))."""
    sizes = [abs(float(value)) for array in gradients.values() for value in array.ravel()]
    if math.isinf(norm_type):
        total = max(sizes)
    else:
        total = math.fsum(size**norm_type for size in sizes) ** (1.0 / norm_type)
    factor = min(1.0, max_norm / (total + 1e-6))
    return total, {name: array * factor for name, array in gradients.items()}


# Numeric derivatives


def central_differences(f: Callable[[ndarray], float], x: ndarray, step: float = 1e-6) -> ndarray:
    """(f(x + step e) - f(x - step e)) / (2 step) for every unit direction e, in float64."""
    dx = np.empty(x.shape)
    for place in np.ndindex(*x.shape):
        values = []
        for signed in (step, -step):
            moved = np.array(x, dtype=np.float64)
            moved[place] += signed
            values.append(float(f(moved)))
        dx[place] = (values[0] - values[1]) / (2.0 * step)
    return dx
