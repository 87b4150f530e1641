"""What `isograd info` prints: versions, processor, BLAS, devices, settings."""

from __future__ import annotations

import importlib
import os
import platform
import sys
from typing import Any

import array_api_compat
import numpy as np

from .cuda import driver_version
from .device import current_device
from .device_table import devices
from .errors import IsogradError
from .settings import environment_in_force


def collect_info(**more: str) -> dict[str, Any]:
    """What there is to know about this installation; every value prints on its own.

    more: what higher floors add, "_" in a name read as a space. Keys: isograd, python, numpy,
    array-api-compat, platform, processors, blas, blas threads, nvidia driver, current device,
    devices (a table), settings (the ISOGRAD_* variables by name).
    """
    return {
        "isograd": isograd_version(),
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "numpy": np.__version__,
        "array-api-compat": array_api_compat.__version__,
        "platform": platform.platform(),
        "processors": _processors(),
        "blas": _blas(),
        "blas threads": _blas_threads(),
        **{name.replace("_", " "): value for name, value in more.items()},
        "nvidia driver": _driver(),
        "current device": _current_device(),
        "devices": devices(),
        "settings": environment_in_force(),
    }


def print_info(**more: str) -> None:
    """Print collect_info(): one line each, then the table of devices and the settings."""
    info = collect_info(**more)
    tables = {"devices": str(info.pop("devices")), "settings": _lines(info.pop("settings"))}
    width = max(map(len, info))
    for name, value in info.items():
        print(f"{name:<{width}}  {value}")
    for name, table in tables.items():
        print(f"\n{name}\n{table}")


def isograd_version() -> str:
    """The version of the package that this file is part of, installed or not."""
    return str(getattr(sys.modules.get(__name__.partition(".")[0]), "__version__", "unknown"))


def _processors() -> str:
    """How many processors there are, and how many of them this process may use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{os.cpu_count()} ({usable} usable by this process), {platform.machine()}"


def _blas() -> str:
    """The BLAS that NumPy was built with."""
    built_with: Any = np.show_config(mode="dicts")
    blas = built_with.get("Build Dependencies", {}).get("blas", {})
    return f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()


def _blas_threads() -> str:
    """How many threads the BLAS uses; threadpoolctl knows, without it the variables that set it."""
    try:
        pools = importlib.import_module("threadpoolctl").threadpool_info()
    except ImportError:
        names = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
        found = [f"{name}={os.environ[name]}" for name in names if name in os.environ]
        return ", ".join(found) or "default (pip install threadpoolctl to see the number)"
    threads = [f"{pool['num_threads']}" for pool in pools if pool["user_api"] == "blas"]
    return ", ".join(threads) or "unknown"


def _driver() -> str:
    """The newest CUDA that the NVIDIA driver serves."""
    version = driver_version()
    return f"serves CUDA {version // 1000}.{version % 1000 // 10}" if version else "none"


def _current_device() -> str:
    """The current device, or why there is none."""
    try:
        return current_device().name
    except IsogradError as error:
        return f"none: {error}"


def _lines(settings: dict[str, str]) -> str:
    return "\n".join(f"{name}={value}" for name, value in settings.items()) or "all default"
