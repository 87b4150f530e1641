"""`python -m isograd.benchmarks.gpu.first_step`: how long the first steps of a new process take."""

from __future__ import annotations

import json
import sys
import time
from contextlib import nullcontext

from ... import array, nn, using
from ...backend.random import Generator
from .rehearsal import pretended_gpu


def main(rehearses: bool) -> None:
    """Print {"first step, s", "second step, s"} as JSON; the first one begins with the model."""
    with pretended_gpu() if rehearses else nullcontext(), using("cuda") as device:
        times = [time.perf_counter()]
        model = nn.Sequential(nn.Linear(20, 32, activation="gelu"), nn.Linear(32, 5))
        optimizer = nn.Adam(model.parameters())
        x, labels = Generator(0).normal((16, 20)), array([0, 1, 2, 3] * 4)
        for _ in range(2):
            nn.cross_entropy(model(x), labels).backward()
            optimizer.step()
            device.synchronize()
            times.append(time.perf_counter())
    first, second = (end - begin for begin, end in zip(times, times[1:], strict=False))
    print(json.dumps({"first step, s": first, "second step, s": second}))


if __name__ == "__main__":
    main("--rehearse" in sys.argv[1:])
