"""Groups of parameters with settings of their own: what an optimizer is given, checked."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ...backend import dtype_name
from ...backend.errors import DtypeError, HyperparameterError
from ..autograd import Tensor
from ..autograd.tape import Leaf

if TYPE_CHECKING:
    from .arena import Arena
    from .optimizer import Optimizer


class Group(UserDict):
    """The settings of some parameters, by name; "params" is the list of them.

    A setting may be changed between steps, e.g. group["lr"] = 1e-4; it is checked then.
    """

    def __init__(self, optimizer: Optimizer, params: list[Tensor], values: dict[str, Any]) -> None:
        self._optimizer = optimizer
        self.arenas: list[Arena] = []
        super().__init__()
        self._set(params, values)

    @property
    def settings(self) -> dict[str, Any]:
        """Everything but the parameters."""
        return dict(self.current)

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
        self._set(self.data["params"], {**self.current, **changes})

    def _set(self, params: list[Tensor], values: dict[str, Any]) -> None:
        self.current = self._optimizer.checked(values)  # never written to: replaced by a new dict
        self.data = {"params": params, **self.current}


def as_groups(optimizer: Optimizer, params: Iterable[Any]) -> list[Mapping[str, Any]]:
    """The params argument of an optimizer as a list of groups. Raises HyperparameterError."""
    if isinstance(params, Tensor | Mapping | set | str) or not isinstance(params, Iterable):
        raise HyperparameterError(
            f"{optimizer}: params must be a list of parameters or of groups, got "
            f"{type(params).__name__}; e.g. {optimizer}(model.parameters())"
        )
    listed = list(params)
    return listed if listed and isinstance(listed[0], Mapping) else [{"params": listed}]


def new_group(optimizer: Optimizer, group: Any) -> Group:
    """A group with its settings over the optimizer's defaults.

    Raises HyperparameterError, DtypeError, and what the optimizer's check_shape() raises.
    """
    if not isinstance(group, Mapping) or "params" not in group:
        raise HyperparameterError(
            f'{optimizer}: a group must be a dict with "params", got {type(group).__name__}'
        )
    values = {name: value for name, value in group.items() if name != "params"}
    params = group["params"]
    params = [params] if isinstance(params, Tensor) else list(params)
    if not params:
        raise HyperparameterError(
            f"{optimizer}: params must hold at least one parameter, got none; has the model any, "
            "or was the iterator used up before?"
        )
    for i, parameter in enumerate(params):
        _check_parameter(optimizer, i, parameter)
        optimizer.check_shape(i, tuple(parameter.shape))
    return Group(optimizer, params, {**optimizer.defaults, **values})


def check_unique(optimizer: Optimizer, groups: list[Group]) -> None:
    """Raises HyperparameterError for a parameter that would be updated twice a step."""
    seen: set[int] = set()
    for number, group in enumerate(groups):
        for i, parameter in enumerate(group["params"]):
            if id(parameter) in seen:
                raise HyperparameterError(
                    f"{optimizer}: every parameter must be given once, but params[{i}] of group "
                    f"{number}, shape {tuple(parameter.shape)}, came before"
                )
            seen.add(id(parameter))


def _check_parameter(optimizer: Optimizer, i: int, parameter: Any) -> None:
    if not isinstance(parameter, Tensor) or not _is_trainable(parameter):
        raise HyperparameterError(
            f"{optimizer}: params[{i}] must be a parameter, a Tensor that requires a gradient and "
            f"was not computed, got {parameter!r:.80}; e.g. {optimizer}(model.parameters())"
        )
    if dtype_name(parameter.dtype) not in optimizer.dtypes:
        raise DtypeError(
            f"{optimizer}: params[{i}] must be {' or '.join(optimizer.dtypes)}, got "
            f"{dtype_name(parameter.dtype)}; keep parameters in float32 and cast in the model"
        )


def _is_trainable(parameter: Tensor) -> bool:
    """Whether it is a leaf, or a frozen one: a constant of a class of parameters."""
    if parameter.level != 0:
        return False
    return isinstance(parameter._node, Leaf) or (
        parameter._node is None and type(parameter) is not Tensor
    )
