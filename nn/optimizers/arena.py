"""An optimizer's memory for one layout: moments beside the parameters, and counts of updates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...backend import Array, array_namespace, as_dtype, assign
from ..autograd import Tensor
from .layout import Layout, stretches
from .masters import MASTER

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Run:
    """Neighbours in a layout, first to last, that are updated together."""

    first: int
    last: int


class Arena:
    """A layout with the moments that one optimizer keeps for it: flat, as the parameters are.

    n_updates[i]: how often the moments of parameter i have been updated.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.n_updates = [0] * len(layout.parameters)
        self._moments: dict[str, Array] = {}

    @property
    def parameters(self) -> list[Tensor]:
        return self.layout.parameters

    @property
    def fits_kernels(self) -> bool:
        """Whether arrays() are 1-D and may be written to in place."""
        return self.layout.flat

    def runs(self, *, joined: bool) -> list[Run]:
        """What to update now: parameters with a gradient, neighbours together where `joined`.

        Those that are joined have been updated equally often. Raises as Layout.collect does.
        """
        found = self.layout.collect()
        keys = [n if has else None for n, has in zip(self.n_updates, found, strict=True)]
        if joined:
            return [Run(i, j) for i, j in stretches(keys)]
        return [Run(i, i) for i, n in enumerate(keys) if n is not None]

    def advance(self, run: Run, *, counting: bool) -> int:
        """The number t of the next update of a run; its parameters have a new version from now on.

        counting: whether this update counts; those of plain gradient descent, which has no moments,
        do not, and t stays.
        """
        self.layout.bump_versions(run.first, run.last)
        t = self.n_updates[run.first] + counting
        self.n_updates[run.first : run.last + 1] = [t] * (run.last + 1 - run.first)
        return t

    def arrays(self, run: Run, moments: tuple[str, ...]) -> list[Array]:
        """Values, gradients and these moments of a run: views to be written to."""
        buffers = [self.layout.values, self.layout.gradients, *map(self.moment, moments)]
        return [self._part(buffer, run) for buffer in buffers]

    def master(self, run: Run) -> Array | None:
        """The masters of a run: a view to be written to; None where there are none."""
        masters = self.layout.masters
        return None if masters is None else self._part(masters, run)

    def moment(self, name: str) -> Array:
        """The buffer of a moment; zeros before its first update."""
        if name not in self._moments:
            self._moments[name] = self.layout.zeros()
        return self._moments[name]

    def state_of(self, i: int) -> tuple[int, dict[str, Array]]:
        """How often the moments of parameter i were updated, and its part of each: views.

        The master is among them, where there is one.
        """
        return self.n_updates[i], {**self._moments_of(i), **self.layout.master_of(i)}

    def set_state(self, i: int, n_updates: int, moments: dict[str, Array]) -> None:
        """Overwrite the moments of parameter i; those that are not given become zero.

        The master becomes the parameter unless it is among them.
        """
        self.n_updates[i] = n_updates
        self.layout.set_master(i, moments.get(MASTER))
        self._set_moments(i, {name: x for name, x in moments.items() if name != MASTER})

    def _part(self, buffer: Array, run: Run) -> Array:
        return self.layout.part(buffer, run.first, run.last)

    def _moments_of(self, i: int) -> dict[str, Array]:
        return {name: self.layout.view(moment, i) for name, moment in self._moments.items()}

    def _set_moments(self, i: int, moments: dict[str, Array]) -> None:
        for name in {*self._moments, *moments}:
            assign(self.layout.view(self.moment(name), i), moments.get(name, 0.0))


class ShapedArena(Arena):
    """A layout whose parameters are updated one by one in their shapes, with moments of any shape.

    moment_shapes(the parameter's shape): the shape of each of its moments, by name.
    """

    def __init__(self, layout: Layout, moment_shapes: Callable[[Shape], dict[str, Shape]]) -> None:
        super().__init__(layout)
        self._shapes = [moment_shapes(tuple(p.shape)) for p in layout.parameters]
        self._own: list[dict[str, Array]] = [{} for _ in layout.parameters]

    @property
    def fits_kernels(self) -> bool:
        return False

    def runs(self, *, joined: bool) -> list[Run]:
        """Every parameter with a gradient by itself; those without elements have nothing to do."""
        return [run for run in super().runs(joined=False) if self.parameters[run.first].size]

    def arrays(self, run: Run, moments: tuple[str, ...]) -> list[Array]:
        """Value, gradient and those of the moments that a parameter of this shape has."""
        i = run.first
        names = [name for name in moments if name in self._shapes[i]]
        views = [self._part(x, run) for x in (self.layout.values, self.layout.gradients)]
        return [*views, *(self._own_moment(i, name) for name in names)]

    def _part(self, buffer: Array, run: Run) -> Array:
        return self.layout.view(buffer, run.first)

    def _moments_of(self, i: int) -> dict[str, Array]:
        return self._own[i]

    def _set_moments(self, i: int, moments: dict[str, Array]) -> None:
        self._own[i] = {}
        for name, value in moments.items():
            assign(self._own_moment(i, name), value)

    def _own_moment(self, i: int, name: str) -> Array:
        """A moment of parameter i; zeros before its first update."""
        if name not in self._own[i]:
            xp, device = array_namespace(self.layout.values), self.layout.device
            dtype = as_dtype(xp, self.layout.wide_dtype)
            with device.active():
                shape = self._shapes[i][name]
                self._own[i][name] = xp.zeros(shape, dtype=dtype, device=device.raw)
        return self._own[i][name]
