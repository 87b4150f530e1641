"""Derivatives of functions: grad, value_and_grad, vjp, jvp, hvp, jacobian, hessian.

Each opens a recording of its own, one level above those that are open. Inputs and outputs may be
nested dicts, lists and tuples of arrays. Plain arrays in, plain arrays out; Tensors that an outer
recording follows come out recorded there, which is how derivatives of derivatives arise.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

from ...backend import Array, array, array_namespace, is_array, is_complex
from ...backend.errors import NotDifferentiableError, NotRecordedError, ShapeError
from . import tree
from .tape import Cotangents, Join, Leaf, backpropagate, conjugated, fit, new_level, numbers_read
from .tensor import Tensor, innermost, lifted, new_leaf, recorded, strip


def vjp(f: Callable[..., Any], *inputs: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """(y, pull) with y = f(*inputs) and pull(dy) = the tuple of dy^T J, one for each input.

    dy has the structure and shapes of y. pull may be called any number of times. Complex numbers:
    for a real function L of z = a + ib, its gradient dL/da + i dL/db comes out, and such a one is
    what dy is taken for. Raises NotDifferentiableError for inputs that are not floating.
    """
    return _linearized(f, inputs, conjugated)


def transposed(f: Callable[..., Any], *inputs: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """vjp as the rules have it: plain transposes, nothing conjugated (see complex_numbers.py)."""
    return _linearized(f, inputs, lambda x: x)


def _linearized(
    f: Callable[..., Any], inputs: tuple, shown: Callable[[Array], Array]
) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """(y, pull); shown turns cotangents as the rules have them into those of pull, and back."""
    level = new_level()
    arrays = [_as_array(x) for x in tree.leaves(inputs)]
    nodes = [new_leaf(x) for x in arrays]
    tensors = [recorded(x, level, node) for x, node in zip(arrays, nodes, strict=True)]
    numbers_read[level] = False
    try:
        y = f(*tree.rebuilt(inputs, tensors))
    finally:
        was_read = numbers_read.pop(level)
    if was_read:
        _refuse_numbers(y)
    outputs = [_at_level(_as_array(part), level) for part in tree.leaves(y)]
    plain = not any(isinstance(x, Tensor) for x in arrays)
    handed_out = strip if plain else lifted  # what came plain goes out plain, Tensors as Tensors

    def pull(dy: Any) -> tuple[Any, ...]:
        dys = [shown(part) for part in _cotangents(dy, y, outputs)]
        gradients = _pulled([_node(part, level) for part in outputs], dys)
        dxs = [
            _zeros_like(x) if gradients.get(node) is None else shown(gradients[node])
            for node, x in zip(nodes, arrays, strict=True)
        ]
        return tree.rebuilt(inputs, map(handed_out, dxs))

    return tree.rebuilt(y, [handed_out(_below(part, level)) for part in outputs]), pull


def value_and_grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, *, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that returns (f(...), gradient of f with respect to the arguments argnums).

    f returns a scalar (with has_aux: a scalar and anything else, which is handed through:
    ((value, aux), gradient)). One argnum gives one gradient, several a tuple.
    Raises ShapeError when f returns no scalar, NotDifferentiableError unless inputs are floating.
    """
    positions = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    @functools.wraps(f)
    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        aux = None

        def of_chosen(*chosen: Any) -> Any:
            nonlocal aux
            result = f(*_merged(args, positions, chosen), **kwargs)
            if has_aux:
                result, aux = result
                level = max([x.level for x in tree.leaves(chosen)], default=1)
                aux = tree.mapped(lambda x: strip(_at_level(x, level - 1)), aux)
            return result

        y, pull = vjp(of_chosen, *(args[i] for i in positions))
        gradients = pull(_one_like(y, f))
        value = (y, aux) if has_aux else y
        return value, gradients[0] if isinstance(argnums, int) else gradients

    return value_and_gradient


def grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, *, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that returns the gradient of the scalar function f: see value_and_grad.

    With has_aux it returns (gradient, aux).
    """
    both = value_and_grad(f, argnums, has_aux=has_aux)

    @functools.wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, dx = both(*args, **kwargs)
        return (dx, value[1]) if has_aux else dx

    return gradient


def jvp(f: Callable[..., Any], inputs: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """(f(*inputs), J tangents): the derivative in one direction.

    dy^T J is linear in dy; its own transpose at tangents is J tangents, so the rules of the
    backward pass serve here too. Raises ShapeError when tangents do not fit the inputs.
    Source: J. Townsend, "A new trick for calculating Jacobian vector products", 2017.
    """
    inputs, tangents = tuple(inputs), tuple(tangents)
    _check_fit("jvp: tangents", tangents, inputs)
    y, pull = vjp(f, *inputs)
    _, push = vjp(pull, tree.mapped(_zeros_like, y))
    return y, push(tangents)[0]


def hvp(f: Callable[..., Any], inputs: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, ...]:
    """Hessian of the scalar function f at inputs, times tangents: one array for each input.

    The gradient of (gradient of f) . tangents, at the cost of a few evaluations of f.
    """
    inputs, tangents = tuple(inputs), tuple(tangents)
    _check_fit("hvp: tangents", tangents, inputs)
    gradient = grad(f, argnums=range(len(inputs)))
    _, pull = vjp(lambda *xs: gradient(*xs), *inputs)
    return pull(tangents)


def jacobian(f: Callable[..., Any], argnums: int = 0) -> Callable[..., Array]:
    """A function that returns dy/dx, shape y.shape + x.shape, for x = args[argnums].

    One backward pass for each element of y, two for a complex one. Of a complex y it is dy/dx, of a
    complex x too where y is holomorphic in x, else the Wirtinger derivative. A real y has the
    gradient of a complex x in each row, as grad shows it.
    """

    @functools.wraps(f)
    def all_derivatives(*args: Any, **kwargs: Any) -> Array:
        def of_chosen(x: Any) -> Any:
            return f(*_merged(args, (argnums,), (x,)), **kwargs)

        y, pull = transposed(of_chosen, args[argnums])
        x = _as_array(args[argnums])
        xp = array_namespace(y)
        size = math.prod(y.shape)
        basis = xp.reshape(
            xp.eye(size, dtype=y.dtype, device=innermost_device(y)), (size, *y.shape)
        )
        if size == 0:
            shape = (*y.shape, *x.shape)
            return array_namespace(x).zeros(shape, dtype=x.dtype, device=innermost_device(x))
        rows = [_row(pull, basis[i, ...], is_complex(x)) for i in range(size)]
        stacked = array_namespace(*rows).stack(rows)
        return array_namespace(stacked).reshape(stacked, (*y.shape, *x.shape))

    return all_derivatives


def hessian(f: Callable[..., Any], argnums: int = 0) -> Callable[..., Array]:
    """A function that returns the second derivatives of the scalar f, shape x.shape + x.shape.

    Raises NotDifferentiableError for a complex x: take a function of its two real parts.
    """
    of_gradient = jacobian(grad(f, argnums), argnums)

    @functools.wraps(f)
    def all_second_derivatives(*args: Any, **kwargs: Any) -> Array:
        if is_complex(_as_array(args[argnums])):
            raise NotDifferentiableError(
                "hessian: x must be real, got a complex array; let f take its real and imaginary "
                "part, e.g. f(a, b) with z = a + 1j * b"
            )
        return of_gradient(*args, **kwargs)

    return all_second_derivatives


def _row(pull: Callable[[Array], tuple[Array, ...]], e: Array, of_complex: bool) -> Array:
    """The derivative of the element of y that e picks out."""
    (dx,) = pull(e)
    if not is_complex(e):
        return conjugated(dx)
    # u + iv has the derivative du/dx + i dv/dx, and pull(1j) is -dv/dx. For x = a + ib both are
    # d/da - i d/db, twice the Wirtinger derivative.
    (minus_dv,) = pull(1j * e)
    return (dx - 1j * minus_dv) * (0.5 if of_complex else 1.0)


def _refuse_numbers(y: Any) -> None:
    """Raises NotRecordedError if a result is a number that may come from a recorded Tensor."""
    if any(isinstance(part, float | complex) for part in tree.leaves(y)):
        raise NotRecordedError(
            "the function returned a Python number after float(x) or x.item() of a recorded "
            "Tensor, which no derivative can follow; return the Tensor, and let numbers for a log "
            "come along by has_aux=True"
        )


def _as_array(x: Any) -> Array:
    return x if is_array(x) else array(x)


def innermost_device(x: Array) -> Any:
    """The device on which a function of x should make new arrays."""
    from array_api_compat import device

    return device(innermost(x))


def _merged(args: tuple, positions: tuple[int, ...], chosen: tuple) -> list:
    merged = list(args)
    for i, x in zip(positions, chosen, strict=True):
        merged[i] = x
    return merged


def _at_level(part: Any, level: int) -> Any:
    """An output without recordings that an inner function has leaked."""
    part = strip(part)
    while isinstance(part, Tensor) and part.level > level:
        part = part.data
    return part


def _node(part: Any, level: int) -> Any:
    return part._node if isinstance(part, Tensor) and part.level == level else None


def _below(part: Any, level: int) -> Any:
    return part.data if _node(part, level) is not None else part


def _pulled(roots: list, dys: list) -> dict[Leaf, Array]:
    """The gradients of all leaves for cotangents of several outputs, in one walk."""
    pairs = [(root, dy) for root, dy in zip(roots, dys, strict=True) if root is not None]
    lift = None
    if any(isinstance(dy, Tensor) for _, dy in pairs):  # rules then meet nothing but Tensors
        lift = lifted
        pairs = [(root, lifted(dy)) for root, dy in pairs]
    if not pairs:
        return {}
    if len(pairs) == 1:
        return backpropagate(*pairs[0], lift=lift)
    links = tuple((root, _picked(i), ()) for i, (root, _) in enumerate(pairs))
    outputs = tuple((dy.shape, dy.dtype) for _, dy in pairs)
    join = Join("the outputs", links, outputs)
    dy = Cotangents({i: dy for i, (_, dy) in enumerate(pairs)})
    return backpropagate(join, dy, lift=lift)


def _picked(position: int) -> Callable[[tuple], Array]:
    return lambda dys: dys[position]


def _cotangents(dy: Any, y: Any, outputs: list) -> list:
    dys = tree.leaves(dy)
    if len(dys) != len(outputs):
        raise ShapeError(f"vjp: dy must have the {len(outputs)} arrays of y, got {len(dys)}")
    for part, dpart in zip(outputs, dys, strict=True):
        shape = tuple(getattr(dpart, "shape", ()))
        if shape != tuple(part.shape):
            raise ShapeError(f"vjp: dy must have the shape of y {tuple(part.shape)}, got {shape}")
    return [_like(dpart, part) for dpart, part in zip(dys, outputs, strict=True)]


def _like(dpart: Any, part: Any) -> Array:
    """A cotangent in the output's dtype, as a Tensor if the output below this recording is one."""
    if not is_array(dpart):
        dpart = array_namespace(innermost(part)).full_like(innermost(part), dpart)
    dpart = fit(dpart, part, "vjp")
    below = part.data if isinstance(part, Tensor) else part
    return lifted(dpart) if isinstance(below, Tensor) else dpart


def _zeros_like(x: Any) -> Array:
    raw = innermost(x)
    return array_namespace(raw).zeros_like(raw)


def _one_like(y: Any, f: Callable[..., Any]) -> Array:
    if not is_array(y) or tuple(y.shape) != ():
        got = f"an array of shape {tuple(y.shape)}" if is_array(y) else type(y).__name__
        raise ShapeError(
            f"grad: {getattr(f, '__name__', 'f')} must return a scalar array, got {got}; "
            "reduce it (sum, mean), or use vjp or jacobian"
        )
    raw = innermost(y)
    if not array_namespace(raw).isdtype(raw.dtype, "real floating"):
        raise NotDifferentiableError(f"grad: the value must be real and floating, got {raw.dtype}")
    return array_namespace(raw).ones_like(raw)


def _check_fit(what: str, tangents: tuple, inputs: tuple) -> None:
    given = [tuple(getattr(v, "shape", ())) for v in tree.leaves(tangents)]
    wanted = [tuple(getattr(x, "shape", ())) for x in tree.leaves(inputs)]
    if given != wanted:
        raise ShapeError(f"{what} must have the shapes of the inputs {wanted}, got {given}")
