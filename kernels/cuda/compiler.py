"""Who makes kernels from CUDA text: CuPy through NVRTC, or what a test puts in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from ...backend.errors import KernelError
from .arrays import cupy, current_device_id

Kernel = Callable[..., None]  # kernel(grid, block, args, shared_mem=bytes), on CuPy's stream

STATIC_SHARED = 48 * 1024  # bytes of shared memory that a block gets without being asked


class Compiler(Protocol):
    """Makes the kernels of one text."""

    def kernel(
        self, name: str, text: str, defines: Sequence[str], file: str, shared: int
    ) -> Kernel:
        """The kernel of that name in the text, compiled with macros like "T=float".

        file: where the text comes from, for messages. shared: bytes of dynamic shared memory that
        launches will ask for. Raises KernelError with the compiler's log.
        """


class CupyCompiler:
    """NVRTC through cupy.RawModule: compiled on first launch, kept on disk by CuPy."""

    def kernel(
        self, name: str, text: str, defines: Sequence[str], file: str, shared: int
    ) -> Kernel:
        """As in Compiler; one text and its macros are compiled once for each device.

        Macros stand in the text: CuPy compiles an empty file for each set of options that it meets,
        20 ms, also where the kernel is in its cache (14.2, compiler.py, _preprocess).
        """
        macros = "".join(f"#define {define.replace('=', ' ', 1)}\n" for define in defines)
        module = cupy().RawModule(code=macros + text)
        try:
            module.compile()
            kernel = module.get_function(name)
            if shared > STATIC_SHARED:
                kernel.max_dynamic_shared_size_bytes = shared
        except cupy().cuda.compiler.CompileException as error:
            raise KernelError(
                f"{name} in {file} does not compile with {', '.join(defines) or 'no macros'} for "
                f"{_architecture()}:\n{error}"
            ) from error
        except cupy().cuda.driver.CUDADriverError as error:
            raise KernelError(
                f"{name} in {file} does not load on {_architecture()}: {error}"
            ) from error
        return kernel


_compiler: Compiler = CupyCompiler()


def compiler() -> Compiler:
    """The compiler in use."""
    return _compiler


@contextmanager
def using_compiler(other: Compiler) -> Iterator[None]:
    """Kernels come from another compiler meanwhile; for tests."""
    global _compiler
    before, _compiler = _compiler, other
    try:
        yield
    finally:
        _compiler = before


def _architecture() -> str:
    """The architecture of the current GPU, e.g. "sm_90"."""
    return f"sm_{cupy().cuda.Device(current_device_id()).compute_capability}"
