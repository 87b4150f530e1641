"""The base of all optimizers: parameter groups, steps over flat arenas, state as plain dicts."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from ...backend import Array, assign, dtype_name, settings
from ...backend.errors import DtypeError, HyperparameterError
from ...backend.libraries import library_of
from ...backend.memory import keep_freed_memory
from ..autograd import Tensor
from ..autograd.tape import Leaf
from .arena import Arena, Run
from .hyperparameters import Check
from .layout import DTYPES, layouts_of
from .state import load_state, state_of

TINY = 1e-20  # an eps below may vanish in float32, and the zeros between parameters would be 0 / 0


class Group(UserDict):
    """The settings of some parameters, by name; "params" is the list of them.

    A setting may be changed between steps, e.g. group["lr"] = 1e-4; it is checked then.
    """

    def __init__(self, optimizer: Optimizer, params: list[Tensor], values: dict[str, Any]) -> None:
        self._optimizer = optimizer
        self.arenas: list[Arena] = []
        super().__init__()
        self.data = {"params": params, **optimizer.checked(values)}

    @property
    def settings(self) -> dict[str, Any]:
        """Everything but the parameters."""
        return {name: value for name, value in self.data.items() if name != "params"}

    def __setitem__(self, name: str, value: Any) -> None:
        self.update({name: value})

    def __delitem__(self, name: str) -> None:
        raise HyperparameterError(f"{self._optimizer}: {name} cannot be removed from a group")

    def update(self, *args: Any, **changes: Any) -> None:
        """Change several settings at once. Raises HyperparameterError, and nothing is changed."""
        changes = dict(*args, **changes)
        if "params" in changes:
            raise HyperparameterError(
                f"{self._optimizer}: the parameters of a group cannot be exchanged; "
                "make a new optimizer, or add_param_group()"
            )
        checked = self._optimizer.checked({**self.settings, **changes})
        self.data = {"params": self.data["params"], **checked}


class Optimizer:
    """Updates parameters by their gradients; each subclass has one rule for it.

    params: an iterable of parameters, or of dicts {"params": [...], "lr": ...} with settings of
    their own. They are laid out side by side (layout.py), so their values move to new memory: move
    a model to its device first. p.grad then is a view that the next backward pass overwrites.
    Raises HyperparameterError for settings out of range, no parameters, anything else than
    parameters, or one given twice, and DtypeError unless they are float32 or float64.

    A subclass has: checks, one for each setting; moment_names, the arrays that it may keep beside
    the parameters; moments(settings), those that it needs; and definition, a function
    (p, dp, *moments, t=, **settings) -> the new (p, *moments), with t counting from 1.
    """

    checks: ClassVar[dict[str, Check]]
    moment_names: ClassVar[tuple[str, ...]]
    definition: Callable[..., tuple[Array, ...]]
    kernels: ClassVar[dict[str, Callable[..., None]]] = {}

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        keep_freed_memory()
        self.defaults = self.checked(defaults)
        self.param_groups: list[Group] = []
        groups = [self._new_group(group) for group in self._as_groups(params)]
        self._check_unique(groups)
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

    def step(self) -> None:
        """Update every parameter that has a gradient; the others are left alone, as in torch.

        Graphs recorded before this cannot be walked any more: StaleArrayError. Raises DeviceError
        for a parameter that was moved to another device after the optimizer was made.
        """
        for group in self.param_groups:
            values = group.settings
            moments = self.moments(values)
            joined = values.get("eps", 1.0) > TINY
            for arena in group.arenas:
                for run in arena.runs(counting=bool(moments), joined=joined):
                    self._update(arena, run, moments, values)

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
        new = self._new_group(group)
        self._check_unique([*self.param_groups, new])
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

    def moments(self, values: dict[str, Any]) -> tuple[str, ...]:
        """Names of the moments that an update with these settings needs."""
        raise NotImplementedError

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

    def _update(self, arena: Arena, run: Run, moments: tuple[str, ...], values: dict) -> None:
        """One update of a run, by kernel or by definition."""
        arrays = arena.arrays(run, moments)
        kernel = None
        if arena.layout.flat and not settings().disable_kernels:
            kernel = self.kernels.get(library_of(arrays[0]).name)
        if kernel is not None:
            kernel(*arrays, t=run.t, **values)
        else:
            targets = [arrays[0], *arrays[2:]]
            found = type(self).definition(*arrays, t=run.t, **values)
            for target, value in zip(targets, found, strict=True):
                assign(target, value)
        arena.layout.bump_versions(run.first, run.last)

    def _as_groups(self, params: Iterable[Any]) -> list[Mapping[str, Any]]:
        """The params argument as a list of groups. Raises HyperparameterError."""
        if isinstance(params, Tensor | Mapping | set | str) or not isinstance(params, Iterable):
            raise HyperparameterError(
                f"{self}: params must be a list of parameters or of groups, got "
                f"{type(params).__name__}; e.g. {self}(model.parameters())"
            )
        listed = list(params)
        return listed if listed and isinstance(listed[0], Mapping) else [{"params": listed}]

    def _new_group(self, group: Any) -> Group:
        """A group with its settings over the defaults. Raises HyperparameterError, DtypeError."""
        if not isinstance(group, Mapping) or "params" not in group:
            raise HyperparameterError(
                f'{self}: a group must be a dict with "params", got {type(group).__name__}'
            )
        values = {name: value for name, value in group.items() if name != "params"}
        params = group["params"]
        params = [params] if isinstance(params, Tensor) else list(params)
        if not params:
            raise HyperparameterError(
                f"{self}: params must hold at least one parameter, got none; has the model any, or "
                "was the iterator used up before?"
            )
        for i, parameter in enumerate(params):
            self._check_parameter(i, parameter)
        return Group(self, params, {**self.defaults, **values})

    def _check_parameter(self, i: int, parameter: Any) -> None:
        if not isinstance(parameter, Tensor) or not _is_trainable(parameter):
            raise HyperparameterError(
                f"{self}: params[{i}] must be a parameter, a Tensor that requires a gradient and "
                f"was not computed, got {parameter!r:.80}; e.g. {self}(model.parameters())"
            )
        if dtype_name(parameter.dtype) not in DTYPES:
            raise DtypeError(
                f"{self}: params[{i}] must be {' or '.join(DTYPES)}, got "
                f"{dtype_name(parameter.dtype)}; keep parameters in float32 and cast in the model"
            )

    def _check_unique(self, groups: list[Group]) -> None:
        """Raises HyperparameterError for a parameter that would be updated twice a step."""
        seen: set[int] = set()
        for number, group in enumerate(groups):
            for i, parameter in enumerate(group["params"]):
                if id(parameter) in seen:
                    raise HyperparameterError(
                        f"{self}: every parameter must be given once, but params[{i}] of group "
                        f"{number}, shape {tuple(parameter.shape)}, came before"
                    )
                seen.add(id(parameter))

    def _lay_out(self, group: Group) -> None:
        group.arenas = [Arena(layout) for layout in layouts_of(group["params"])]
        self.param_groups.append(group)


def _is_trainable(parameter: Tensor) -> bool:
    """Whether it is a leaf, or a frozen one: a constant of a class of parameters."""
    if parameter.level != 0:
        return False
    return isinstance(parameter._node, Leaf) or (
        parameter._node is None and type(parameter) is not Tensor
    )
