"""The base of all optimizers: steps over flat arenas, state as plain dicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, ClassVar

from ...backend import Array, assign, settings
from ...backend.errors import CaptureError, HyperparameterError
from ...backend.libraries import library_of
from ...backend.memory import keep_freed_memory
from ...backend.replay import is_capturing, relies_on
from .arena import Arena, Run, Shape, ShapedArena
from .groups import Group, as_groups, check_unique, new_group
from .hyperparameters import Check
from .layout import DTYPES, Layout, layouts_of
from .masters import follow, widened
from .state import load_state, state_of

TINY = 1e-20  # an eps below may vanish in float32, and the zeros between parameters would be 0 / 0


class Optimizer:
    """Updates parameters by their gradients; each subclass has one rule for it.

    params: an iterable of parameters, or of dicts {"params": [...], "lr": ...} with settings of
    their own. They are laid out side by side (layout.py), so their values move to new memory: move
    a model to its device first. p.grad then is a view that the next backward pass overwrites.
    Raises HyperparameterError for settings out of range, no parameters, anything else than
    parameters, or one given twice, and DtypeError for parameters that are not floating.

    Parameters of float16 and bfloat16 have a float32 master, which every update changes and which
    they are then rounded from, and float32 moments; their gradients stay as they are. A parameter
    that is not its master rounded was changed by somebody else: its master starts anew from it.
    With Adam that is 16 bytes a parameter, as in float32: 2 + 2 for value and gradient, 12 here.

    A subclass has: checks, one for each setting; moment_names, the arrays that it may keep beside
    the parameters; moments(settings), those that it needs; and definition, a function
    (p, dp, *moments, t=, **settings) -> the new (p, *moments), with t counting from 1.
    asking_kernels: by library, (p, dp, *moments, numbers=) -> None, in place on 1-D arrays; numbers
    is a function without arguments that gives t and the settings, called once for each update.
    half_kernels: such for half precision, (p, master, dp, *moments, numbers=) -> None.
    dtypes: those that parameters may have.
    elementwise: whether definition may see many parameters as one 1-D array; else it sees one at a
    time in its shape, and moment_shapes() says which moments that one has.
    """

    checks: ClassVar[dict[str, Check]]
    moment_names: ClassVar[tuple[str, ...]]
    definition: Callable[..., tuple[Array, ...]]
    kernels: ClassVar[dict[str, Callable[..., None]]] = {}
    asking_kernels: ClassVar[dict[str, Callable[..., None]]] = {}
    half_kernels: ClassVar[dict[str, Callable[..., None]]] = {}
    dtypes: ClassVar[tuple[str, ...]] = DTYPES
    elementwise: ClassVar[bool] = True

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        keep_freed_memory()
        self.defaults = self.checked(defaults)
        self.param_groups: list[Group] = []
        groups = [new_group(self, group) for group in as_groups(self, params)]
        check_unique(self, groups)
        for group in groups:
            self._lay_out(group)

    @classmethod
    def fused_by(cls, **kernels: Callable[..., None]) -> None:
        """Attach kernels by library name: they do what definition says, in place, to 1-D arrays."""
        cls.kernels = {**cls.kernels, **kernels}

    def __str__(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        lines = []
        for group in self.param_groups:
            shown = ", ".join(f"{name}={value!r}" for name, value in group.settings.items())
            sizes = [p.size for p in group["params"]]
            lines.append(f"  {len(sizes)} parameters, {sum(sizes):,} numbers: {shown}")
        return "\n".join([f"{self}(", *lines, ")"])

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient; the others are left alone, as in torch.

        closure: a function that computes the loss and its gradients anew; it is called first, and
        its loss comes back. Graphs recorded before this cannot be walked any more: StaleArrayError.
        Raises DeviceError for a parameter that was moved to another device after the optimizer was
        made, and CaptureError in a captured step without a kernel that asks for its numbers.
        """
        loss = None if closure is None else closure()
        relies_on(self, ("_shape_of_step",))
        for group in self.param_groups:
            joined = self.elementwise and group.current.get("eps", 1.0) > TINY
            for arena in group.arenas:
                for run in arena.runs(joined=joined):
                    self._update(group, arena, run)
        return loss

    def zero_grad(self) -> None:
        """Forget all gradients: p.grad is None afterwards.

        Until then they add up over backward passes. A batch that is too large for the memory may so
        be taken in n parts: (loss / n).backward() for each, then one step() and one zero_grad().
        """
        for group in self.param_groups:
            for parameter in group.data["params"]:
                if parameter._node is not None:
                    parameter._node.grad = None

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Update these parameters too, e.g. {"params": layer.parameters(), "lr": 1e-4}."""
        new = new_group(self, group)
        check_unique(self, [*self.param_groups, new])
        self._lay_out(new)

    def state_dict(self) -> dict[str, Any]:
        """What a training needs to go on: plain dicts of numbers and copied arrays, as torch's.

        {"state": {i: {"step": n, name: array}}, "param_groups": [{setting: value, "params": [i]}]}
        with i counting the parameters over all groups.
        """
        return state_of(self)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over settings and moments that state_dict() gave; all or nothing is written.

        Raises StateDictError when they are of other parameters or another optimizer,
        HyperparameterError for settings out of range, CastOverflowError for values out of range.
        """
        load_state(self, state_dict)

    def numbers(self, group: Group, arena: Arena, run: Run) -> dict[str, Any]:
        """What the next update of a run takes beside arrays: the settings as they are now, and t.

        This is all of an update that is the host's: t and the parameters' versions go on by one.
        Who replays the array work calls it once before each replay.
        """
        values = group.current
        return {**values, "t": arena.advance(run, counting=bool(self.moments(values)))}

    def moments(self, values: dict[str, Any]) -> tuple[str, ...]:
        """Names of the moments that an update with these settings needs."""
        return self.moment_names

    def moment_shapes(self, shape: Shape) -> dict[str, Shape]:
        """The shapes of the moments that a parameter of this shape has, by name."""
        return dict.fromkeys(self.moment_names, shape)

    def check_shape(self, i: int, shape: Shape) -> None:
        """Raises ShapeError where params[i] is of a shape that the rule is not made for."""

    def check_together(self, values: dict[str, Any]) -> None:
        """Raises HyperparameterError where settings do not fit each other."""

    def checked(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The settings as Python numbers. Raises HyperparameterError."""
        unknown = sorted(set(values) - set(self.checks))
        if unknown:
            raise HyperparameterError(
                f"{self}: no setting is called {unknown[0]!r}; there are {', '.join(self.checks)}"
            )
        found = {name: self.checks[name](f"{self}: {name}", values[name]) for name in values}
        self.check_together(found)
        return found

    @property
    def _shape_of_step(self) -> tuple:
        """What decides which updates a step makes: the parameters that are trained, the moments."""
        return tuple(
            (
                self.moments(group.current),
                group.current.get("eps", 1.0) > TINY,
                *[p._node for p in group.data["params"]],
            )
            for group in self.param_groups
        )

    def _update(self, group: Group, arena: Arena, run: Run) -> None:
        """One update of a run, of its master where it has one."""
        p, dp, *moments = arena.arrays(run, self.moments(group.current))
        numbers = partial(self.numbers, group, arena, run)
        has_kernels = arena.fits_kernels and not settings().disable_kernels
        library = library_of(p).name if has_kernels else ""
        master = arena.master(run)
        if master is None:
            self._change(library, (p, dp, *moments), numbers)
        elif library in self.half_kernels:
            self.half_kernels[library](p, master, dp, *moments, numbers=numbers)
        else:
            follow(master, p)
            self._change(library, (master, widened(dp), *moments), numbers)
            assign(p, master)

    def _change(
        self, library: str, arrays: tuple[Array, ...], numbers: Callable[[], dict[str, Any]]
    ) -> None:
        """One update of arrays, by the kernel for a library or by definition."""
        asking, kernel = self.asking_kernels.get(library), self.kernels.get(library)
        if asking is not None:
            asking(*arrays, numbers=numbers)
            return
        if is_capturing():
            raise CaptureError(
                f"{self}: step() cannot be captured: it has no kernel for "
                f"{library_of(arrays[0]).name} that takes t and the settings anew at each replay; "
                "call it after the captured step"
            )
        if kernel is not None:
            kernel(*arrays, **numbers())
            return
        found = type(self).definition(*arrays, **numbers())
        for target, value in zip([arrays[0], *arrays[2:]], found, strict=True):
            assign(target, value)

    def _lay_out(self, group: Group) -> None:
        group.arenas = [self._arena_of(layout) for layout in layouts_of(group["params"])]
        self.param_groups.append(group)

    def _arena_of(self, layout: Layout) -> Arena:
        return Arena(layout) if self.elementwise else ShapedArena(layout, self.moment_shapes)
