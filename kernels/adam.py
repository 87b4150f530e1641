"""Adam and AdamW in place, for NumPy: compiled in one pass, else block by block.

Each does what the definition in nn/optimizers/adam.py says, operation by operation in the same
order: the results are the same bits.
"""

from __future__ import annotations

import numpy as np

from .blocks import constants, in_blocks
from .compiled import loops_for
from .threads import in_slices

PART = 2**18  # numbers: what one thread updates at a time


def adam_numpy(
    p: np.ndarray,
    dp: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    *,
    t: int,
    lr: float,
    betas: tuple[float, float],
    eps: float,
    weight_decay: float,
) -> None:
    """Overwrite p, m and v (1-D) with their values after the t-th update of Adam; dp is read."""
    numbers = update_numbers(t, lr, betas, eps)
    if _compiled(p, dp, m, v, *numbers, weight_decay, False):
        return
    factors = constants(p.dtype, *numbers)

    def update(
        p: np.ndarray,
        dp: np.ndarray,
        m: np.ndarray,
        v: np.ndarray,
        scratch: np.ndarray,
        decayed: np.ndarray,
    ) -> None:
        if weight_decay:
            np.multiply(p, weight_decay, out=decayed)
            dp = np.add(dp, decayed, out=decayed)
        _update(p, dp, m, v, scratch, factors)

    in_blocks(update, 2, p, dp, m, v)


def adamw_numpy(
    p: np.ndarray,
    dp: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    *,
    t: int,
    lr: float,
    betas: tuple[float, float],
    eps: float,
    weight_decay: float,
) -> None:
    """Overwrite p, m and v (1-D) with their values after the t-th update of AdamW; dp is read."""
    numbers = update_numbers(t, lr, betas, eps)
    if _compiled(p, dp, m, v, *numbers, 1.0 - lr * weight_decay, True):
        return
    factors = constants(p.dtype, *numbers)

    def update(
        p: np.ndarray, dp: np.ndarray, m: np.ndarray, v: np.ndarray, scratch: np.ndarray
    ) -> None:
        np.multiply(p, 1.0 - lr * weight_decay, out=p)
        _update(p, dp, m, v, scratch, factors)

    in_blocks(update, 1, p, dp, m, v)


def update_numbers(
    t: int, lr: float, betas: tuple[float, float], eps: float
) -> tuple[float, ...]:
    """beta1, 1 - beta1, beta2, 1 - beta2, and eps and lr with the bias corrections of update t."""
    beta1, beta2 = betas
    root = (1.0 - beta2**t) ** 0.5
    return beta1, 1.0 - beta1, beta2, 1.0 - beta2, eps * root, lr * root / (1.0 - beta1**t)


def _compiled(
    p: np.ndarray, dp: np.ndarray, m: np.ndarray, v: np.ndarray, *numbers: float
) -> bool:
    """Whether compiled loops are there and have made the update."""
    loops = loops_for(p, dp, m, v)
    if loops is None:
        return False
    in_slices(loops.adam, PART, (p, dp, m, v), *numbers)
    return True


def _update(
    p: np.ndarray,
    dp: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    scratch: np.ndarray,
    factors: list[np.ndarray],
) -> None:
    """Twelve passes over one block."""
    beta1, rest1, beta2, rest2, eps, step = factors
    np.multiply(m, beta1, out=m)
    np.multiply(dp, rest1, out=scratch)
    np.add(m, scratch, out=m)
    np.multiply(v, beta2, out=v)
    np.multiply(dp, rest2, out=scratch)
    np.multiply(scratch, dp, out=scratch)
    np.add(v, scratch, out=v)
    np.sqrt(v, out=scratch)
    np.add(scratch, eps, out=scratch)
    np.divide(m, scratch, out=scratch)
    np.multiply(scratch, step, out=scratch)
    np.subtract(p, scratch, out=p)
