"""PyTorch: as it is by default, or at its best, which sides/__init__.py describes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..clocks import Clock, EventClock
from .side import Side

COMPILERS = ("g++", "clang++", "cl")


def make_side(library: str, device: str, mode: str, threads: int) -> Side:
    """The Side. Raises ValueError for a device that is neither the CPU nor a GPU that answers."""
    import torch

    kind = device.partition(":")[0]
    if kind not in ("cpu", "cuda"):
        raise ValueError(f"torch has no device {device}")
    if kind == "cuda" and not torch.cuda.is_available():
        raise ValueError("torch finds no GPU: it may be the build for CPUs")
    return Torch(library, device, mode, threads)


class Torch(Side):
    """torch with its own names."""

    def __init__(self, library: str, device: str, mode: str, threads: int) -> None:
        import torch

        super().__init__(library, device, mode, threads)
        self.xp = self._torch = torch
        self.nn, self.functional = torch.nn, torch.nn.functional
        self._is_gpu = device.startswith("cuda")
        torch.set_num_threads(threads)

    def array(self, x: np.ndarray) -> Any:
        return self._torch.asarray(x).to(self.device)

    def variable(self, x: np.ndarray) -> Any:
        return self.array(x).clone().requires_grad_()

    def to_numpy(self, x: Any) -> np.ndarray:
        return x.detach().cpu().numpy()

    def wait(self) -> object:
        return self._torch.cuda.synchronize(self.device) if self._is_gpu else None

    def clock(self) -> Clock:
        if not self._is_gpu:
            return super().clock()

        def new_event() -> Any:
            return self._torch.cuda.Event(enable_timing=True)

        return EventClock(self.wait, new_event, lambda begin, end: begin.elapsed_time(end))

    def peak_device_bytes(self) -> int | None:
        return int(self._torch.cuda.max_memory_reserved(self.device)) if self._is_gpu else None

    def variants(self, compiles: bool) -> list[str]:
        if self.mode != "best":
            return [""]
        found = ["eager"]
        if self.threads > 1 and not self._is_gpu:
            found.append("1 thread")
        if compiles and any(map(shutil.which, COMPILERS)):
            found.append("compiled")
        return found

    def choose(self, variant: str) -> None:
        super().choose(variant)
        self._torch.set_num_threads(1 if variant == "1 thread" else self.threads)
        if variant == "compiled":  # else a ninth function of one place in the source stays eager
            self._torch.compiler.reset()

    def load(self, model: Any, weights: Mapping[str, np.ndarray]) -> Any:
        state = {name: self._torch.from_numpy(x) for name, x in weights.items()}
        model.load_state_dict(state, strict=False)
        return model.to(self.device)

    def adam(self, model: Any, lr: float) -> Any:
        fused = True if self.mode == "best" else None
        return self._torch.optim.Adam(model.parameters(), lr=lr, fused=fused)

    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return self._torch.compile(function) if self.variant == "compiled" else function

    def images_last(self, x: Any) -> Any:
        if self.mode != "best":
            return x
        return x.to(memory_format=self._torch.channels_last)
