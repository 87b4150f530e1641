"""CUDA text compiled for GPUs that are not here, by NVRTC and ptxas; registers against budgets.

    python tests/kernels/cuda/nvrtc.py --write [softmax.cu ...]

after a change, of all files or of those named, writes register_budgets.json: for each kernel and
dtype the most registers that a thread takes on any architecture and in any variant, and the
architectures on which it spills, with the bytes. The wheel nvidia-cuda-nvrtc is all it needs: no
driver, no CuPy. ptxas decides about registers, so the file names its version; another version may
take SLACK times as many and spill SPILL_SLACK bytes.
"""

import ctypes
import functools
import glob
import importlib
import importlib.util
import itertools
import json
import pkgutil
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

BUDGETS = Path(__file__).with_name("register_budgets.json")
ARCHITECTURES = ("75", "80", "86", "89", "90", "90a", "100", "120")
MAIN_ARCHITECTURES = ("80", "90")  # other dtypes and variants than the first: these only
SLACK = 1.1
SPILL_SLACK = 16
_USED = re.compile(
    r"Compiling entry function '(\w+)'.*?(\d+) bytes spill stores, (\d+) bytes spill loads.*?"
    r"Used (\d+) registers",
    re.DOTALL,
)


@dataclass(frozen=True)
class Usage:
    """What a thread of a kernel takes."""

    registers: int
    spilled: int


@dataclass
class Budget:
    """What a kernel may take for a dtype: registers anywhere; bytes spilled, by architecture."""

    registers: int = 0
    spilled: dict = field(default_factory=dict)

    def include(self, usage, architecture):
        """Grow to hold a usage."""
        self.registers = max(self.registers, usage.registers)
        if usage.spilled:
            before = self.spilled.get(architecture, 0)
            self.spilled[architecture] = max(before, usage.spilled)

    def exceeded_by(self, usage, architecture, same_version=True):
        """What a usage takes more than it may, in words; "" for nothing."""
        registers = self.registers * (1 if same_version else SLACK)
        spilled = self.spilled.get(architecture, 0) + (0 if same_version else SPILL_SLACK)
        if usage.registers > registers:
            return f"{usage.registers} registers, the budget is {self.registers}"
        if usage.spilled > spilled:
            return f"{usage.spilled} bytes spilled, the budget is {spilled}"
        return ""


@dataclass(frozen=True)
class Compilation:
    """One text for one architecture; str() names it."""

    source: object
    dtype: str | None
    variant: tuple
    architecture: str

    def __str__(self):
        macros = [str(value) for _, value in self.variant]
        parts = [self.source.file.removesuffix(".cu"), self.dtype, *macros]
        return "-".join([*filter(None, parts), f"sm_{self.architecture}"])

    def run(self):
        """(Usage by name of the kernel, the log). Raises ValueError with the log."""
        defines = self.source.defines(self.dtype, dict(self.variant))
        log = compile_text(self.source.text, defines, self.architecture)
        return usages(log), log


class Nvrtc:
    """libnvrtc, through ctypes."""

    def __init__(self, path):
        for builtins in Path(path).parent.glob("libnvrtc-builtins.so*"):
            ctypes.CDLL(str(builtins), ctypes.RTLD_GLOBAL)
        self.library = ctypes.CDLL(path)

    def version(self):
        """E.g. "13.5"."""
        major, minor = ctypes.c_int(), ctypes.c_int()
        self.library.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
        return f"{major.value}.{minor.value}"

    def compile(self, text, options):
        """(whether it compiles, the log, the PTX where -arch asks for it, else "")."""
        program = ctypes.c_void_p()
        call = self.library
        call.nvrtcCreateProgram(ctypes.byref(program), text.encode(), b"kernels.cu", 0, None, None)
        listed = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
        failed = call.nvrtcCompileProgram(program, len(options), listed)
        log, ptx = self._text(program, "ProgramLog"), "" if failed else self._text(program, "PTX")
        call.nvrtcDestroyProgram(ctypes.byref(program))
        return not failed, log, ptx

    def _text(self, program, kind):
        """What nvrtcGet... gives; "" where there is none."""
        size = ctypes.c_size_t()
        if getattr(self.library, f"nvrtcGet{kind}Size")(program, ctypes.byref(size)):
            return ""
        text = ctypes.create_string_buffer(size.value)
        getattr(self.library, f"nvrtcGet{kind}")(program, text)
        return text.value.decode()


@functools.cache
def library_path():
    """Where libnvrtc is, "" where it is not: in the wheel of any CUDA version."""
    found = importlib.util.find_spec("nvidia")
    folders = found.submodule_search_locations if found else []
    paths = [path for one in folders for path in glob.glob(f"{one}/*/lib/libnvrtc.so.*")]
    return max((path for path in paths if "alt" not in path), default="")


def why_no_nvrtc():
    """The reason that nothing can be compiled here, "" when it can."""
    return "" if library_path() else "nvidia-cuda-nvrtc is not installed"


@functools.cache
def nvrtc():
    """The library, loaded."""
    return Nvrtc(library_path())


def compile_text(text, defines, architecture):
    """The log of a compilation down to machine code, as CuPy asks for it. Raises ValueError."""
    options = [f"-arch=sm_{architecture}", "-ftz=true", "--ptxas-options=-v"]
    works, log, _ = nvrtc().compile(text, [*options, *(f"-D{define}" for define in defines)])
    if not works:
        raise ValueError(log)
    return log


def ptx_of(source, dtype):
    """The PTX of a Source for compute_90. Raises ValueError with the log."""
    defines = (f"-D{define}" for define in source.defines(dtype, {}))
    works, log, ptx = nvrtc().compile(source.text, ["-arch=compute_90", "-ftz=true", *defines])
    if not works:
        raise ValueError(log)
    return ptx


def usages(log):
    """Usage by name of the kernel, out of a log of ptxas."""
    return {
        name: Usage(int(registers), max(int(stores), int(loads)))
        for name, stores, loads, registers in _USED.findall(log)
    }


@functools.cache
def sources():
    """Every Source of isograd.kernels.cuda, in order of its file."""
    package = importlib.import_module("isograd.kernels.cuda")
    kind = importlib.import_module("isograd.kernels.cuda.source").Source
    found = {}
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, kind):
                found[value.file] = value
    return [found[file] for file in sorted(found)]


def compilations():
    """The first dtype and variant of a Source everywhere, others on MAIN_ARCHITECTURES."""
    return [
        Compilation(source, dtype, tuple(variant.items()), architecture)
        for source in sources()
        for i, (dtype, variant) in enumerate(_dtypes_and_variants(source))
        for architecture in (MAIN_ARCHITECTURES if i else ARCHITECTURES)
    ]


def _dtypes_and_variants(source):
    """Every pair, float32 first."""
    dtypes = sorted(source.dtypes, key=lambda dtype: dtype != "float32") or [None]
    return itertools.product(dtypes, source.variants)


def read_budgets():
    """(the version of NVRTC, {name of a kernel: {dtype: Budget}}); "-" in a file without dtypes."""
    read = json.loads(BUDGETS.read_text(encoding="utf-8"))
    kernels = {
        name: {dtype: Budget(**budget) for dtype, budget in by_dtype.items()}
        for name, by_dtype in read["kernels"].items()
    }
    return read["nvrtc"], kernels


def write_budgets(files):
    """Compile the files, all if none is named, and write what their kernels take."""
    kernels = measured(files)
    if files:
        names = {name for source in sources() for name in source.kernel_names}
        kept = {name: budget for name, budget in read_budgets()[1].items() if name in names}
        kernels = {**kept, **kernels}
    texts = []
    for name in sorted(kernels):
        lines = [f'      "{dtype}": {_line(budget)}' for dtype, budget in kernels[name].items()]
        texts.append(f'    "{name}": {{\n{_joined(lines)}\n    }}')
    version = nvrtc().version()
    text = f'{{\n  "nvrtc": "{version}",\n  "kernels": {{\n{_joined(texts)}\n  }}\n}}\n'
    BUDGETS.write_text(text, encoding="utf-8")


def measured(files=()):
    """{name of a kernel: {dtype: Budget}} of some files, of all if none is named."""
    kernels = {}
    for one in compilations():
        if files and one.source.file not in files:
            continue
        for name, usage in one.run()[0].items():
            by_dtype = kernels.setdefault(name, {})
            by_dtype.setdefault(one.dtype or "-", Budget()).include(usage, one.architecture)
    return kernels


def _line(budget):
    spilled = {"spilled": budget.spilled} if budget.spilled else {}
    return json.dumps({"registers": budget.registers, **spilled})


def _joined(lines):
    return ",\n".join(lines)


if __name__ == "__main__":
    if sys.argv[1:2] != ["--write"]:
        sys.exit(__doc__)
    write_budgets(sys.argv[2:])
    print(f"{BUDGETS}: NVRTC {nvrtc().version()}")
