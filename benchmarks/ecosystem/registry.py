"""All cases, in the order of the table."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import metadata
from typing import Any

from ...backend.errors import ConfigurationError
from . import (
    array_api_extra,
    einops,
    scikit_learn,
    scipy_numerics,
    scipy_signal,
    scipy_special,
    scipy_stats,
    spatial,
)
from .case import Case
from .outcome import Outcome, outcome

CASES: list[Case] = [
    *scipy_special.CASES,
    *scipy_stats.CASES,
    *scipy_signal.CASES,
    *scipy_numerics.CASES,
    *spatial.CASES,
    *scikit_learn.CASES,
    *array_api_extra.CASES,
    *einops.CASES,
]
LIBRARIES = ("numpy", "array_api_strict")  # what the Tensors are made of
PACKAGES = {  # by the first word of a case's path: what it is called where packages are installed
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "array_api_extra": "array-api-extra",
    "einops": "einops",
}
SWITCH = "SCIPY_ARRAY_API"  # read once, when scipy is imported


def chosen(words: Iterable[str]) -> list[Case]:
    """The cases whose path contains one of the words; all of them without a word."""
    words = tuple(words)
    return [case for case in CASES if not words or any(word in case.function for word in words)]


def switch_on() -> None:
    """Let SciPy and scikit-learn take arrays of the standard.

    Raises ConfigurationError where SciPy was imported before without its switch.
    """
    if "scipy" in sys.modules and os.environ.get(SWITCH) != "1":
        raise ConfigurationError(f"{SWITCH}=1 must be set before scipy is imported")
    os.environ[SWITCH] = "1"
    if "sklearn" in installed():
        importlib.import_module("sklearn").set_config(array_api_dispatch=True)


def installed() -> dict[str, str]:
    """Version of each package that is here."""
    found = {}
    for name, distribution in PACKAGES.items():
        try:
            found[name] = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return found


def outcomes(
    cases: Iterable[Case], max_order: int, tell: Callable[[Case, Mapping[str, Outcome]], Any]
) -> dict[str, dict[str, str]]:
    """What becomes of each case over each array library, by the function's path, for a report.

    Cases of packages that are not installed are left out. tell is called after each case.
    """
    here = installed()
    found = {}
    for case in cases:
        if case.library in here:
            results = {library: outcome(case, library, max_order) for library in LIBRARIES}
            tell(case, results)
            found[case.title] = {name: str(result) for name, result in results.items()}
    return found
