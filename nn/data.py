"""Batches of arrays: DataLoader; parts for training and testing: train_test_split."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from typing import Any

from ..backend import Array, array_namespace, device_of, is_array, mixed_devices
from ..backend.errors import DtypeError, HyperparameterError, ShapeError, StateDictError
from ..backend.random import Generator
from .autograd import tree

STATE_KEYS = frozenset(("epoch", "position", "seed", "batch_size"))


class DataLoader:
    """Goes through data in batches; each pass ("epoch") over it is one `for` loop.

    data: an array, or a tuple, named tuple, list or dict of arrays (nested too), on one device; the
    first axis of each counts the same examples. A batch has the same structure and device.
    shuffle: whether each epoch has an order of its own: Generator(seed).fold_in(epoch) draws it, so
    it depends on seed and epoch alone and is the same on every device. Without shuffle batches are
    slices, and NumPy's share their memory with data.
    drop_last: whether to leave out a last batch that is smaller than batch_size.
    transform: a function of the batch whose result is handed out in its place.
    epoch: the number of the pass, from 0; it grows by one with each loop and may be set before one.
    Raises DtypeError for anything but arrays, ShapeError for lengths that differ or no examples,
    DeviceError, HyperparameterError.
    """

    def __init__(
        self,
        data: Any,
        batch_size: int = 1,
        *,
        shuffle: bool = False,
        seed: int = 0,
        drop_last: bool = False,
        transform: Callable[[Any], Any] | None = None,
    ) -> None:
        self._arrays = tree.leaves(data)
        self.n_examples = n_examples("DataLoader", self._arrays)
        self.batch_size = _positive("batch_size", batch_size)
        if drop_last and self.batch_size > self.n_examples:
            raise HyperparameterError(
                f"DataLoader: with drop_last, batch_size must be at most the {self.n_examples} "
                f"examples, got {batch_size}; no batch would be left"
            )
        self.data = data
        self.shuffle = shuffle
        self.seed = seed
        self.drop_last = drop_last
        self.transform = transform
        self._generator = Generator(seed)
        self._device = device_of(self._arrays[0])
        self._epoch = 0
        self._position = 0  # batches of this epoch that were handed out
        self._resumes = False  # whether the next loop goes on at the position

    def __len__(self) -> int:
        """The number of batches in an epoch."""
        if self.drop_last:
            return self.n_examples // self.batch_size
        return math.ceil(self.n_examples / self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        """The batches of the next epoch, or the rest of the one that load_state_dict named."""
        if self._position and not self._resumes:  # an earlier loop was left before its end
            self.epoch += 1
        self._resumes = False
        return self._batches(self._epoch, self._position)

    def __repr__(self) -> str:
        return (
            f"DataLoader({self.n_examples} examples, {len(self)} batches of {self.batch_size}, "
            f"shuffle={self.shuffle}, epoch={self._epoch})"
        )

    @property
    def epoch(self) -> int:
        return self._epoch

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        self._epoch = _counted("epoch", epoch)
        self._position = 0
        self._resumes = False

    def state_dict(self) -> dict[str, int]:
        """Where the loader is, as plain integers: the epoch and how many of its batches are done.

        A batch is done when it has been handed out.
        """
        return {
            "epoch": self._epoch,
            "position": self._position,
            "seed": self.seed,
            "batch_size": self.batch_size,
        }

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Let the next loop go on where the state was taken, with the batches that were left.

        Raises StateDictError, and changes nothing, for a state of another loader: its seed and
        batch_size must be this one's.
        """
        if not isinstance(state, dict) or state.keys() != STATE_KEYS:
            raise StateDictError(
                f"DataLoader: state must have the keys {sorted(STATE_KEYS)}, got {state!r}"
            )
        for name in ("seed", "batch_size"):
            if state[name] != getattr(self, name):
                raise StateDictError(
                    f"DataLoader: {name} must be that of the state, {state[name]!r}, got "
                    f"{getattr(self, name)!r}; make the loader with {name}={state[name]!r}"
                )
        epoch, position = state["epoch"], state["position"]
        if not _is_count(epoch) or not _is_count(position) or position > len(self):
            raise StateDictError(
                f"DataLoader: epoch must be an integer >= 0 and position one from 0 to the "
                f"{len(self)} batches, got {epoch!r} and {position!r}"
            )
        self._epoch, self._position, self._resumes = epoch, position, True

    def _batches(self, epoch: int, first: int) -> Iterator[Any]:
        """The batches of an epoch from the first-th on."""
        order = self._order(epoch) if self.shuffle else None
        for position in range(first, len(self)):
            start = position * self.batch_size
            rows = slice(start, min(start + self.batch_size, self.n_examples))
            batch = self._batch(rows if order is None else order[rows])
            self._epoch, self._position = epoch, position + 1
            yield batch
        self._epoch, self._position = epoch + 1, 0

    def _order(self, epoch: int) -> Array:
        """All rows in the order of an epoch, on the device of the data."""
        return self._generator.fold_in(epoch).permutation(self.n_examples, device=self._device)

    def _batch(self, rows: Any) -> Any:
        batch = tree.rebuilt(self.data, [chosen_rows(x, rows) for x in self._arrays])
        return batch if self.transform is None else self.transform(batch)


def train_test_split(
    *arrays: Array, test_fraction: float = 0.25, seed: int = 0
) -> tuple[Array, ...]:
    """(train, test) of each array, one after the other: x_train, x_test, y_train, y_test = ...

    The rows of all the arrays are shuffled alike by the seed, on every device alike. test_fraction:
    in (0, 1), rounded to whole rows; both parts must get one.
    Raises HyperparameterError, and what DataLoader raises for its data.
    """
    n = n_examples("train_test_split", list(arrays))
    n_test = round(test_fraction * n) if 0.0 < test_fraction < 1.0 else 0
    if not 0 < n_test < n:
        raise HyperparameterError(
            "train_test_split: test_fraction must be in (0, 1) and leave a row for either part, "
            f"got {test_fraction!r} of {n} rows"
        )
    order = Generator(seed).permutation(n, device=device_of(arrays[0]))
    parts = (order[n_test:], order[:n_test])
    return tuple(chosen_rows(x, rows) for x in arrays for rows in parts)


def n_examples(operation: str, arrays: list[Any]) -> int:
    """The length that the first axes share. Raises DtypeError, ShapeError and DeviceError."""
    for x in arrays:
        if not is_array(x):
            raise DtypeError(
                f"{operation}: data must be arrays or a tuple, list or dict of them, got "
                f"{type(x).__name__}; make one with isograd.array(...)"
            )
    shapes = [tuple(x.shape) for x in arrays]
    lengths = {shape[:1] for shape in shapes}
    if len(lengths) != 1 or lengths & {(), (0,)}:
        raise ShapeError(
            f"{operation}: all arrays must have the same number of examples, at least one, along "
            f"their first axis, got the shapes {shapes}"
        )
    if any(device_of(x) != device_of(arrays[0]) for x in arrays):
        raise mixed_devices(tuple(arrays), operation)
    return shapes[0][0]


def chosen_rows(x: Array, rows: Any) -> Array:
    """x at these places of its first axis: a slice, or an array of integers."""
    if isinstance(rows, slice):
        return x[(rows, *(slice(None),) * (x.ndim - 1))]
    return array_namespace(x).take(x, rows, axis=0)


def _positive(name: str, value: Any) -> int:
    if not _is_count(value) or operator.index(value) < 1:
        raise HyperparameterError(f"DataLoader: {name} must be an integer >= 1, got {value!r}")
    return operator.index(value)


def _counted(name: str, value: Any) -> int:
    if not _is_count(value):
        raise HyperparameterError(f"DataLoader: {name} must be an integer >= 0, got {value!r}")
    return operator.index(value)


def _is_count(value: Any) -> bool:
    """Whether the value is an integer >= 0; True is none."""
    return not isinstance(value, bool) and hasattr(value, "__index__") and value >= 0
