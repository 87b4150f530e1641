"""Special functions that array libraries bring with them, imported when they are first used."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

import array_api_compat
import numpy as np

from .errors import MissingFunctionError
from .libraries import library_of
from .library import Library
from .namespaces import Array, is_array

# Where a library's arrays find them: SciPy serves NumPy, each other library serves itself.
MODULES = {"numpy": "scipy.special", "cupy": "cupyx.scipy.special", "torch": "torch.special"}
STAND_IN = "strict"  # for other libraries, in tests: it borrows SciPy's functions


def bundled(name: str, x: Array) -> Callable[..., Array] | None:
    """The function that the library of x brings itself, CuPy's or torch's; None where it has none.

    A definition of our own serves the others: NumPy too, so that numbers do not depend on SciPy.
    """
    library = library_of(x).name
    if library == "numpy" or library not in MODULES:
        return None
    return getattr(importlib.import_module(MODULES[library]), name, None)


def native(name: str, x: Array) -> Callable[..., Array]:
    """The function for arrays like x, from SciPy for those of NumPy and array-api-strict.

    Raises MissingFunctionError, which names how to get it, where there is none.
    """
    library = library_of(x).name
    if library == STAND_IN:
        function = native(name, np.empty(0))
        return _by_way_of_numpy(function, library_of(x), array_api_compat.device(x))
    if library == "numpy" and importlib.util.find_spec("scipy") is None:
        raise MissingFunctionError(
            f'special.{name}: SciPy computes it for NumPy arrays; pip install "isograd[scipy]"'
        )
    module = MODULES.get(library)
    found = getattr(importlib.import_module(module), name, None) if module else None
    if found is None:
        raise MissingFunctionError(
            f"special.{name}: {library} has no such function; move the array to a library that "
            'has it, e.g. isograd.to_device(x, "cpu") with SciPy installed'
        )
    return found


def _by_way_of_numpy(
    function: Callable[..., np.ndarray], library: Library, device: Any
) -> Callable[..., Array]:
    """The function of NumPy's arrays as one of a library's, on that device."""

    def run(*arguments: Any) -> Array:
        hosts = (library.to_host(x) if is_array(x) else x for x in arguments)
        return library.from_host(np.asarray(function(*hosts)), device)

    return run
