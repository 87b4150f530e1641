"""autograd.test_util: derivatives against central differences in random directions."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

from hips_core import make_jvp_of_one, make_vjp_of_one, name_of, of_chosen
from hips_spaces import Space, normal

STEP = 1e-6
TOLERANCE = 1e-6  # absolute, or relative to the size of both


def scalar_close(a: Any, b: Any) -> bool:
    distance = abs(a - b)
    return bool(distance < TOLERANCE or distance < TOLERANCE * abs(a + b))


def check_equivalent(x: Any, y: Any) -> None:
    """x and y live in one space and look the same along a random direction."""
    space = Space(x)
    assert space == Space(y), f"spaces differ: {space} and {Space(y)}"
    v = space.randn()
    a, b = space.inner_prod(x, v), space.inner_prod(y, v)
    assert scalar_close(a, b), f"values differ: {x} and {y}"


def _slope(f: Callable[..., Any], x: Any, v: Any) -> Any:
    """(f(x + h v) - f(x - h v)) / 2h."""
    inputs = Space(x)
    after, before = (normal(f(inputs.add(x, inputs.scalar_mul(v, h)))) for h in (STEP, -STEP))
    outputs = Space(after)
    difference = outputs.add(after, outputs.scalar_mul(before, -1.0))
    return outputs.scalar_mul(difference, 0.5 / STEP)


def _check_reverse(f: Callable[..., Any], x: Any) -> None:
    pull, y = make_vjp_of_one(f, x)
    inputs, outputs = Space(x), Space(y)
    v, w = inputs.randn(), outputs.randn()
    dx = inputs.covector(pull(outputs.covector(w)))
    assert Space(dx) == inputs, f"the gradient lives in {Space(dx)}, x in {inputs}"
    exact, numeric = inputs.inner_prod(v, dx), outputs.inner_prod(w, _slope(f, x, v))
    assert scalar_close(exact, numeric), (
        f"Derivative (VJP) check of {name_of(f)} failed with arg {x}: {exact} and {numeric}"
    )


def _check_forward(f: Callable[..., Any], x: Any) -> None:
    v = Space(x).randn()
    check_equivalent(make_jvp_of_one(f, x)(v)[1], _slope(f, x, v))


def _check(f: Callable[..., Any], x: Any, modes: Any = None, order: int = 2) -> None:
    x = normal(x)
    for mode in modes or ("fwd", "rev"):
        assert mode in ("fwd", "rev")
        (_check_forward if mode == "fwd" else _check_reverse)(f, x)
        if order > 1:
            of_pair, direction = _derivative(f, x, mode)
            _check(of_pair, (x, direction), modes, order - 1)


def _derivative(f: Callable[..., Any], x: Any, mode: str) -> tuple[Callable[..., Any], Any]:
    """The derivative as a function of (x, direction), and a direction for it."""

    def forward(pair: Any) -> Any:
        return make_jvp_of_one(f, pair[0])(pair[1])[1]

    def reverse(pair: Any) -> Any:
        return make_vjp_of_one(f, pair[0])[0](pair[1])

    chosen = forward if mode == "fwd" else reverse
    chosen.__name__ = f"{'jvp' if mode == 'fwd' else 'vjp'}_{name_of(f)}"
    return chosen, Space(x if mode == "fwd" else f(x)).randn()


check_grads = of_chosen(_check)


def check_vjp(f: Callable[..., Any], x: Any) -> None:
    _check_reverse(f, normal(x))


def check_jvp(f: Callable[..., Any], x: Any) -> None:
    _check_forward(f, normal(x))


def combo_check(f: Callable[..., Any], *options: Any, **named: Any) -> Callable[..., Any]:
    """check_grads for every combination of the listed arguments."""

    def check(*args: Any, **kwargs: Any) -> None:
        for chosen in product(*args):
            for values in product(*kwargs.values()):
                chosen_kwargs = dict(zip(kwargs, values, strict=True))
                check_grads(f, *options, **named)(*chosen, **chosen_kwargs)

    return check
