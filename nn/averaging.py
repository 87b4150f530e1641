"""Averages of the weights that a training goes through."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from ..backend import Array, unwrap
from ..backend.errors import HyperparameterError, StateDictError
from ..backend.replay import carried, each_step
from .autograd.tensor import write_in_place
from .module import Module
from .optimizers.hyperparameters import below_one
from .parameter import copied


class ExponentialMovingAverage:
    """A copy of a model whose parameters follow: average + (1 - decay) (parameter - average).

    Call update(model) after every optimizer step. The first update copies the parameters, so there
    is no bias towards the start. Buffers, as the statistics of batch norm, are those of the last
    update. average.module is the averaged model: evaluate and save that one.
    decay in [0, 1); 0 copies. Raises HyperparameterError, and in update StateDictError for a model
    with other names or shapes. torch's AveragedModel with get_ema_multi_avg_fn(decay); optax.ema
    starts from 0 and divides the bias out.
    Source: Polyak and Juditsky 1992 (a plain mean); exponential as in Tarvainen and Valpola 2017.
    """

    def __init__(self, model: Module, decay: float = 0.999) -> None:
        self.decay = below_one("ExponentialMovingAverage: decay", decay)
        _check_model(model)
        self.module = copy.deepcopy(model)
        self.n_updates = 0

    def update(self, model: Module) -> None:
        """Take over the parameters that the model has now, by 1 - decay."""
        _check_model(model)
        new, buffers = dict(model.named_parameters()), dict(model.named_buffers())
        own = dict(self.module.named_parameters())
        _check_alike(own, new)
        share = 1.0 if self.n_updates == 0 else 1.0 - self.decay
        for name, average in own.items():
            old, now = unwrap(average), unwrap(new[name])
            write_in_place(average, now if share == 1.0 else old + share * (now - old))
        self.module._replace_buffers(lambda path, x: carried(x, copied(buffers[path])))
        each_step(self._count)

    def _count(self) -> None:
        self.n_updates += 1

    def state_dict(self) -> dict[str, Any]:
        """{"n_updates": n, "module": the averaged model's state_dict}."""
        return {"n_updates": self.n_updates, "module": self.module.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state_dict. Raises StateDictError, DtypeError, CastOverflowError."""
        if set(state) != {"n_updates", "module"}:
            raise StateDictError(
                "ExponentialMovingAverage: a state_dict has the keys 'n_updates' and 'module', got "
                f"{sorted(map(str, state))}"
            )
        self.module.load_state_dict(state["module"])
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
