"""The differential operators of HIPS autograd in terms of isograd: grad, make_vjp, primitive, ...

autograd takes Python numbers for arrays of float64 and shows the plain transpose of a derivative
(of a real L of z = a + ib: dL/da - i dL/db). So does this file; isograd itself shows the conjugate.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from hips_spaces import Space, normal

import isograd as ig
from isograd.nn.autograd import tree
from isograd.nn.autograd.tensor import Tensor, innermost, strip
from isograd.nn.autograd.transforms import transposed


def name_of(f: Any) -> str:
    return getattr(f, "__name__", "[unknown name]")


def make_vjp_of_one(f: Callable[..., Any], x: Any) -> tuple[Callable[[Any], Any], Any]:
    """(pull, y): y = f(x), pull(dy) the gradient with the structure of x."""
    y, pull = transposed(lambda x: normal(f(x)), normal(x))

    def vjp(dy: Any) -> Any:
        parts = [np.asarray(d) if not isinstance(d, Tensor) else d for d in tree.leaves(normal(dy))]
        return pull(tree.rebuilt(y, parts))[0]

    return vjp, y


def make_jvp_of_one(f: Callable[..., Any], x: Any) -> Callable[[Any], tuple[Any, Any]]:
    """v -> (f(x), J v), by transposing twice."""
    pull, y = make_vjp_of_one(f, x)
    push, _ = make_vjp_of_one(pull, Space(y).zeros())
    return lambda v: (y, push(v))


def of_chosen(operator: Callable[..., Any]) -> Callable[..., Any]:
    """operator(f, x) for functions of several arguments: argnum tells which of them is x."""

    @functools.wraps(operator)
    def of_function(f: Callable[..., Any], argnum: Any = 0, *rest: Any, **options: Any) -> Any:
        def applied(*args: Any, **kwargs: Any) -> Any:
            several = not isinstance(argnum, int)
            positions = argnum if several else (argnum,)

            def of_x(x: Any) -> Any:
                merged = list(args)
                for i, part in zip(positions, x if several else (x,), strict=True):
                    merged[i] = part
                return f(*merged, **kwargs)

            of_x.__name__ = name_of(f)
            x = tuple(args[i] for i in positions) if several else args[argnum]
            return operator(of_x, x, *rest, **options)

        applied.__name__ = f"{operator.__name__}_of_{name_of(f)}_wrt_argnum_{argnum}"
        return applied

    return of_function


make_vjp = of_chosen(make_vjp_of_one)
make_jvp = of_chosen(make_jvp_of_one)
make_jvp_reversemode = of_chosen(lambda f, x: lambda v: make_jvp_of_one(f, x)(v)[1])


def _real_scalar(y: Any) -> None:
    if not hasattr(y, "dtype") or innermost(y).dtype.kind != "f" or innermost(y).size != 1:
        raise TypeError(f"grad: the function must return one real number, got {y!r}")


def _value_and_grad(f: Callable[..., Any], x: Any) -> tuple[Any, Any]:
    pull, y = make_vjp_of_one(f, x)
    _real_scalar(y)
    return y, pull(Space(y).ones())


value_and_grad = of_chosen(_value_and_grad)
grad = of_chosen(lambda f, x: _value_and_grad(f, x)[1])


@of_chosen
def elementwise_grad(f: Callable[..., Any], x: Any) -> Any:
    """The sum of each column of the Jacobian."""
    pull, y = make_vjp_of_one(f, x)
    return pull(Space(y).ones())


@of_chosen
def holomorphic_grad(f: Callable[..., Any], x: Any) -> Any:
    """dy/dx of a complex function that is differentiable as one."""
    pull, y = make_vjp_of_one(f, x)
    return pull(np.ones(y.shape, y.dtype))


@of_chosen
def deriv(f: Callable[..., Any], x: Any) -> Any:
    """J times ones."""
    return make_jvp_of_one(f, x)(Space(normal(x)).ones())[1]


@of_chosen
def jacobian(f: Callable[..., Any], x: Any) -> Any:
    """dy/dx, shape of y and then of x."""
    pull, y = make_vjp_of_one(f, x)
    rows = [pull(e) for e in Space(y).standard_basis()]
    if not any(isinstance(row, Tensor) for row in rows):
        return np.reshape(np.stack(rows), np.shape(y) + np.shape(rows[0]))
    stacked = np.stack(rows)
    return np.reshape(stacked, (*y.shape, *rows[0].shape))


def hessian(f: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    return jacobian(jacobian(f, argnum), argnum)


@of_chosen
def make_hvp(f: Callable[..., Any], x: Any) -> Any:
    """(v -> H v, gradient)."""
    return make_vjp_of_one(lambda x: _value_and_grad(f, x)[1], x)


@of_chosen
def grad_and_aux(f: Callable[..., Any], x: Any) -> tuple[Any, Any]:
    """The gradient of the first output, and the second output."""
    pull, (y, aux) = make_vjp_of_one(f, x)
    return pull((Space(y).ones(), Space(aux).zeros())), aux


def hessian_tensor_product(f: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    gradient = grad(f, argnum)

    def directional(*args: Any, **kwargs: Any) -> Any:
        *args, v = args
        return np.tensordot(gradient(*args, **kwargs), v, np.ndim(v))

    return grad(directional, argnum)


def tensor_jacobian_product(f: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    def projected(*args: Any, **kwargs: Any) -> Any:
        *args, v = args
        return np.tensordot(v, f(*args, **kwargs), np.ndim(v))

    return jacobian(projected, argnum)


def make_ggnvp(f: Callable[..., Any], g: Any = None, f_argnum: int = 0) -> Callable[..., Any]:
    """v -> J^T H_g J v, generalized Gauss-Newton; g is half the square by default."""
    outer = g or (lambda y: 0.5 * np.sum(y**2, axis=-1))

    def at(f: Callable[..., Any], x: Any) -> Callable[[Any], Any]:
        pull, y = make_vjp_of_one(f, x)
        push = make_jvp_of_one(f, x)
        hessian_times, _ = make_vjp_of_one(lambda y: _value_and_grad(outer, y)[1], y)
        return lambda v: pull(hessian_times(push(v)[1]))

    return of_chosen(at)(f, f_argnum)


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    return ig.checkpoint(f)


# -- own functions ------------------------------------------------------------------------------

vjp_makers: dict[Callable[..., Any], dict[int, Any]] = {}


def primitive(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose derivative is told by defvjp; an op of isograd, made for each call."""

    @functools.wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        places = [i for i, a in enumerate(args) if isinstance(strip(a), Tensor)]
        if not places:
            return f(*map(innermost, args), **kwargs)

        def definition(*arrays: Any) -> Any:
            return normal(f(*_merged(args, places, arrays), **kwargs))

        def rule(dy: Any, arrays: Any, y: Any) -> list[Any]:
            makers = vjp_makers.get(wrapped, {})
            merged = _merged(args, places, arrays)
            missing = [i for i in places if i not in makers]
            if missing:
                raise NotImplementedError(f"VJP of {name_of(f)} wrt argnum {missing[0]}")
            return [makers[i](y, *merged, **kwargs)(dy) for i in places]

        op = ig.differentiable(definition)
        op.derivative.add({"arrays": rule})
        return op(*(args[i] for i in places))

    wrapped.defvjp = lambda maker, argnum=0: _deprecated_defvjp(wrapped, maker, argnum)
    wrapped.defgrad = lambda maker, argnum=0: vjp_makers.setdefault(wrapped, {}).update(
        {argnum: maker}
    )
    wrapped.defvjp_is_zero = lambda argnums=(0,): defvjp(
        wrapped, *(lambda y, *args, **kwargs: lambda dy: 0.0 * dy for _ in argnums), argnums=argnums
    )
    return wrapped


def _merged(args: tuple, places: list[int], arrays: Any) -> list[Any]:
    merged = list(args)
    for i, x in zip(places, arrays, strict=True):
        merged[i] = x
    return merged


def defvjp(f: Callable[..., Any], *makers: Any, argnums: Any = None) -> None:
    """makers: (y, *args) -> (dy -> dx), one for each argument; None for one of derivative zero."""
    for i, maker in zip(argnums or range(len(makers)), makers, strict=False):
        zero = lambda y, *args, **kwargs: lambda dy: 0.0 * dy  # noqa: E731
        vjp_makers.setdefault(f, {})[i] = maker or zero


def _deprecated_defvjp(f: Callable[..., Any], maker: Any, argnum: int) -> None:
    def modern(y: Any, *args: Any, **kwargs: Any) -> Any:
        return lambda dy: maker(dy, y, None, None, *args, **kwargs)

    vjp_makers.setdefault(f, {})[argnum] = modern


def defvjp_argnum(f: Callable[..., Any], maker: Any) -> None:
    """maker: (argnum, y, args, kwargs) -> (dy -> dx)."""
    table = {i: lambda y, *args, i=i, **kwargs: maker(i, y, args, kwargs) for i in range(8)}
    vjp_makers[f] = table


def notrace_primitive(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function of the values alone."""
    return functools.wraps(f)(lambda *args, **kw: f(*tree.mapped(innermost, args), **kw))


def isbox(x: Any) -> bool:
    return isinstance(x, Tensor)
