"""isograd on any of its devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..clocks import Clock, EventClock
from .side import Side


def make_side(library: str, device: str, mode: str, threads: int) -> Side:
    """The Side; the device is the current one from now on. Raises what ig.use raises."""
    return Ours(library, device, mode, threads)


class Ours(Side):
    """isograd: xp differentiates what it computes."""

    def __init__(self, library: str, device: str, mode: str, threads: int) -> None:
        from .... import nn, use, wrap_namespace

        super().__init__(library, device, mode, threads)
        self._device = use(device)
        self.nn = self.functional = nn
        self.xp = wrap_namespace(self._device.xp)

    def array(self, x: np.ndarray) -> Any:
        from .... import to_device

        return to_device(x, self._device)

    def variable(self, x: np.ndarray) -> Any:
        from .... import Tensor

        return Tensor(self.array(x), requires_grad=True)

    def to_numpy(self, x: Any) -> np.ndarray:
        from .... import Tensor, to_numpy

        return to_numpy(x.detach() if isinstance(x, Tensor) else x)

    def wait(self) -> None:
        self._device.synchronize()

    def clock(self) -> Clock:
        if not self._device.name.startswith("cuda"):
            return super().clock()
        cuda = self._device.library.module().cuda
        return EventClock(self.wait, cuda.Event, cuda.get_elapsed_time)

    def peak_device_bytes(self) -> int | None:
        if not self._device.name.startswith("cuda"):
            return None
        return int(self._device.library.module().get_default_memory_pool().total_bytes())

    def load(self, model: Any, weights: Mapping[str, np.ndarray]) -> Any:
        model.load_state_dict(weights, strict=False)
        return model

    def adam(self, model: Any, lr: float) -> Any:
        return self.nn.Adam(model.parameters(), lr=lr)
