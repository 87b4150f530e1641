"""Where new arrays are made: `use("cuda")`, `using(...)`, and the devices that this machine has.

The current device matters only for making arrays; an op runs where its arrays live. It belongs to
the context (contextvars): what a thread or a coroutine chooses, another one does not see. One that
has chosen nothing has the choice that the main thread made with use(), else ISOGRAD_DEVICE, else
the CPU.
"""

from __future__ import annotations

import difflib
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any

from .errors import ConfigurationError, DeviceUnavailableError, UnknownDeviceError
from .libraries import CUPY, NUMPY, libraries, library_of
from .library import Library
from .namespaces import is_array, unwrap
from .settings import settings

logger = logging.getLogger("isograd")


class Device:
    """A device of an array library; equal to its name. Made by find_device and device_of.

    name: "cpu", "cuda:0", "strict:device1", "torch:cpu", ...
    library: the Library that serves it.
    raw: the library's own device object, what its functions take for device=.
    """

    __slots__ = ("library", "name", "raw")

    name: str
    library: Library
    raw: Any

    def __init__(self, name: str, library: Library, raw: Any):
        for attribute, value in (("name", name), ("library", library), ("raw", raw)):
            object.__setattr__(self, attribute, value)

    def __setattr__(self, attribute: str, value: object) -> None:
        raise AttributeError(f"Device: {attribute} cannot be set; take another device instead")

    @property
    def xp(self) -> Any:
        """The Array API namespace of the library."""
        return self.library.namespace()

    def active(self) -> AbstractContextManager[object]:
        """A context for making arrays here: CuPy needs it, since it ignores device=."""
        return self.library.active(self.raw)

    def synchronize(self) -> None:
        """Wait until all that was asked of the device is done."""
        self.library.synchronize(self.raw)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Device):
            return self.name == other.name
        return self.name == other if isinstance(other, str) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.name)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"Device({self.name!r})"

    def __copy__(self) -> Device:
        return self

    def __deepcopy__(self, memo: object) -> Device:
        return self


_chosen: ContextVar[Device | None] = ContextVar("isograd_device", default=None)
_within_using: ContextVar[bool] = ContextVar("isograd_within_using", default=False)
_chosen_by_main_thread: Device | None = None
_device_by_name: dict[str, Device] = {}  # by canonical name
_device_by_request: dict[str, Device] = {}
_configured_device: dict[str, Device] = {}
_said: set[str] = set()


def current_device() -> Device:
    """The device that new arrays are made on.

    Raises ConfigurationError when ISOGRAD_DEVICE names none.
    """
    return _chosen.get() or _chosen_by_main_thread or _configured()


def use(name: str | Device) -> Device:
    """Make a device the current one from now on; returns it.

    In the main thread the choice also holds for every thread that makes none of its own. In another
    thread or a coroutine it stays there; in a `with using(...)` block it ends with the block.
    name: "auto" (the first CUDA GPU that answers, else the CPU), "cpu", "cuda", "cuda:1", "strict",
    "torch:cpu", ... or a Device.
    Raises UnknownDeviceError, or DeviceUnavailableError with the reason and the remedy.
    """
    global _chosen_by_main_thread
    chosen = find_device(name)
    if _speaks_for_the_program():
        _chosen_by_main_thread = chosen
    _chosen.set(chosen)
    chosen.library.make_current(chosen.raw)
    return chosen


@contextmanager
def using(name: str | Device) -> Iterator[Device]:
    """Within the `with` block a device is the current one, for this thread or coroutine alone.

    Takes the same names and raises the same errors as use(). CuPy's own current device follows, and
    that one belongs to the thread: coroutines that share a thread should share a GPU.
    """
    chosen = find_device(name)
    token, within = _chosen.set(chosen), _within_using.set(True)
    try:
        with chosen.active():
            yield chosen
    finally:
        _chosen.reset(token)
        _within_using.reset(within)


def find_device(name: object) -> Device:
    """The device with this name; also takes a Device or a library's own device object.

    Raises UnknownDeviceError, or DeviceUnavailableError with the reason and the remedy.
    """
    if isinstance(name, Device):
        return name
    if isinstance(name, str):
        return _device_by_request.get(name) or _named(name)
    for library in libraries():
        canonical = library.name_of_raw(name)
        if canonical is not None:
            return _device(canonical, library)
    raise UnknownDeviceError(
        f"a device must be a name such as 'cpu' or 'cuda:0', or a Device, got {name!r}"
    )


def device_of(array: Any) -> Device:
    """The device that an array, or what a Tensor wraps, is on. Raises TypeError for a non-array."""
    raw = unwrap(array)
    if not is_array(raw):
        raise TypeError(f"device_of: x must be an array, got {type(array).__name__}")
    library = library_of(raw)
    name = library.name_of(raw)
    return _device_by_name.get(name) or _device(name, library)


def known_names() -> list[str]:
    """Names that may be asked for, whether or not they answer here."""
    return ["auto", *("cuda:N" if one is CUPY else one.prefix for one in libraries())]


def _speaks_for_the_program() -> bool:
    """Whether a choice made here is the program's: in the main thread, on its own account."""
    if threading.current_thread() is not threading.main_thread() or _within_using.get():
        return False
    if "asyncio" not in sys.modules or "ipykernel" in sys.modules:  # a notebook's cells: coroutines
        return True
    try:
        sys.modules["asyncio"].get_running_loop()
    except RuntimeError:
        return True
    return False


def _named(name: str) -> Device:
    """The device for a name that is not in the cache."""
    if name == "auto":
        return _best()
    library, suffix = _library_named(name)
    if library is not CUPY and not library.is_installed():
        raise _unavailable(name, library, library.why_unavailable())
    try:
        canonical = library.canonical_name(suffix)
    except UnknownDeviceError as error:
        raise _unknown(name, str(error)) from None
    except DeviceUnavailableError as error:
        raise _unavailable(name, library, str(error)) from None
    found = _device(canonical, library)
    if library is not CUPY:  # a GPU may come, and go with a fork: it is asked each time
        _device_by_request[name] = found
    return found


def _device(canonical: str, library: Library) -> Device:
    """The one Device object of a canonical name."""
    found = _device_by_name.get(canonical)
    if found is None:
        found = Device(canonical, library, library.raw_device(canonical))
        _device_by_name[canonical] = found
    return found


def _best() -> Device:
    """The first CUDA GPU that answers, else the CPU; says once why not, if CuPy is installed."""
    reason = CUPY.why_unavailable() if CUPY.is_installed() else "silent"
    if not reason:
        for name in CUPY.device_names():
            gpu = _device(name, CUPY)
            if CUPY.answers(gpu.raw):
                return gpu
        reason = "no GPU takes an array: they are full or held by other processes"
    if reason != "silent":
        _say_once(f"auto: using the CPU, because {reason}; to use a GPU: {CUPY.remedy()}")
    return _device("cpu", NUMPY)


def _configured() -> Device:
    """The device that ISOGRAD_DEVICE names, else the CPU."""
    asked = settings().device
    if asked is None:
        return _device("cpu", NUMPY)
    found = _configured_device.get(asked)
    if found is None:
        try:
            found = _configured_device[asked] = find_device(asked)
        except UnknownDeviceError as error:
            raise ConfigurationError(f"ISOGRAD_DEVICE: {error}") from None
        except DeviceUnavailableError as error:
            raise DeviceUnavailableError(f"ISOGRAD_DEVICE: {error}") from None
    return found


def _library_named(name: str) -> tuple[Library, str]:
    """The library that a device name begins with, and the rest of the name."""
    head, colon, suffix = name.partition(":")
    for library in libraries():
        if head in (library.prefix, library.name) and bool(colon) == bool(suffix):
            return library, suffix
    raise _unknown(name)


def _unknown(name: str, reason: str = "") -> UnknownDeviceError:
    """The error for a name that no library answers to, with those that exist and the nearest."""
    known = known_names()
    meant = {"gpu": "cuda", "nvidia": "cuda", "host": "cpu", "": "auto"}.get(name.strip().lower())
    candidates = [known_name.removesuffix(":N") for known_name in known]
    close = difflib.get_close_matches(name.lower(), candidates, n=1, cutoff=0.5)
    near = meant or (close[0] if close else "")
    hint = f"; did you mean {near!r}?" if near else ""
    reason = f" ({reason})" if reason else ""
    return UnknownDeviceError(
        f"no device is called {name!r}{reason}; a device is one of {', '.join(known)}{hint}"
    )


def _unavailable(name: str, library: Library, reason: str) -> DeviceUnavailableError:
    return DeviceUnavailableError(
        f"{name!r} does not answer here: {reason}. To have it: {library.remedy()}. "
        'On the CPU everything works without it: use("cpu")'
    )


def _say_once(message: str) -> None:
    if message not in _said:
        _said.add(message)
        logger.warning(message)
