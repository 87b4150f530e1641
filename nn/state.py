"""The state of a module as a dict of arrays: copied out, and read back after it was checked."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..backend import (
    Array,
    array,
    device_of,
    dtype_name,
    is_array,
    is_complex,
    is_floating,
    is_integer,
    to_numpy,
    unwrap,
)
from ..backend.comparison import on_host
from ..backend.errors import CastOverflowError, DtypeError, StateDictError
from ..backend.replay import carried
from .autograd.tensor import write_in_place
from .parameter import Parameter, copied

N_SHOWN = 20  # names of one kind in an error; a wrong file can have thousands


class Differences(NamedTuple):
    """Names that only the module has, and names that only the state has."""

    missing: list[str]
    unexpected: list[str]


def saved_state(named: Iterable[tuple[str, Array]]) -> dict[str, Array]:
    """A copy of every array, plain, by name."""
    return {name: copied(x) for name, x in named}


def load_state(
    named: Sequence[tuple[str, Array]], state: Mapping[str, Any], strict: bool
) -> tuple[Differences, dict[str, Array]]:
    """Write a state into the parameters; returns the names that differ, and the new buffers.

    An array with several names, as tied weights have, may be given under one of them. Nothing is
    written before everything fits: see Module.load_state_dict.
    """
    own = dict(named)
    given = {id(x) for name, x in own.items() if name in state}
    differences = Differences(
        [name for name, x in own.items() if id(x) not in given],
        [name for name in state if name not in own],
    )
    _check_names_and_shapes(own, state, differences if strict else Differences([], []))
    ready = {name: _fitted(name, state[name], own[name]) for name in own if name in state}
    buffers = {}
    for name, values in ready.items():
        if isinstance(own[name], Parameter):
            write_in_place(own[name], values)
        else:
            buffers[name] = carried(own[name], values)
    return differences, buffers


def _check_names_and_shapes(
    own: Mapping[str, Array], state: Mapping[str, Any], differences: Differences
) -> None:
    """Raises StateDictError that lists all names that do not fit."""
    complaints = [
        *_listed("missing", [f"{name} {_shape(own[name])}" for name in differences.missing]),
        *_listed("unexpected", [_near(name, differences) for name in differences.unexpected]),
        *_listed("mis-shaped", _misshaped(own, state)),
    ]
    if complaints:
        raise StateDictError(
            "load_state_dict: names and shapes must be those of the module; nothing was written\n"
            + "\n".join(complaints)
        )


def _listed(kind: str, entries: list[str]) -> list[str]:
    if len(entries) > N_SHOWN:
        entries = [*entries[:N_SHOWN], f"and {len(entries) - N_SHOWN} more"]
    return [f"  {kind}: {', '.join(entries)}"] if entries else []


def _near(name: str, differences: Differences) -> str:
    """The unexpected name, and the missing one that it may stand for."""
    near = difflib.get_close_matches(str(name), differences.missing, n=1)
    return f"{name} (did you mean {near[0]}?)" if near else str(name)


def _misshaped(own: Mapping[str, Array], state: Mapping[str, Any]) -> list[str]:
    entries = []
    for name, x in own.items():
        if name not in state:
            continue
        if not is_array(state[name]):
            entries.append(f"{name} must be an array, got {type(state[name]).__name__}")
        elif _shape(state[name]) != _shape(x):
            entries.append(f"{name} must be {_shape(x)}, got {_shape(state[name])}")
    return entries


def _fitted(name: str, value: Array, x: Array) -> Array:
    """value as a new array of the dtype and on the device of x."""
    target, wanted, given = unwrap(x), dtype_name(x.dtype), dtype_name(value.dtype)
    if not _can_become(given, wanted):
        raise DtypeError(
            f"load_state_dict: {name} must be {wanted} or narrower, got {given}; nothing was "
            "written; cast the array in the state first"
        )
    # The one place where a cast is checked, whatever the library.
    host = on_host(value) if given == "bfloat16" else to_numpy(value)
    try:
        return array(host, dtype=wanted, device=device_of(target), copy=True)
    except CastOverflowError as error:
        raise CastOverflowError(f"load_state_dict: {name}: {error}; nothing was written") from None


def _can_become(given: str, wanted: str) -> bool:
    """Whether a cast keeps the kind of number: floating values never become integers."""
    if is_floating(wanted):
        return not is_complex(given)
    return given == wanted or (is_integer(given) and is_integer(wanted))


def _shape(x: Array) -> tuple[int, ...]:
    return tuple(x.shape)
