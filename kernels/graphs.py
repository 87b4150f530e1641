"""Which array libraries can record a step as a graph and replay it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol


class Graph(Protocol):
    """A recorded step: result is what it returned, in memory that each replay overwrites."""

    result: Any

    def replay(self, inputs: Iterable[tuple[Any, Any]] = ()) -> None:
        """Do what the step does.

        inputs: pairs of an array that the step reads, and one of the same shape, dtype and device
        with the values for it.
        """

    def is_current(self) -> bool:
        """Whether the step would still be recorded so: no setting of a module has changed."""


def graph_maker(library: str) -> Callable[[Callable[[], Any]], Graph] | None:
    """What records a function on the arrays of a library; None where the function just runs."""
    if library != "cupy":
        return None
    from .cuda.graph import StepGraph  # not needed by who stays on the CPU

    return StepGraph
