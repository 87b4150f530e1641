"""The command line: `isograd info` and `isograd demo`, also as `python -m isograd`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status of the command that the arguments name; 2 with the reason on bad input.

    arguments: the words after `isograd`, those of this process when None. --help, --version and
    words that mean nothing end in SystemExit, as argparse does.
    """
    from .backend.errors import IsogradError

    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except IsogradError as error:
        print(f"isograd {options.command}: {error}", file=sys.stderr)
        return 2
    return 0


# One function a command; each imports what it needs, so that `isograd --version` stays light.


def _info(options: argparse.Namespace) -> None:
    from .backend.info import print_info

    print_info()


def _demo(options: argparse.Namespace) -> None:
    from .benchmarks import demo

    demo.main(device=options.device, epochs=options.epochs, seed=options.seed)


def _parser() -> argparse.ArgumentParser:
    from . import __version__

    parser = argparse.ArgumentParser(prog="isograd", description="Train on any array library.")
    parser.add_argument("--version", action="version", version=f"isograd {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)

    info = commands.add_parser("info", help="versions, devices, array libraries, threads, BLAS")
    info.set_defaults(run=_info)

    demo = commands.add_parser("demo", help="train a network on handwritten digits")
    demo.add_argument("--device", default="auto", help="auto (default), cpu, cuda, cuda:1, ...")
    demo.add_argument("--epochs", type=_positive, help="passes over the digits")
    demo.add_argument("--seed", type=_not_negative, default=0, help="same seed, same result")
    demo.set_defaults(run=_demo)
    return parser


def _positive(text: str) -> int:
    """The integer that the text spells; argparse reports anything below 1."""
    return _integer_from(1, text)


def _not_negative(text: str) -> int:
    """The integer that the text spells; argparse reports anything below 0."""
    return _integer_from(0, text)


def _integer_from(least: int, text: str) -> int:
    if not text.lstrip("-").isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"must be an integer of at least {least}, got {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
