"""CuPy on CUDA GPUs, and why it does not answer where it does not."""

from __future__ import annotations

import importlib
import os
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from .errors import DeviceUnavailableError, UnknownDeviceError
from .library import Library


class CupyLibrary(Library):
    """CuPy: a device for each GPU, "cuda:0", "cuda:1", ...; imported when one is asked for."""

    _started_in: int | None = None  # the process that first asked CUDA for something

    def namespace(self) -> Any:
        """array-api-compat's view of CuPy."""
        return importlib.import_module("array_api_compat.cupy")

    def why_unavailable(self) -> str:
        """The reason that no GPU answers, with CUDA's own words, "" when one does."""
        if not self.is_installed():
            return "CuPy is not installed"
        if self._started_in not in (None, os.getpid()):
            return "CUDA was started before this process was forked and does not survive a fork"
        try:
            cupy = self.module()
        except Exception as error:  # a broken installation fails in many ways
            return f"CuPy is installed, but its import fails: {error}"
        self._started_in = os.getpid()
        try:
            cupy.cuda.runtime.getDeviceCount()
        except RuntimeError as error:
            return f"CuPy {cupy.__version__} is installed, but {_in_words(cupy, error)}"
        return ""

    def remedy(self) -> str:
        """The extra that fits the driver; without a driver, where to get one."""
        if self._started_in not in (None, os.getpid()):
            return 'start processes with multiprocessing.get_context("spawn"), or use threads'
        extra = cuda_extra()
        if extra:
            return f'pip install "isograd[{extra}]"'
        driver = "install the NVIDIA driver (https://www.nvidia.com/drivers)"
        return driver if self.is_installed() else f"{driver}, then {self.install}"

    def device_names(self) -> list[str]:
        """The GPUs that CUDA lists."""
        return [f"cuda:{index}" for index in range(self.module().cuda.runtime.getDeviceCount())]

    def canonical_name(self, suffix: str) -> str:
        """The name "cuda:N" for "N", "cuda", "cuda:N" and, the first GPU, for ""."""
        index = suffix.removeprefix("cuda").removeprefix(":")
        if not (index.isdecimal() and index.isascii()) and suffix not in ("", "cuda"):
            raise UnknownDeviceError("CUDA GPUs are cuda:0, cuda:1, ...")
        name = f"cuda:{int(index or 0)}"
        reason = self.why_unavailable()
        if reason:
            raise DeviceUnavailableError(reason)
        names = self.device_names()
        if name not in names:
            raise DeviceUnavailableError(f"CUDA lists {len(names)} GPU(s) here: {', '.join(names)}")
        return name

    def raw_device(self, name: str) -> Any:
        """A cupy.cuda.Device."""
        return self.module().cuda.Device(int(name.removeprefix("cuda:")))

    def name_of_raw(self, raw: object) -> str | None:
        """The name of a cupy.cuda.Device."""
        is_device = type(raw).__module__.startswith("cupy.") and type(raw).__name__ == "Device"
        return self._name(raw) if is_device else None

    def answers(self, raw: Any) -> bool:
        """Whether the GPU takes an array: one that is full or held by another process does not."""
        cupy = self.module()
        try:
            with self.active(raw):
                cupy.zeros(1)
        except (RuntimeError, MemoryError):
            return False
        return True

    def from_host(self, host: np.ndarray, raw: Any) -> Any:
        """As in the base."""
        with self.active(raw):
            return self.module().asarray(host)

    def to_host(self, array: Any) -> np.ndarray:
        """As in the base; waits for the GPU."""
        return array.get()

    def active(self, raw: Any) -> AbstractContextManager[object]:
        """CuPy makes arrays on its current device whatever device= says (array-api-compat#293)."""
        return self._own(raw)

    def make_current(self, raw: Any) -> None:
        """Sets CuPy's current device for this thread, so that kernels run beside their arrays."""
        raw.use()

    def synchronize(self, raw: Any) -> None:
        """Waits for the GPU."""
        self._own(raw).synchronize()

    def memory(self, raw: Any) -> tuple[int, int]:
        """As in the base."""
        return self._own(raw).mem_info

    def describe(self, raw: Any) -> str:
        """As in the base, e.g. "NVIDIA H200"."""
        return self.module().cuda.runtime.getDeviceProperties(raw.id)["name"].decode()

    def _own(self, raw: Any) -> Any:
        """Another object for the device: threads that enter one object mix up their way back."""
        return self.module().cuda.Device(raw.id)

    def _name(self, raw: Any) -> str:
        return f"cuda:{raw.id}"


def driver_version() -> int:
    """The newest CUDA that the NVIDIA driver serves: 13000 is 13.0; 0 without a driver."""
    import ctypes  # not needed by who stays on the CPU

    name = "nvcuda.dll" if os.name == "nt" else "libcuda.so.1"
    try:
        library = ctypes.CDLL(name)
    except OSError:
        return 0
    version = ctypes.c_int(0)
    return version.value if library.cuDriverGetVersion(ctypes.byref(version)) == 0 else 0


def cuda_extra() -> str:
    """The extra of isograd that fits the driver: "cuda13" or "cuda12"; "" without a driver."""
    version = driver_version()
    if version >= 13000:
        return "cuda13"
    return "cuda12" if version >= 12000 else ""


def _in_words(cupy: Any, error: RuntimeError) -> str:
    """Why CUDA lists no GPU, followed by CUDA's own words."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    driver = driver_version()
    built_for = cupy.cuda.runtime.runtimeGetVersion()
    if not driver:
        reason = "this machine has no NVIDIA driver"
    elif driver // 1000 < built_for // 1000:
        reason = f"the driver serves CUDA {_dotted(driver)}, CuPy needs CUDA {_dotted(built_for)}"
    elif hidden is not None:
        reason = f"CUDA_VISIBLE_DEVICES={hidden!r} leaves no GPU"
    else:
        reason = "CUDA lists no GPU"
    return f"{reason} ({error})"


def _dotted(version: int) -> str:
    return f"{version // 1000}.{version % 1000 // 10}"
