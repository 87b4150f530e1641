"""The command line: `isograd info`, `demo`, `parity`, ..., also as `python -m isograd`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

STOPPED = 130  # what a shell reports of a command that Ctrl-C ended


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status of the command that the arguments name; 2 with the reason on bad input.

    arguments: the words after `isograd`, those of this process when None. --help, --version and
    words that mean nothing end in SystemExit, as argparse does.
    """
    from .backend.errors import IsogradError

    options = _parser().parse_args(arguments)
    try:
        status = options.run(options)
        sys.stdout.flush()
    except IsogradError as error:
        return _failed(options.command, str(error), 2)
    except BrokenPipeError:  # who reads the output has seen enough, as in `isograd info | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:  # the system refuses: a full disk, a folder that went away
        return _failed(options.command, str(error), 1)
    except KeyboardInterrupt:
        return _failed(options.command, "stopped", STOPPED)
    return status or 0


def _failed(command: str, reason: str, status: int) -> int:
    print(f"isograd {command}: {reason}", file=sys.stderr)
    return status


# One function a command; each imports what it needs, so that `isograd --version` stays light.


def _info(options: argparse.Namespace) -> None:
    from .backend.info import print_info
    from .kernels.compiled import state_of_loops

    print_info(compiled_loops=state_of_loops())


def _demo(options: argparse.Namespace) -> None:
    from .benchmarks import demo

    demo.main(
        device=options.device,
        epochs=options.epochs,
        seed=options.seed,
        output=options.output,
        started_again=options.started_again,
    )


def _parity(options: argparse.Namespace) -> int:
    from .benchmarks.parity import run

    return run.main(
        options.models,
        options.devices,
        n_steps=options.steps,
        dtype=options.dtype,
        seed=options.seed,
        factor=options.factor,
        as_json=options.json,
    )


def _bench(options: argparse.Namespace) -> int:
    from .benchmarks.bench import cli

    return cli.main(options)


def _tune(options: argparse.Namespace) -> None:
    from .benchmarks import tune

    tune.main(options.device, options.output)


def _parser() -> argparse.ArgumentParser:
    from . import __version__
    from .benchmarks.bench import arguments

    parser = argparse.ArgumentParser(prog="isograd", description="Train on any array library.")
    parser.add_argument("--version", action="version", version=f"isograd {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)

    info = commands.add_parser("info", help="versions, devices, array libraries, threads, BLAS")
    info.set_defaults(run=_info)

    demo = commands.add_parser("demo", help="train a network on handwritten digits")
    demo.add_argument("--device", help="auto, cpu, cuda, ...; default ISOGRAD_DEVICE, else auto")
    demo.add_argument("--epochs", type=_positive, metavar="N", help="passes over the digits")
    demo.add_argument("--seed", type=_seed, default=0, metavar="S", help="same seed, same result")
    demo.add_argument(
        "--output",
        type=_picture_file,
        default="isograd-demo.png",
        metavar="FILE",
        help="the picture, .png, .svg or .pdf; default isograd-demo.png",
    )
    demo.add_argument("--started-again", action="store_true", help=argparse.SUPPRESS)
    demo.set_defaults(run=_demo)

    bench = commands.add_parser("bench", help="measure devices and other libraries side by side")
    arguments.add_arguments(bench)
    bench.set_defaults(run=_bench)

    tune = commands.add_parser("tune", help="measure which matrix product is fastest on a GPU")
    tune.add_argument("--device", default="cuda", help="cuda, cuda:1, ...; default cuda")
    tune.add_argument("--output", type=Path, metavar="FILE", help="default: in the user's cache")
    tune.set_defaults(run=_tune)

    _add_parity(commands.add_parser("parity", help="compare two devices op by op"))
    return parser


def _add_parity(parity: argparse.ArgumentParser) -> None:
    parity.description = "Train a model on two devices at once and compare them op by op."
    parity.epilog = "Status 0: they agree; 1: something differs beyond the dtype's tolerance."
    parity.add_argument(
        "models",
        nargs="*",
        metavar="MODEL",
        help="mlp, cnn, lstm, gru, gpt, or your own module:function that returns (model, batch, "
        "loss), with loss(model, *batch), and an optimizer if you like; default all of the former",
    )
    parity.add_argument("--devices", required=True, metavar="A,B", help="two, e.g. cpu,cuda")
    parity.add_argument("--steps", type=_positive, default=3, metavar="N", help="default 3")
    parity.add_argument("--dtype", choices=["float32", "float64"], default="float32")
    parity.add_argument("--seed", type=_seed, default=0, metavar="S", help="same seed, same run")
    parity.add_argument(
        "--factor", type=_factor, default=1.0, metavar="F", help="widens the tolerance"
    )
    parity.add_argument("--json", action="store_true", help="print one JSON document instead")
    parity.set_defaults(run=_parity)


def _factor(text: str) -> float:
    """The positive number that the text spells."""
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0.0 < factor < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number above 0, got {text!r}")
    return factor


def _positive(text: str) -> int:
    """The integer that the text spells; argparse reports anything below 1."""
    return _integer_from(1, text)


def _seed(text: str) -> int:
    """The seed that the text spells; argparse reports one that a Generator does not take."""
    from .backend.settings import LARGEST_SEED

    seed = _integer_from(0, text)
    if seed > LARGEST_SEED:
        raise argparse.ArgumentTypeError(f"must be an integer of at most 2**64 - 1, got {text!r}")
    return seed


def _integer_from(least: int, text: str) -> int:
    digits = text.removeprefix("-")
    is_integer = digits.isascii() and digits.isdecimal() and len(digits) <= 30
    if not is_integer or int(text) < least:
        raise argparse.ArgumentTypeError(f"must be an integer of at least {least}, got {text!r}")
    return int(text)


def _picture_file(text: str) -> Path:
    """The path that the text spells; argparse reports one that no picture can be written to."""
    from .benchmarks.pictures import SUFFIXES

    path = Path(text)
    if path.suffix.lower() not in SUFFIXES:
        raise argparse.ArgumentTypeError(f"must end in {', '.join(SUFFIXES)}, got {text!r}")
    try:
        is_new = not path.exists()
        path.open("ab").close()
        if is_new:
            path.unlink()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"must be a file that can be written: {error}") from None
    return path


if __name__ == "__main__":
    sys.exit(main())
