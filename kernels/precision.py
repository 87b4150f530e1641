"""How accurate float32 matrix products on a GPU must be: the user's choice."""

from __future__ import annotations

import difflib
import threading
from contextvars import ContextVar, Token
from typing import Any

from ..backend.errors import HyperparameterError

PRECISIONS = ("highest", "high", "medium")

_chosen: ContextVar[str | None] = ContextVar("isograd_matmul_precision", default=None)
_within: ContextVar[bool] = ContextVar("isograd_within_matmul_precision", default=False)
_chosen_by_main_thread = "highest"


class ChosenPrecision:
    """What matmul_precision(word) gives back: in a `with` statement, the choice ends with it."""

    def __init__(self, word: str, token: Token, before: str) -> None:
        self.word = word
        self._token: Token | None = token
        self._before = before

    def __repr__(self) -> str:
        return f"matmul_precision({self.word!r})"

    def __enter__(self) -> str:
        """The word. What is chosen for a block holds for this thread or coroutine alone."""
        global _chosen_by_main_thread
        if self._token is None:
            raise HyperparameterError(f"{self!r} was used already; call matmul_precision again")
        _chosen_by_main_thread = self._before
        self._within = _within.set(True)
        return self.word

    def __exit__(self, *error: Any) -> None:
        _within.reset(self._within)
        assert self._token is not None
        _chosen.reset(self._token)
        self._token = None


def matmul_precision(word: str) -> ChosenPrecision:
    """Choose how accurate float32 matmul, linear and what is built on them are on a CUDA GPU.

    "highest", the default: as float32 (2^-24 a product; fast parts of the GPU may be used where
    that loses nothing). "high": factors are rounded to TF32, 10 bits. "medium": to bfloat16, 7
    bits, or better. Sums are float32 always. Other dtypes and the CPU do not change; a backward
    pass follows the choice in force when it runs.

    As a statement the choice stays; made in the main thread it also holds for threads that make
    none. `with matmul_precision("high"):` ends it with the block.
    Raises HyperparameterError for another word.
    """
    global _chosen_by_main_thread
    if word not in PRECISIONS:
        raise HyperparameterError(
            f"matmul_precision: must be one of {', '.join(PRECISIONS)}, got {word!r}{_hint(word)}"
        )
    before = _chosen_by_main_thread
    if threading.current_thread() is threading.main_thread() and not _within.get():
        _chosen_by_main_thread = word
    return ChosenPrecision(word, _chosen.set(word), before)


def current_matmul_precision() -> str:
    """The word in force: "highest", "high" or "medium"."""
    return _chosen.get() or _chosen_by_main_thread


def _hint(word: object) -> str:
    """The word that was meant, by its letters or by what it is called elsewhere."""
    text = str(word).lower()
    meant = {"float32": "highest", "fp32": "highest", "tf32": "high", "bf16": "medium"}
    near = difflib.get_close_matches(text, [*PRECISIONS, *meant], n=1, cutoff=0.5)
    return f"; did you mean {meant.get(near[0], near[0])!r}?" if near else ""
