"""What a workload may ask of any library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..clocks import Clock, WallClock


class Side:
    """A library on a device, in one of its modes.

    library, device, mode: "torch", "cpu", "best". threads: how many it may use. xp: its functions
    by the names of the Array API. nn, functional: where layers and losses are, by torch's names.
    """

    xp: Any = np
    nn: Any = None
    functional: Any = None

    def __init__(self, library: str, device: str, mode: str, threads: int) -> None:
        self.library, self.device, self.mode, self.threads = library, device, mode, threads
        self.variant = ""

    # -- arrays

    def array(self, x: np.ndarray) -> Any:
        """The library's own array with the numbers of x, on the device."""
        return x

    def variable(self, x: np.ndarray) -> Any:
        """The same, with a gradient after backward()."""
        raise NotImplementedError(f"{self.library} has no backward()")

    def to_numpy(self, x: Any) -> np.ndarray:
        """A NumPy array with the numbers of the library's array."""
        return np.asarray(x)

    def numbers(self, x: Any) -> np.ndarray:
        """The same for what may be a number, or NumPy's already; copied, so that it stays so."""
        return np.array(x if isinstance(x, np.ndarray | np.generic | float) else self.to_numpy(x))

    def forget_gradients(self, *variables: Any) -> None:
        """As if backward() had not been called."""
        for variable in variables:
            variable.grad = None

    # -- time and memory

    def wait(self) -> object:
        """Return when the device has done all that was asked of it."""
        return None

    def clock(self) -> Clock:
        """What to time calls with."""
        return WallClock(self.wait)

    def peak_device_bytes(self) -> int | None:
        """The most of the device's own memory that the process held; None on the CPU."""
        return None

    # -- modes

    def variants(self, compiles: bool) -> list[str]:
        """What the mode has to choose from; the fastest is measured. "" is the only default."""
        return [""]

    def choose(self, variant: str) -> None:
        """Take one of the variants for what is built and called from now on."""
        self.variant = variant

    # -- models of the libraries that have torch's names

    def load(self, model: Any, weights: Mapping[str, np.ndarray]) -> Any:
        """The model with these parameters, on the device."""
        raise NotImplementedError(f"{self.library} has no models with torch's names")

    def shapes(self, model: Any) -> dict[str, tuple[int, ...]]:
        """Shape of each parameter by its name."""
        return {name: tuple(x.shape) for name, x in model.named_parameters()}

    def adam(self, model: Any, lr: float) -> Any:
        """Adam over the model's parameters."""
        raise NotImplementedError(f"{self.library} has no Adam with torch's names")

    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, compiled where the variant says so."""
        return function

    def images_last(self, x: Any) -> Any:
        """The layout of images, and of a model for them, that the mode prefers."""
        return x
