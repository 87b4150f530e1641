"""How large everything is: on a GPU, and in a rehearsal on this CPU."""

from __future__ import annotations

from typing import NamedTuple


class Sizes(NamedTuple):
    """The sizes of all sections.

    copied: bytes of the copy that gives the bandwidth. parameters: of the optimizers, in `parts`
    equal arrays. main_product: m, n, k with every activation; products: with one. elements: of
    elementwise work and random numbers. rows: (rows, columns) of softmax. classes: (rows, classes)
    of cross entropy. mlp: features of its layers; batches: with it. lstm: (batch, time, features).
    gpt: (batch, time, features, layers, heads). steps, replays: of the checks of captured steps.
    blocks of block_seconds each are timed after warm_up_seconds.
    """

    copied: int
    parameters: tuple[int, ...]
    parts: int
    main_product: tuple[int, int, int]
    products: tuple[tuple[int, int, int], ...]
    elements: int
    rows: tuple[int, int]
    classes: tuple[int, int]
    mlp: tuple[int, ...]
    batches: tuple[int, ...]
    lstm: tuple[int, int, int]
    gpt: tuple[int, int, int, int, int]
    steps: int
    replays: int
    blocks: int
    block_seconds: float
    warm_up_seconds: float


FULL = Sizes(
    copied=2**31,
    parameters=(10**6, 10**7, 10**8),
    parts=50,
    main_product=(8192, 4096, 4096),
    products=(
        (4096, 4096, 4096),
        (1024, 1024, 1024),
        (8192, 4096, 256),
        (8192, 512, 784),
        (128, 512, 784),
    ),
    elements=2**26,
    rows=(8192, 4096),
    classes=(8192, 32768),
    mlp=(784, 512, 512, 10),
    batches=(128, 8192),
    lstm=(64, 128, 512),
    gpt=(64, 256, 384, 6, 6),
    steps=100,
    replays=1000,
    blocks=15,
    block_seconds=0.01,
    warm_up_seconds=0.05,
)

TINY = Sizes(
    copied=2**12,
    parameters=(1000,),
    parts=5,
    main_product=(16, 8, 8),
    products=((8, 8, 4),),
    elements=2**8,
    rows=(4, 16),
    classes=(4, 16),
    mlp=(8, 16, 16, 4),
    batches=(4,),
    lstm=(2, 12, 8),
    gpt=(2, 4, 8, 1, 2),
    steps=6,
    replays=5,
    blocks=2,
    block_seconds=0.0,
    warm_up_seconds=0.0,
)
