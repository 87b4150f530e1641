"""What isograd asks of an array library; the base class serves one that follows the standard."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import array_api_compat
import numpy as np

from .errors import DtypeError, UnknownDeviceError


class Library:
    """One array library: how it is imported, names its devices and meets NumPy on the host.

    name: what a person calls it. package: what is imported. install: what a person types to get it.
    prefix: how the names of its devices begin, the name itself unless given.
    """

    def __init__(self, name: str, package: str, install: str, prefix: str = ""):
        self.name = name
        self.package = package
        self.install = install
        self.prefix = prefix or name

    def __repr__(self) -> str:
        return f"Library({self.name!r})"

    def is_installed(self) -> bool:
        """Whether the package can be found; nothing is imported."""
        return self.package in sys.modules or importlib.util.find_spec(self.package) is not None

    def module(self) -> Any:
        """The package itself, imported now."""
        return importlib.import_module(self.package)

    def namespace(self) -> Any:
        """The Array API namespace, imported now: what array_namespace(x) returns for its arrays."""
        return self.module()

    def version(self) -> str:
        """The version of the package if it is installed and can be imported, else ""."""
        try:
            return str(getattr(self.module(), "__version__", "")) if self.is_installed() else ""
        except Exception:  # a broken installation fails in many ways; why_unavailable() says how
            return ""

    def why_unavailable(self) -> str:
        """The reason that no device of this library answers, "" when one does."""
        return "" if self.is_installed() else f"{self.package} is not installed"

    def remedy(self) -> str:
        """What a person does to have this library answer here."""
        return self.install

    def device_names(self) -> list[str]:
        """The names of the devices that answer, the default one first."""
        return [self._name(raw) for raw in self._raw_devices()]

    def canonical_name(self, suffix: str) -> str:
        """The one name of the device that is asked for by what follows the prefix; "" the default.

        Raises UnknownDeviceError where no such device can exist and DeviceUnavailableError where
        it can, but not here.
        """
        names = self.device_names()
        name = f"{self.prefix}:{suffix}" if suffix else names[0]
        if name not in names:
            raise UnknownDeviceError(f"{self.name} has {', '.join(names)}")
        return name

    def raw_device(self, name: str) -> Any:
        """The library's own device object, for device=, from a canonical name."""
        return next(raw for raw in self._raw_devices() if self._name(raw) == name)

    def name_of_raw(self, raw: object) -> str | None:
        """The canonical name of one of the library's own device objects, None for anything else."""
        if self.package not in sys.modules:
            return None
        return next((self._name(device) for device in self._raw_devices() if device is raw), None)

    def name_of(self, array: Any) -> str:
        """The canonical name of the device that an array of this library is on."""
        return self._name(array_api_compat.device(array))

    def answers(self, raw: Any) -> bool:
        """Whether an array can be made on the device."""
        return True

    def from_host(self, host: np.ndarray, raw: Any) -> Any:
        """A new array on the device, equal to the NumPy array; DtypeError for a dtype it lacks."""
        try:
            return self.namespace().asarray(host, device=raw, copy=True)
        except (TypeError, ValueError) as error:
            raise DtypeError(f"{self.name}: {error}; ask for another dtype") from error

    def to_host(self, array: Any) -> np.ndarray:
        """A new, writable NumPy array equal to the array."""
        return np.array(np.from_dlpack(array), copy=True)

    def between(self, array: Any, raw: Any) -> Any:
        """The array on another device of this library."""
        return array_api_compat.to_device(array, raw)

    def active(self, raw: Any) -> AbstractContextManager[object]:
        """A context in which the library makes arrays on the device even when not told where."""
        return nullcontext()

    def make_current(self, raw: Any) -> None:
        """Point the library's own notion of a current device, where it has one, to the device."""

    def synchronize(self, raw: Any) -> None:
        """Wait until all that was asked of the device is done."""

    def memory(self, raw: Any) -> tuple[int, int] | None:
        """Free and total bytes of the device's own memory, None where it is the host's."""
        return None

    def describe(self, raw: Any) -> str:
        """The product name of the device, "" where it has none."""
        return ""

    def _raw_devices(self) -> list[Any]:
        return list(self.namespace().__array_namespace_info__().devices())

    def _name(self, raw: Any) -> str:
        return f"{self.prefix}:{raw}"
