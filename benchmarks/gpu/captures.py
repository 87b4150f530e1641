"""Captured steps: the bits of plain ones, memory that stays, and the time to a first step."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .run import Run

FIRST_STEP = 2.0  # seconds, with what CuPy compiled before on its disk
PATIENCE = 120.0  # seconds for a process that starts with nothing compiled


def captures(run: Run) -> None:
    """The checks of this page, each by itself."""
    steps, replays = run.sizes.steps, run.sizes.replays
    run.attempt(f"replay equals eager over {steps} steps", lambda: _same_bits(steps))
    run.attempt(f"memory is flat over {replays} replays", lambda: _flat_memory(run, replays))
    run.attempt("first step with a warm disk cache", lambda: _first_steps(run))


def _same_bits(steps: int) -> tuple[bool, str]:
    """A training with dropout, clipping and a schedule, plain and captured: losses and weights."""
    from ... import capture

    (losses, weights), (expected_losses, expected) = (
        _trained(wrap, steps) for wrap in (capture, lambda step: step)
    )
    n_losses = sum(map(np.array_equal, losses, expected_losses))
    n_weights = sum(map(np.array_equal, weights, expected))
    detail = f"{n_losses} of {steps} losses and {n_weights} of {len(weights)} weights are equal"
    return (n_losses, n_weights) == (steps, len(weights)), detail


def _trained(wrap: Callable[..., Any], steps: int) -> tuple[list[Any], list[Any]]:
    """(losses, weights) on the host."""
    from ... import nn, to_numpy
    from ...backend.random import Generator

    generator, data = Generator(0), Generator(1)
    model = nn.Sequential(
        nn.Linear(20, 64, activation="gelu", generator=generator),
        nn.Dropout(0.1, generator=generator),
        nn.Linear(64, 5, generator=generator),
    )
    optimizer = nn.AdamW(model.parameters(), lr=1e-2)
    schedule = nn.schedules.ScheduledLR(optimizer, nn.schedules.step_decay(1e-2, 10, gamma=0.9))

    @wrap
    def step(x: Any, labels: Any) -> Any:
        optimizer.zero_grad()
        loss = nn.cross_entropy(model(x), labels)
        loss.backward()
        nn.clip_grad_norm(model.parameters(), 1.0, error_if_nonfinite=False)
        optimizer.step()
        schedule.step()
        return loss.detach()

    losses = []
    for _ in range(steps):
        batch = data.normal((32, 20)), data.integers(0, 5, (32,), dtype="int64")
        losses.append(step(*batch))  # not looked at yet: the host is ahead of the GPU
    return [to_numpy(loss) for loss in losses], [to_numpy(p.data) for p in model.parameters()]


def _flat_memory(run: Run, replays: int) -> tuple[bool, str]:
    """Bytes that the pools and the GPU hold more after many replays; some are allowed for once."""
    from ... import nn
    from ...backend.random import Generator

    model, x = nn.Sequential(nn.Linear(64, 64), nn.GELU()), Generator(0).normal((32, 64))
    step = _captured_loss(model, x)
    for _ in range(10):
        step()
    before = _bytes_held(run)
    for _ in range(replays):
        step()
    more = [now - then for now, then in zip(_bytes_held(run), before, strict=True)]
    return max(more) <= 0, f"the pool grew by {more[0]} bytes, the GPU's use by {more[1]}"


def _captured_loss(model: Any, x: Any) -> Callable[[], Any]:
    from ... import capture, nn

    optimizer = nn.AdamW(model.parameters())

    @capture
    def step() -> Any:
        optimizer.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def _bytes_held(run: Run) -> tuple[int, int]:
    """(used in CuPy's default pool, taken on the GPU)."""
    import cupy

    run.side.wait()
    if run.rehearses:  # the pool asks the driver which GPU it is for
        return 0, 0
    free, total = cupy.cuda.Device().mem_info
    return cupy.get_default_memory_pool().used_bytes(), total - free


def _first_steps(run: Run) -> tuple[bool, str]:
    """Two processes with one disk cache of CuPy, which is empty before the first."""
    with tempfile.TemporaryDirectory(prefix="isograd-gpu-") as folder:
        cold, warm = (_first_step(run, folder) for _ in range(2))
    for name, found in (("cold", cold), ("warm", warm)):
        for what, seconds in found.items():
            run.records.fact(f"first process, {name} disk cache: {what}", seconds)
    detail = f"{warm['first step, s']:.2f} s (cold {cold['first step, s']:.2f}), limit {FIRST_STEP}"
    return warm["first step, s"] <= FIRST_STEP, detail


def _first_step(run: Run, folder: str) -> dict[str, float]:
    """What first_step.py found in a new process, and how long that process took."""
    words = [sys.executable, "-m", "isograd.benchmarks.gpu.first_step"]
    words += ["--rehearse"] if run.rehearses else []
    environment = {**os.environ, "CUPY_CACHE_DIR": folder}
    started = time.perf_counter()
    done = subprocess.run(
        words, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    taken = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["it said nothing"])[-1])
    return {**json.loads(done.stdout), "the whole process, s": taken}
