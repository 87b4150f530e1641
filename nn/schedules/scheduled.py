"""ScheduledLR: sets an optimizer's learning rate, or another setting, by a schedule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...backend.errors import HyperparameterError, StateDictError
from ...backend.replay import each_step
from ..optimizers import Optimizer
from ..optimizers.hyperparameters import count
from .chaining import checked
from .decay import Schedule


class ScheduledLR:
    """Sets group["lr"] to schedule(n), with n the number of its own steps: at once, and at step().

    schedule: a function of the step for all groups, or a list with one for each group.
    setting: another setting than "lr", e.g. "momentum" or "weight_decay"; two settings take two
    objects. Call step() after the optimizer's: after every update or every epoch, as the schedule
    counts. Raises HyperparameterError, also for values that the optimizer refuses.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedule: Schedule | Sequence[Schedule],
        *,
        setting: str = "lr",
    ) -> None:
        if not isinstance(optimizer, Optimizer):
            raise HyperparameterError(
                f"ScheduledLR: optimizer must be an Optimizer, got {type(optimizer).__name__}"
            )
        self.optimizer = optimizer
        self.setting = setting
        self.n_steps = 0
        self._schedules = [
            checked("ScheduledLR", one)
            for one in (schedule if isinstance(schedule, Sequence) else [schedule])
        ]
        self._is_for_all = not isinstance(schedule, Sequence)
        self._set()

    def step(self) -> None:
        """Go on by one, and set what the schedule says there."""
        each_step(self._go_on)

    def _go_on(self) -> None:
        self.n_steps += 1
        self._set()

    @property
    def last(self) -> list[Any]:
        """The setting of each group as it is now."""
        return [group[self.setting] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, int]:
        """{"n_steps": n}: the schedule itself is not kept, make it anew."""
        return {"n_steps": self.n_steps}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go to the step of a state_dict and set what the schedule says there."""
        if set(state) != {"n_steps"}:
            raise StateDictError(
                f"ScheduledLR: a state_dict has the key 'n_steps', got {sorted(map(str, state))}"
            )
        self.n_steps = count("ScheduledLR: n_steps", state["n_steps"], least=0)
        self._set()

    def _set(self) -> None:
        groups = self.optimizer.param_groups
        schedules = self._schedules * len(groups) if self._is_for_all else self._schedules
        if len(schedules) != len(groups):
            raise HyperparameterError(
                f"ScheduledLR: there must be a schedule for each of the {len(groups)} groups of "
                f"{self.optimizer}, got {len(schedules)}"
            )
        for group, schedule in zip(groups, schedules, strict=True):
            group[self.setting] = schedule(self.n_steps)
