"""ReduceLROnPlateau: smaller steps when a figure has stopped improving."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...backend.errors import HyperparameterError, StateDictError
from ..improvement import Improvement, figure
from ..optimizers import Optimizer
from ..optimizers.hyperparameters import below_one, count, non_negative

STATE = ("best", "n_bad", "n_cooling")


class ReduceLROnPlateau:
    """Multiplies every group's lr by factor when step(figure) has not improved for long.

    That is more than patience steps in a row without an improvement, which must pass threshold
    (see Improvement). After a reduction, cooldown steps do not count. lr never falls below min_lr,
    and changes of at most eps are left out. mode: "min" for losses, "max" for accuracies. NaN is
    no improvement. factor in [0, 1); patience, cooldown: whole numbers >= 0.
    Raises HyperparameterError. Defaults as in torch.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if not isinstance(optimizer, Optimizer):
            raise HyperparameterError(
                f"{self}: optimizer must be an Optimizer, got {type(optimizer).__name__}"
            )
        self.optimizer = optimizer
        self.improvement = Improvement(mode, threshold, threshold_mode, str(self))
        self.factor = below_one(f"{self}: factor", factor)
        self.patience = count(f"{self}: patience", patience, least=0)
        self.cooldown = count(f"{self}: cooldown", cooldown, least=0)
        self.min_lr = non_negative(f"{self}: min_lr", min_lr)
        self.eps = non_negative(f"{self}: eps", eps)
        self.best = self.improvement.worst
        self.n_bad = 0
        self.n_cooling = 0

    def __str__(self) -> str:
        return type(self).__name__

    def step(self, value: Any) -> bool:
        """Take the figure of one epoch; whether the learning rates were reduced."""
        current = figure(str(self), value)
        if self.improvement.is_better(current, self.best):
            self.best, self.n_bad = current, 0
        else:
            self.n_bad += 1
        if self.n_cooling > 0:
            self.n_cooling, self.n_bad = self.n_cooling - 1, 0
        if self.n_bad <= self.patience:
            return False
        self.n_cooling, self.n_bad = self.cooldown, 0
        return self._reduce()

    def state_dict(self) -> dict[str, float]:
        """best, n_bad and n_cooling; the learning rates are in the optimizer's state."""
        return {name: getattr(self, name) for name in STATE}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state_dict. Raises StateDictError for other keys."""
        if set(state) != set(STATE):
            raise StateDictError(
                f"{self}: a state_dict has the keys {', '.join(STATE)}, got "
                f"{', '.join(sorted(map(str, state)))}"
            )
        counts = [count(f"{self}: {name}", state[name], least=0) for name in STATE[1:]]
        self.best = figure(str(self), state["best"])
        self.n_bad, self.n_cooling = counts

    def _reduce(self) -> bool:
        """Whether any group's learning rate became smaller."""
        reduced = False
        for group in self.optimizer.param_groups:
            new = max(group["lr"] * self.factor, self.min_lr)
            if group["lr"] - new > self.eps:
                group["lr"] = new
                reduced = True
        return reduced
