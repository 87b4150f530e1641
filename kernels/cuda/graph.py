"""A function's launches on a GPU as one CUDA graph, recorded once and replayed by one call."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

from ...backend.errors import CaptureError, IsogradError
from ...backend.replay import CAPACITY, HostShare, recording
from . import gpu
from .arrays import cupy, current_device_id

TO_DEVICE = 1  # cudaMemcpyHostToDevice


class GraphMaker(Protocol):
    """Records launches; CuPy's streams do, and what a test puts in their place."""

    def record(self, function: Callable[[], Any]) -> tuple[Callable[[], None], Any]:
        """(what replays the launches of function() on the current stream, its result).

        Nothing is launched before the first replay.
        """

    def upload(self, block: np.ndarray, target: Any) -> None:
        """Copy bytes of the host to an array of the device, in the order of the stream."""


class CupyGraphMaker:
    """Stream capture through CuPy, with memory that no one else is given while the graph lives."""

    def record(self, function: Callable[[], Any]) -> tuple[Callable[[], None], Any]:
        """As in GraphMaker."""
        pool = cupy().cuda.MemoryPool()
        stream = cupy().cuda.Stream(non_blocking=True)
        graph = result = None
        with cupy().cuda.using_allocator(pool.malloc), stream, _no_collection():
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
        cupy().cuda.runtime.memcpyAsync(
            target.data.ptr,
            block.ctypes.data,
            block.nbytes,
            TO_DEVICE,
            cupy().cuda.get_current_stream().ptr,
        )


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

    def replay(self) -> None:
        """Do the host's share, send its numbers, launch the rest on the GPU of the capture."""
        block = self._share.do()
        with gpu.on(self._device_id):
            if block.size:
                _graph_maker.upload(block, self._numbers)
            self._launch()


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
