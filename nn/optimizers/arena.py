"""An optimizer's memory for one layout: moments beside the parameters, and counts of updates."""

from __future__ import annotations

from dataclasses import dataclass

from ...backend import Array, assign
from ..autograd import Tensor
from .layout import Layout, stretches


@dataclass(frozen=True)
class Run:
    """Neighbours in a layout, first to last, that are updated together for the t-th time."""

    first: int
    last: int
    t: int


class Arena:
    """A layout with the moments that one optimizer keeps for it.

    n_updates[i]: how often the moments of parameter i have been updated.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.n_updates = [0] * len(layout.parameters)
        self._moments: dict[str, Array] = {}

    @property
    def parameters(self) -> list[Tensor]:
        return self.layout.parameters

    def runs(self, *, counting: bool, joined: bool) -> list[Run]:
        """What to update now: parameters with a gradient, neighbours together where `joined`.

        counting: whether this update counts; those of plain gradient descent, which has no moments,
        do not. Raises as Layout.collect does.
        """
        found = self.layout.collect()
        if counting:
            self.n_updates = [n + has for n, has in zip(self.n_updates, found, strict=True)]
        keys = [n if has else None for n, has in zip(self.n_updates, found, strict=True)]
        if joined:
            return [Run(i, j, self.n_updates[i]) for i, j in stretches(keys)]
        return [Run(i, i, n) for i, n in enumerate(keys) if n is not None]

    def arrays(self, run: Run, moments: tuple[str, ...]) -> list[Array]:
        """Values, gradients and these moments of a run: views to be written to."""
        layout = self.layout
        buffers = [layout.values, layout.gradients, *map(self.moment, moments)]
        return [layout.part(buffer, run.first, run.last) for buffer in buffers]

    def moment(self, name: str) -> Array:
        """The buffer of a moment; zeros before its first update."""
        if name not in self._moments:
            self._moments[name] = self.layout.zeros()
        return self._moments[name]

    def state_of(self, i: int) -> tuple[int, dict[str, Array]]:
        """How often the moments of parameter i were updated, and its part of each: views."""
        parts = {name: self.layout.views(moment)[i] for name, moment in self._moments.items()}
        return self.n_updates[i], parts

    def set_state(self, i: int, n_updates: int, moments: dict[str, Array]) -> None:
        """Overwrite the moments of parameter i; those that are not given become zero."""
        self.n_updates[i] = n_updates
        for name in {*self._moments, *moments}:
            place = self.layout.views(self.moment(name))[i]
            assign(place, moments.get(name, 0.0))
