"""The words behind `isograd bench`; this file imports nothing of the measuring."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What may stand behind `isograd bench`."""
    add = parser.add_argument
    add("--devices", default="cpu", metavar="LIST", help="cpu,cuda,...; default cpu")
    add("--peers", metavar="LIST", help="numpy,torch,jax,thinc,sklearn or none; default: installed")
    add(
        "--peer-python",
        action="append",
        default=[],
        metavar="[NAME=]PATH",
        help="a Python that has peers, and NumPy",
    )
    add("--filter", metavar="WORDS", help="only workloads that a word names: step,matmul/*-512")
    add("--list", action="store_true", help="name the workloads and stop")
    add("--quick", action="store_true", help="fewer workloads, one pass: under two minutes")
    add("--threads", type=_threads, metavar="N", help="of each library; default: all cores")
    add("--json", type=Path, metavar="FILE", help="write the results")
    add("--html", type=Path, metavar="FILE", help="write a page about them")
    add("--save", type=_name, metavar="NAME", help="keep the results under a name")
    add("--compare", metavar="NAME", help="with results that were saved, or a .json file")
    add(
        "--fail-above",
        type=_factor,
        metavar="R",
        help="status 1 if a workload is surely R times slower (from one process: 1.1 R)",
    )
    add("--other-machine", action="store_true", help="compare with another machine's results too")


def _name(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("must be a name, got nothing")
    return text


def _threads(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= 4096:
        raise argparse.ArgumentTypeError(f"must be an integer from 1 to 4096, got {text!r}")
    return int(text)


def _factor(text: str) -> float:
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 1.0 < factor < 1e6:
        raise argparse.ArgumentTypeError(f"must be a number above 1, such as 1.1, got {text!r}")
    return factor
