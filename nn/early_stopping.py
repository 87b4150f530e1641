"""EarlyStopping: when to stop a training, and the weights to go back to."""

from __future__ import annotations

from typing import Any

from ..backend import Array
from ..backend.errors import HyperparameterError
from .improvement import Improvement, figure
from .module import Module
from .optimizers.hyperparameters import count, non_negative


class EarlyStopping:
    """Says stop when step(figure) has not improved for patience steps in a row.

        stopping = nn.EarlyStopping(model, patience=5)
        for epoch in range(100):
            ...
            if stopping.step(validation_loss):
                break
        stopping.restore()

    An improvement passes the best by more than min_delta. mode: "min" for losses, "max" for
    accuracies. NaN is no improvement. model: its state of the best step is kept, for restore(); or
    None. best, best_step (counted from 0; None before any) and n_bad tell how it stands.
    Raises HyperparameterError. Source: Prechelt 1998, Early stopping - but when?; as in Keras.
    """

    def __init__(
        self,
        model: Module | None = None,
        patience: int = 5,
        min_delta: float = 0.0,
        mode: str = "min",
    ) -> None:
        if model is not None and not isinstance(model, Module):
            raise HyperparameterError(
                f"EarlyStopping: model must be a Module or None, got {type(model).__name__}"
            )
        self.patience = count("EarlyStopping: patience", patience)
        min_delta = non_negative("EarlyStopping: min_delta", min_delta)
        self.improvement = Improvement(mode, min_delta, "abs", "EarlyStopping")
        self.best = self.improvement.worst
        self.best_step: int | None = None
        self.n_bad = 0
        self._n_steps = 0
        self._model = model
        self._best_state: dict[str, Array] | None = None

    def step(self, value: Any) -> bool:
        """Take the figure of one epoch; whether to stop now."""
        current = figure("EarlyStopping", value)
        if self.improvement.is_better(current, self.best):
            self.best, self.best_step, self.n_bad = current, self._n_steps, 0
            self._best_state = None if self._model is None else self._model.state_dict()
        else:
            self.n_bad += 1
        self._n_steps += 1
        return self.n_bad >= self.patience

    def restore(self) -> None:
        """Set the model to its state of the best step; nothing happens if there was none.

        Raises HyperparameterError without a model.
        """
        if self._model is None:
            raise HyperparameterError(
                "EarlyStopping: restore() needs the model; make it with EarlyStopping(model, ...)"
            )
        if self._best_state is not None:
            self._model.load_state_dict(self._best_state)
