"""The text of the kernels of one topic, and how a kernel in it is launched."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ...backend import dtype_name
from ...backend.errors import CaptureError
from ...backend.replay import is_capturing
from .arrays import cupy, current_device_id
from .compiler import Kernel, compiler

FOLDER = Path(__file__).parent
C_TYPES = {
    "float32": "float",
    "float64": "double",
    "float16": "half_t",
    "bfloat16": "bfloat_t",
}
FLOATING = tuple(C_TYPES)
_KERNEL = re.compile(r'extern "C" __global__ void\s+(?:__launch_bounds__\([^)]*\)\s*)?(\w+)\(')


class Source:
    """The kernels of a .cu file beside this module; nothing is read or compiled before a launch.

    file: its name. dtypes: those that T may stand for, () for a file without T. headers: texts
    that come before it; CuPy's cache on disk then knows of changes in them. generated: makes text
    that comes between, e.g. constants that are written down elsewhere. variants: sets of macros
    that launches may add, for the tests that compile everything.
    """

    def __init__(
        self,
        file: str,
        *,
        dtypes: tuple[str, ...] = FLOATING,
        headers: tuple[str, ...] = ("common.cuh",),
        generated: Callable[[], str] | None = None,
        variants: tuple[dict[str, Any], ...] = ({},),
    ) -> None:
        self.file = file
        self.dtypes = dtypes
        self.variants = variants
        self._headers = headers
        self._generated = generated
        self._kernels: dict[tuple, Kernel] = {}

    @functools.cached_property
    def text(self) -> str:
        """Headers and kernels; #line tells compilers where each line comes from."""
        parts = [(name, _read(name)) for name in self._headers]
        if self._generated is not None:
            parts.append((self._generated.__name__, self._generated()))
        parts.append((self.file, _read(self.file)))
        return "".join(f'#line 1 "{name}"\n{text}\n' for name, text in parts)

    @functools.cached_property
    def kernel_names(self) -> tuple[str, ...]:
        """The kernels that the file defines."""
        return tuple(_KERNEL.findall(_read(self.file)))

    def defines(self, dtype: str | None, variant: dict[str, Any]) -> list[str]:
        """The macros of one compilation: SCALAR, which T stands for, then the variant's."""
        named = {"SCALAR": C_TYPES[dtype], **variant} if dtype else variant
        return [f"{name}={value}" for name, value in named.items()]

    def launch(
        self,
        kernel: str,
        dtype: Any,
        grid: Sequence[int],
        block: Sequence[int],
        args: Sequence[Any],
        shared: int = 0,
        **variant: Any,
    ) -> None:
        """Run a kernel on the GPU of args[0], an array, on CuPy's current stream.

        grid: without a block nothing is done. dtype: what T stands for, None in a file without T.
        args: arrays in C order and NumPy scalars of the parameter's exact type. shared: bytes of
        dynamic shared memory.
        Raises KernelError when it does not compile.
        """
        if 0 in grid:
            return
        device_id = args[0].device.id
        if device_id != current_device_id():
            if is_capturing():
                raise CaptureError(
                    f"{kernel}: a captured step must stay on one GPU, cuda:{current_device_id()}, "
                    f"got an array on cuda:{device_id}"
                )
            with cupy().cuda.Device(device_id):
                self.launch(kernel, dtype, grid, block, args, shared, **variant)
            return
        name = dtype and dtype_name(dtype)
        key = (compiler(), kernel, name, shared, device_id, *variant.items())
        found = self._kernels.get(key)
        if found is None:
            defines = self.defines(name, variant)
            found = compiler().kernel(kernel, self.text, defines, self.file, shared)
            self._kernels[key] = found
        found(grid, block, args, shared_mem=shared)


def _read(file: str) -> str:
    return (FOLDER / file).read_text(encoding="utf-8")
