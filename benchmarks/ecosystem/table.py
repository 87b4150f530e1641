"""The results for a reader: a short table for the README, and a page with every function."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .. import report
from .outcome import CONSTANT, DIFFERENTIABLE, REFUSED, STATES, VALUE_ONLY, WRONG

BEGIN, END = "<!-- ecosystem:begin -->", "<!-- ecosystem:end -->"
Results = Mapping[str, Mapping[str, str]]  # function -> array library -> what its Outcome says
NAMES = {
    "scipy": "SciPy",
    "sklearn": "scikit-learn",
    "array_api_extra": "array-api-extra",
    "einops": "einops",
}
HEADS = {
    DIFFERENTIABLE: "differentiable",
    CONSTANT: "derivative zero",
    VALUE_ONLY: "values only",
    REFUSED: "refused",
    WRONG: "wrong",
}

# What stands in an error, and what it means to a reader.
MEANINGS = (
    ("returns a Python number", "returns a Python number, which no derivative can follow"),
    ("__array__", "makes a NumPy array of its argument, which a recorded Tensor refuses"),
    ("__dlpack__", "makes a NumPy array of its argument, which a recorded Tensor refuses"),
    ("as array_api_strict's own", "is refused for array-api-strict's own arrays, too"),
    ("Multiple namespaces", "mixes its argument with NumPy arrays of its own"),
    ("object has no attribute", "needs what only NumPy's own arrays have"),
    ("out= must not be given", "writes its result into a NumPy array (out=)"),
    ("Tensor type unknown to einops", "knows arrays by type alone; einops.array_api takes Tensors"),
    ("isograd has no derivative", "calls a NumPy function that isograd has no derivative for"),
    ("all arrays must be on one device", "mixes NumPy's numbers with arrays of another library"),
    ("positional argument", "gives by position what the standard has by name"),
)


def state_of(text: str) -> str:
    """The state in what an Outcome says; the reason comes after it."""
    return text.partition(": ")[0]


def summary(results: Results, packages: Mapping[str, str]) -> str:
    """How many functions of each package are in each state: what stands in the README."""
    rows = []
    for package, version in packages.items():
        mine = [texts for name, texts in results.items() if name.split(".")[0] == package]
        counts = (_counts(mine, state) for state in STATES)
        rows.append((f"{NAMES[package]} {version}", str(len(mine)), *counts))
    return _table(("package", "functions tried", *HEADS.values()), rows)


def page(results: Results, packages: Mapping[str, str]) -> str:
    """Every function by name: what is differentiable, and what happens to the others."""
    parts = [
        "# Other people's code on isograd's Tensors",
        "Written by `python -m isograd.benchmarks.ecosystem`. Each function is called with Tensors "
        "over NumPy and over array-api-strict. Its values are compared with the same call on "
        "NumPy's arrays, its gradients with central differences of that call, and so are the "
        "gradients of its gradients where it is smooth. In the table: over NumPy / over "
        "array-api-strict.",
        summary(results, packages),
        "## Differentiable",
        "°: over NumPy alone.",
        _table(("module", "functions"), _differentiable(results)),
        "## Not differentiable, and why",
        "Nothing here loses a gradient in silence: what is wanted and cannot be had is an error.",
        _table(("what happens", "functions"), _others(results)),
    ]
    return "\n\n".join(parts) + "\n"


def written(text: str, content: str) -> str:
    """The text with the content between the markers. Raises ConfigurationError without them."""
    return report.written(text, "ecosystem", content)


def _counts(mine: list[Mapping[str, str]], state: str) -> str:
    libraries = list(mine[0]) if mine else []
    return " / ".join(
        str(sum(state_of(texts[library]) == state for texts in mine)) for library in libraries
    )


def _differentiable(results: Results) -> list[tuple[str, str]]:
    """A row for each module: its functions that work over at least one library."""
    rows: dict[str, list[str]] = {}
    for function, texts in results.items():
        good = [state_of(text) == DIFFERENTIABLE for text in texts.values()]
        if any(good):
            module, name = _split(function)
            rows.setdefault(module, []).append(f"{name}{'' if all(good) else '°'}")
    return [(f"`{module}`", ", ".join(names)) for module, names in rows.items()]


def _others(results: Results) -> list[tuple[str, str]]:
    """A row for each reason: the functions that are differentiable over no library."""
    rows: dict[str, dict[str, list[str]]] = {}
    for function, texts in results.items():
        if all(state_of(text) != DIFFERENTIABLE for text in texts.values()):
            module, name = _split(function)
            reason = _meaning(next(iter(texts.values())))
            rows.setdefault(reason, {}).setdefault(module, []).append(name)
    return [
        (reason, "; ".join(f"`{module}`: {', '.join(names)}" for module, names in modules.items()))
        for reason, modules in rows.items()
    ]


def _meaning(text: str) -> str:
    """What an Outcome says, in words."""
    state, _, reason = text.partition(": ")
    if state == CONSTANT:
        return "right values; the derivative is zero wherever it exists"
    about = {VALUE_ONLY: "right values; ", REFUSED: "", WRONG: "**wrong**: "}[state]
    known = (meaning for text, meaning in MEANINGS if text in reason)
    return about + next(known, reason.replace("|", "\\|"))


def _split(title: str) -> tuple[str, str]:
    """Module and name; a method keeps its class, a variant stays at the name."""
    function, _, variant = title.partition("(")
    words = function.split(".")
    start = next((i for i, word in enumerate(words) if word[0].isupper()), len(words) - 1)
    name = ".".join(words[start:]).replace("__", "\\_\\_")
    return ".".join(words[:start]), f"{name}({variant}" if variant else name


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
