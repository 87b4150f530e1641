"""Cases that a script in tests/oracles wrote: settings, inputs, and what torch made of them."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import isograd as ig

FOLDER = Path(__file__).parent / "oracles"


@dataclass(frozen=True)
class Case:
    """One case; arrays by name are read-only float64, int64 or bool."""

    name: str
    settings: dict[str, Any]
    arrays: dict[str, np.ndarray]

    def __str__(self) -> str:
        return self.name

    def under(self, prefix: str) -> dict[str, np.ndarray]:
        """The arrays whose names start with prefix and a slash, by the rest of their names."""
        start = f"{prefix}/"
        return {
            name.removeprefix(start): array
            for name, array in self.arrays.items()
            if name.startswith(start)
        }


@functools.cache
def torch_cases(topic: str) -> dict[str, Case]:
    """The cases of torch_<topic>.npz by name. Every call gives the same object."""
    with np.load(FOLDER / f"torch_{topic}.npz", allow_pickle=False) as kept:
        arrays = {name: kept[name] for name in kept.files}
    settings = json.loads(str(arrays.pop("settings")))
    cases = {name: Case(name, given, {}) for name, given in settings.items()}
    for name, array in arrays.items():
        case, _, rest = name.partition("|")
        array.flags.writeable = False
        cases[case].arrays[rest] = array
    return cases


def assert_like_torch(module: Any, case: Case, call: Any, rtol: float = 1e-9) -> None:
    """Outputs, and gradients of inputs and parameters, are those of the case.

    call(module, leaves by name, constants by name) -> outputs by name. Leaves are the inputs that
    have a gradient in the case, constants the other arrays.
    """
    wanted = {name: dx for name, dx in case.under("d").items() if not name.startswith("parameter/")}
    leaves = {name: ig.Tensor(ig.array(case.arrays[name]), requires_grad=True) for name in wanted}
    plain = {name for name in case.arrays if "/" not in name} - {*leaves, *case.under("dy")}
    constants = {name: ig.array(case.arrays[name]) for name in plain}
    outputs = call(module, leaves, constants)
    for name, dy in case.under("dy").items():
        assert_near(outputs[name], case.arrays[name], rtol, name)
        outputs[name].backward(ig.array(dy), retain_graph=True)
    for name, dx in wanted.items():
        assert_near(leaves[name].grad, dx, rtol, f"d{name}")
    gradients = case.under("d/parameter")
    found = {} if module is None else dict(module.named_parameters())
    assert set(found) == set(gradients)
    for name, dparameter in gradients.items():
        assert_near(found[name].grad, dparameter, rtol, f"d{name}")


def assert_near(found: Any, expected: np.ndarray, rtol: float, name: str) -> None:
    """The same shape, and values within rtol of the largest; infinities and NaN at their places."""
    found = ig.to_numpy(found.detach() if isinstance(found, ig.Tensor) else found)
    assert found.shape == expected.shape, name
    atol = rtol * float(np.abs(expected[np.isfinite(expected)]).max(initial=0.0))
    np.testing.assert_allclose(found, expected, rtol, atol, err_msg=name)
