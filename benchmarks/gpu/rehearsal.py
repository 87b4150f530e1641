"""A GPU that is not there: CuPy on host memory, by the tests of a clone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from typing import Any

from ...backend.errors import ConfigurationError
from ...kernels.cuda.cublaslt import CublasLt, using_library
from ..report import ROOT

HELPERS = ROOT / "tests" / "kernels" / "cuda"


@contextmanager
def pretended_gpu() -> Iterator[None]:
    """Within the `with` block "cuda" is this CPU's memory, kernels run there, graphs replay there.

    Raises ConfigurationError where the tests are not beside the package, ImportError without CuPy.
    """
    if not HELPERS.is_dir():
        raise ConfigurationError("--rehearse must have the tests: run it in a clone of isograd")
    if str(HELPERS) not in sys.path:
        sys.path.append(str(HELPERS))
    host_cupy, host_graphs, host_compiler, emulated, graph = map(
        import_module,
        (
            *("host_cupy", "host_graphs", "host_compiler", "emulated_cublaslt"),
            "isograd.kernels.cuda.graph",
        ),
    )
    compiler = host_compiler.HostCompiler(host_compiler.SCHEDULES[:1])
    host = host_cupy.HostCupy(import_module("cupy"), compiler)
    graphs = graph.using_graph_maker(host_graphs.HostGraphs(host))
    with host.installed(), graphs, _emulated(emulated, compiler):
        yield


def _emulated(emulated: Any, compiler: Any) -> AbstractContextManager[object]:
    """A context in which products run on an emulation of cuBLASLt, where that is installed."""
    functions, _ = emulated.why_no_cublaslt()
    if functions is None:
        return nullcontext()
    return using_library(CublasLt(emulated.EmulatedFunctions(functions, compiler)))
