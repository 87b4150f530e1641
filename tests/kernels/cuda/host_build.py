"""CUDA text made into a library for this CPU by g++, once for each text on a machine."""

import fcntl
import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from isograd.backend.errors import KernelError

COMPILER = "g++"
FOLDER = Path(__file__).parent
HEADERS = tuple(sorted(FOLDER.glob("*.h")))
# contract=off: a product and a sum stay two roundings. no-gnu-unique, hidden: each library has its
# own state. Compiled and linked apart: linking with -fsanitize would ask for libubsan.
FLAGS = (
    *("-std=c++20", "-O1", "-fPIC", "-w", "-ffp-contract=off", "-fno-strict-aliasing"),
    *("-fvisibility=hidden", "-fno-gnu-unique", "-fno-exceptions", "-fno-rtti"),
    "-ftls-model=local-dynamic",
)
SANITIZE = (
    "-fsanitize=alignment,null,bounds-strict,object-size,shift,signed-integer-overflow,"
    "integer-divide-by-zero",
)
STATIC_SHARED = 48 * 1024  # bytes: more is refused by ptxas too
_KERNEL = re.compile(r"__global__\s+void\s+(?:__launch_bounds__\(([^{;]*?)\)\s+)?(\w+)\s*\(")


@functools.cache
def why_no_compiler():
    """The reason that nothing can be built here, "" when it can."""
    if sys.platform != "linux":
        return "the host runner needs Linux"
    return "" if shutil.which(COMPILER) else f"{COMPILER} is not installed"


def build(text, defines, file):
    """The path of a library with the kernels of a text; from the cache where it was built before.

    Raises KernelError with g++'s words, or with what no GPU would take.
    """
    macros = [f"-D{define}" for define in defines]
    folder = _cache()
    library = folder / f"{_key(text, macros)}.so"
    if library.exists():
        return library
    with open(library.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test processes side by side: one of them builds
        if not library.exists():
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                _build(text, macros, file, Path(scratch), library)
    return library


def _build(text, macros, file, scratch, library):
    source, unit, result = scratch / "kernels.cu", scratch / "kernels.o", scratch / "kernels.so"
    source.write_text(text, encoding="utf-8")
    plain = _run(file, macros, "-E", "-P", "-x", "c++", str(source))
    bounds_by_name = {name: bounds or "1024" for bounds, name in _KERNEL.findall(plain)}
    exports = [f"HOST_EXPORT({name}, {bounds})" for name, bounds in bounds_by_name.items()]
    source.write_text("\n".join([text, *exports, ""]), encoding="utf-8")
    options = [*FLAGS, *SANITIZE, *macros, "-include", str(FOLDER / "cuda_host.h")]
    _run(file, macros, *options, "-x", "c++", "-c", str(source), "-o", str(unit))
    _run(file, macros, "-shared", "-Wl,-Bsymbolic", str(unit), "-o", str(result))
    for name in bounds_by_name:
        _check_static_shared(name, set(bounds_by_name), result, file)
    os.replace(result, library)


def _run(file, macros, *arguments):
    done = subprocess.run([COMPILER, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise KernelError(
            f"{file} does not compile with {_in_words(macros)} for the host:\n{done.stderr}"
        )
    return done.stdout


def _in_words(macros):
    return ", ".join(macro.removeprefix("-D") for macro in macros) or "no macros"


def _check_static_shared(name, kernels, library, file):
    """Raises KernelError where a kernel and the helpers of its file declare too much."""
    n_bytes = sum(
        size
        for owner, size in _static_shared(library)
        if owner == name or owner not in {*kernels, "host"}
    )
    if n_bytes > STATIC_SHARED:
        raise KernelError(
            f"{name} in {file} declares {n_bytes} bytes of shared memory, a block gets "
            f"{STATIC_SHARED}; ask for dynamic shared memory"
        )


@functools.cache
def _static_shared(library):
    """The function and the size of each __shared__ variable: the thread-local symbols."""
    listing = subprocess.run(
        ["nm", "-C", "-S", "--format=sysv", str(library)], capture_output=True, text=True
    ).stdout
    found = []
    for line in listing.splitlines():
        name, _, _, kind, size, *_ = [*(cell.strip() for cell in line.split("|")), *[""] * 5]
        if kind == "TLS" and "::" in name:
            owner = name.removesuffix("::" + name.split("::")[-1]).split("(")[0]
            found.append((owner, int(size, 16)))
    return found


def _key(text, macros):
    """Tells builds apart: all that goes into one."""
    parts = [text, *macros, *FLAGS, *SANITIZE, _version()]
    parts += [header.read_text(encoding="utf-8") for header in HEADERS]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


@functools.cache
def _version():
    return subprocess.run([COMPILER, "--version"], capture_output=True, text=True).stdout


def _cache():
    """The folder of this user's builds."""
    folder = Path(tempfile.gettempdir()) / f"isograd-host-kernels-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else; remove it")
    return folder
