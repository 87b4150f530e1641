"""Nested dicts, lists and tuples of arrays, taken apart into leaves and put together again."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any


def leaves(tree: Any) -> list[Any]:
    """The leaves in order: dict values by insertion, list and tuple items; None holds no leaf."""
    if tree is None:
        return []
    if isinstance(tree, dict):
        tree = tuple(tree.values())
    if isinstance(tree, list | tuple):
        return [leaf for item in tree for leaf in leaves(item)]
    return [tree]


def rebuilt(tree: Any, new_leaves: Iterable[Any]) -> Any:
    """A tree of the same structure with these leaves."""
    return _take(tree, iter(new_leaves))


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """The tree of function(leaf)."""
    return rebuilt(tree, [function(leaf) for leaf in leaves(tree)])


def structure(tree: Any) -> Hashable:
    """The tree without its leaves: equal for trees that rebuilt() may exchange leaves between."""
    if tree is None:
        return None
    if isinstance(tree, dict):
        return (dict, *((key, structure(value)) for key, value in tree.items()))
    if isinstance(tree, list | tuple):
        return (type(tree), *map(structure, tree))
    return ...


def _take(tree: Any, supply: Iterator[Any]) -> Any:
    if tree is None:
        return None
    if isinstance(tree, dict):
        return {key: _take(value, supply) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        items = [_take(item, supply) for item in tree]
        return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)
    return next(supply)
