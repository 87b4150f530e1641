"""RNNCell, GRUCell, LSTMCell: one step of a recurrent layer, with learned weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from array_api_compat import device as device_of_array

from ...backend import Array, Device, array_namespace
from ...backend.errors import ShapeError
from ...backend.random import Generator
from ..dimensions import check_integer
from ..initializers import uniform
from ..module import Module
from ..parameter import Parameter
from ..reduction import check_arrays
from .gru import gru_cell
from .lstm import lstm_cell
from .rnn import check_nonlinearity, rnn_cell
from .weights import Weights, weight_shapes


class _Cell(Module):
    """Weights of one layer: weight_ih (gates n, in), weight_hh (gates n, n), two biases or None."""

    n_gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        generator: Generator | None = None,
        device: str | Device | None = None,
        dtype: Any = None,
    ) -> None:
        kind = type(self).__name__
        check_integer(kind, "input_size", input_size)
        check_integer(kind, "hidden_size", hidden_size)
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        a = 1.0 / math.sqrt(hidden_size)
        made: dict[str, Any] = {"generator": generator, "device": device, "dtype": dtype}
        shapes = weight_shapes(self.n_gates, input_size, hidden_size, bias)
        for name in Weights._fields[:4]:
            weight = Parameter(uniform(shapes[name], -a, a, **made)) if name in shapes else None
            setattr(self, name, weight)

    def extra_repr(self) -> str:
        bias = "" if self.bias else ", bias=False"
        return f"{self.input_size}, {self.hidden_size}{bias}"

    def _weights(self) -> tuple[Any, ...]:
        return Weights.of(self)[:4]

    def _zeros(self, x: Array) -> Array:
        """The state at the beginning."""
        check_arrays(type(self).__name__, x=x)
        if x.ndim not in (1, 2):
            raise ShapeError(
                f"{type(self).__name__}: x must be (batch, features) or (features,), got shape "
                f"{tuple(x.shape)}"
            )
        shape = (*x.shape[:-1], self.hidden_size)
        return array_namespace(x).zeros(shape, dtype=x.dtype, device=device_of_array(x))


class RNNCell(_Cell):
    """rnn_cell() with learned weights: hidden' = cell(x, hidden), zeros where hidden is None.

    All weights start as U(-a, a) with a = 1 / sqrt(hidden_size). Raises HyperparameterError.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        *,
        generator: Generator | None = None,
        device: str | Device | None = None,
        dtype: Any = None,
    ) -> None:
        check_nonlinearity("RNNCell", nonlinearity)
        self.nonlinearity = nonlinearity
        super().__init__(
            input_size, hidden_size, bias, generator=generator, device=device, dtype=dtype
        )

    def forward(self, x: Array, hidden: Array | None = None) -> Array:
        hidden = self._zeros(x) if hidden is None else hidden
        return rnn_cell(x, hidden, *self._weights(), nonlinearity=self.nonlinearity)


class GRUCell(_Cell):
    """gru_cell() with learned weights: hidden' = cell(x, hidden), zeros where hidden is None.

    All weights start as U(-a, a) with a = 1 / sqrt(hidden_size). Raises HyperparameterError.
    """

    n_gates = 3

    def forward(self, x: Array, hidden: Array | None = None) -> Array:
        return gru_cell(x, self._zeros(x) if hidden is None else hidden, *self._weights())


class LSTMCell(_Cell):
    """lstm_cell() with learned weights: (hidden', cell') = lstm(x, (hidden, cell)); None is zeros.

    All weights start as U(-a, a) with a = 1 / sqrt(hidden_size). Raises HyperparameterError.
    """

    n_gates = 4

    def forward(self, x: Array, states: tuple[Array, Array] | None = None) -> tuple[Array, Array]:
        if states is None:
            states = (self._zeros(x), self._zeros(x))
        if not isinstance(states, Sequence) or len(states) != 2:
            raise ShapeError(
                f"LSTMCell: states must be a pair (hidden, cell), got {type(states).__name__}"
            )
        hidden, cell = states
        return lstm_cell(x, hidden, cell, *self._weights())
