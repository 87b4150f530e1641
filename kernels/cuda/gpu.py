"""What launchers ask of CUDA: the stream in use, whether it is being captured, the architecture."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from .arrays import cupy, current_device_id

_HERE = nullcontext()
_architectures: dict[int, int] = {}  # by number of the GPU
_names: dict[int, str] = {}


def current_stream() -> int:
    """The address of CuPy's current stream; 0 is the default stream."""
    return cupy().cuda.get_current_stream().ptr


def is_capturing(stream: int) -> bool:
    """Whether what is launched on the stream is recorded into a graph instead of run."""
    return cupy().cuda.runtime.streamIsCapturing(stream)


def architecture(device_id: int) -> int:
    """The compute capability of a GPU, 10 major + minor: 90 is sm_90."""
    found = _architectures.get(device_id)
    if found is None:
        found = int(cupy().cuda.Device(device_id).compute_capability)
        _architectures[device_id] = found
    return found


def product_name(device_id: int) -> str:
    """What the maker calls a GPU, e.g. "NVIDIA H200"."""
    found = _names.get(device_id)
    if found is None:
        found = cupy().cuda.runtime.getDeviceProperties(device_id)["name"].decode()
        _names[device_id] = found
    return found


def on(device_id: int) -> AbstractContextManager[object]:
    """A context in which a GPU is the current one."""
    return _HERE if device_id == current_device_id() else cupy().cuda.Device(device_id)
