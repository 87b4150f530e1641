"""All workloads, in the order of the table, and those that a person asks for."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from fnmatch import fnmatchcase

from .workload import Workload
from .workloads import (
    attention,
    convolution,
    elementwise,
    growth,
    inference,
    normalization,
    optimizers,
    overhead,
    products,
    recurrent,
    softmax,
    steps,
    transfer,
)

WORKLOADS: list[Workload] = [
    *overhead.WORKLOADS,
    *steps.WORKLOADS,
    *inference.WORKLOADS,
    *optimizers.WORKLOADS,
    *softmax.WORKLOADS,
    *normalization.WORKLOADS,
    *convolution.WORKLOADS,
    *recurrent.WORKLOADS,
    *attention.WORKLOADS,
    *products.WORKLOADS,
    *elementwise.WORKLOADS,
    *transfer.WORKLOADS,
    *growth.WORKLOADS,
]


def workload_named(name: str) -> Workload:
    """The workload of that name. Raises KeyError."""
    return {workload.name: workload for workload in WORKLOADS}[name]


def chosen(words: Iterable[str], workloads: Iterable[Workload]) -> list[Workload]:
    """Workloads that a word names: a group, a name with * and ? for any letters, a part of names.

    All of them without a word. Raises ValueError, with the nearest names, for a word without any.
    """
    workloads, words = list(workloads), list(words)
    found: set[str] = set()
    for word in words:
        matching = {w.name for w in workloads if word == w.group or fnmatchcase(w.name, word)}
        matching = matching or {w.name for w in workloads if word in w.name}
        if not matching:
            raise ValueError(_unknown(word, workloads))
        found |= matching
    return [workload for workload in workloads if not words or workload.name in found]


def _unknown(word: str, workloads: list[Workload]) -> str:
    names = [workload.name for workload in workloads]
    groups = list(dict.fromkeys(workload.group for workload in workloads))
    variants = {name.partition("/")[2]: name for name in names}
    near = difflib.get_close_matches(word, [*names, *groups, *variants], n=3, cutoff=0.5)
    nearest = " or ".join(repr(variants.get(name, name)) for name in dict.fromkeys(near))
    meant = f"did you mean {nearest}? " if nearest else ""
    return f"no workload is called {word!r}; {meant}The groups are {', '.join(groups)}"
