"""The gated recurrent unit; gates in torch's order: reset, update, new."""

from __future__ import annotations

from typing import Any

from ...backend import Array, array_namespace
from ...kernels.recurrent import GRU_NUMPY
from ..activation import sigmoid
from ..autograd import differentiable
from ..linear import linear
from .steps import Lengths, scan, step_sums, valid_steps
from .weights import check_cell, check_sequence


@differentiable
def gru_cell(
    x: Array,
    hidden: Array,
    weight_ih: Array,
    weight_hh: Array,
    bias_ih: Array | None = None,
    bias_hh: Array | None = None,
) -> Array:
    """The next hidden state, (1 - z) n + z hidden.

    r, z = sigmoid(x W^T + b + hidden U^T + c) and n = tanh(x W_n^T + b_n + r (hidden U_n^T + c_n)),
    with W, b, U, c the parts of weight_ih, bias_ih, weight_hh, bias_hh.
    x: floating (batch, in) or (in,); hidden: (batch, n) or (n,); weight_ih: (3 n, in); weight_hh:
    (3 n, n); biases: (3 n,) or None. Raises ShapeError, DtypeError.
    Source: Cho et al. 2014, section 2.3, whose r multiplies hidden before the product, and whose z
    is 1 - z here, as in torch and cuDNN.
    """
    sums = step_sums(hidden, weight_hh, bias_hh)
    return _next_state(step_sums(x, weight_ih, bias_ih), sums, hidden)


@gru_cell.requires
def _(x: Array, hidden: Array, *weights: Array | None) -> None:
    check_cell("gru_cell", 3, x, {"hidden": hidden}, weights)


@differentiable
def gru(
    x: Array,
    hidden: Array,
    weight_ih: Array,
    weight_hh: Array,
    bias_ih: Array | None = None,
    bias_hh: Array | None = None,
    lengths: Lengths = None,
    *,
    reverse: bool = False,
) -> tuple[Array, Array]:
    """(hidden states after every step, the last): gru_cell from step to step.

    x: floating (time, batch, in); hidden: the state before (batch, n); weights as gru_cell's ->
    (time, batch, n) and (batch, n). lengths: integers (batch,), each in [1, time]: the steps of
    each sequence; beyond them outputs are zero, and the last state is the one at the length.
    reverse: from the last step to the first. Raises ShapeError, DtypeError.
    """
    valid = valid_steps("gru", lengths, x)
    inputs = linear(x, weight_ih, bias_ih)
    return gru_scan(inputs, hidden, weight_hh, bias_hh, valid, reverse=reverse)


@gru.requires
def _(x: Array, hidden: Array, *weights: Any, reverse: bool = False) -> None:
    check_sequence("gru", 3, x, {"hidden": hidden}, weights)


@differentiable
def gru_scan(
    inputs: Array,
    hidden: Array,
    weight: Array,
    bias: Array | None = None,
    valid: Array | None = None,
    *,
    reverse: bool = False,
) -> tuple[Array, ...]:
    """(outputs, last hidden), with inputs[t] = x[t] weight_ih^T + bias_ih."""

    def step(x: Array, states: tuple[Array, ...]) -> tuple[Array, ...]:
        return (_next_state(x, step_sums(states[0], weight, bias), states[0]),)

    return scan(step, inputs, (hidden,), valid, reverse)


gru_scan.fused_by(numpy=GRU_NUMPY)


def _next_state(x: Array, h: Array, hidden: Array) -> Array:
    """The state after, of the sums from the input and from the state, both (..., 3 n)."""
    xp = array_namespace(x)
    n = hidden.shape[-1]
    x_r, x_z, x_n = xp.unstack(xp.reshape(x, (*x.shape[:-1], 3, n)), axis=-2)
    h_r, h_z, h_n = xp.unstack(xp.reshape(h, (*h.shape[:-1], 3, n)), axis=-2)
    new = xp.tanh(x_n + sigmoid(x_r + h_r) * h_n)
    return new + sigmoid(x_z + h_z) * (hidden - new)
