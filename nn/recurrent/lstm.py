"""The long short-term memory layer; gates in torch's order: input, forget, cell, output."""

from __future__ import annotations

from typing import Any

from ...backend import Array, array_namespace
from ...kernels.recurrent import LSTM_NUMPY
from ..activation import sigmoid
from ..autograd import differentiable
from ..linear import linear
from .steps import Lengths, both, scan, step_sums, valid_steps
from .weights import check_cell, check_sequence


@differentiable
def lstm_cell(
    x: Array,
    hidden: Array,
    cell: Array,
    weight_ih: Array,
    weight_hh: Array,
    bias_ih: Array | None = None,
    bias_hh: Array | None = None,
) -> tuple[Array, Array]:
    """(hidden, cell) after one step: cell' = f cell + i g and hidden' = o tanh(cell').

    i, f, g, o = sigmoid, sigmoid, tanh, sigmoid of the four parts of
    x weight_ih^T + b_ih + hidden weight_hh^T + b_hh.
    x: floating (batch, in) or (in,); states: (batch, n) or (n,); weight_ih: (4 n, in); weight_hh:
    (4 n, n); biases: (4 n,) or None. Raises ShapeError, DtypeError.
    Source: Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000.
    """
    z = step_sums(x, weight_ih, bias_ih) + step_sums(hidden, weight_hh, bias_hh)
    return _next_states(z, cell)


@lstm_cell.requires
def _(x: Array, hidden: Array, cell: Array, *weights: Array | None) -> None:
    check_cell("lstm_cell", 4, x, {"hidden": hidden, "cell": cell}, weights)


@differentiable
def lstm(
    x: Array,
    hidden: Array,
    cell: Array,
    weight_ih: Array,
    weight_hh: Array,
    bias_ih: Array | None = None,
    bias_hh: Array | None = None,
    lengths: Lengths = None,
    weight_hr: Array | None = None,
    *,
    reverse: bool = False,
) -> tuple[Array, Array, Array]:
    """(hidden states after every step, last hidden, last cell): lstm_cell from step to step.

    x: floating (time, batch, in); states: those before (batch, n); weights as lstm_cell's ->
    (time, batch, n), (batch, n), (batch, n). lengths: integers (batch,), each in [1, time]: the
    steps of each sequence; beyond them outputs are zero, and the last states are those at the
    length. weight_hr: (m, n): hidden' = o tanh(cell') weight_hr^T, so that hidden states have m
    numbers and weight_hh is (4 n, m). reverse: from the last step to the first.
    Raises ShapeError, DtypeError. Source of weight_hr: Sak et al. 2014, arXiv:1402.1128, figure 2.
    """
    valid = valid_steps("lstm", lengths, x)
    inputs = linear(x, weight_ih, both(bias_ih, bias_hh))
    return lstm_scan(inputs, hidden, cell, weight_hh, weight_hr, valid, reverse=reverse)


@lstm.requires
def _(x: Array, hidden: Array, cell: Array, *weights: Any, reverse: bool = False) -> None:
    check_sequence("lstm", 4, x, {"hidden": hidden, "cell": cell}, weights)


@differentiable
def lstm_scan(
    inputs: Array,
    hidden: Array,
    cell: Array,
    weight: Array,
    projection: Array | None = None,
    valid: Array | None = None,
    *,
    reverse: bool = False,
) -> tuple[Array, ...]:
    """(outputs, last hidden, last cell), with inputs[t] + hidden weight^T before the gates."""

    def step(x: Array, states: tuple[Array, ...]) -> tuple[Array, ...]:
        hidden, cell = _next_states(x + step_sums(states[0], weight, None), states[1])
        return hidden if projection is None else step_sums(hidden, projection, None), cell

    return scan(step, inputs, (hidden, cell), valid, reverse)


lstm_scan.fused_by(numpy=LSTM_NUMPY)


def _next_states(z: Array, cell: Array) -> tuple[Array, Array]:
    """(hidden, cell) of the sums before the gates, (..., 4 n)."""
    xp = array_namespace(z)
    n = cell.shape[-1]
    i, f, g, o = xp.unstack(xp.reshape(z, (*z.shape[:-1], 4, n)), axis=-2)
    cell = sigmoid(f) * cell + sigmoid(i) * xp.tanh(g)
    return sigmoid(o) * xp.tanh(cell), cell
