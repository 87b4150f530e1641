"""Adam and AdamW in place, for NumPy: block by block, without a new array.

Each does what the definition in nn/optimizers/adam.py says, operation by operation in the same
order: the results are the same bits.
"""

from __future__ import annotations

import numpy as np

from .blocks import blocks


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
    for p_block, dp_block, m_block, v_block, scratch, decayed in blocks(2, p, dp, m, v):
        if weight_decay:
            np.multiply(p_block, weight_decay, out=decayed)
            dp_block = np.add(dp_block, decayed, out=decayed)
        _update(p_block, dp_block, m_block, v_block, scratch, t, lr, betas, eps)


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
    for p_block, dp_block, m_block, v_block, scratch in blocks(1, p, dp, m, v):
        np.multiply(p_block, 1.0 - lr * weight_decay, out=p_block)
        _update(p_block, dp_block, m_block, v_block, scratch, t, lr, betas, eps)


def _update(
    p: np.ndarray,
    dp: np.ndarray,
    m: np.ndarray,
    v: np.ndarray,
    scratch: np.ndarray,
    t: int,
    lr: float,
    betas: tuple[float, float],
    eps: float,
) -> None:
    """Twelve passes over one block."""
    beta1, beta2 = betas
    np.multiply(m, beta1, out=m)
    np.multiply(dp, 1.0 - beta1, out=scratch)
    np.add(m, scratch, out=m)
    np.multiply(v, beta2, out=v)
    np.multiply(dp, 1.0 - beta2, out=scratch)
    np.multiply(scratch, dp, out=scratch)
    np.add(v, scratch, out=v)
    root = (1.0 - beta2**t) ** 0.5
    np.sqrt(v, out=scratch)
    np.add(scratch, eps * root, out=scratch)
    np.divide(m, scratch, out=scratch)
    np.multiply(scratch, lr * root / (1.0 - beta1**t), out=scratch)
    np.subtract(p, scratch, out=p)
