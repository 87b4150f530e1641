"""The notation of einsum: which label every axis of every operand has."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from ....backend.errors import ShapeError

Label = str | int  # a letter, or for the axes that "..." stands for -1, -2, ... from the right
Labels = tuple[Label, ...]

ELLIPSIS = "..."
N_LETTERS = 52


@lru_cache(maxsize=512)
def parsed(subscripts: str, ndims: tuple[int, ...]) -> tuple[tuple[Labels, ...], Labels]:
    """The labels of every operand and of the result: "ij,jk->ik" for two matrices.

    "..." stands for the axes that have no letter. Without "->" the result has the axes of "..."
    and then, in alphabetical order, the letters that occur once.
    Raises ShapeError where the notation and the operands do not fit.
    """
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    texts = inputs.split(",")
    if len(texts) != len(ndims):
        raise ShapeError(
            f"einsum: {subscripts!r} names {len(texts)} operands, got {len(ndims)} arrays"
        )
    terms = tuple(_term(t, n, subscripts) for t, n in zip(texts, ndims, strict=True))
    n_ellipsis = max(-min([0, *(label for t in terms for label in t if isinstance(label, int))]), 0)
    if not arrow:
        return terms, _implied(inputs, n_ellipsis)
    result = _labels(output, n_ellipsis, subscripts)
    known = {label for term in terms for label in term}
    if len(set(result)) != len(result) or not known.issuperset(result):
        raise ShapeError(
            f"einsum: the result of {subscripts!r} must name labels of the operands, each once"
        )
    return terms, result


def interleaved(args: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """Subscripts and operands of einsum(x, [0, 1], y, [1, 2], [0, 2]), NumPy's other notation."""
    n_pairs = len(args) // 2
    operands = tuple(args[0 : 2 * n_pairs : 2])
    lists = [_text(part) for part in args[1 : 2 * n_pairs : 2]]
    if len(args) % 2:
        return f"{','.join(lists)}->{_text(args[-1])}", operands
    return ",".join(lists), operands


@lru_cache(maxsize=512)
def spelled(terms: tuple[Labels, ...], output: Labels) -> str:
    """Subscripts with these labels, in which every axis has a letter: no "..." is left."""
    known = {label for labels in terms for label in labels}
    letters = {label: _letter(i) for i, label in enumerate(sorted(known, key=str))}
    inputs, result = [[letters[label] for label in labels] for labels in terms], output
    return ",".join(map("".join, inputs)) + "->" + "".join(letters[label] for label in result)


def _text(labels: Sequence[Any]) -> str:
    """Integers as letters in the same order; Ellipsis as "..."."""
    return "".join(ELLIPSIS if i is Ellipsis else _letter(int(i)) for i in labels)


def _letter(i: int) -> str:
    return chr(ord("A") + i) if i < 26 else chr(ord("a") + i - 26)


def _term(text: str, ndim: int, subscripts: str) -> Labels:
    n_letters = len(text.replace(ELLIPSIS, ""))
    n_rest = ndim - n_letters
    if n_rest < 0 or (n_rest and ELLIPSIS not in text):
        raise ShapeError(
            f"einsum: {text!r} in {subscripts!r} must have one letter for each axis, "
            f"got an array of {ndim}"
        )
    return _labels(text, n_rest, subscripts)


def _labels(text: str, n_ellipsis: int, subscripts: str) -> Labels:
    before, dots, after = text.partition(ELLIPSIS)
    if not (before + after).isalpha() and before + after:
        raise ShapeError(
            f"einsum: {subscripts!r} must be made of letters, commas, '...' and one '->'"
        )
    middle = range(-n_ellipsis, 0) if dots else ()
    return (*before, *middle, *after)


def _implied(inputs: str, n_ellipsis: int) -> Labels:
    letters = inputs.replace(ELLIPSIS, "").replace(",", "")
    once = sorted(letter for letter in set(letters) if letters.count(letter) == 1)
    return (*range(-n_ellipsis, 0), *once)
