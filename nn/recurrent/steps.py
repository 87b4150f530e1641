"""What all recurrent functions share: steps in order, and sequences that end early."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from array_api_compat import device

from ...backend import Array, array_namespace, is_array, is_integer
from ...backend.errors import DtypeError, ShapeError
from ..autograd.ops.linear_algebra import matmul  # CuPy's own cannot be captured
from ..autograd.tensor import innermost
from ..dimensions import is_integer_from
from ..reduction import check_arrays

States = tuple[Array, ...]
Lengths = Array | Sequence[int] | None


def scan(
    step: Callable[[Array, States], States],
    inputs: Array,
    states: States,
    valid: Array | None,
    reverse: bool,
) -> States:
    """(first states after every step, stacked; the last states...).

    step(inputs[t], states) -> states. Where valid[t] is false a state stays as it was, and the
    output is zero. reverse: from the last step to the first; outputs stand in the order of time.
    """
    xp = array_namespace(inputs)
    n_steps = inputs.shape[0]
    parts = xp.unstack(inputs)
    masks = None if valid is None else xp.unstack(valid)
    outputs: list[Any] = [None] * n_steps
    for t in range(n_steps - 1, -1, -1) if reverse else range(n_steps):
        new = step(parts[t], states)
        if masks is None:
            outputs[t] = new[0]
        else:
            outputs[t] = xp.where(masks[t], new[0], xp.zeros_like(new[0]))
            new = tuple(
                xp.where(masks[t], after, before) for after, before in zip(new, states, strict=True)
            )
        states = new
    return (xp.stack(outputs), *states)


def step_sums(x: Array, weight: Array, bias: Array | None) -> Array:
    """x weight^T + bias."""
    xp = array_namespace(x, weight)
    y = matmul(x, xp.matrix_transpose(weight))
    return y if bias is None else y + bias


def both(bias_ih: Array | None, bias_hh: Array | None) -> Array | None:
    """The sum of the biases that there are."""
    if bias_ih is None or bias_hh is None:
        return bias_hh if bias_ih is None else bias_ih
    return bias_ih + bias_hh


def valid_steps(operation: str, lengths: Lengths, x: Array) -> Array | None:
    """Whether step t of sequence b is within its length: boolean (time, batch, 1); None for None.

    lengths: integers (batch,), each in [1, time]; x: (time, batch, features).
    Raises ShapeError, DtypeError.
    """
    if lengths is None:
        return None
    xp = array_namespace(innermost(x))
    lengths = innermost(lengths)
    if not is_array(lengths):
        if not all(is_integer_from(n, n) for n in lengths):
            raise DtypeError(f"{operation}: lengths must be integers, got {list(lengths)}")
        lengths = xp.asarray(list(lengths), dtype=xp.int64, device=device(innermost(x)))
    check_arrays(operation, x=x, lengths=lengths)
    _check_lengths(operation, lengths, *x.shape[:2])
    steps = xp.arange(x.shape[0], dtype=xp.int64, device=device(lengths))
    valid = steps[:, None] < xp.astype(lengths, xp.int64)[None, :]
    return valid[..., None]


def _check_lengths(operation: str, lengths: Array, n_steps: int, n_batch: int) -> None:
    xp = array_namespace(lengths)
    if not is_integer(lengths):
        raise DtypeError(f"{operation}: lengths must be integers, got {lengths.dtype}")
    if tuple(lengths.shape) != (n_batch,):
        raise ShapeError(
            f"{operation}: lengths must have the shape (batch,) = ({n_batch},), one for each "
            f"sequence of x, got {tuple(lengths.shape)}"
        )
    if n_batch and not 1 <= int(xp.min(lengths)) <= int(xp.max(lengths)) <= n_steps:
        wrong = [int(n) for n in lengths if not 1 <= int(n) <= n_steps]
        raise ShapeError(
            f"{operation}: lengths must be from 1 to {n_steps}, the steps of x, got {wrong[0]}; "
            "leave empty sequences out, or pad x to the longest"
        )
