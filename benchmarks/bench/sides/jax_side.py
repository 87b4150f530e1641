"""JAX, its functions compiled by jax.jit as its users do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .side import Side


def make_side(library: str, device: str, mode: str, threads: int) -> Side:
    """The Side. Raises ValueError for a device that jax does not find."""
    return Jax(library, device, mode, threads)


class Jax(Side):
    """jax: xp is jax.numpy. Calls return before their results are there.

    On the CPU each is waited for, as the other libraries' calls are over when they return; on a GPU
    the last one is, as theirs go ahead, too.
    """

    def __init__(self, library: str, device: str, mode: str, threads: int) -> None:
        import jax

        super().__init__(library, device, mode, threads)
        kind, _, index = device.partition(":")
        try:
            found = jax.devices(kind)
        except RuntimeError as error:
            raise ValueError(f"jax finds no {kind}: {error}") from None
        self._jax, self.xp = jax, jax.numpy
        self._device = found[int(index or 0)]
        self._goes_ahead, self._last = kind != "cpu", None
        jax.config.update("jax_default_device", self._device)

    def array(self, x: np.ndarray) -> Any:
        return self._jax.device_put(x, self._device)

    def wait(self) -> object:
        return self._jax.block_until_ready(self._last)

    def finished(
        self, function: Callable[..., Any], donated: tuple[int, ...] = ()
    ) -> Callable[..., Any]:
        """The function compiled, and its results waited for on the CPU, by wait() on a GPU.

        donated: places of the inputs whose memory the results may take.
        """
        run = self._jax.jit(function, donate_argnums=donated)

        def call(*inputs: Any) -> Any:
            self._last = run(*inputs)
            return self._last

        waited = self._jax.block_until_ready
        return call if self._goes_ahead else lambda *inputs: waited(run(*inputs))

    def peak_device_bytes(self) -> int | None:
        statistics = self._device.memory_stats() or {}
        return statistics.get("peak_bytes_in_use")
