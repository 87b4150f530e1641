"""Vector spaces of nested arrays, as autograd.core.vspace has them, and numbers as its arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from isograd.nn.autograd import tree
from isograd.nn.autograd.tensor import Tensor, innermost


def normal(x: Any) -> Any:
    """Nested numbers and arrays with every leaf an array: Python numbers become float64."""
    return tree.mapped(_array, x)


def _array(x: Any) -> Any:
    if isinstance(x, Tensor | np.ndarray | np.generic):
        return x
    return np.asarray(x)


class Space:
    """Where arrays of these shapes and dtypes live; complex numbers are pairs of real ones."""

    def __init__(self, value: Any) -> None:
        self.value = tree.mapped(innermost, normal(value))
        self.leaves = tree.leaves(self.value)
        self.size = sum(x.size * (2 if np.iscomplexobj(x) else 1) for x in self.leaves)
        self.iscomplex = any(np.iscomplexobj(x) for x in self.leaves)
        if len(self.leaves) == 1:
            self.shape, self.dtype = self.leaves[0].shape, self.leaves[0].dtype

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Space) and _described(self.value) == _described(other.value)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Space({_described(self.value)})"

    def _filled(self, make: Any) -> Any:
        return tree.mapped(lambda x: np.asarray(make(x), dtype=x.dtype), self.value)

    def zeros(self) -> Any:
        return self._filled(lambda x: np.zeros(x.shape))

    def ones(self) -> Any:
        return self._filled(lambda x: np.full(x.shape, 1.0 + 1.0j if np.iscomplexobj(x) else 1.0))

    def randn(self) -> Any:
        def drawn(x: Any) -> Any:
            imaginary = 1j * np.random.randn(*x.shape) if np.iscomplexobj(x) else 0.0
            return np.random.randn(*x.shape) + imaginary

        return self._filled(drawn)

    def standard_basis(self) -> Iterator[Any]:
        """Unit vectors; of a complex element one in each direction."""
        for i, leaf in enumerate(self.leaves):
            for j in range(leaf.size):
                for one in (1.0, 1.0j) if np.iscomplexobj(leaf) else (1.0,):
                    parts = [np.zeros(x.shape, x.dtype) for x in self.leaves]
                    parts[i].reshape(-1)[j] = one
                    yield tree.rebuilt(self.value, parts)

    def add(self, x: Any, y: Any) -> Any:
        return self._mapped(lambda a, b: a + b, x, y)

    def scalar_mul(self, x: Any, a: Any) -> Any:
        return self._mapped(lambda part: part * a, x)

    def inner_prod(self, x: Any, y: Any) -> Any:
        """Re of the sum of conj(x) y."""
        products = tree.leaves(self._mapped(lambda a, b: np.real(np.conj(a) * b), x, y))
        return sum((np.sum(part) for part in products), 0.0)

    def covector(self, x: Any) -> Any:
        return self._mapped(np.conj, x)

    def _mapped(self, f: Any, *trees: Any) -> Any:
        leaves = [tree.leaves(normal(x)) for x in trees]
        return tree.rebuilt(self.value, [f(*parts) for parts in zip(*leaves, strict=True)])


def _described(x: Any) -> Any:
    """Structure, shapes and dtypes, comparable."""
    if isinstance(x, dict):
        return {key: _described(value) for key, value in x.items()}
    if isinstance(x, list | tuple):
        return (type(x).__name__, [_described(part) for part in x])
    return None if x is None else (tuple(x.shape), str(x.dtype))
