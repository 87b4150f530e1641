"""Which implementation computes a matrix product: by a measured table, else by rules of thumb.

A table belongs to one kind of GPU. The user's own, written by `python -m isograd tune`, comes
before one that is shipped in tables/; a GPU without either follows rules().
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from . import gpu
from .matmul_plan import NoAlgorithmError
from .problem import FIRST_WITH_TF32, Problem
from .table import Table, find_table

Candidate = Callable[..., None]
Fits = Callable[[str, Problem], bool]


# GPUs that multiply TF32 at eight times the rate of float32, so that three products in TF32 are the
# faster way to float32. On the others (86, 89, 120) both rates are the same.
FAST_IN_TF32 = (80, 90, 100, 103)

# From so many elements of y on, tiles of 128 x 128 keep at least half of a large GPU busy.
# Estimated, as are the next three, until a table says otherwise.
FILLS_A_GPU = 64 * 128 * 128
SHORT_SUM = 512  # k up to which a pass over y costs more than an own kernel loses
TINY_SUM = 128  # k up to which the simple kernel is done before a better one has started
SKINNY = 64  # rows or columns below which a product is a pass over the larger factor

_tables: dict[tuple[int, str], Table | None] = {}  # by architecture and name of the GPU
_chosen: dict[tuple[int, Problem], str | None] = {}
_refused: set[tuple[str, Problem]] = set()


def run(
    problem: Problem, candidates: dict[str, Candidate], fits: Fits, *arrays: Any, **options: Any
) -> bool:
    """Compute the problem by the best candidate, as candidate(problem, *arrays, **options).

    False where none serves it; then nothing was done. A candidate that turns out not to serve it
    (NoAlgorithmError) is not asked again.
    """
    while True:
        name = choose(problem, candidates, fits, arrays[0].device.id)
        if name is None:
            return False
        try:
            candidates[name](problem, *arrays, **options)
        except NoAlgorithmError:
            refuse(name, problem)
        else:
            return True


def choose(problem: Problem, names: Iterable[str], fits: Fits, device_id: int) -> str | None:
    """The best of the named candidates that fit the problem, None where none does; kept.

    Raises KernelError for a table that is damaged or another GPU's.
    """
    try:
        return _chosen[device_id, problem]
    except KeyError:
        able = [name for name in names if (name, problem) not in _refused and fits(name, problem)]
        table = table_of(device_id)
        order = () if table is None else table.order(problem)
        best = next((name for name in (*order, *rules(problem)) if name in able), None)
        _chosen[device_id, problem] = best
        return best


def refuse(name: str, problem: Problem) -> None:
    """Never choose this candidate for this problem again."""
    _refused.add((name, problem))
    for key in [key for key in _chosen if key[1] == problem]:
        del _chosen[key]


def forget() -> None:
    """Choose anew from now on: a table was written, or the libraries changed."""
    _tables.clear()
    _chosen.clear()
    _refused.clear()


def table_of(device_id: int) -> Table | None:
    """The table for a GPU, read once; None where there is none."""
    key = gpu.architecture(device_id), gpu.product_name(device_id)
    if key not in _tables:
        _tables[key] = find_table(*key)
    return _tables[key]


def rules(problem: Problem) -> tuple[str, ...]:
    """All candidates, the best first as far as arithmetic tells without a measurement."""
    if problem.dtype == "float64":
        return ("cublaslt", "simt")
    if problem.dtype != "float32":
        return _by_size(problem, "mma_half")
    if problem.arch < FIRST_WITH_TF32:
        return _in_float32(problem)
    if problem.precision == "high":
        return _by_size(problem, "mma_tf32")
    if problem.precision == "medium":
        return ("cublaslt", "mma_tf32", "mma_3xtf32", "simt")
    is_small = problem.k <= TINY_SUM and problem.m * problem.n < FILLS_A_GPU
    if problem.arch in FAST_IN_TF32 and not is_small and not _is_skinny(problem):
        return ("mma_3xtf32", "cublaslt", "simt")
    return (*_in_float32(problem), "mma_3xtf32")


def _by_size(problem: Problem, own: str) -> tuple[str, ...]:
    """cuBLASLt for long sums; the own kernel where the epilogue is what costs."""
    if problem.k <= SHORT_SUM or _is_skinny(problem):
        return (own, "cublaslt", "simt")
    return ("cublaslt", own, "simt")


def _in_float32(problem: Problem) -> tuple[str, ...]:
    """Without tensor cores: the simple kernel for tiny products, cuBLASLt for the rest."""
    return ("simt", "cublaslt") if problem.k <= TINY_SUM else ("cublaslt", "simt")


def _is_skinny(problem: Problem) -> bool:
    return min(problem.m, problem.n) < SKINNY
