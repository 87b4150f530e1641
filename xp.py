"""Ready-made differentiable namespaces: isograd.xp.numpy, .cupy, .array_api_strict, .torch.

Each is wrap_namespace(library), the namespace that a Tensor of that library names; the library is
imported at the first use. A module of the root, beside its folders, because of its public name.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from .backend import Namespace
from .backend.libraries import libraries
from .backend.library import Library
from .nn.autograd.namespace import WrappedNamespace, wrapped_library


def __getattr__(name: str) -> WrappedNamespace:
    """The namespace over the library of that name. Raises ImportError where it is not installed."""
    if name not in LIBRARIES:
        raise AttributeError(f"isograd.xp has {', '.join(LIBRARIES)}, not {name!r}")
    _check_installed(LIBRARIES[name])
    return _wrapped(LIBRARIES[name])


def __dir__() -> list[str]:
    return sorted(name for name, library in LIBRARIES.items() if library.is_installed())


def _wrapped(library: Library) -> WrappedNamespace:
    return wrapped_library(library.package, _loader(library))


def _loader(library: Library) -> Callable[[], Namespace]:
    def load() -> Namespace:
        _check_installed(library)
        return library.namespace()

    return load


def _check_installed(library: Library) -> None:
    if not library.is_installed():
        raise ImportError(
            f"isograd.xp.{library.package}: {library.package} is not installed; {library.install}"
        )


LIBRARIES = {library.package: library for library in libraries()}
for _library in LIBRARIES.values():  # `import isograd.xp.numpy` looks here; nothing is loaded yet
    sys.modules[f"{__name__}.{_library.package}"] = _wrapped(_library)
