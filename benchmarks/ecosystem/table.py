"""The README's section about other people's code, made of the results alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...backend.errors import ConfigurationError
from .outcome import CONSTANT, DIFFERENTIABLE, REFUSED, STATES, VALUE_ONLY, WRONG

BEGIN, END = "<!-- ecosystem:begin -->", "<!-- ecosystem:end -->"
Results = Mapping[str, Any]  # function -> array library -> what Outcome.record() says

# How an error begins, and what it means to a reader.
REASONS = (
    ("__array__", "converts to a NumPy array, which a recorded Tensor refuses with an error"),
    ("__dlpack__", "converts to a NumPy array, which a recorded Tensor refuses with an error"),
    ("returns a Python number", "returns a Python number, which no recording can follow"),
    ("as ", "is refused by the package for the library's own arrays, too"),
)


def section(results: Results, packages: Mapping[str, str]) -> str:
    """What stands between the markers: counts, what is differentiable, what is not and why."""
    versions = ", ".join(f"{name} {version}" for name, version in packages.items())
    parts = [
        f"Tried with {versions}. Each function is called with Tensors over NumPy and over "
        "array-api-strict; its values are compared with the same call on plain NumPy arrays, its "
        "gradients (and gradients of gradients where it is smooth) with central differences of "
        "that call.",
        _counts(results, packages),
        "Differentiable (°: over NumPy alone):",
        _table(("module", "functions"), _differentiable(results)),
        "Not differentiable, and why:",
        _table(("what happens", "functions"), _others(results)),
    ]
    return "\n\n".join(parts)


def written(text: str, content: str) -> str:
    """The text with the content between the markers. Raises ConfigurationError without them."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ConfigurationError(f"the file must hold the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{content}\n{END}{after}"


def between_markers(text: str) -> str:
    """What written() has put there. Raises ConfigurationError without the markers."""
    inside = text.partition(BEGIN)[2].partition(END)
    if not inside[1]:
        raise ConfigurationError(f"the file must hold the lines {BEGIN} and {END}")
    return inside[0].strip("\n")


def _counts(results: Results, packages: Iterable[str]) -> str:
    """How many functions of each package are in each state, over NumPy / over array-api-strict."""
    rows = []
    for package in packages:
        mine = [states for name, states in results.items() if name.split(".")[0] == package]
        cells = [_pair(mine, state) for state in STATES]
        rows.append((f"`{package}`", str(len(mine)), *cells))
    return _table(("package", "functions", *STATES), rows)


def _pair(mine: list[Mapping[str, Any]], state: str) -> str:
    over = {name: sum(s[name]["state"] == state for s in mine) for name in next(iter(mine), {})}
    return " / ".join(map(str, over.values()))


def _differentiable(results: Results) -> list[tuple[str, str]]:
    """A row for each module: its functions that work over at least one library."""
    rows: dict[str, list[str]] = {}
    for function, states in results.items():
        good = [outcome["state"] == DIFFERENTIABLE for outcome in states.values()]
        if any(good):
            module, name = _split(function)
            rows.setdefault(module, []).append(f"{name}{'' if all(good) else '°'}")
    return [(f"`{module}`", ", ".join(names)) for module, names in rows.items()]


def _others(results: Results) -> list[tuple[str, str]]:
    """A row for each reason: the functions that are differentiable over no library."""
    rows: dict[str, list[str]] = {}
    for function, states in results.items():
        first = next(iter(states.values()))
        if all(outcome["state"] != DIFFERENTIABLE for outcome in states.values()):
            rows.setdefault(_meaning(first), []).append(function)
    return [(reason, _grouped(functions)) for reason, functions in rows.items()]


def _meaning(outcome: Mapping[str, Any]) -> str:
    if outcome["state"] == CONSTANT:
        return "right values; the derivative is zero wherever it exists"
    reason = outcome.get("reason", "")
    kind = {VALUE_ONLY: "right values; ", REFUSED: "", WRONG: "**wrong**: "}[outcome["state"]]
    for start, meaning in REASONS:
        if reason.startswith(start):
            return kind + meaning
    return kind + reason.replace("|", "\\|")


def _grouped(functions: Iterable[str]) -> str:
    """Functions by module: `scipy.ndimage`: shift, zoom; `scipy.linalg`: det."""
    modules: dict[str, list[str]] = {}
    for function in functions:
        module, name = _split(function)
        modules.setdefault(module, []).append(name)
    return "; ".join(f"`{module}`: {', '.join(names)}" for module, names in modules.items())


def _split(function: str) -> tuple[str, str]:
    """Module and name; a method keeps its class."""
    words = function.split(".")
    start = next((i for i, word in enumerate(words) if word[0].isupper()), len(words) - 1)
    return ".".join(words[:start]), ".".join(words[start:]).replace("_", "\\_")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
