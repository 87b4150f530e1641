"""Gradient descent with momentum in place, for NumPy: compiled in one pass, else block by block.

It does what the definition in nn/optimizers/sgd.py says, operation by operation in the same order:
the results are the same bits.
"""

from __future__ import annotations

import numpy as np

from .blocks import in_blocks
from .compiled import loops_for
from .threads import in_slices

PART = 2**19  # numbers: what one thread updates at a time


def sgd_numpy(
    p: np.ndarray,
    dp: np.ndarray,
    *moments: np.ndarray,
    t: int,
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    ewma: bool,
) -> None:
    """Overwrite p (1-D), and the velocity if one is given, with their values after update t."""
    share = gradient_share(t, momentum, dampening, ewma)
    if _compiled(p, dp, moments, lr, momentum, share, weight_decay, nesterov):
        return

    def update(p: np.ndarray, dp: np.ndarray, *rest: np.ndarray) -> None:
        *velocity, step, scratch = rest
        direction = dp
        if weight_decay:
            np.multiply(p, weight_decay, out=scratch)
            direction = np.add(dp, scratch, out=scratch)
        for v in velocity:
            direction = _advance(v, direction, momentum, share, nesterov, scratch, step)
        np.multiply(direction, lr, out=step)
        np.subtract(p, step, out=p)

    in_blocks(update, 2, p, dp, *moments)


def gradient_share(t: int, momentum: float, dampening: float, ewma: bool) -> float:
    """How much of the gradient goes into the velocity at update t."""
    if ewma:
        return 1.0 - momentum
    return 1.0 if t == 1 else 1.0 - dampening


def _compiled(
    p: np.ndarray, dp: np.ndarray, moments: tuple[np.ndarray, ...], *settings: float
) -> bool:
    """Whether compiled loops are there and have made the update."""
    loops = loops_for(p, dp, *moments)
    if loops is None:
        return False
    velocity = moments[0] if moments else np.empty(0, p.dtype)
    in_slices(loops.sgd, PART, (p, dp, velocity), *settings)
    return True


def _advance(
    v: np.ndarray,
    dp: np.ndarray,
    momentum: float,
    share: float,
    nesterov: bool,
    scratch: np.ndarray,
    step: np.ndarray,
) -> np.ndarray:
    """Overwrite v with momentum v + share dp; the direction of the step, in v or in step."""
    if share != 1.0:
        dp = np.multiply(dp, share, out=scratch)
    np.multiply(v, momentum, out=v)
    np.add(v, dp, out=v)
    if not nesterov:
        return v
    np.multiply(v, momentum, out=step)
    return np.add(dp, step, out=step)
