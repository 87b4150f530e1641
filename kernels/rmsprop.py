"""RMSprop in place, for NumPy: compiled in one pass, else block by block.

It does what the definition in nn/optimizers/rmsprop.py says, operation by operation in the same
order: the results are the same bits.
"""

from __future__ import annotations

import numpy as np

from .blocks import in_blocks
from .compiled import loops_for
from .threads import in_slices

PART = 2**18  # numbers: what one thread updates at a time


def rmsprop_numpy(
    p: np.ndarray,
    dp: np.ndarray,
    *moments: np.ndarray,
    t: int,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    centered: bool,
) -> None:
    """Overwrite p and the moments (1-D: mean square, mean if centered, velocity if momentum)."""
    none = np.empty(0, p.dtype)
    mean, velocity = moments[1] if centered else none, moments[-1] if momentum else none
    settings = lr, alpha, 1.0 - alpha, eps, weight_decay, momentum
    if _compiled(p, dp, moments[0], mean, velocity, *settings):
        return

    def update(p: np.ndarray, dp: np.ndarray, *rest: np.ndarray) -> None:
        *running, decayed, scratch = rest
        gradient = dp
        if weight_decay:
            np.multiply(p, weight_decay, out=decayed)
            gradient = np.add(dp, decayed, out=decayed)
        step = _quotient(gradient, running, alpha, eps, centered, scratch)
        if momentum:
            velocity = running[-1]
            np.multiply(velocity, momentum, out=velocity)
            step = np.add(velocity, step, out=velocity)
        np.multiply(step, lr, out=scratch)
        np.subtract(p, scratch, out=p)

    in_blocks(update, 2, p, dp, *moments)


def _compiled(
    p: np.ndarray,
    dp: np.ndarray,
    square: np.ndarray,
    mean: np.ndarray,
    velocity: np.ndarray,
    *settings: float,
) -> bool:
    """Whether compiled loops are there and have made the update; an array not used is empty."""
    arrays = p, dp, square, mean, velocity
    loops = loops_for(*arrays)
    if loops is None:
        return False
    in_slices(loops.rmsprop, PART, arrays, *settings)
    return True


def _quotient(
    dp: np.ndarray,
    moments: list[np.ndarray],
    alpha: float,
    eps: float,
    centered: bool,
    scratch: np.ndarray,
) -> np.ndarray:
    """dp / (root mean square + eps) in scratch, after the running means have been advanced."""
    square = moments[0]
    np.multiply(square, alpha, out=square)
    np.multiply(dp, 1.0 - alpha, out=scratch)
    np.multiply(scratch, dp, out=scratch)
    np.add(square, scratch, out=square)
    variance = _variance(dp, square, moments[1], alpha, scratch) if centered else square
    np.sqrt(variance, out=scratch)
    np.add(scratch, eps, out=scratch)
    return np.divide(dp, scratch, out=scratch)


def _variance(
    dp: np.ndarray, square: np.ndarray, mean: np.ndarray, alpha: float, scratch: np.ndarray
) -> np.ndarray:
    """square - mean^2, not below 0, in scratch, after the mean has been advanced."""
    np.multiply(mean, alpha, out=mean)
    np.multiply(dp, 1.0 - alpha, out=scratch)
    np.add(mean, scratch, out=mean)
    np.multiply(mean, mean, out=scratch)
    np.subtract(square, scratch, out=scratch)
    return np.maximum(scratch, 0.0, out=scratch)
