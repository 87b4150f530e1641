"""L-BFGS: Newton's method with the curvature seen in the last steps; for whole-batch training."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from ...backend import Array, array_namespace, device_of, dtype_name, unwrap
from ...backend.errors import HyperparameterError
from ..autograd.tensor import write_in_place
from .hyperparameters import count, non_negative, one_of
from .lbfgs_memory import Memory, dot, largest, memory_of
from .line_search import Point, strong_wolfe
from .optimizer import Optimizer
from .state import load_state, state_of


class LBFGS(Optimizer):
    """p - t H dp with the inverse Hessian H estimated from the last history_size steps.

        def closure():
            optimizer.zero_grad()
            loss = nn.mse(model(x), y)
            loss.backward()
            return loss
        loss = optimizer.step(closure)

    One step() takes up to max_iter iterations and calls the closure up to max_eval times (None:
    5/4 max_iter), always on the same data. It ends where max |dp| <= tolerance_grad, or where loss
    or parameters change by less than tolerance_change. lr >= 0: the step t, or the first one that
    line_search_fn="strong_wolfe" tries. All parameters are one group, of one device and dtype
    (float32, float64); the memory is 2 history_size + 4 times theirs. torch's numbers are kept as
    Python floats here, and a loss of NaN in a search counts as infinite. Raises
    HyperparameterError; else see Optimizer.
    optax's lbfgs has 10 pairs, searches by default, and makes one iteration a step.
    Source: Nocedal 1980; Liu and Nocedal 1989. Defaults, tests of convergence: torch's.
    """

    checks: ClassVar = {
        "lr": non_negative,
        "max_iter": count,
        "max_eval": count,
        "tolerance_grad": non_negative,
        "tolerance_change": non_negative,
        "history_size": count,
        "line_search_fn": one_of(None, "strong_wolfe"),
    }
    moment_names = ()
    dtypes = ("float32", "float64")  # a search tells losses apart that half precision does not

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        if max_eval is None:
            max_eval = max(1, count(f"{self}: max_iter", max_iter) * 5 // 4)
        settings: dict[str, Any] = {"lr": lr, "max_iter": max_iter, "max_eval": max_eval}
        settings |= {"tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change}
        settings |= {"history_size": history_size, "line_search_fn": line_search_fn}
        self.memory = Memory()
        super().__init__(params, settings)
        self._check_one_kind()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Iterate until converged, max_iter or max_eval; the loss before that comes back.

        closure: forgets the gradients, computes loss and gradients anew, and returns the loss.
        """
        if not callable(closure):
            raise HyperparameterError(
                f"{self}: step(closure) needs a function that computes loss and gradients anew, "
                f"got {closure!r}"
            )
        first, n_eval = closure(), 1
        here = Point(0.0, self._number(first), self._gradient(), 0.0)
        self.memory.func_evals += 1
        values = self.param_groups[0].settings
        if largest(here.gradient) > values["tolerance_grad"]:
            for n_iter in range(1, values["max_iter"] + 1):
                before, is_last = here, n_iter == values["max_iter"]
                here, n_new = self._iterate(closure, before, values, n_eval, is_last)
                n_eval += n_new
                self.memory.func_evals += n_new
                if is_last or n_eval >= values["max_eval"] or self._is_done(before, here, values):
                    break
        return first

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Raises HyperparameterError: there is one group only."""
        raise HyperparameterError(f"{self}: all parameters must be one group; give them at once")

    def state_dict(self) -> dict[str, Any]:
        """As torch's: {"state": {0: the memory}, "param_groups": [...]}; vectors are stacked."""
        return {**state_of(self), "state": {0: self.memory.state()}}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over settings and memory of a state_dict, also of torch's; all or nothing.

        Raises StateDictError, HyperparameterError and CastOverflowError as other optimizers do.
        """
        memory = memory_of(self, state_dict)
        load_state(self, {**state_dict, "state": {}})
        self.memory = memory

    def _iterate(
        self, closure: Callable[[], Any], here: Point, values: dict, n_eval: int, is_last: bool
    ) -> tuple[Point, int]:
        """Choose a direction and go along it: where that leads, and how many calls it took."""
        memory = self.memory
        memory.n_iter += 1
        if memory.n_iter > 1:
            memory.learn(here.gradient, values["history_size"])
        memory.d = memory.direction(here.gradient)
        memory.prev_flat_grad, memory.prev_loss = here.gradient, here.loss
        memory.t = values["lr"] * (_first_step(here.gradient) if memory.n_iter == 1 else 1.0)
        slope = dot(here.gradient, memory.d)
        if slope > -values["tolerance_change"]:
            return here, 0
        start = self._values()
        if values["line_search_fn"] is None:
            return self._one_step(closure, here, start, is_last)
        here = Point(0.0, here.loss, here.gradient, slope)
        found, n_new = strong_wolfe(
            lambda t: self._evaluate(closure, start, t),
            here,
            memory.t,
            largest(memory.d),
            values["max_eval"] - n_eval,
        )
        memory.t = found.t
        self._move(start, found.t)
        return found, n_new

    def _one_step(
        self, closure: Callable[[], Any], here: Point, start: Array, is_last: bool
    ) -> tuple[Point, int]:
        """Without a search; nobody asks for the loss after the last step, so it is not computed."""
        if not is_last:
            return self._evaluate(closure, start, self.memory.t), 1
        self._move(start, self.memory.t)
        return Point(self.memory.t, here.loss, here.gradient, 0.0), 0

    def _evaluate(self, closure: Callable[[], Any], start: Array, t: float) -> Point:
        """Loss and gradient at start + t d; the parameters are left there."""
        self._move(start, t)
        loss, gradient = self._number(closure()), self._gradient()
        # A loss of NaN is as good as an infinite one: both are beyond the good steps.
        loss = math.inf if math.isnan(loss) else loss
        return Point(t, loss, gradient, dot(gradient, self.memory.d))

    def _is_done(self, before: Point, here: Point, values: dict[str, Any]) -> bool:
        """Whether another iteration could change nothing that counts."""
        least = values["tolerance_change"]
        return (
            here is before
            or largest(here.gradient) <= values["tolerance_grad"]
            or largest(self.memory.d) * abs(self.memory.t) <= least
            or abs(here.loss - before.loss) < least
        )

    def _number(self, loss: Any) -> float:
        try:
            return float(loss)
        except (TypeError, ValueError):
            raise HyperparameterError(
                f"{self}: the closure must return the loss, one number, got {type(loss).__name__}"
            ) from None

    def _values(self) -> Array:
        """All parameters in one vector, a copy."""
        return _joined([unwrap(p) for p in self.param_groups[0]["params"]])

    def _gradient(self) -> Array:
        """All gradients in one vector, a copy; zeros where there is none."""
        found = []
        for p in self.param_groups[0]["params"]:
            values = unwrap(p)
            zeros = array_namespace(values).zeros_like
            found.append(zeros(values) if p.grad is None else unwrap(p.grad))
        return _joined(found)

    def _move(self, start: Array, t: float) -> None:
        """Set the parameters to start + t d."""
        vector, first = start + t * self.memory.d, 0
        xp = array_namespace(vector)
        for p in self.param_groups[0]["params"]:
            part = vector[first : first + p.size]
            write_in_place(p, xp.reshape(part, p.shape))
            first += p.size

    def _check_one_kind(self) -> None:
        """Raises HyperparameterError for two groups, devices or dtypes."""
        if len(self.param_groups) != 1:
            raise HyperparameterError(
                f"{self}: all parameters must be one group, got {len(self.param_groups)}"
            )
        params = self.param_groups[0]["params"]
        kinds = sorted({f"{dtype_name(p.dtype)} on {device_of(p)}" for p in params})
        if len(kinds) > 1:
            raise HyperparameterError(
                f"{self}: all parameters must be of one dtype and device, got {', '.join(kinds)}"
            )


def _first_step(gradient: Array) -> float:
    """min(1, 1 / sum |dp|): a first step by 1 at most, before any curvature is known."""
    xp = array_namespace(gradient)
    return min(1.0, 1.0 / float(xp.sum(xp.abs(gradient))))


def _joined(arrays: list[Array]) -> Array:
    xp = array_namespace(arrays[0])
    return xp.concat([xp.reshape(array, (-1,)) for array in arrays])
