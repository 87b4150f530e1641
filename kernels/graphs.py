"""Which array libraries can record a step as a graph and replay it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class Graph(Protocol):
    """A recorded step: result is what it returned, in memory that each replay overwrites."""

    result: Any

    def replay(self) -> None:
        """Do what the step does."""


def graph_maker(library: str) -> Callable[[Callable[[], Any]], Graph] | None:
    """What records a function on the arrays of a library; None where the function just runs."""
    if library != "cupy":
        return None
    from .cuda.graph import StepGraph  # not needed by who stays on the CPU

    return StepGraph
