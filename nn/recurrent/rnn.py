"""The plain recurrent layer: h' = activation(x weight_ih^T + b_ih + h weight_hh^T + b_hh)."""

from __future__ import annotations

from typing import Any

from ...backend import Array
from ...backend.errors import HyperparameterError
from ...kernels.recurrent import RNN_NUMPY
from ..activation import activation_named
from ..autograd import differentiable
from ..linear import linear
from .steps import Lengths, both, scan, step_sums, valid_steps
from .weights import check_cell, check_sequence

NONLINEARITIES = ("tanh", "relu")


@differentiable
def rnn_cell(
    x: Array,
    hidden: Array,
    weight_ih: Array,
    weight_hh: Array,
    bias_ih: Array | None = None,
    bias_hh: Array | None = None,
    *,
    nonlinearity: str = "tanh",
) -> Array:
    """The next hidden state, activation(x weight_ih^T + b_ih + hidden weight_hh^T + b_hh).

    x: floating (batch, in) or (in,); hidden: (batch, n) or (n,); weight_ih: (n, in); weight_hh:
    (n, n); biases: (n,) or None. nonlinearity: "tanh" or "relu".
    Raises ShapeError, DtypeError, HyperparameterError. Source: Elman 1990.
    """
    z = step_sums(x, weight_ih, bias_ih) + step_sums(hidden, weight_hh, bias_hh)
    return activation_named(nonlinearity)(z)


@rnn_cell.requires
def _(x: Array, hidden: Array, *weights: Array | None, nonlinearity: str = "tanh") -> None:
    check_nonlinearity("rnn_cell", nonlinearity)
    check_cell("rnn_cell", 1, x, {"hidden": hidden}, weights)


@differentiable
def rnn(
    x: Array,
    hidden: Array,
    weight_ih: Array,
    weight_hh: Array,
    bias_ih: Array | None = None,
    bias_hh: Array | None = None,
    lengths: Lengths = None,
    *,
    nonlinearity: str = "tanh",
    reverse: bool = False,
) -> tuple[Array, Array]:
    """(hidden states after every step, the last): rnn_cell from step to step.

    x: floating (time, batch, in); hidden: the state before (batch, n); weights as rnn_cell's ->
    (time, batch, n) and (batch, n). lengths: integers (batch,), each in [1, time]: the steps of
    each sequence; beyond them outputs are zero, and the last state is the one at the length.
    reverse: from the last step to the first. Raises ShapeError, DtypeError, HyperparameterError.
    """
    valid = valid_steps("rnn", lengths, x)
    inputs = linear(x, weight_ih, both(bias_ih, bias_hh))
    return rnn_scan(inputs, hidden, weight_hh, valid, nonlinearity=nonlinearity, reverse=reverse)


@rnn.requires
def _(
    x: Array, hidden: Array, *weights: Any, nonlinearity: str = "tanh", reverse: bool = False
) -> None:
    check_nonlinearity("rnn", nonlinearity)
    check_sequence("rnn", 1, x, {"hidden": hidden}, weights)


@differentiable
def rnn_scan(
    inputs: Array,
    hidden: Array,
    weight: Array,
    valid: Array | None = None,
    *,
    nonlinearity: str = "tanh",
    reverse: bool = False,
) -> tuple[Array, ...]:
    """(outputs, last hidden) of h' = activation(inputs[t] + h weight^T)."""
    activation = activation_named(nonlinearity)

    def step(x: Array, states: tuple[Array, ...]) -> tuple[Array, ...]:
        return (activation(x + step_sums(states[0], weight, None)),)

    return scan(step, inputs, (hidden,), valid, reverse)


rnn_scan.fused_by(numpy=RNN_NUMPY)


def check_nonlinearity(operation: str, nonlinearity: str) -> None:
    """Raises HyperparameterError for another word than tanh and relu."""
    if nonlinearity not in NONLINEARITIES:
        raise HyperparameterError(
            f'{operation}: nonlinearity must be "tanh" or "relu", got {nonlinearity!r}'
        )
