"""Matrix products by our own kernels: on tensor cores where arrays allow it, else plainly.

What is computed and the call shape of the candidates is said in problem.py.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from ...backend import Array
from .arrays import NULL
from .problem import FIRST_WITH_TF32, Problem
from .source import Source

HEADERS = ("common.cuh", "activation.cuh", "pack.cuh", "matmul.cuh")
ACTIVATIONS = {  # the structs of activation.cuh
    "none": "Identity",
    "relu": "Relu",
    "leaky_relu": "LeakyRelu",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "silu": "Silu",
    "gelu": "Gelu",
    "gelu_tanh": "GeluTanh",
}

CHUNK_BYTES = 16  # as in tensor_cores.cuh
LINE_BYTES = 128  # the depth of a step, as in matmul_tensor_cores.cu
N_STAGES = 3  # as in matmul_tensor_cores.cu
WARP = 32
SIDE = 16  # as in matmul_simt.cu
MOST_ROWS = 2**31 - 1  # and most columns, and most blocks in a launch

# Blocks that keep a large GPU busy: an H200 has 132 multiprocessors. Estimated, not measured.
ENOUGH_BLOCKS = 128


Batches = tuple[bool, bool]


class Tile(NamedTuple):
    """m x n numbers of y that a block computes, divided among n_warps_m x n_warps_n warps."""

    m: int
    n: int
    n_warps_m: int
    n_warps_n: int

    @property
    def macros(self) -> dict[str, Any]:
        return {
            "TILE_M": self.m,
            "TILE_N": self.n,
            "N_WARPS_M": self.n_warps_m,
            "N_WARPS_N": self.n_warps_n,
        }


# Warps of the first multiply 64 x 32, the most that registers hold with three terms: each number
# from shared memory is used most often. The others are for small products, to fill the GPU.
TILES = (Tile(128, 128, 2, 4), Tile(64, 64, 2, 2), Tile(32, 32, 2, 2))


def variant(layout: str, activation: str = "none", **others: Any) -> dict[str, Any]:
    """The macros of a product: how a and b lie, and what follows."""
    return {
        "A_ALONG_K": int(layout[0] == "n"),
        "B_ALONG_K": int(layout[1] == "t"),
        "ACTIVATION": ACTIVATIONS[activation],
        **others,
    }


# Of all variants, those that take the most registers.
SIMT = Source(
    "matmul_simt.cu",
    headers=HEADERS,
    variants=(
        variant("nt", "gelu", PER_THREAD=8),
        variant("nn", PER_THREAD=8),
        variant("nt", "gelu", PER_THREAD=4),
        variant("tn", PER_THREAD=2),
    ),
)
TENSOR_CORES = Source(
    "matmul_tensor_cores.cu",
    dtypes=("float32", "float16", "bfloat16"),
    headers=(*HEADERS, "tensor_cores.cuh"),
    variants=(
        variant("nt", "gelu", N_TERMS=3, **TILES[0].macros),
        variant("nn", N_TERMS=3, **TILES[0].macros),
        variant("tn", N_TERMS=3, **TILES[0].macros),
        variant("nt", "gelu", N_TERMS=1, **TILES[0].macros),
        variant("nt", "gelu", N_TERMS=3, **TILES[1].macros),
        variant("tn", N_TERMS=3, **TILES[2].macros),
    ),
)


class Launch(NamedTuple):
    """How a kernel is launched for a problem: everything but the arrays. sizes: m to y_step."""

    source: Source
    kernel: str
    macros: dict[str, Any]
    grid: tuple[int]
    block: tuple[int]
    shared: int
    sizes: tuple[np.int64, ...]

    def arguments(
        self, a: Array, b: Array, y: Array, bias: Array | None, z: Array | None, accumulate: bool
    ) -> tuple[Any, ...]:
        """The arguments of both kernels, in order."""
        bias, z = (NULL if x is None else x for x in (bias, z))
        return (a, b, bias, y, z, np.bool_(accumulate), *self.sizes)


def plain_launch(problem: Problem, per_thread: int, batches: Batches = (False, False)) -> Launch:
    """matmul_simt, with so many numbers along the side of each thread's square of sums."""
    tile = SIDE * per_thread
    return Launch(
        SIMT,
        "matmul_simt",
        variant(problem.layout, problem.activation, PER_THREAD=per_thread),
        (n_tiles(problem, tile, tile),),
        (SIDE**2,),
        0,
        _sizes(problem, batches),
    )


def tensor_core_launch(
    problem: Problem, n_terms: int, tile: Tile, batches: Batches = (False, False)
) -> Launch:
    """matmul_tensor_cores; n_terms: 3 for float32 as it is, 1 for TF32 and 16-bit dtypes."""
    return Launch(
        TENSOR_CORES,
        "matmul_tensor_cores",
        variant(problem.layout, problem.activation, N_TERMS=n_terms, **tile.macros),
        (n_tiles(problem, tile.m, tile.n),),
        (tile.n_warps_m * tile.n_warps_n * WARP,),
        N_STAGES * (tile.m + tile.n) * LINE_BYTES,
        _sizes(problem, batches),
    )


def fits(name: str, problem: Problem) -> bool:
    """Whether one of the candidates here can serve the problem."""
    if name not in CANDIDATES or problem.activation not in ACTIVATIONS:
        return False
    if max(problem.m, problem.n, n_tiles(problem, *TILES[1][:2])) > MOST_ROWS:
        return False
    if name == "simt":
        return True
    if name == "mma_half":
        is_served = problem.dtype in ("float16", "bfloat16")
    else:
        is_served = problem.dtype == "float32"
    if name == "mma_tf32" and problem.precision == "highest":
        return False
    return is_served and problem.aligned and problem.arch >= FIRST_WITH_TF32


def run(
    name: str,
    problem: Problem,
    a: Array,
    b: Array,
    y: Array,
    bias: Array | None = None,
    z: Array | None = None,
    accumulate: bool = False,
) -> None:
    """The problem by a candidate. An a or b of two axes is shared by the whole batch."""
    launch = launch_for(name, problem, (a.ndim > 2, b.ndim > 2))
    args = launch.arguments(a, b, y, bias, z, accumulate)
    launch.source.launch(
        launch.kernel, y.dtype, launch.grid, launch.block, args, launch.shared, **launch.macros
    )


CANDIDATES = {
    name: functools.partial(run, name) for name in ("simt", "mma_3xtf32", "mma_tf32", "mma_half")
}


@functools.lru_cache(maxsize=4096)
def launch_for(name: str, problem: Problem, batches: Batches = (False, False)) -> Launch:
    """The launch of a candidate that fits the problem. batches: whether a and b have one each."""
    if name == "simt":
        return plain_launch(problem, per_thread_for(problem), batches)
    n_terms = 3 if name == "mma_3xtf32" else 1
    return tensor_core_launch(problem, n_terms, tile_for(problem), batches)


def tile_for(problem: Problem) -> Tile:
    """The largest tile of which there are enough to keep a GPU busy, else the smallest."""
    fitting = (tile for tile in TILES if n_tiles(problem, tile.m, tile.n) >= ENOUGH_BLOCKS)
    return next(fitting, TILES[-1])


def per_thread_for(problem: Problem) -> int:
    """The side of a thread's square of sums: 8 or 4 where there are enough tiles, else 2."""
    fitting = (n for n in (8, 4) if n_tiles(problem, SIDE * n, SIDE * n) >= ENOUGH_BLOCKS)
    return next(fitting, 2)


def n_tiles(problem: Problem, m: int, n: int) -> int:
    """How many tiles of m x n the whole batch has."""
    return problem.batch * math.ceil(problem.m / m) * math.ceil(problem.n / n)


def _sizes(problem: Problem, batches: Batches) -> tuple[np.int64, ...]:
    """m, n, k, then how far lines, and matrices of the batch, are from one another."""
    m, n, k = problem.m, problem.n, problem.k
    lines = k if problem.layout[0] == "n" else m, n if problem.layout[1] == "n" else k
    steps = m * k if batches[0] else 0, k * n if batches[1] else 0, m * n
    return tuple(map(np.int64, (m, n, k, *lines, *steps)))
