"""The state of an optimizer as plain dicts of numbers and arrays, and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...backend import Array, array, array_namespace, device_of
from ...backend.errors import StateDictError
from .arena import Arena
from .masters import MASTER, is_half, wide_dtype

if TYPE_CHECKING:
    from .optimizer import Optimizer

STEP = "step"  # torch's name for the number of updates
KEYS = {"state", "param_groups"}
# What torch's groups hold beside settings of ours: how to compute the same numbers, and
TORCH_KEYS = {"foreach", "fused", "capturable", "differentiable", "initial_lr"}
# switches that are False here, but for those in a class's torch_switches.
TORCH_SWITCHES = {
    "maximize": "let the loss be its negative",
    "amsgrad": "True is AMSGrad here, False the others",
    "decoupled_weight_decay": "True is AdamW here, False the others",
}


def state_of(optimizer: Optimizer) -> dict[str, Any]:
    """{"state": {i: {"step": n, moment: array}}, "param_groups": [...]}; all arrays are copies."""
    state, groups = {}, []
    for group, indices in _numbered(optimizer):
        places = _places(group)
        for i, parameter in zip(indices, group["params"], strict=True):
            arena, place = places[id(parameter)]
            n_updates, moments = arena.state_of(place)
            if n_updates or MASTER in moments:
                copies = {name: _copy(moment) for name, moment in moments.items()}
                state[i] = {STEP: n_updates, **copies}
        groups.append({**group.settings, "params": indices})
    return {"state": state, "param_groups": groups}


def load_state(optimizer: Optimizer, state_dict: Mapping[str, Any]) -> None:
    """Write a state_dict into an optimizer; nothing is changed unless all of it fits."""
    _check_keys(optimizer, state_dict)
    given = {int(i): entry for i, entry in state_dict["state"].items()}
    settings, updates = [], []
    saved_groups = state_dict["param_groups"]
    numbered = list(_numbered(optimizer))
    if len(saved_groups) != len(numbered):
        raise StateDictError(
            f"{optimizer}: param_groups must have {len(numbered)} groups as here, got "
            f"{len(saved_groups)}"
        )
    for number, ((group, indices), saved) in enumerate(zip(numbered, saved_groups, strict=True)):
        _check_group(optimizer, number, indices, saved)
        settings.append({**group.settings, **_settings(optimizer, saved)})
        optimizer.checked(settings[-1])
        places = _places(group)
        for ours, theirs, parameter in zip(indices, saved["params"], group["params"], strict=True):
            entry = _entry(optimizer, ours, parameter, given.pop(int(theirs), {}))
            updates.append((*places[id(parameter)], *entry))
    if given:
        raise StateDictError(
            f"{optimizer}: state must be of parameters in param_groups, got {sorted(given)[0]} too"
        )
    for (group, _), values in zip(numbered, settings, strict=True):
        group.update(values)
    for arena, place, n_updates, moments in updates:
        arena.set_state(place, n_updates, moments)


def _numbered(optimizer: Optimizer) -> Iterator[tuple[Any, list[int]]]:
    """Each group with the numbers of its parameters, counted over all groups."""
    start = 0
    for group in optimizer.param_groups:
        stop = start + len(group["params"])
        yield group, list(range(start, stop))
        start = stop


def _settings(optimizer: Optimizer, saved: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a saved group without those that only torch has.

    Raises StateDictError for one of these that would change the numbers, e.g. maximize=True.
    """
    values = {name: value for name, value in saved.items() if name not in {"params", *TORCH_KEYS}}
    for name in sorted(TORCH_SWITCHES.keys() & values.keys() - optimizer.checks.keys()):
        wanted, value = name in getattr(optimizer, "torch_switches", ()), values.pop(name)
        if bool(value) != wanted:
            raise StateDictError(
                f"{optimizer}: {name} must be {wanted}, got {value!r}; {TORCH_SWITCHES[name]}"
            )
    return values


def _places(group: Any) -> dict[int, tuple[Arena, int]]:
    """Arena and position of each parameter of a group, by its id."""
    return {
        id(parameter): (arena, i)
        for arena in group.arenas
        for i, parameter in enumerate(arena.parameters)
    }


def _entry(
    optimizer: Optimizer, i: int, parameter: Any, saved: Mapping[str, Any]
) -> tuple[int, dict[str, Array]]:
    """How often updated and the moments of parameter i, as arrays that fit it."""
    shape = tuple(parameter.shape)
    shapes = optimizer.moment_shapes(shape) | ({MASTER: shape} if is_half(parameter) else {})
    # NAdam of torch keeps mu_product; ours follows from the step. Parameters that are no longer in
    # half precision are their own masters.
    implied = {"mu_product", MASTER} if "momentum_decay" in optimizer.checks else {MASTER}
    unknown = sorted(set(saved) - {STEP, *shapes, *implied})
    if unknown:
        raise StateDictError(
            f"{optimizer}: the state of parameter {i} must hold {STEP}, {', '.join(shapes)}, "
            f"got {unknown[0]!r}; is it of another optimizer?"
        )
    moments, dtype = {}, wide_dtype(parameter)
    for name, value in saved.items():
        if name not in shapes or value is None:
            continue
        if tuple(getattr(value, "shape", ())) != shapes[name]:
            raise StateDictError(
                f"{optimizer}: {name} of parameter {i} must have the shape {shapes[name]}, got "
                f"{tuple(getattr(value, 'shape', ()))}"
            )
        moments[name] = array(value, dtype=dtype, device=device_of(parameter))
    return _count(optimizer, i, saved.get(STEP, 1 if moments.keys() - {MASTER} else 0)), moments


def _count(optimizer: Optimizer, i: int, value: Any) -> int:
    """A number of updates, also from an array of one number."""
    count = float(value)
    if not count.is_integer() or count < 0:
        raise StateDictError(f"{optimizer}: step of parameter {i} must be a count, got {value!r}")
    return int(count)


def _check_keys(optimizer: Optimizer, state_dict: Mapping[str, Any]) -> None:
    if not isinstance(state_dict, Mapping) or set(state_dict) != KEYS:
        got = sorted(map(str, state_dict)) if isinstance(state_dict, Mapping) else type(state_dict)
        raise StateDictError(f"{optimizer}: a state_dict has the keys {sorted(KEYS)}, got {got}")


def _check_group(
    optimizer: Optimizer, number: int, indices: list[int], saved: Mapping[str, Any]
) -> None:
    if len(saved.get("params", ())) != len(indices):
        raise StateDictError(
            f"{optimizer}: group {number} must have {len(indices)} parameters, got "
            f"{len(saved.get('params', ()))}; is it of another model?"
        )


def _copy(x: Array) -> Array:
    return array_namespace(x).asarray(x, copy=True)
