"""The sections of the report, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from ...backend.errors import ConfigurationError
from . import (
    captures,
    devices,
    machine,
    networks,
    optimizers,
    passes,
    products,
    sanitizer,
    testing,
)
from .run import Run

OURS, TORCH, NEITHER = "isograd", "torch", ""


class Section(NamedTuple):
    """sides: a process for each, of at most so many seconds. work: what it does."""

    name: str
    title: str
    work: Callable[[Run], None]
    sides: tuple[str, ...]
    seconds: float


BOTH = (OURS, TORCH)
SECTIONS = (
    Section("machine", "The machine", machine.machine, (OURS,), 45),
    Section("kernels", "Tests of kernels on the GPU", testing.kernel_tests, (NEITHER,), 240),
    Section("captures", "Captured steps", captures.captures, (OURS,), 150),
    Section("optimizers", "Optimizers", optimizers.optimizers, BOTH, 60),
    Section("products", "Matrix products with bias and activation", products.products, BOTH, 180),
    Section("mlp", "Training steps of an MLP", networks.mlps, BOTH, 90),
    Section("passes", "Passes over memory", passes.passes, BOTH, 60),
    Section("sequences", "Training steps over characters", networks.sequences, BOTH, 180),
    Section("sanitizer", "compute-sanitizer", sanitizer.sanitizer, (NEITHER,), 240),
    Section("devices", "CPU and GPU, by isograd bench", devices.devices, (NEITHER,), 240),
    Section("suite", "All other tests on the GPU", testing.all_tests, (NEITHER,), 450),
)


def chosen(words: Iterable[str]) -> list[Section]:
    """The sections of these names in their own order; all of them without a word.

    Raises ConfigurationError for a name that none has.
    """
    names = [section.name for section in SECTIONS]
    words = list(words)
    unknown = [word for word in words if word not in names]
    if unknown:
        raise ConfigurationError(
            f"--only: must name sections among {', '.join(names)}, got {', '.join(unknown)}"
        )
    return [section for section in SECTIONS if not words or section.name in words]
