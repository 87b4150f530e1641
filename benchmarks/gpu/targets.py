"""What was predicted before anything was measured, for one NVIDIA H200 (sm_90).

Limits are arithmetic: what a call computes or moves at least, over what the card can do at most.
Aims are what the kernels are built for; the last column is what torch was estimated to need.
"""

from __future__ import annotations

from typing import NamedTuple

from ..bench.workloads.steps import mlp_flops

# Of an H200. COPY was measured; the rates of tensor cores are those of dense products.
COPY = 4.3e12  # bytes a second, read and written
RATE_3XTF32 = 165e12  # three TF32 products for one that is as accurate as float32
RATE_TF32 = 495e12
RATE_BFLOAT16 = 790e12

# A parameter: p, m, v and dp read, p, m and v written; bfloat16 p and dp take 2, the master 4 + 4.
ADAM_BYTES = {"float32": 28, "bfloat16": 30}


class Target(NamedTuple):
    """limit and aims: seconds; because: where the limit comes from; torch: an estimate."""

    limit: float
    aims: tuple[float, ...]
    because: str
    torch: str


def product_flops(m: int, n: int, k: int) -> float:
    """Of one product of (m, k) and (k, n)."""
    return 2.0 * m * n * k


_PRODUCT = product_flops(8192, 4096, 4096)

# By workload and precision, as sections name them.
TARGETS: dict[tuple[str, str], Target] = {
    ("AdamW, 100,000,000 parameters", "float32"): Target(
        ADAM_BYTES["float32"] * 1e8 / COPY,
        (0.71e-3,),
        "28 bytes a parameter at 4.3 TB/s",
        "1.9-2.2 ms, fused 0.72-0.80, compiled 0.72",
    ),
    ("AdamW, 100,000,000 parameters", "bfloat16"): Target(
        ADAM_BYTES["bfloat16"] * 1e8 / COPY,
        (0.76e-3,),
        "30 bytes a parameter with its float32 master at 4.3 TB/s",
        "masters by hand: fused 1.0 ms",
    ),
    ("linear gelu 8192x4096x4096", "highest"): Target(
        _PRODUCT / RATE_3XTF32,
        (3.6e-3, 2.6e-3),
        "2 m n k flops at 165 TFLOP/s (3xTF32)",
        "5.9 ms, compiled 5.85",
    ),
    ("linear gelu 8192x4096x4096", "high"): Target(
        _PRODUCT / RATE_TF32, (0.67e-3,), "2 m n k flops at 495 TFLOP/s (TF32)", "0.72 ms"
    ),
    ("linear gelu 8192x4096x4096", "bfloat16"): Target(
        _PRODUCT / RATE_BFLOAT16, (0.355e-3,), "2 m n k flops at 790 TFLOP/s", "0.38 ms"
    ),
    ("MLP 784-512-512-10, batch 128", "highest"): Target(
        10e-6, (40e-6, 25e-6), "about 10 µs of kernels", "300-400 µs, compiled 90-130"
    ),
    ("MLP 784-512-512-10, batch 8192", "highest"): Target(
        mlp_flops((784, 512, 512, 10), 8192) / RATE_3XTF32,
        (0.35e-3,),
        "its products at 165 TFLOP/s (3xTF32)",
        "0.65-0.75 ms, compiled 0.60",
    ),
    ("char-LSTM, 64 x 128, 512 features", "highest"): Target(
        0.5e-3, (1.3e-3, 0.7e-3), "estimated: 128 steps that wait for one another", "1.2-2 ms"
    ),
}
# GPT was predicted in bfloat16 (5-6 million characters a second at most; torch 2.5-3, compiled
# 4-5): measured here in float32 products of "high" precision, so no target stands beside it.


def target_of(workload: str, precision: str) -> Target | None:
    """What was predicted for a line of the results, None where nothing was."""
    return TARGETS.get((workload, precision))
