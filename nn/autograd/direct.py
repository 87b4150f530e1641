"""op.backward: registers a derivative rule, and is the rule itself when it is given arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from ...backend import Array, is_array, is_complex, is_floating
from .tape import conjugated


class Backward:
    """What op.backward is: see __call__."""

    def __init__(self, op: Any) -> None:
        self._op = op

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """One of four things, told apart by what is given.

        @op.backward: the function below is the rule for the first parameter.
        @op.backward("x", "weight"): it is the rule for these, and returns a tuple in this order.
        op.backward(x1=rule, x2=rule): a rule for each parameter.
        op.backward(dy, *inputs): the gradients for cotangent dy, one array or a tuple.
        """
        derivative = self._op.derivative
        if args and inspect.isfunction(args[0]):
            derivative.add({self._op.names[0]: args[0]})
            return args[0]
        if args and all(isinstance(a, str) for a in args):
            return lambda function: (derivative.add_group(args, function), function)[1]
        if args:
            return self._gradients(args[0], args[1:], kwargs)
        if kwargs and all(inspect.isfunction(rule) for rule in kwargs.values()):
            return derivative.add(kwargs)
        raise TypeError(f"{self._op}.backward: give the cotangent dy and the inputs of {self._op}")

    def _gradients(self, dy: Array, args: tuple, kwargs: dict) -> Any:
        args, kwargs = self._op.parameters.positions(args, kwargs)
        indices = [
            i
            for i in self._op.derivative.indices(len(args))
            if i < len(args) and is_array(args[i]) and _has_gradient(args[i])
        ]
        dy = tuple(map(conjugated, dy)) if isinstance(dy, tuple) else conjugated(dy)
        gradients = tuple(map(conjugated, gradients_of(self._op, dy, args, kwargs, indices)))
        return gradients[0] if len(gradients) == 1 else gradients


def gradients_of(
    function: Callable[..., Any],
    dy: Array,
    args: Sequence[Any],
    kwargs: dict[str, Any],
    indices: Sequence[int],
) -> tuple[Array, ...]:
    """The gradients of function(*args, **kwargs) at these positions, for cotangent dy.

    As rules have it: nothing is conjugated.
    """
    from .transforms import transposed  # transforms are built on ops

    def of_wanted(*inputs: Array) -> Any:
        merged = list(args)
        for i, x in zip(indices, inputs, strict=True):
            merged[i] = x
        return function(*merged, **kwargs)

    _, pull = transposed(of_wanted, *(args[i] for i in indices))
    return pull(dy)


def _has_gradient(x: Array) -> bool:
    return is_floating(x) or is_complex(x)
