"""What one op costs beside its arithmetic: `python -m isograd.benchmarks.overhead`.

A 4 x 4 multiply is nearly no work, so what is measured is the library around it. Two budgets: at
most 0.5 µs added to a call on plain arrays, at most 2.5 µs added to a recorded op, forward and
backward together. "Added" is to the same multiplications in plain NumPy, measured in turn with it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import Tensor, differentiable, wrap_namespace
from ..backend.errors import IsogradError
from . import import_time
from .peer import measure_torch
from .report import command_of, load_average, report, table, write_report
from .timing import Call, Timing, compare

SHAPE = (4, 4)
DTYPES = ("float32", "float64")
CHAIN = 1000  # ops one after another, as deep as a long recurrent network
PLAIN_BUDGET = 0.5e-6
RECORDED_BUDGET = 2.5e-6
# (what is measured, the same arithmetic in NumPy, what isograd may add to it)
BUDGETS = {
    "op on plain arrays": ("NumPy: 1 multiply", PLAIN_BUDGET),
    "the function with @differentiable": ("a function, 1 multiply", PLAIN_BUDGET),
    "recorded op, forward + backward": ("NumPy: 3 multiplies", RECORDED_BUDGET),
    "recorded op in a chain of 1000": ("NumPy: 2 multiplies in a chain", RECORDED_BUDGET),
}
CHAINED = ("NumPy: 2 multiplies in a chain", "recorded op in a chain of 1000")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and, if asked, write the report; 2 when torch cannot be measured."""
    options = _parser().parse_args(arguments)
    load = load_average()
    results: dict[str, Any] = {}
    try:
        for dtype in DTYPES:
            timings = measure(dtype, blocks=options.blocks)
            results[dtype] = {name: timing.record() for name, timing in timings.items()}
            print(describe(dtype, timings), end="\n\n")
        results["import"] = import_time.measure()
        print(import_time.describe(results["import"]))
        if options.torch:
            results["torch"] = measure_torch(options.torch)
            print(f"\n{_describe_torch(results['torch'])}")
    except IsogradError as error:
        print(f"overhead: {error}", file=sys.stderr)
        return 2
    if options.json:
        words = ["--torch", "PYTHON"] if options.torch else []  # where it lies is nobody's business
        write_report(options.json, report(command_of("overhead", words), results, load))
    return 0


def measure(dtype: str, blocks: int = 31, block_seconds: float = 0.01) -> dict[str, Timing]:
    """The Timing of one op: in plain NumPy, on plain arrays, recorded alone and in a chain."""
    timings = compare(_candidates(dtype), blocks=blocks, block_seconds=block_seconds)
    return {name: t.per(CHAIN) if name in CHAINED else t for name, t in timings.items()}


def added(name: str, timings: Mapping[str, Timing]) -> float:
    """Seconds that isograd adds to the same multiplications in NumPy."""
    arithmetic, _ = BUDGETS[name]
    return timings[name].median - timings[arithmetic].median


def describe(dtype: str, timings: Mapping[str, Timing]) -> str:
    """The table of one dtype, with the budget beside each line that has one."""
    rows = [(f"4 x 4 {dtype}, µs", "median", "quartiles", "added", "budget", "")]
    for name, timing in timings.items():
        lower, upper = timing.quartiles
        row = (name, f"{timing.median * 1e6:.2f}", f"{lower * 1e6:.2f}-{upper * 1e6:.2f}")
        rows.append((*row, *_against_budget(name, timings)))
    return table(rows)


def _against_budget(name: str, timings: Mapping[str, Timing]) -> tuple[str, str, str]:
    if name not in BUDGETS:
        return "", "", ""
    seconds, (_, budget) = added(name, timings), BUDGETS[name]
    verdict = "kept" if seconds <= budget else "exceeded"
    return f"{seconds * 1e6:+.2f}", f"<= {budget * 1e6:.1f}", verdict


def _candidates(dtype: str) -> dict[str, Call]:
    """What is measured, by name."""
    numbers = np.random.default_rng(0)
    a, b, dy = (numbers.uniform(0.5, 1.5, SHAPE).astype(dtype) for _ in range(3))
    one = np.ones(SHAPE, dtype)  # a factor that keeps a long product in range
    multiply = wrap_namespace(np).multiply

    def plain_product(x1: Any, x2: Any) -> Any:
        return x1 * x2

    product = differentiable(plain_product)
    x, w = Tensor(a, requires_grad=True), Tensor(b, requires_grad=True)
    return {
        "NumPy: 1 multiply": lambda: np.multiply(a, b),
        "op on plain arrays": lambda: multiply(a, b),
        "a function, 1 multiply": lambda: plain_product(a, b),
        "the function with @differentiable": lambda: product(a, b),
        "NumPy: 3 multiplies": lambda: (a * b, dy * a, dy * b),
        "recorded op, forward + backward": lambda: _recorded(x, w, dy),
        "NumPy: 2 multiplies in a chain": lambda: _numpy_chain(a, one, dy),
        "recorded op in a chain of 1000": lambda: _recorded_chain(x, one, dy),
    }


def _recorded(x: Tensor, w: Tensor, dy: Any) -> None:
    """y = x w and both gradients: three multiplications."""
    x.grad = w.grad = None
    (x * w).backward(dy)


def _numpy_chain(a: Any, factor: Any, dy: Any) -> None:
    """The arithmetic of _recorded_chain."""
    for _ in range(2 * CHAIN):
        dy = dy * factor


def _recorded_chain(x: Tensor, factor: Any, dy: Any) -> None:
    """A product with one recorded factor after another; two multiplications an op."""
    x.grad = None
    y = x
    for _ in range(CHAIN):
        y = y * factor
    y.backward(dy)


def _describe_torch(timings: Mapping[str, Any]) -> str:
    """The table of the same ops in torch."""
    rows = [(f"torch {timings['version']}, its own process, µs", "median", "quartiles")]
    for name, record in timings["timings"].items():
        lower, upper = record["lower_quartile_s"] * 1e6, record["upper_quartile_s"] * 1e6
        rows.append((name, f"{record['median_s'] * 1e6:.2f}", f"{lower:.2f}-{upper:.2f}"))
    return table(rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=command_of("overhead", []), description="What one op costs beside its arithmetic."
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write a report")
    parser.add_argument("--torch", metavar="PYTHON", help="an interpreter with torch, to compare")
    parser.add_argument("--blocks", type=int, default=31, help="timed blocks of each (default 31)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
