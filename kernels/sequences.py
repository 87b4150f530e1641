"""Recurrent layers in compiled loops: some sequences of the batch through all steps at a time.

States, gates and their orders are those of recurrent.py: either may go on with what the other has
saved. The products with the weights are the loops' own; BLAS would start threads beside ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .threads import in_parts, own_scratch

PANEL = 16  # as in panels.h
ROWS = 8  # sequences that one thread takes through all steps: enough for fast products


def packed(loops: Any, matrix: np.ndarray, *, transposed: bool = False) -> np.ndarray:
    """A matrix, or its transpose, in the panels that loops multiply with: see panels.h."""
    inner, width = matrix.shape[::-1] if transposed else matrix.shape
    panels = np.empty(-(-width // PANEL) * PANEL * inner, matrix.dtype)
    loops.pack(panels, matrix, inner, width, transposed)
    return panels


def lstm_steps(
    loops: Any,
    hiddens: np.ndarray,
    cells: np.ndarray,
    gates: np.ndarray,
    tanh_c: np.ndarray,
    inputs: np.ndarray,
    weight: np.ndarray,
    valid: np.ndarray | None,
    reverse: bool,
) -> None:
    """Fill states, gates and tanh(c') from the first slot of the states on."""
    panels = packed(loops, weight, transposed=True)
    valid = _numbers(valid, inputs.dtype)

    def work(first: int, last: int, *sizes: int) -> None:
        z = own_scratch("lstm", (last - first) * len(weight), inputs.dtype)
        arrays = hiddens, cells, gates, tanh_c, z, inputs, panels, valid
        loops.lstm_forward(*arrays, *sizes, first, last, reverse)

    _in_rows(work, tanh_c.shape)


def lstm_steps_back(
    loops: Any,
    dh: np.ndarray,
    dc: np.ndarray,
    douts: np.ndarray,
    weight: np.ndarray,
    saved: tuple[np.ndarray, np.ndarray, np.ndarray],
    valid: np.ndarray | None,
    reverse: bool,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(dz of all steps, dh and dc before the first); saved: gates, cells, tanh(c')."""
    dz = np.empty((*douts.shape[:2], len(weight)), weight.dtype)
    dh, dc = np.array(dh, order="C"), np.array(dc, order="C")
    douts = np.ascontiguousarray(douts)
    panels, valid = packed(loops, weight), _numbers(valid, weight.dtype)

    def work(first: int, last: int, *sizes: int) -> None:
        loops.lstm_backward(dz, dh, dc, douts, *saved, panels, valid, *sizes, first, last, reverse)

    _in_rows(work, douts.shape)
    return dz, dh, dc


def _in_rows(work: Callable[..., None], shape: tuple[int, ...]) -> None:
    """work(first, last, time, batch, n) for all sequences of the batch."""
    in_parts(lambda first, last: work(first, last, *shape), shape[1], ROWS)


def _numbers(valid: np.ndarray | None, dtype: np.dtype) -> np.ndarray:
    """1 and 0 for true and false; none for None."""
    return np.empty(0, dtype) if valid is None else valid.astype(dtype, order="C")
