"""The ISOGRAD_* environment variables, read once, strictly, when they are first needed."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from .errors import ConfigurationError

LARGEST_SEED = 2**64 - 1


@dataclass(frozen=True)
class Settings:
    """What the environment asks for; the defaults hold where a variable is unset or empty.

    device: ISOGRAD_DEVICE, the device for new arrays, e.g. "cuda"; None means "cpu".
    seed: ISOGRAD_SEED, the seed of the default random generator, 0 to 2**64 - 1.
    debug: ISOGRAD_DEBUG, slower checks: arrays changed through an alias before backward.
    disable_kernels: ISOGRAD_DISABLE_KERNELS, run every op's plain definition.
    compiled: ISOGRAD_COMPILED, let NumPy kernels run compiled loops where they were built.
    keep_memory: ISOGRAD_KEEP_MEMORY, keep freed memory in the process once training begins.
    """

    device: str | None = None
    seed: int = 0
    debug: bool = False
    disable_kernels: bool = False
    compiled: bool = True
    keep_memory: bool = True


_settings: Settings | None = None


def settings() -> Settings:
    """The settings in force: those of the environment when this was first called.

    Raises ConfigurationError that names the variable, its value and what is allowed.
    """
    global _settings
    if _settings is None:
        _settings = read_settings(os.environ)
    return _settings


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The Settings that an environment asks for.

    Raises ConfigurationError for a value that means nothing and for an ISOGRAD_* name that nobody
    reads, with the nearest one that is read.
    """
    values: dict[str, Any] = {}
    for variable, text in environment.items():
        if not variable.startswith("ISOGRAD_") or variable in READ_ELSEWHERE:
            continue
        if variable not in _VARIABLES:
            raise ConfigurationError(_unknown_variable(variable))
        if text:
            field, parse = _VARIABLES[variable]
            values[field] = parse(variable, text)
    return Settings(**values)


@contextmanager
def settings_override(**changes: Any) -> Iterator[Settings]:
    """Within the `with` block settings() has these fields changed, in every thread; for tests.

    Raises ConfigurationError for a field that Settings does not have.
    """
    global _settings
    before = settings()
    unknown = sorted(set(changes) - set(before.__dataclass_fields__))
    if unknown:
        raise ConfigurationError(
            f"settings_override: {', '.join(unknown)} must be among "
            f"{', '.join(before.__dataclass_fields__)}"
        )
    _settings = replace(before, **changes)
    try:
        yield _settings
    finally:
        _settings = before


def environment_in_force() -> dict[str, str]:
    """The ISOGRAD_* variables of this process, by name."""
    return {name: os.environ[name] for name in sorted(os.environ) if name.startswith("ISOGRAD_")}


def _text(variable: str, text: str) -> str:
    return text.strip()


def _seed(variable: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,20}", text, re.ASCII) or int(text) > LARGEST_SEED:
        raise ConfigurationError(
            f"{variable}: must be an integer from 0 to 2**64 - 1, got {text!r}"
        )
    return int(text)


def _switch(variable: str, text: str) -> bool:
    if text not in ("0", "1"):
        raise ConfigurationError(f'{variable}: must be "0" or "1", got {text!r}')
    return text == "1"


_VARIABLES: dict[str, tuple[str, Callable[[str, str], object]]] = {
    "ISOGRAD_DEVICE": ("device", _text),  # device.py knows which names exist and says so
    "ISOGRAD_SEED": ("seed", _seed),
    "ISOGRAD_DEBUG": ("debug", _switch),
    "ISOGRAD_DISABLE_KERNELS": ("disable_kernels", _switch),
    "ISOGRAD_COMPILED": ("compiled", _switch),
    "ISOGRAD_KEEP_MEMORY": ("keep_memory", _switch),
}

READ_ELSEWHERE = (  # by the tests
    "ISOGRAD_AUTOGRAD_SUITE",
    "ISOGRAD_DATA",
    "ISOGRAD_REQUIRE_GPU",
    "ISOGRAD_REQUIRE_KERNEL_TESTS",
)


def _unknown_variable(variable: str) -> str:
    known = [*_VARIABLES, *READ_ELSEWHERE]
    near = difflib.get_close_matches(variable, known, n=1, cutoff=0.0)[0]
    return (
        f"{variable}: no setting has this name; did you mean {near}? "
        f"The settings are {', '.join(known)}"
    )
