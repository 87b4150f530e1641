"""The array libraries that isograd knows: NumPy, CuPy, array_api_strict and PyTorch.

To add one: subclass Library (the base already serves a library that follows the standard), override
what differs, and pass an instance to register_library().
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import array_api_compat
import numpy as np

from .cuda import CupyLibrary
from .errors import DeviceUnavailableError, DtypeError, UnknownDeviceError
from .library import Library


class NumpyLibrary(Library):
    """NumPy: one device, the CPU."""

    def namespace(self) -> Any:
        """array-api-compat's view of NumPy."""
        return importlib.import_module("array_api_compat.numpy")

    def canonical_name(self, suffix: str) -> str:
        """The CPU's name, for "cpu", "numpy" and "numpy:cpu"."""
        if suffix not in ("", "cpu"):
            raise UnknownDeviceError("NumPy has one device, cpu")
        return "cpu"

    def name_of(self, array: Any) -> str:
        """The CPU's name: NumPy has no other device."""
        return "cpu"

    def from_host(self, host: np.ndarray, raw: Any) -> np.ndarray:
        """A copy of the array."""
        return host.copy()

    def to_host(self, array: Any) -> np.ndarray:
        """A copy of the array."""
        return np.array(array, copy=True)

    def _raw_devices(self) -> list[Any]:
        return ["cpu"]  # what NumPy takes for device=; being a string, it needs no name_of_raw

    def _name(self, raw: Any) -> str:
        return "cpu"


class StrictLibrary(Library):
    """array_api_strict: the standard and nothing else, with several make-believe devices."""

    def canonical_name(self, suffix: str) -> str:
        """As in the base; the library's own CPU_DEVICE is called cpu."""
        return super().canonical_name("cpu" if suffix == "CPU_DEVICE" else suffix)

    def name_of_raw(self, raw: object) -> str | None:
        """The name of an array_api_strict.Device; two objects of it may be one device."""
        strict = sys.modules.get(self.package)
        return self._name(raw) if strict and isinstance(raw, strict.Device) else None

    def _name(self, raw: Any) -> str:
        # The device has no public name; its repr is array_api_strict.Device('device1').
        suffix = repr(raw).split("'")[1]
        return f"{self.prefix}:{'cpu' if suffix == 'CPU_DEVICE' else suffix}"


class TorchLibrary(Library):
    """PyTorch's tensors as plain arrays: its tape is not used."""

    def namespace(self) -> Any:
        """array-api-compat's view of torch."""
        return importlib.import_module("array_api_compat.torch")

    def canonical_name(self, suffix: str) -> str:
        """The name "torch:cpu" or "torch:KIND:N"; a request may leave out the index 0."""
        kind, colon, index = suffix.partition(":")
        if kind not in ("", "cpu", "cuda", "mps") or (colon and not index.isdecimal()):
            raise UnknownDeviceError("torch has torch:cpu, torch:cuda:N and torch:mps")
        name = "torch:cpu" if kind in ("", "cpu") else f"torch:{kind}:{int(index or 0)}"
        names = self.device_names()
        if name not in names:
            version = self.version()
            without = " (built without CUDA)" if self.module().version.cuda is None else ""
            raise DeviceUnavailableError(f"torch {version}{without} has {', '.join(names)} here")
        return name

    def remedy(self) -> str:
        """As in the base; where torch is here and lacks a device, another build of it."""
        return (
            "take the build for it from https://pytorch.org"
            if self.is_installed()
            else self.install
        )

    def raw_device(self, name: str) -> Any:
        """A torch.device."""
        return self.module().device(name.removeprefix("torch:"))

    def name_of_raw(self, raw: object) -> str | None:
        """The name of a torch.device."""
        torch = sys.modules.get(self.package)
        return self._name(raw) if torch and isinstance(raw, torch.device) else None

    def from_host(self, host: np.ndarray, raw: Any) -> Any:
        """As in the base, from an array as torch wants it: writable, without negative strides."""
        try:
            return self.module().from_numpy(np.array(host, order="C", copy=True)).to(raw)
        except TypeError as error:
            raise DtypeError(f"torch: {error}; ask for another dtype") from error

    def to_host(self, array: Any) -> np.ndarray:
        """As in the base. Raises DtypeError for a dtype that NumPy does not have: bfloat16."""
        try:
            return np.array(array.detach().cpu().numpy(force=True), copy=True)
        except TypeError as error:
            raise DtypeError(
                f"to_numpy: NumPy has no {array.dtype}; cast first, e.g. x.to(torch.float32)"
            ) from error

    def synchronize(self, raw: Any) -> None:
        """Waits for a GPU; torch's CPU is never behind."""
        if raw.type != "cpu":
            getattr(self.module(), raw.type).synchronize()

    def _raw_devices(self) -> list[Any]:
        torch = self.module()
        names = ["cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
        names += ["mps:0"] if torch.backends.mps.is_available() else []
        return [torch.device(name) for name in names]

    def _name(self, raw: Any) -> str:
        return "torch:cpu" if raw.type == "cpu" else f"torch:{raw.type}:{raw.index or 0}"


NUMPY = NumpyLibrary("numpy", "numpy", "pip install numpy", prefix="cpu")
CUPY = CupyLibrary("cupy", "cupy", 'pip install "isograd[cuda13]"', prefix="cuda")

_libraries: dict[str, Library] = {}
_library_by_type: dict[type, Library] = {}


def libraries() -> list[Library]:
    """The registered libraries, NumPy and CuPy first."""
    return list(_libraries.values())


def register_library(library: Library) -> None:
    """Let its devices be asked for by name; it replaces an earlier library of the same name."""
    _libraries[library.name] = library
    _library_by_type.clear()


def library_of(array: Any) -> Library:
    """The library that an array (not a wrapper) belongs to; made up if it is not registered.

    Raises TypeError for anything that is no array.
    """
    kind = type(array)
    library = _library_by_type.get(kind)
    if library is None:
        roots = [base.__module__.partition(".")[0] for base in kind.__mro__]
        known = (one for root in roots for one in _libraries.values() if one.package == root)
        library = next(known, None) or _unregistered(array, roots[0])
        _library_by_type[kind] = library
    return library


def _unregistered(array: Any, package: str) -> Library:
    """A library that nobody registered, as the standard lets us use it."""
    if not array_api_compat.is_array_api_obj(array):
        raise TypeError(f"library_of: x must be an array, got {type(array).__name__}")
    library = Library(package, package, f"pip install {package}")
    namespace = array_api_compat.array_namespace(array)
    library.namespace = lambda: namespace  # type: ignore[method-assign]
    return library


for _library in (
    NUMPY,
    CUPY,
    StrictLibrary("strict", "array_api_strict", "pip install array-api-strict"),
    TorchLibrary("torch", "torch", "pip install torch"),
):
    register_library(_library)
