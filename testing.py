"""For the tests of code that is to run on every device: assert_close, and a plugin for pytest.

    # conftest.py
    pytest_plugins = ["isograd.testing"]

    # test_layers.py
    from array_api_compat import array_namespace
    import isograd as ig
    from isograd import nn
    from isograd.testing import assert_close, check_gradients

    def center(x):  # the function to be tested
        return x - array_namespace(x).mean(x, axis=-1, keepdims=True)

    def test_rows_are_centered_on_every_device(device):
        x = ig.array([[1.0, 2.0, 6.0]])
        assert_close(center(x), ig.array([[-2.0, -1.0, 3.0]]))

    def test_gradients_are_right_on_every_device(device):
        x = ig.array([[1.0, 2.0, 6.0]], dtype="float64")
        check_gradients(center, x)
        check_gradients(nn.Linear(3, 2, dtype="float64"), x)

The device fixture runs a test on NumPy, on array_api_strict and its make-believe accelerator
"strict:device1", on PyTorch and on CuPy: a library that is not installed and a GPU that does not
answer are skipped with the reason. The accelerator is what finds mistakes about devices without a
GPU: an array that is made on the default device meets one of the test's, and that is an error.

    pytest --isograd-devices cpu,strict:device1    these devices, which must be there
    @pytest.mark.gpu                               a test that needs a CUDA GPU
    ISOGRAD_REQUIRE_GPU=1                          no GPU is an error in place of a skip
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from typing import Any

from .backend import array, device_of, dtype_name, find_device, is_array, tolerance, using
from .backend.comparison import Comparison, compare, less_precise
from .backend.dtypes import Tolerance
from .backend.errors import DeviceUnavailableError, NotCloseError, UnknownDeviceError
from .backend.libraries import libraries
from .backend.namespaces import unwrap
from .nn.autograd import check_gradients

__all__ = ["DEVICES", "assert_close", "check_gradients", "why_no_gpu"]

DEVICES = ("cpu", "strict", "strict:device1", "torch", "cuda")  # where the fixture runs a test
GPUS = ("cuda", "cupy", "torch:cuda")  # how the names of devices begin that need a GPU
OPTION = "--isograd-devices"


def assert_close(
    actual: Any,
    expected: Any,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    factor: float = 1.0,
    check_dtype: bool = True,
    check_device: bool = True,
    equal_nan: bool = True,
) -> None:
    """Raise NotCloseError unless |actual - expected| <= atol + rtol |expected| everywhere.

    actual, expected: arrays of any library, Tensors, numbers, or dicts, lists and tuples of them in
    the same structure. Numbers and lists of numbers take the dtype and the device of an array that
    they are compared with. Shape, dtype and device must be equal too, unless told otherwise.
    rtol, atol: for each that is not given the dtype's tolerance holds, times factor (more roundings
    need more room: the square root of their number): 64 units in the last place, 8 of half types,
    nothing for integers. NaN agrees with NaN unless equal_nan=False, infinity with itself.
    The error names the elements that differ most and first, with values and distance.
    """
    __tracebackhide__ = True  # pytest shows the test's line

    for path, a, e in _pairs(actual, expected, ""):
        a, e = _as_arrays(a, e)
        _check_kind(path, a, e, check_dtype, check_device)
        usual = tolerance(less_precise(a, e), factor)
        allowed = Tolerance(
            usual.rtol if rtol is None else rtol, usual.atol if atol is None else atol
        )
        found = compare(a, e, allowed, equal_nan=equal_nan)
        if found.n_beyond:
            raise NotCloseError(_told(path, less_precise(a, e), allowed, found))


def _pairs(actual: Any, expected: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """(path, actual leaf, expected leaf). Raises NotCloseError for different structures."""
    if actual is None and expected is None:
        return
    if isinstance(actual, dict) and isinstance(expected, dict):
        if set(actual) != set(expected):
            raise _differ(path, "keys", sorted(map(str, actual)), sorted(map(str, expected)))
        for key in expected:
            yield from _pairs(actual[key], expected[key], f"{path}[{key!r}]")
    elif isinstance(actual, list | tuple) and isinstance(expected, list | tuple):
        if len(actual) != len(expected):
            raise _differ(path, "lengths", len(actual), len(expected))
        for i, (a, e) in enumerate(zip(actual, expected, strict=True)):
            yield from _pairs(a, e, f"{path}[{i}]")
    elif not (_is_data(actual) and _is_data(expected)):
        kinds = " and ".join(dict.fromkeys(type(x).__name__ for x in (actual, expected)))
        raise NotCloseError(
            f"assert_close: {f'{path}: ' if path else ''}both must be arrays or numbers, or both "
            f"dicts, lists and tuples of them, got {kinds}"
        )
    else:
        yield path, actual, expected


def _is_data(x: Any) -> bool:
    return is_array(x) or isinstance(x, bool | int | float | complex | list | tuple)


def _as_arrays(actual: Any, expected: Any) -> tuple[Any, Any]:
    """Both as plain arrays; what has no dtype of its own is put beside the other one."""
    actual, expected = (unwrap(x) if is_array(x) else x for x in (actual, expected))
    if is_array(actual) == is_array(expected):
        return (actual, expected) if is_array(actual) else (array(actual), array(expected))
    if is_array(actual):
        return actual, array(expected, dtype=actual.dtype, device=device_of(actual))
    return array(actual, dtype=expected.dtype, device=device_of(expected)), expected


def _check_kind(path: str, a: Any, e: Any, check_dtype: bool, check_device: bool) -> None:
    """Raises NotCloseError for two shapes, and for two dtypes or devices where that is asked."""
    if tuple(a.shape) != tuple(e.shape):
        raise _differ(path, "shapes", tuple(a.shape), tuple(e.shape))
    dtypes = dtype_name(a.dtype), dtype_name(e.dtype)
    if check_dtype and dtypes[0] != dtypes[1]:
        raise _differ(path, "dtypes", *dtypes, "; cast one, or pass check_dtype=False")
    devices = device_of(a).name, device_of(e).name
    if check_device and devices[0] != devices[1]:
        remedy = "; move one with isograd.to_device, or pass check_device=False"
        raise _differ(path, "devices", *devices, remedy)


def _differ(path: str, what: str, actual: Any, expected: Any, remedy: str = "") -> NotCloseError:
    there = f"{path}: " if path else ""
    return NotCloseError(
        f"assert_close: {there}{what} must be equal, got {actual}, expected {expected}{remedy}"
    )


def _told(path: str, name: str, allowed: Tolerance, found: Comparison) -> str:
    there = f"{path}: " if path else ""
    limits = f"rtol {allowed.rtol:.3g}, atol {allowed.atol:.3g}"
    return "\n".join(
        [
            f"assert_close: {there}{found.n_beyond} of {found.n} elements are beyond the tolerance "
            f"for {name} ({limits})",
            f"  worst {found.worst}",
            f"  first {found.first}",
        ]
    )


# -- the plugin: pytest finds these functions by their names; nothing here imports pytest before


def pytest_addoption(parser: Any) -> None:
    """Add --isograd-devices."""
    parser.getgroup("isograd").addoption(
        OPTION,
        metavar="NAMES",
        help=f"devices of the device fixture, e.g. cpu,strict:device1; default {','.join(DEVICES)} "
        "as far as they are there",
    )


def pytest_configure(config: Any) -> None:
    """Register the gpu marker and the device fixture."""
    config.addinivalue_line(
        "markers",
        "gpu: needs a CUDA GPU; skipped with the reason, an error under ISOGRAD_REQUIRE_GPU=1",
    )
    words = config.getoption(OPTION, default=None)
    names = DEVICES if words is None else _chosen(words)
    config.pluginmanager.register(_fixtures(names), "isograd-devices")


def pytest_runtest_setup(item: Any) -> None:
    """Skip a gpu test with the reason, or fail it when ISOGRAD_REQUIRE_GPU=1 promised a GPU."""
    import pytest

    if not item.get_closest_marker("gpu"):
        return
    device = getattr(item, "callspec", None) and item.callspec.params.get("device", "")
    reason = why_no_gpu(device if device and device.startswith(GPUS) else "cuda")
    if reason and os.environ.get("ISOGRAD_REQUIRE_GPU") == "1":
        pytest.fail(f"ISOGRAD_REQUIRE_GPU=1, but {reason}", pytrace=False)
    if reason:
        pytest.skip(reason)


@functools.cache
def why_no_gpu(device: str = "cuda") -> str:
    """The reason that a device takes no array, "" when it does."""
    try:
        with using(device):
            array([0.0])
    except DeviceUnavailableError as error:
        return f"no GPU: {error}"
    return ""


def _fixtures(names: tuple[str, ...]) -> object:
    """The plugin that has the device fixture."""
    import pytest

    params = [pytest.param(n, marks=pytest.mark.gpu) if n.startswith(GPUS) else n for n in names]

    class Devices:
        @pytest.fixture(params=params)
        def device(self, request: Any) -> Iterator[str]:
            """The name of a device, current for the whole test; skipped where it is missing."""
            reason = _why_missing(request.param)
            if reason:
                pytest.skip(reason)
            with using(request.param):
                yield request.param

    return Devices()


def _chosen(words: str) -> tuple[str, ...]:
    """The devices that the option names. Raises UsageError for one that is not there.

    A GPU that does not answer is left to each test: see pytest_runtest_setup.
    """
    import pytest

    names = tuple(word.strip() for word in words.split(",") if word.strip())
    if not names:
        raise pytest.UsageError(f"{OPTION}: must name a device, e.g. cpu, got {words!r}")
    for name in names:
        try:
            find_device(name)
        except (UnknownDeviceError, DeviceUnavailableError) as error:
            if isinstance(error, UnknownDeviceError) or not name.startswith(GPUS):
                raise pytest.UsageError(f"{OPTION}: {error}") from None
    return names


def _why_missing(name: str) -> str:
    """The reason that a device's library cannot be used, "" when it can."""
    head = name.partition(":")[0]
    for library in libraries():
        if head in (library.prefix, library.name) and not library.is_installed():
            return f"{library.package} is not installed"
    return ""
