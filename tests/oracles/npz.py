"""Cases of numbers from torch in one compressed file, as tests/torch_cases.py reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch


def save(topic: str, cases: dict[str, tuple[dict[str, Any], dict[str, Any]]]) -> None:
    """Write torch_<topic>.npz: (settings, arrays) of every case, tensors as NumPy arrays."""
    if not torch.__version__.startswith("2.13."):
        raise SystemExit(f"torch 2.13 is needed to rebuild the numbers, got {torch.__version__}")
    arrays: dict[str, Any] = {}
    settings = {}
    for name, (given, found) in cases.items():
        settings[name] = given
        for key, value in found.items():
            if value is not None:
                arrays[f"{name}|{key}"] = np.asarray(value.detach())
    target = Path(__file__).with_name(f"torch_{topic}.npz")
    np.savez_compressed(target, settings=np.array(json.dumps(settings)), **arrays)
    print(f"{target.name}: {len(cases)} cases, {target.stat().st_size:,} bytes")
