"""How much a library's installed files weigh, with everything that it needs."""

from __future__ import annotations

import re
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

DISTRIBUTIONS = {"sklearn": "scikit-learn"}  # where it is not the import's name
OURS = ("backend", "benchmarks", "kernels", "nn")  # a clone's folders that a wheel carries
NEEDED_BY_OURS = ("numpy", "array-api-compat")


def installed_bytes(library: str) -> int:
    """Bytes of the files that came with a library and with all that it needs.

    Raises PackageNotFoundError where it is not installed by a package manager.
    """
    if library == "isograd":
        return _our_bytes() + sum(map(_distribution_bytes, _closure(NEEDED_BY_OURS)))
    name = DISTRIBUTIONS.get(library, library)
    return sum(map(_distribution_bytes, _closure((name,))))


def _our_bytes() -> int:
    """Of a clone as of an installed copy: what a wheel carries, without byte code."""
    spec = find_spec("isograd")
    assert spec is not None
    root = Path(str(spec.origin)).parent
    files = [*root.glob("*.py"), *(p for name in OURS for p in (root / name).rglob("*"))]
    kept = (p for p in files if p.is_file() and not {"__pycache__", "results"} & {*p.parts})
    return sum(path.stat().st_size for path in kept)


def _closure(names: tuple[str, ...]) -> list[str]:
    """The distributions and all that they need, without extras, as far as they are installed."""
    found: dict[str, None] = {}
    waiting = list(names)
    while waiting:
        name = _normal(waiting.pop())
        if name in found:
            continue
        found[name] = None
        for line in metadata.requires(name) or ():
            needed = re.match(r"[A-Za-z0-9._-]+", line)
            if needed and "extra ==" not in line and _is_installed(needed.group()):
                waiting.append(needed.group())
    return list(found)


def _is_installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _distribution_bytes(name: str) -> int:
    files = metadata.files(name) or ()
    paths = (Path(str(file.locate())) for file in files if file.suffix != ".pyc")
    return sum(path.stat().st_size for path in paths if path.is_file())
