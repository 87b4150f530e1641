"""RNN, GRU, LSTM: recurrent layers on top of each other, in one direction or both."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

from array_api_compat import device as device_of_array

from ...backend import Array, Device, array_namespace
from ...backend.errors import HyperparameterError, ShapeError
from ...backend.random import Generator
from ..dimensions import check_integer
from ..dropout import dropout
from ..initializers import uniform
from ..module import Module
from ..parameter import Parameter
from ..reduction import check_arrays
from .gru import gru
from .lstm import lstm
from .rnn import check_nonlinearity, rnn
from .steps import Lengths, States, valid_steps
from .weights import Weights, weight_shapes


class _Recurrent(Module):
    """What RNN, GRU and LSTM share. Parameters have torch's names: weight_ih_l0_reverse, ..."""

    n_gates = 1
    n_states = 1
    proj_size = 0

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        generator: Generator | None = None,
        device: str | Device | None = None,
        dtype: Any = None,
    ) -> None:
        kind = type(self).__name__
        sizes = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}
        for name, n in sizes.items():
            check_integer(kind, name, n)
        _check_dropout(kind, dropout, num_layers)
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, dropout
        self.bidirectional, self.generator = bidirectional, generator
        a = 1.0 / math.sqrt(hidden_size)
        made: dict[str, Any] = {"generator": generator, "device": device, "dtype": dtype}
        for name, shape in self._shapes():
            setattr(self, name, Parameter(uniform(shape, -a, a, **made)))

    def forward(self, x: Array, state: Any = None, lengths: Lengths = None) -> tuple[Array, Any]:
        """(outputs of the last layer at every step, the last state of every layer).

        x: floating (time, batch, input_size), or (batch, time, input_size) with batch_first, or
        (time, input_size) -> the same with hidden_size numbers (with proj_size so many), twice as
        many where bidirectional: forward, then reverse. state: the state before, (layers x
        directions, batch, hidden_size) whatever batch_first says, without batch for a single
        sequence; None is zeros. An LSTM's state is a pair (hidden, cell). lengths: integers
        (batch,), each in [1, time], as packed sequences in torch: outputs beyond a length are
        zero, the last state is the one at it. Raises ShapeError, DtypeError.
        """
        single = getattr(x, "ndim", 0) == 2
        x = self._time_first(x)
        states = self._states(x, state, single)
        y, *last = self._layers(self._clean(x, lengths), states, lengths)
        xp = array_namespace(y)
        if single:
            y, last = y[:, 0, :], [s[:, 0, :] for s in last]
        elif self.batch_first:
            y = xp.permute_dims(y, (1, 0, 2))
        return y, tuple(last) if self.n_states > 1 else last[0]

    def extra_repr(self) -> str:
        parts = [f"{self.input_size}, {self.hidden_size}"]
        parts += [f"proj_size={self.proj_size}"] if self.proj_size else []
        if self.num_layers > 1:
            parts.append(f"num_layers={self.num_layers}")
        if not self.bias:
            parts.append("bias=False")
        if self.dropout:
            parts.append(f"dropout={self.dropout}")
        switches = ("batch_first", "bidirectional")
        parts += [f"{name}=True" for name in switches if getattr(self, name)]
        return ", ".join(parts)

    def _run(
        self, x: Array, states: States, weights: Weights, lengths: Lengths, reverse: bool
    ) -> States:
        """(outputs, last states...) of one layer in one direction."""
        raise NotImplementedError

    def _layers(self, x: Array, states: list[States], lengths: Lengths) -> tuple[Array, ...]:
        """(outputs of the last layer, all last states, stacked for each kind of state)."""
        last: list[States] = []
        for layer in range(self.num_layers):
            if layer and self.dropout:
                x = dropout(x, self.dropout, training=self.training, generator=self.generator)
            outputs = []
            for suffix in self._suffixes(layer):
                y, *after = self._run(
                    x, states[len(last)], Weights.of(self, suffix), lengths, "reverse" in suffix
                )
                outputs.append(y)
                last.append(tuple(after))
            xp = array_namespace(*outputs)
            x = outputs[0] if len(outputs) == 1 else xp.concat(outputs, axis=-1)
        return x, *(xp.stack(kind) for kind in zip(*last, strict=True))

    def _suffixes(self, layer: int) -> list[str]:
        forward = f"_l{layer}"
        return [forward, f"{forward}_reverse"] if self.bidirectional else [forward]

    def _shapes(self) -> list[tuple[str, tuple[int, ...]]]:
        """(name, shape) of every parameter, in torch's order."""
        shapes: list[tuple[str, tuple[int, ...]]] = []
        n_in = self.input_size
        for layer in range(self.num_layers):
            made = weight_shapes(self.n_gates, n_in, self.hidden_size, self.bias, self.proj_size)
            for suffix in self._suffixes(layer):
                shapes += [(name + suffix, shape) for name, shape in made.items()]
            n_in = self._widths[0] * (1 + self.bidirectional)
        return shapes

    @property
    def _widths(self) -> tuple[int, ...]:
        """The numbers of each kind of state: hidden, and an LSTM's cell."""
        return (self.proj_size or self.hidden_size, self.hidden_size)[: self.n_states]

    def _time_first(self, x: Array) -> Array:
        """x as (time, batch, input_size)."""
        check_arrays(type(self).__name__, x=x)
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size:
            order = "(batch, time, " if self.batch_first else "(time, batch, "
            raise ShapeError(
                f"{type(self).__name__}: x must be {order}{self.input_size}) or "
                f"(time, {self.input_size}), input_size last, got shape {tuple(x.shape)}"
            )
        if x.ndim == 2:
            return x[:, None, :]
        return array_namespace(x).permute_dims(x, (1, 0, 2)) if self.batch_first else x

    def _states(self, x: Array, state: Any, single: bool) -> list[States]:
        """The states before, one tuple for each layer and direction; x: (time, batch, features)."""
        n_runs = self.num_layers * (1 + self.bidirectional)
        if state is None:
            xp = array_namespace(x)
            made = {"dtype": x.dtype, "device": device_of_array(x)}
            return [tuple(xp.zeros((x.shape[1], n), **made) for n in self._widths)] * n_runs
        kinds = (state,) if self.n_states == 1 else state
        self._check_states(kinds, (n_runs,) if single else (n_runs, x.shape[1]))
        kinds = [kind[:, None, :] if single else kind for kind in kinds]
        return list(zip(*(array_namespace(kind).unstack(kind) for kind in kinds), strict=True))

    def _check_states(self, kinds: Any, leading: tuple[int, ...]) -> None:
        """Raises ShapeError unless there are as many states, of these axes, as the layer has."""
        name = type(self).__name__
        if not isinstance(kinds, Sequence) or len(kinds) != self.n_states:
            raise ShapeError(
                f"{name}: state must be a pair (hidden, cell), got {type(kinds).__name__}"
            )
        check_arrays(name, **dict(zip(("hidden", "cell"), kinds, strict=False)))
        for kind, n in zip(kinds, self._widths, strict=True):
            if tuple(kind.shape) != (*leading, n):
                size = "hidden_size" if n == self.hidden_size else "proj_size"
                raise ShapeError(
                    f"{name}: state must have the shape (layers x directions"
                    f"{', batch' if len(leading) > 1 else ''}, {size}) = {(*leading, n)}, got "
                    f"{tuple(kind.shape)}; a state carried from another batch needs its size"
                )

    def _clean(self, x: Array, lengths: Lengths) -> Array:
        """x with zeros beyond the lengths, so that nothing there, NaN neither, has an effect."""
        valid = valid_steps(type(self).__name__, lengths, x)
        if valid is None:
            return x
        xp = array_namespace(x)
        return xp.where(valid, x, xp.zeros_like(x))


class RNN(_Recurrent):
    """Layers of rnn(): h' = tanh(x weight_ih^T + b_ih + h weight_hh^T + b_hh), or with relu.

    dropout: the probability with which outputs between layers are dropped in training. All weights
    start as U(-a, a) with a = 1 / sqrt(hidden_size), torch's default. Raises HyperparameterError.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        nonlinearity: str = "tanh",
        **options: Any,
    ) -> None:
        check_nonlinearity("RNN", nonlinearity)
        self.nonlinearity = nonlinearity
        super().__init__(input_size, hidden_size, num_layers, **options)

    def _run(
        self, x: Array, states: States, weights: Weights, lengths: Lengths, reverse: bool
    ) -> States:
        kind = self.nonlinearity
        return rnn(x, *states, *weights[:4], lengths, nonlinearity=kind, reverse=reverse)


class GRU(_Recurrent):
    """Layers of gru(). dropout and first weights as RNN's."""

    n_gates = 3

    def _run(
        self, x: Array, states: States, weights: Weights, lengths: Lengths, reverse: bool
    ) -> States:
        return gru(x, *states, *weights[:4], lengths, reverse=reverse)


class LSTM(_Recurrent):
    """Layers of lstm(); the state is a pair (hidden, cell). dropout and first weights as RNN's.

    proj_size: outputs and hidden states have so many numbers, fewer than hidden_size: each is
    projected by weight_hr (proj_size, hidden_size). 0: as they are.
    """

    n_gates = 4
    n_states = 2

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        proj_size: int = 0,
        **options: Any,
    ) -> None:
        check_integer("LSTM", "proj_size", proj_size, least=0)
        if proj_size and proj_size >= hidden_size:
            raise HyperparameterError(
                f"LSTM: proj_size must be smaller than hidden_size ({hidden_size}), got {proj_size}"
            )
        self.proj_size = proj_size
        super().__init__(input_size, hidden_size, num_layers, **options)

    def _run(
        self, x: Array, states: States, weights: Weights, lengths: Lengths, reverse: bool
    ) -> States:
        return lstm(x, *states, *weights[:4], lengths, weights.weight_hr, reverse=reverse)


def _check_dropout(kind: str, p: float, num_layers: int) -> None:
    if not 0.0 <= p <= 1.0:
        raise HyperparameterError(
            f"{kind}: dropout, the probability to drop an element, must be in [0, 1], got {p!r}"
        )
    if p and num_layers == 1:
        warnings.warn(
            f"{kind}: dropout={p} acts between layers, and there is only one", stacklevel=3
        )
