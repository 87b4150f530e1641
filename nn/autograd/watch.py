"""Debug mode: a fingerprint of every saved array, so that a change through an alias is found."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any

from ...backend import is_array, to_numpy
from .tensor import innermost


class Fingerprint:
    """A saved array whose version is a checksum of its bytes."""

    __slots__ = ("_array", "shape")

    def __init__(self, array: Any) -> None:
        self._array = array
        self.shape = array.shape

    @property
    def version(self) -> int:
        values = to_numpy(self._array)
        return zlib.crc32(values.tobytes())


def fingerprints(links: Iterable[tuple]) -> tuple:
    """(array, checksum) for every array that the links keep, each once."""
    arrays = {id(raw): raw for raw in map(innermost, _saved(links)) if is_array(raw)}
    watched = [Fingerprint(raw) for raw in arrays.values()]
    return tuple((fingerprint, fingerprint.version) for fingerprint in watched)


def _saved(values: Any) -> Iterable[Any]:
    """Every value inside nested tuples, lists and dicts."""
    if isinstance(values, dict):
        values = tuple(values.values())
    if isinstance(values, tuple | list):
        for value in values:
            yield from _saved(value)
    else:
        yield values
