"""capture: a whole training step as one graph of launches, where the device has such a thing."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable
from typing import Any

from ...backend import (
    array_namespace,
    current_device,
    device_of,
    dtype_name,
    is_array,
    settings,
)
from ...backend.errors import CaptureError, HyperparameterError
from ...kernels.graphs import Graph, graph_maker
from ...kernels.precision import current_matmul_precision
from .tape import first_live_level
from .tensor import Tensor, constant, innermost
from .tree import leaves, mapped, structure

MAX_COUNTED = 1024  # kinds of arguments whose warm-up calls are counted at a time


def capture(
    step: Callable[..., Any] | None = None, *, warm_up: int = 2, max_graphs: int = 8
) -> Any:
    """A function that does what step does: on a GPU the first calls run it, later ones replay it.

    step: usually a whole training step, from the batch to the optimizer's step(); may also stand
    under a decorator. Its arguments: trees (dicts, lists, tuples) of arrays and of values such as
    numbers and strings; its result: a tree of arrays, None for nothing. On the CPU the function is
    step itself.

    A captured step is a fixed list of launches, so that the host's work of building it, most of
    the time of a small model, is paid once. Optimizers, schedules, dropout and Generators go on as
    in plain calls, and results are the same bits. What else Python does in the step, a counter or a
    print, happens in warm-up and capture only, and nothing in it may read a value of an array: no
    float(loss), no `if x > 0`, no boolean mask. A label out of range gives NaN, and its LabelError
    at a later call.

    What decides about launches may change between calls: attributes of the modules that the step
    calls (train() and eval(), the p of a dropout, a layer that is exchanged), the parameters that
    an optimizer trains, matmul_precision(), no_grad(). A new graph is then made as for new shapes;
    the old one is kept for when the change is taken back. Other values that the step finds by
    itself, such as a global or the bound of clip_grad_norm, are those of the capture forever: pass
    them as arguments.

    warm_up: calls that run the step as it is, which compiles kernels; they count as steps.
    max_graphs: graphs that are kept, one for each set of shapes, dtypes, other arguments and such
    settings; the one not used for longest goes first. Each keeps the memory of one step.
    A captured step is for one stream of one GPU; calls on several streams would share its memory.
    Raises CaptureError for arguments that a replay could not stand for, and when a step cannot be
    captured, with the line; HyperparameterError unless warm_up >= 1 and max_graphs >= 1.
    """
    if step is None:
        return functools.partial(capture, warm_up=warm_up, max_graphs=max_graphs)
    for name, value in (("warm_up", warm_up), ("max_graphs", max_graphs)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise HyperparameterError(f"capture: {name} must be a positive integer, got {value!r}")
    return Captured(step, warm_up, max_graphs)


class Captured:
    """What capture() returns."""

    def __init__(self, step: Callable[..., Any], warm_up: int, max_graphs: int) -> None:
        self._step = step
        self._warm_up = warm_up
        self._max_graphs = max_graphs
        self._n_calls: dict[Hashable, int] = {}
        self._replays: list[_Replay] = []  # the one used last at the end
        functools.update_wrapper(self, step)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The result of one step; on a GPU its arrays are constants with memory of their own."""
        given = (args, kwargs)
        key = _key(given) if self._replays else None  # on a CPU there are none
        replay = self._replay_for(key)
        if replay is not None:
            return replay(given)
        maker = _graph_maker(given)
        if maker is None:
            return self._step(*args, **kwargs)
        key = _key(given) if key is None else key
        if self._is_warm(key):
            replay = _Replay(self._step, given, maker, key)
            self._replays.append(replay)
            del self._replays[: -self._max_graphs]
            return replay(given)
        args, kwargs = _static(given)  # aligned as in the capture, which takes the same kernels
        return mapped(_own_constant, _checked_result(self._step(*args, **kwargs)))

    def _replay_for(self, key: Hashable) -> _Replay | None:
        """The graph for such arguments and for the settings as they are, if there is one."""
        for i, replay in reversed(list(enumerate(self._replays))):
            if replay.key == key and replay.is_current():
                self._replays.append(self._replays.pop(i))
                return replay
        return None

    def _is_warm(self, key: Hashable) -> bool:
        """Whether the calls of warm-up are done for such arguments; counts this one if not.

        A graph for other settings does not count: new ones may take other kernels.
        """
        n_others = sum(replay.key == key for replay in self._replays)
        if len(self._n_calls) > MAX_COUNTED:
            self._n_calls.clear()
        n = self._n_calls.get((key, n_others), 0)
        is_warm = n >= self._warm_up
        self._n_calls[key, n_others] = 0 if is_warm and n_others else n + 1
        return is_warm


class _Replay:
    """One graph, the arrays that it reads its arguments from, and its result."""

    def __init__(
        self, step: Callable[..., Any], given: Any, maker: Callable[..., Graph], key: Hashable
    ) -> None:
        self.key = key
        static = _static(given)
        self._inputs = [innermost(leaf) for leaf in leaves(static) if is_array(leaf)]
        args, kwargs = static
        where = device_of(self._inputs[0]) if self._inputs else current_device()
        with where.active():
            self._graph = maker(lambda: _checked_result(step(*args, **kwargs)))
        self.is_current = self._graph.is_current

    def __call__(self, given: Any) -> Any:
        arrays = [innermost(leaf) for leaf in leaves(given) if is_array(leaf)]
        self._graph.replay(zip(self._inputs, arrays, strict=True))
        return mapped(_own_constant, self._graph.result)


def _graph_maker(given: Any) -> Callable[..., Graph] | None:
    """What records on the device of the arguments, else on the current one; None on a CPU.

    Raises CaptureError for arguments on several devices, one of which would be recorded.
    """
    devices = {device_of(innermost(leaf)) for leaf in leaves(given) if is_array(leaf)}
    devices = devices or {current_device()}
    makers = [graph_maker(device.library.name) for device in devices]
    if len(makers) > 1 and any(makers):
        raise CaptureError(
            "a captured step's arguments must be on one device, got arrays on "
            f"{' and '.join(sorted(map(str, devices)))}; move them with to_device"
        )
    return makers[0]


def _static(given: Any) -> Any:
    """The arguments with copies of arrays in their place."""
    return mapped(lambda leaf: _own_constant(leaf) if is_array(leaf) else leaf, given)


def _key(given: Any) -> Hashable:
    """What must be the same for a graph to serve. Raises CaptureError for what cannot be."""
    chosen = settings()
    modes = chosen.disable_kernels, chosen.debug, current_matmul_precision(), first_live_level() > 0
    return (modes, structure(given), *map(_kind, leaves(given)))


def _kind(leaf: Any) -> Hashable:
    """The part of the key that a leaf has."""
    if is_array(leaf):
        if isinstance(leaf, Tensor) and leaf._node is not None:
            raise CaptureError(
                "a captured step's arguments must be plain arrays or constants, got a Tensor that "
                "is recorded; pass x.detach(), and let the step itself know its parameters"
            )
        array = innermost(leaf)
        return (tuple(array.shape), dtype_name(array.dtype), device_of(array).name)
    try:
        hash(leaf)
    except TypeError:
        raise CaptureError(
            "a captured step's arguments must be arrays, or values that can be compared such as "
            f"numbers and strings, got {type(leaf).__name__}"
        ) from None
    return (type(leaf), leaf)


def _checked_result(result: Any) -> Any:
    """The result. Raises CaptureError for a value that every replay would repeat."""
    for leaf in leaves(result):
        if not is_array(leaf):
            raise CaptureError(
                f"a captured step must return arrays, got {leaf!r:.60} ({type(leaf).__name__}), "
                "which a replay could only repeat; return the array that it came from"
            )
    return result


def _own_constant(x: Any) -> Any:
    """A copy that no recording follows: a Tensor for a Tensor, else a plain array."""
    raw = innermost(x)
    copy = array_namespace(raw).asarray(raw, copy=True)
    return constant(copy) if isinstance(x, Tensor) else copy
