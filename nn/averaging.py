"""Averages of the weights that a training goes through."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from ..backend import Array, array, assign, device_of, unwrap
from ..backend.errors import HyperparameterError, StateDictError
from ..backend.replay import carried, each_step
from .autograd.tensor import write_in_place
from .module import Module
from .optimizers.hyperparameters import below_one
from .optimizers.masters import follow, is_half, widened
from .parameter import Parameter, copied

MASTERS = "master_params"


class ExponentialMovingAverage:
    """A copy of a model whose parameters follow: average + (1 - decay) (parameter - average).

    Call update(model) after every optimizer step. The first update copies the parameters, so there
    is no bias towards the start. Buffers, as the statistics of batch norm, are those of the last
    update. average.module is the averaged model: evaluate and save that one. Averages in half
    precision have float32 masters beside it, where small shares are not lost.
    decay in [0, 1); 0 copies. Raises HyperparameterError, and in update StateDictError for a model
    with other names or shapes. torch's AveragedModel with get_ema_multi_avg_fn(decay); optax.ema
    starts from 0 and divides the bias out.
    Source: Polyak and Juditsky 1992 (a plain mean); exponential as in Tarvainen and Valpola 2017.
    """

    def __init__(self, model: Module, decay: float = 0.999) -> None:
        self.decay = below_one("ExponentialMovingAverage: decay", decay)
        _check_model(model)
        self.module = copy.deepcopy(model)
        self._masters = {
            name: widened(unwrap(p)) for name, p in self.module.named_parameters() if is_half(p)
        }
        self.n_updates = 0

    def update(self, model: Module) -> None:
        """Take over the parameters that the model has now, by 1 - decay."""
        _check_model(model)
        new, buffers = dict(model.named_parameters()), dict(model.named_buffers())
        own = dict(self.module.named_parameters())
        _check_alike(own, new)
        share = 1.0 if self.n_updates == 0 else 1.0 - self.decay
        for name, average in own.items():
            now, master = widened(unwrap(new[name])), self._master(name, average)
            value = now if share == 1.0 else master + share * (now - master)
            if master is not unwrap(average):
                assign(master, value)
            write_in_place(average, value)
        self.module._replace_buffers(lambda path, x: carried(x, copied(buffers[path])))
        each_step(self._count)

    def _master(self, name: str, average: Parameter) -> Array:
        """What holds an average in full precision: a float32 array, or the parameter itself."""
        if name not in self._masters:
            return unwrap(average)
        follow(self._masters[name], unwrap(average))
        return self._masters[name]

    def _count(self) -> None:
        self.n_updates += 1

    def state_dict(self) -> dict[str, Any]:
        """{"n_updates": n, "module": the averaged model's state_dict}.

        In half precision also {"master_params": the float32 averages by name}.
        """
        state = {"n_updates": self.n_updates, "module": self.module.state_dict()}
        masters = {name: copied(x) for name, x in self._masters.items()}
        return {**state, MASTERS: masters} if masters else state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state_dict. Raises StateDictError, DtypeError, CastOverflowError.

        Averages that are not among its masters go on from the module's parameters.
        """
        if set(state) - {MASTERS} != {"n_updates", "module"}:
            raise StateDictError(
                "ExponentialMovingAverage: a state_dict has the keys 'n_updates' and 'module', got "
                f"{sorted(map(str, state))}"
            )
        self.module.load_state_dict(state["module"])
        for name in self._masters.keys() & state.get(MASTERS, {}).keys():
            own = self._masters[name]
            assign(own, array(state[MASTERS][name], dtype=own.dtype, device=device_of(own)))
        self.n_updates = int(state["n_updates"])


def _check_model(model: Any) -> None:
    """Raises HyperparameterError for anything that is not a Module."""
    if not isinstance(model, Module):
        raise HyperparameterError(
            f"ExponentialMovingAverage: model must be a Module, got {type(model).__name__}; "
            "put bare parameters into one"
        )


def _check_alike(own: Mapping[str, Array], new: Mapping[str, Array]) -> None:
    """Raises StateDictError unless both have the same names and shapes."""
    for name in [*own, *new]:
        shapes = [tuple(x[name].shape) if name in x else None for x in (own, new)]
        if shapes[0] != shapes[1]:
            raise StateDictError(
                "ExponentialMovingAverage: the model must be the one that was copied, but "
                f"{name} was {shapes[0]} and is {shapes[1]}"
            )
