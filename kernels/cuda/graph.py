"""A function's launches on a GPU as one CUDA graph, recorded once and replayed by one call."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

from ...backend import assign
from ...backend.errors import CaptureError, IsogradError
from ...backend.replay import CAPACITY, HostShare, recording
from . import gpu
from .arrays import cupy, current_device_id
from .late import refuse_bad_labels
from .sending import nothing_sent

TO_DEVICE, ON_DEVICE = 1, 3  # cudaMemcpyHostToDevice, cudaMemcpyDeviceToDevice


class GraphMaker(Protocol):
    """Records launches; CuPy's streams do, and what a test puts in their place."""

    def record(self, function: Callable[[], Any]) -> tuple[Callable[[], None], Any]:
        """(what replays the launches of function() on the current stream, its result).

        Nothing is launched before the first replay.
        """

    def upload(self, block: np.ndarray, target: Any) -> None:
        """Copy bytes of the host to an array of the device, in the order of the stream."""

    def copy(self, array: Any, target: Any) -> None:
        """Copy the bytes of an array to one of the same size, in the order of the stream."""


class CupyGraphMaker:
    """Stream capture through CuPy, with memory that no one else is given while the graph lives."""

    def record(self, function: Callable[[], Any]) -> tuple[Callable[[], None], Any]:
        """As in GraphMaker."""
        pool = cupy().cuda.MemoryPool()
        stream = cupy().cuda.Stream(non_blocking=True)
        graph = result = None
        memory = cupy().cuda.using_allocator(pool.malloc)
        with memory, stream, _no_collection(), nothing_sent():
            stream.begin_capture()
            try:
                result = function()
            finally:
                # It must end even if the function failed, and may fail then itself.
                graph, error = _ended(stream)
        if error is not None:
            raise CaptureError(f"CUDA refused to capture the step: {error}") from error

        def replay(pool: Any = pool) -> None:  # the pool lives as long as the graph
            graph.launch(cupy().cuda.get_current_stream())

        return replay, result

    def upload(self, block: np.ndarray, target: Any) -> None:
        """As in GraphMaker. So few bytes leave the host's memory before the call returns."""
        _copy(target, block.ctypes.data, block.nbytes, TO_DEVICE)

    def copy(self, array: Any, target: Any) -> None:
        """As in GraphMaker: no kernel, and no view of the target, as target[...] = array makes."""
        _copy(target, array.data.ptr, array.nbytes, ON_DEVICE)


class StepGraph:
    """A captured step: replay() does what function() would do, result is what it returned.

    result: arrays that each replay overwrites.
    Raises CaptureError when something in the function cannot be captured.
    """

    def __init__(self, function: Callable[[], Any]) -> None:
        self._device_id = current_device_id()
        self._numbers = cupy().empty(CAPACITY, np.uint8)
        self._share = HostShare(self._numbers.data.ptr)
        with recording(self._share):
            self._launch, self.result = _graph_maker.record(lambda: _named(function))
        self._share.settle()

    def is_current(self) -> bool:
        """Whether the settings that the function has read are as they were."""
        return self._share.is_current()

    def replay(self, inputs: Iterable[tuple[Any, Any]] = ()) -> None:
        """Copy the inputs, do the host's share and send its numbers, launch the rest on the GPU.

        Raises LabelError for labels that an earlier step has found out of range.
        """
        refuse_bad_labels()
        block = self._share.do()
        with gpu.on(self._device_id):
            for target, array in inputs:
                if array.flags.c_contiguous and target.flags.c_contiguous:
                    _graph_maker.copy(array, target)
                else:
                    assign(target, array)
            if block.size:
                _graph_maker.upload(block, self._numbers)
            self._launch()


def _copy(target: Any, address: int, n_bytes: int, kind: int) -> None:
    stream = cupy().cuda.get_current_stream().ptr
    cupy().cuda.runtime.memcpyAsync(target.data.ptr, address, n_bytes, kind, stream)


_graph_maker: GraphMaker = CupyGraphMaker()


@contextmanager
def using_graph_maker(other: GraphMaker) -> Iterator[None]:
    """Steps are recorded by another maker meanwhile; for tests."""
    global _graph_maker
    before, _graph_maker = _graph_maker, other
    try:
        yield
    finally:
        _graph_maker = before


def _named(function: Callable[[], Any]) -> Any:
    """function(), with errors of CuPy and CUDA as CaptureError that names the line."""
    try:
        return function()
    except IsogradError:
        raise
    except Exception as error:
        raise CaptureError(
            f"{_place(error)} cannot be captured: {type(error).__name__}: {error}. In a captured "
            "step nothing may be read back (float(x), x.item(), if x > 0, boolean masks, print) "
            "or be sent from the host (array([...]) made in the step)"
        ) from error


def _place(error: BaseException) -> str:
    """Where the step went into a library and did not come back: "file.py, line 12, in step"."""
    libraries = (__name__.split(".")[0], "cupy", "array_api_compat")
    trace, found = error.__traceback__, None
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__", "").split(".")[0] not in libraries:
            found = trace
        elif found is not None:
            break
        trace = trace.tb_next
    if found is None:
        return "the step"
    code = found.tb_frame.f_code
    return f"{code.co_filename}, line {found.tb_lineno}, in {code.co_name}"


def _ended(stream: Any) -> tuple[Any, Exception | None]:
    """(graph, error) of end_capture."""
    try:
        return stream.end_capture(), None
    except Exception as error:
        return None, error


@contextmanager
def _no_collection() -> Iterator[None]:
    """A collection would free arrays of others, by calls that CUDA does not allow meanwhile."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
