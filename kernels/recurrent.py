"""Recurrent layers on NumPy: all steps in one call, gates activated all at once.

Arrays are (time, batch, features). States lie in one array of time + 1 slots: step t reads the one
before it and writes the one after it, in time (slots t and t + 1) or, reversed, t + 1 and t. So the
inputs of all steps stand together, and dweight is one product. Names of gates are torch's.
sigmoid(z) = tanh(z / 2) / 2 + 1/2: NumPy's tanh costs less than exp and a division, and one call
activates all gates of a step. Compiled loops take an LSTM without projection: see sequences.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .compiled import loops_for
from .fused import Fused
from .sequences import lstm_steps, lstm_steps_back

DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


class _States:
    """What a state is before and after every step."""

    def __init__(self, first: np.ndarray, n_steps: int, reverse: bool) -> None:
        self.all = np.empty((n_steps + 1, *first.shape), first.dtype)
        self.reverse = int(reverse)
        self.all[n_steps if reverse else 0] = first

    def before(self, t: int) -> np.ndarray:
        return self.all[t + self.reverse]

    def after(self, t: int) -> np.ndarray:
        return self.all[t + 1 - self.reverse]

    @property
    def befores(self) -> np.ndarray:
        """The states before all steps, in the order of time."""
        return self.all[1:] if self.reverse else self.all[:-1]

    @property
    def afters(self) -> np.ndarray:
        return self.all[:-1] if self.reverse else self.all[1:]

    def last(self) -> np.ndarray:
        return self.all[0 if self.reverse else -1].copy()


def _order(n_steps: int, reverse: bool) -> range:
    """The steps in the order in which a layer takes them."""
    return range(n_steps - 1, -1, -1) if reverse else range(n_steps)


def _hold(states: _States, t: int, valid: np.ndarray) -> None:
    """Put the old state back where step t is beyond the end of its sequence."""
    np.copyto(states.after(t), states.before(t), where=~valid[t])


def _outputs(states: _States, valid: np.ndarray | None) -> np.ndarray:
    return states.afters if valid is None else states.afters * valid


def _split(dstate: np.ndarray, valid: np.ndarray | None, t: int) -> tuple[np.ndarray, Any]:
    """The cotangent of the state after step t: what the step takes, what passes by it (or None)."""
    if valid is None:
        return dstate, None
    taken = dstate * valid[t]
    return taken, dstate - taken


def _product(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
    """dweight of y = x weight^T: the sum over steps and batch of dy^T x."""
    return np.matmul(dy.reshape(-1, dy.shape[-1]).T, x.reshape(-1, x.shape[-1]))


def _serves(gates: np.ndarray, *others: np.ndarray | None) -> bool:
    return (
        gates.size > 0
        and gates.dtype in DTYPES
        and all(x is None or x.dtype == gates.dtype for x in others)
    )


# -- RNN: h' = activation(z), z = x + h weight^T


def rnn_forward(
    inputs: np.ndarray,
    hidden: np.ndarray,
    weight: np.ndarray,
    valid: np.ndarray | None = None,
    *,
    nonlinearity: str = "tanh",
    reverse: bool = False,
) -> Any:
    """((outputs, last hidden), the states)."""
    if not _serves(inputs, hidden, weight):
        return NotImplemented
    states = _States(hidden, len(inputs), reverse)
    weight_t = np.ascontiguousarray(weight.T)
    for t in _order(len(inputs), reverse):
        h = np.matmul(states.before(t), weight_t, out=states.after(t))
        np.add(h, inputs[t], out=h)
        if nonlinearity == "tanh":
            np.tanh(h, out=h)
        else:
            np.maximum(h, 0.0, out=h)
        if valid is not None:
            _hold(states, t, valid)
    return (_outputs(states, valid), states.last()), states


def rnn_backward(
    dy: tuple[np.ndarray, np.ndarray],
    weight: np.ndarray,
    valid: np.ndarray | None,
    nonlinearity: str,
    reverse: bool,
    saved: _States,
    needs: frozenset[str],
) -> tuple[np.ndarray | None, ...]:
    """dinputs, dhidden, dweight: dz = dh activation'(z), and dh = dz weight goes a step back."""
    douts, dh = dy
    dz_all = np.empty_like(saved.befores)
    for t in reversed(_order(len(douts), reverse)):
        dh, passed = _split(dh + douts[t] if valid is None else dh + douts[t] * valid[t], valid, t)
        h, dz = saved.after(t), dz_all[t]
        if nonlinearity == "tanh":
            np.multiply(h, h, out=dz)
            np.subtract(1.0, dz, out=dz)
            np.multiply(dz, dh, out=dz)
        else:
            np.multiply(dh, h > 0.0, out=dz)
        dh = np.matmul(dz, weight)
        if passed is not None:
            dh += passed
    return dz_all, dh, _product(dz_all, saved.befores) if "weight" in needs else None


# -- LSTM: i, f, g, o = activations of z; c' = f c + i g; h' = o tanh(c'), times projection^T if any


def lstm_forward(
    inputs: np.ndarray,
    hidden: np.ndarray,
    cell: np.ndarray,
    weight: np.ndarray,
    projection: np.ndarray | None = None,
    valid: np.ndarray | None = None,
    *,
    reverse: bool = False,
) -> Any:
    """((outputs, last hidden, last cell), what backward wants: gates, states and tanh(c'))."""
    if not _serves(inputs, hidden, cell, weight, projection):
        return NotImplemented
    n_steps, n = len(inputs), cell.shape[-1]
    hiddens, cells = _States(hidden, n_steps, reverse), _States(cell, n_steps, reverse)
    gates, tanh_c = np.empty((n_steps, 4, *cell.shape), cell.dtype), np.empty_like(cells.befores)
    loops = loops_for(inputs, weight) if projection is None else None
    if loops is not None:
        filled = hiddens.all, cells.all, gates, tanh_c
        lstm_steps(loops, *filled, inputs, weight, valid, reverse)
        y = _outputs(hiddens, valid), hiddens.last(), cells.last()
        return y, (gates, hiddens, cells, tanh_c)
    # of the full shape: to stretch one row over the batch costs NumPy twice as much as to read this
    scale = np.empty(inputs.shape[1:], inputs.dtype)
    scale.reshape(-1, 4, n)[...] = np.array([0.5, 0.5, 1.0, 0.5])[:, None]
    weight_t, z, part = np.ascontiguousarray(weight.T), np.empty_like(scale), np.empty_like(cell)
    by_gate = _by_gate(z), _by_gate(1.0 - scale)
    for t in _order(n_steps, reverse):
        np.matmul(hiddens.before(t), weight_t, out=z)
        np.add(z, inputs[t], out=z)
        np.multiply(z, scale, out=z)
        np.tanh(z, out=z)
        np.multiply(z, scale, out=z)
        np.add(*by_gate, out=gates[t])
        (i, f, g, o), c = gates[t], cells.after(t)
        np.multiply(f, cells.before(t), out=c)
        np.multiply(i, g, out=part)
        np.add(c, part, out=c)
        np.tanh(c, out=tanh_c[t])
        if projection is None:
            np.multiply(o, tanh_c[t], out=hiddens.after(t))
        else:
            np.multiply(o, tanh_c[t], out=part)
            np.matmul(part, projection.T, out=hiddens.after(t))
        if valid is not None:
            _hold(hiddens, t, valid)
            _hold(cells, t, valid)
    y = _outputs(hiddens, valid), hiddens.last(), cells.last()
    return y, (gates, hiddens, cells, tanh_c)


def _by_gate(z: np.ndarray) -> np.ndarray:
    """(batch, 4 n) as (4, batch, n): NumPy takes longer for a part of each row than for a block."""
    return z.reshape(len(z), 4, -1).transpose(1, 0, 2)


def lstm_backward(
    dy: tuple[np.ndarray, np.ndarray, np.ndarray],
    weight: np.ndarray,
    projection: np.ndarray | None,
    valid: np.ndarray | None,
    reverse: bool,
    saved: tuple[np.ndarray, _States, _States, np.ndarray],
    needs: frozenset[str],
) -> tuple[np.ndarray | None, ...]:
    """dinputs (= dz), dhidden, dcell, dweight, dprojection."""
    douts, dh, dc = dy
    gates, hiddens, cells, tanh_c = saved
    loops = loops_for(weight) if projection is None else None
    if loops is not None:
        kept = gates, cells.all, tanh_c
        dz_all, dh, dc = lstm_steps_back(loops, dh, dc, douts, weight, kept, valid, reverse)
        dweight = _product(dz_all, hiddens.befores) if "weight" in needs else None
        return dz_all, dh, dc, dweight, None
    dz_all = np.empty((*douts.shape[:2], len(weight)), gates.dtype)
    dh_all = np.empty_like(douts) if "projection" in needs else None
    for t in reversed(_order(len(douts), reverse)):
        dh, passed_h = _split(
            dh + douts[t] if valid is None else dh + douts[t] * valid[t], valid, t
        )
        dc, passed_c = _split(dc, valid, t)
        if dh_all is not None:
            dh_all[t] = dh
        if projection is not None:
            dh = np.matmul(dh, projection)
        dc = _lstm_step_back(dh, dc, gates[t], cells.before(t), tanh_c[t], dz_all[t])
        dh = np.matmul(dz_all[t], weight)
        if valid is not None:
            dh += passed_h
            dc += passed_c
    dweight = _product(dz_all, hiddens.befores) if "weight" in needs else None
    dprojection = None if dh_all is None else _product(dh_all, gates[:, 3] * tanh_c)
    return dz_all, dh, dc, dweight, dprojection


def _lstm_step_back(
    dh: np.ndarray,
    dc: np.ndarray,
    gates: np.ndarray,
    c: np.ndarray,
    tanh_c: np.ndarray,
    dz: np.ndarray,
) -> np.ndarray:
    """dc of the state before; dz is written. c: the cell before, tanh_c: after."""
    i, f, g, o = gates
    slope = np.multiply(tanh_c, tanh_c)
    np.subtract(1.0, slope, out=slope)
    np.multiply(slope, o, out=slope)
    np.multiply(slope, dh, out=slope)
    dc = np.add(slope, dc, out=slope)
    slopes = np.multiply(gates, gates)  # sigmoid' = s - s^2, tanh' = 1 - t^2
    np.subtract(gates[:2], slopes[:2], out=slopes[:2])
    np.subtract(1.0, slopes[2], out=slopes[2])
    np.subtract(o, slopes[3], out=slopes[3])
    for part, outer, inner in zip(slopes, (dc, dc, dc, dh), (g, c, i, tanh_c), strict=True):
        np.multiply(part, outer, out=part)
        np.multiply(part, inner, out=part)
    _by_gate(dz)[...] = slopes
    return np.multiply(dc, f, out=dc)


# -- GRU: r, z = sigmoid; n = tanh(x_n + r (h weight_n^T + bias_n)); h' = n + z (h - n)


def gru_forward(
    inputs: np.ndarray,
    hidden: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None = None,
    valid: np.ndarray | None = None,
    *,
    reverse: bool = False,
) -> Any:
    """((outputs, last hidden), what backward wants: gates, states and h weight_n^T + bias_n)."""
    if not _serves(inputs, hidden, weight, bias):
        return NotImplemented
    n_steps, n = len(inputs), hidden.shape[-1]
    states = _States(hidden, n_steps, reverse)
    gates, recurrent_n = np.empty(inputs.shape, inputs.dtype), np.empty_like(states.befores)
    half = np.array(0.5, inputs.dtype)
    weight_t = np.ascontiguousarray(weight.T)
    for t in _order(n_steps, reverse):
        z, h, h_n = gates[t], states.after(t), recurrent_n[t]
        np.matmul(states.before(t), weight_t, out=z)
        if bias is not None:
            np.add(z, bias, out=z)
        h_n[...] = z[:, 2 * n :]
        rz, new = z[:, : 2 * n], z[:, 2 * n :]
        np.add(rz, inputs[t, :, : 2 * n], out=rz)
        np.multiply(rz, half, out=rz)
        np.tanh(rz, out=rz)
        np.multiply(rz, half, out=rz)
        np.add(rz, half, out=rz)
        np.multiply(new, rz[:, :n], out=new)
        np.add(new, inputs[t, :, 2 * n :], out=new)
        np.tanh(new, out=new)
        np.subtract(states.before(t), new, out=h)
        np.multiply(h, rz[:, n:], out=h)
        np.add(h, new, out=h)
        if valid is not None:
            _hold(states, t, valid)
    return (_outputs(states, valid), states.last()), (gates, states, recurrent_n)


def gru_backward(
    dy: tuple[np.ndarray, np.ndarray],
    weight: np.ndarray,
    valid: np.ndarray | None,
    reverse: bool,
    saved: tuple[np.ndarray, _States, np.ndarray],
    needs: frozenset[str],
) -> tuple[np.ndarray | None, ...]:
    """dinputs, dhidden, dweight, dbias; dz is dinputs but for n, which weight reaches through r."""
    douts, dh = dy
    gates, states, recurrent_n = saved
    n = dh.shape[-1]
    dinputs, dz_all = np.empty_like(gates), np.empty_like(gates)
    for t in reversed(_order(len(douts), reverse)):
        dh, passed = _split(dh + douts[t] if valid is None else dh + douts[t] * valid[t], valid, t)
        z, dz = gates[t], dz_all[t]
        kept = _gru_step_back(dh, z, states.before(t), recurrent_n[t], dz)
        dinputs[t] = dz
        np.multiply(dz[:, 2 * n :], z[:, :n], out=dz[:, 2 * n :])
        dh = np.matmul(dz, weight)
        dh += kept
        if passed is not None:
            dh += passed
    dweight = _product(dz_all, states.befores) if "weight" in needs else None
    dbias = dz_all.reshape(-1, 3 * n).sum(axis=0) if "bias" in needs else None
    return dinputs, dh, dweight, dbias


def _gru_step_back(
    dh: np.ndarray, gates: np.ndarray, h: np.ndarray, h_n: np.ndarray, dz: np.ndarray
) -> np.ndarray:
    """The part of dh that the state before gets directly, dh z; dz is written as for the inputs."""
    n = h.shape[-1]
    z, new = gates[:, n : 2 * n], gates[:, 2 * n :]
    np.multiply(gates, gates, out=dz)
    np.subtract(gates[:, : 2 * n], dz[:, : 2 * n], out=dz[:, : 2 * n])
    np.subtract(1.0, dz[:, 2 * n :], out=dz[:, 2 * n :])
    kept = np.multiply(dh, z)
    dr, dupdate, dnew = dz[:, :n], dz[:, n : 2 * n], dz[:, 2 * n :]
    np.multiply(dnew, dh - kept, out=dnew)
    np.multiply(dupdate, (h - new) * dh, out=dupdate)
    np.multiply(dr, dnew * h_n, out=dr)
    return kept


RNN_NUMPY = Fused(rnn_forward, rnn_backward, of=("inputs", "hidden", "weight"), saves=True)
LSTM_NUMPY = Fused(
    lstm_forward,
    lstm_backward,
    of=("inputs", "hidden", "cell", "weight", "projection"),
    saves=True,
)
GRU_NUMPY = Fused(gru_forward, gru_backward, of=("inputs", "hidden", "weight", "bias"), saves=True)
