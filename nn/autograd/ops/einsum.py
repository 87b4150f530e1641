"""einsum: sums of products over labelled axes, for the arrays of every library.

The derivative with respect to an operand is again an einsum, of the cotangent and the other
operands, so derivatives of every order come for nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from array_api_compat import device

from ....backend import Array, array_namespace
from ....backend.errors import ShapeError
from ....backend.libraries import library_of
from ..differentiable import differentiable
from .subscripts import N_LETTERS, Label, Labels, interleaved, parsed, spelled

Term = tuple[Array, Labels]  # an array and the labels of its axes


def einsum(*args: Any) -> Array:
    """Sums of products over labelled axes: einsum("ij,jk->ik", x, y) is the matrix product.

    Subscripts, then arrays; or arrays, each followed by the list of its axes' labels, and the list
    of the result's. "..." are axes without letters, which broadcast; a letter twice in one term is
    a diagonal.
    Raises ShapeError where subscripts and shapes do not fit.
    """
    if isinstance(args[0], str):
        subscripts, operands = args[0], args[1:]
    else:
        subscripts, operands = interleaved(args)
    terms, output = parsed(subscripts, tuple(len(x.shape) for x in operands))
    _lengths([x.shape for x in operands], terms)
    result: Array = _einsum(*operands, terms=terms, output=output)
    return result


@differentiable
def _einsum(*operands: Array, terms: tuple[Labels, ...], output: Labels) -> Array:
    """einsum with its subscripts taken apart: the library's own where it has one."""
    native = getattr(array_namespace(*operands), "einsum", None)
    if native is not None and len({label for labels in terms for label in labels}) <= N_LETTERS:
        options = {} if library_of(operands[0]).name == "torch" else {"optimize": True}
        return native(spelled(terms, output), *operands, **options)
    return _in_pairs(operands, terms, output)


def _in_pairs(operands: Sequence[Array], terms: Sequence[Labels], output: Labels) -> Array:
    """einsum in terms of the standard: two operands at a time, left to right."""
    lengths = _lengths([x.shape for x in operands], terms)
    labelled = [_simplified(x, t, lengths) for x, t in zip(operands, terms, strict=True)]
    while len(labelled) > 1:
        first, second, *rest = labelled
        needed = {label for _, labels in rest for label in labels}.union(output)
        labelled = [
            _product(_summed(first, needed, second), _summed(second, needed, first), needed)
        ]
        labelled += rest
    x, labels = _summed(labelled[0], set(output))
    return array_namespace(x).permute_dims(x, tuple(labels.index(label) for label in output))


@_einsum.backward
def _deinsum(
    dy: Array,
    operands: tuple[Array, ...],
    terms: tuple[Labels, ...],
    output: Labels,
    needs: frozenset[int],
) -> list[Array | None]:
    """For each operand: einsum of dy and the others, spread over the axes that only it has."""
    gradients: list[Array | None] = []
    for i, (x, own) in enumerate(zip(operands, terms, strict=True)):
        if i not in needs:
            gradients.append(None)
            continue
        others = [j for j in range(len(operands)) if j != i]
        given = (output, *(terms[j] for j in others))
        shared = tuple(label for label in dict.fromkeys(own) if any(label in t for t in given))
        dx = _einsum(dy, *(operands[j] for j in others), terms=given, output=shared)
        gradients.append(_spread(dx, shared, own, x.shape))
    return gradients


def _spread(dx: Array, shared: Labels, own: Labels, shape: tuple[int, ...]) -> Array:
    """dx with an axis for each of an operand's labels; those that repeat get a diagonal."""
    xp = array_namespace(dx)
    first = [own.index(label) == axis for axis, label in enumerate(own)]
    order = tuple(shared.index(own[i]) for i in range(len(own)) if first[i] and own[i] in shared)
    lengths = iter([dx.shape[i] for i in order])
    dx = xp.permute_dims(dx, order)
    dx = xp.reshape(
        dx,
        tuple(next(lengths) if f and o in shared else 1 for f, o in zip(first, own, strict=True)),
    )
    for axis, label in enumerate(own):
        if not first[axis]:
            dx = dx * _diagonal_mask(dx, own.index(label), axis, shape[axis])
    # an axis of length 1 that met longer ones comes out long here, and the engine sums it
    return xp.broadcast_to(dx, tuple(map(max, dx.shape, shape)) if math.prod(shape) else shape)


def _diagonal_mask(dx: Array, axis1: int, axis2: int, n: int) -> Array:
    """1 where the indices along two axes are equal, else 0, with length one along the others."""
    xp = array_namespace(dx)
    shape = tuple(n if axis in (axis1, axis2) else 1 for axis in range(dx.ndim))
    return xp.reshape(xp.eye(n, dtype=dx.dtype, device=device(dx)), shape)


# -- one pair at a time -------------------------------------------------------------------------


def _simplified(x: Array, labels: Labels, lengths: dict[Label, int]) -> Term:
    """x without axes of length one where others are longer, and with diagonals taken."""
    xp = array_namespace(x)
    kept = [i for i, label in enumerate(labels) if x.shape[i] == lengths[label]]
    if len(kept) < len(labels):
        x, labels = xp.reshape(x, tuple(x.shape[i] for i in kept)), tuple(labels[i] for i in kept)
    while len(set(labels)) < len(labels):
        label = next(label for label in labels if labels.count(label) > 1)
        axis1, axis2 = [i for i, other in enumerate(labels) if other == label][:2]
        n = lengths[label]
        x = xp.moveaxis(xp.moveaxis(x, axis2, -1), axis1, -2)
        x = xp.reshape(x, (*x.shape[:-2], n * n))[..., :: n + 1]
        labels = tuple(o for i, o in enumerate(labels) if i not in (axis1, axis2)) + (label,)
    return x, labels


def _summed(term: Term, needed: set[Label], partner: Term | None = None) -> Term:
    """The term without the axes that nobody else asks for."""
    x, labels = term
    wanted = needed.union(partner[1]) if partner else needed
    lonely = tuple(i for i, label in enumerate(labels) if label not in wanted)
    if not lonely:
        return term
    xp = array_namespace(x)
    return xp.sum(x, axis=lonely), tuple(label for label in labels if label in wanted)


def _product(first: Term, second: Term, needed: set[Label]) -> Term:
    """The product of two terms, summed over the labels that they share and nobody else needs."""
    (x, left), (y, right) = first, second
    shared = [label for label in left if label in right]
    batch = [label for label in shared if label in needed]
    inner = [label for label in shared if label not in needed]
    rows = [label for label in left if label not in right]
    columns = [label for label in right if label not in left]
    xp = array_namespace(x, y)
    if not inner:
        return _aligned(x, left, [*batch, *rows, *columns]) * _aligned(
            y, right, [*batch, *rows, *columns]
        ), (*batch, *rows, *columns)
    lengths = {**dict(zip(left, x.shape, strict=True)), **dict(zip(right, y.shape, strict=True))}
    sizes = [[lengths[label] for label in group] for group in (batch, rows, inner, columns)]
    n_batch, n_rows, n_inner, n_columns = map(math.prod, sizes)
    x = xp.permute_dims(x, tuple(left.index(label) for label in (*batch, *rows, *inner)))
    y = xp.permute_dims(y, tuple(right.index(label) for label in (*batch, *inner, *columns)))
    lead = (n_batch,) if batch else ()
    product = xp.matmul(
        xp.reshape(x, (*lead, n_rows, n_inner)), xp.reshape(y, (*lead, n_inner, n_columns))
    )
    shape = (*sizes[0], *sizes[1], *sizes[3])
    return xp.reshape(product, shape), (*batch, *rows, *columns)


def _aligned(x: Array, labels: Labels, order: Sequence[Label]) -> Array:
    """x with its axes in this order, of length one where it has no such label."""
    xp = array_namespace(x)
    present = [label for label in order if label in labels]
    x = xp.permute_dims(x, tuple(labels.index(label) for label in present))
    lengths = dict(zip(present, x.shape, strict=True))
    return xp.reshape(x, tuple(lengths.get(label, 1) for label in order))


def _lengths(shapes: Sequence[tuple[int, ...]], terms: Sequence[Labels]) -> dict[Label, int]:
    """The length of every label's axes. Raises ShapeError for two that differ and are not one."""
    lengths: dict[Label, int] = {}
    for shape, labels in zip(shapes, terms, strict=True):
        for n, label in zip(shape, labels, strict=True):
            known = lengths.setdefault(label, n)
            if known == 1:
                lengths[label] = n
            elif n not in (1, known):
                raise ShapeError(
                    f"einsum: axes of label {label!r} must have one length, got {known} and {n}"
                )
    return lengths
