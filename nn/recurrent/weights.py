"""The weights of a recurrent layer in one direction: their names, shapes, and what must hold."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...backend import Array
from ...backend.errors import ShapeError
from ..reduction import check_arrays, check_same_dtype


class Weights(NamedTuple):
    """In the order of torch: those of the input and of the state, biases, an LSTM's projection."""

    weight_ih: Array
    weight_hh: Array
    bias_ih: Array | None = None
    bias_hh: Array | None = None
    weight_hr: Array | None = None

    @classmethod
    def among(cls, arguments: tuple[Any, ...]) -> Weights:
        """Those among (the first four, lengths, weight_hr), as rnn, gru and lstm take them."""
        return cls(*arguments[:4], *arguments[5:])

    @classmethod
    def of(cls, module: Any, suffix: str = "") -> Weights:
        """The attributes of a module with these names and a suffix; None where it has none."""
        return cls(*(getattr(module, name + suffix, None) for name in cls._fields))


def weight_shapes(
    n_gates: int, n_in: int, n_units: int, bias: bool, proj_size: int = 0
) -> dict[str, tuple[int, ...]]:
    """The shape of each weight that there is, by name, in torch's order."""
    rows = n_gates * n_units
    shapes: dict[str, tuple[int, ...]] = {
        "weight_ih": (rows, n_in),
        "weight_hh": (rows, proj_size or n_units),
    }
    if bias:
        shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
    if proj_size:
        shapes["weight_hr"] = (proj_size, n_units)
    return shapes


def check_sequence(
    operation: str, n_gates: int, x: Array, states: dict[str, Array], arguments: tuple[Any, ...]
) -> None:
    """What rnn, gru and lstm ask for: x (time, batch, features) with at least one step."""
    if x.ndim != 3 or x.shape[0] == 0:
        raise ShapeError(
            f"{operation}: x must be (time, batch, features) with at least one step, got shape "
            f"{tuple(x.shape)}"
        )
    check_cell(operation, n_gates, x, states, arguments)


def check_cell(
    operation: str, n_gates: int, x: Array, states: dict[str, Array], arguments: tuple[Any, ...]
) -> None:
    """x (..., batch, in), states (batch, units), weights (n_gates units, ...), one dtype."""
    weights = Weights.among(arguments)
    given = {name: w for name, w in weights._asdict().items() if w is not None}
    arrays = {**given, "x": x, **states}
    check_arrays(operation, **arrays)
    check_same_dtype(operation, **arrays)
    n_in = weights.weight_ih.shape[-1] if weights.weight_ih.ndim else 0
    rows, n_out = weights.weight_hh.shape if weights.weight_hh.ndim == 2 else (0, 0)
    n_units = rows // n_gates
    if x.ndim < 1 or weights.weight_ih.ndim != 2 or n_in != x.shape[-1]:
        raise ShapeError(
            f"{operation}: x.shape[-1] must equal the input size, weight_ih.shape[1], got x of "
            f"shape {tuple(x.shape)} and weight_ih of shape {tuple(weights.weight_ih.shape)}"
        )
    wanted = weight_shapes(n_gates, n_in, n_units, True, n_out if "weight_hr" in given else 0)
    for name, w in given.items():
        _check_shape(operation, name, w, wanted[name])
    batch = tuple(x.shape[-2:-1])
    for name, state in states.items():
        n = n_units if name == "cell" else n_out
        _check_shape(operation, name, state, (*batch, n), "(batch, units) of x and weights")


def _check_shape(
    operation: str, name: str, x: Array, shape: tuple[int, ...], reason: str = ""
) -> None:
    if tuple(x.shape) != shape:
        raise ShapeError(
            f"{operation}: {name} must have the shape {shape}{', ' if reason else ''}{reason}, got "
            f"{tuple(x.shape)}"
        )
