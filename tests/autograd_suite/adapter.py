"""Modules named autograd, autograd.numpy, ... that are isograd: a plugin for autograd's own tests.

    python -m pytest <its tests> -p adapter

with this folder on the path. Nothing of autograd is imported; its tests are run, not copied.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

import hips_checks
import hips_core
import hips_misc
import hips_numpy
import hips_scipy
from hips_spaces import Space

import isograd as ig


def module(name: str, source: Any = None, **names: Any) -> types.ModuleType:
    """A package of that name with the public names of another module and these."""
    made = types.ModuleType(name)
    made.__path__ = []  # so that what it does not have is reported as missing
    if source is not None:
        vars(made).update({k: v for k, v in vars(source).items() if not k.startswith("__")})
    vars(made).update(names)
    return made


OPERATORS: dict[str, Callable[..., Any]] = {
    name: getattr(hips_core, name)
    for name in (
        *("grad", "value_and_grad", "elementwise_grad", "holomorphic_grad", "deriv", "jacobian"),
        *("hessian", "make_hvp", "make_jvp", "make_jvp_reversemode", "make_vjp", "make_ggnvp"),
        *("grad_and_aux", "hessian_tensor_product", "tensor_jacobian_product", "checkpoint"),
    )
}
OPERATORS["hessian_vector_product"] = hips_core.hessian_tensor_product
OPERATORS["vector_jacobian_product"] = hips_core.tensor_jacobian_product

OWN_FUNCTIONS: dict[str, Any] = {
    "primitive": hips_core.primitive,
    "notrace_primitive": hips_core.notrace_primitive,
    "defvjp": hips_core.defvjp,
    "defvjp_argnum": hips_core.defvjp_argnum,
    "vspace": Space,
    "Box": ig.Tensor,
    "isbox": hips_core.isbox,
}
BUILTINS: dict[str, Any] = {
    "isinstance": hips_misc.is_instance,
    "tuple": tuple,
    "list": list,
    "dict": dict,
}
CORE = {  # here make_vjp and make_jvp are of functions of one argument
    **OWN_FUNCTIONS,
    "make_vjp": hips_core.make_vjp_of_one,
    "make_jvp": hips_core.make_jvp_of_one,
    "primitive_vjps": hips_core.vjp_makers,
}


def modules() -> dict[str, types.ModuleType]:
    """All modules by their full names."""
    made = {
        "autograd": module("autograd", **OPERATORS, **BUILTINS),
        "autograd.numpy": hips_numpy.numpy,
        "autograd.numpy.linalg": hips_numpy.linalg,
        "autograd.numpy.fft": hips_numpy.fft,
        "autograd.numpy.random": hips_numpy.random,
        "autograd.builtins": module("autograd.builtins", **BUILTINS),
        "autograd.core": module("autograd.core", **CORE),
        "autograd.extend": module("autograd.extend", **OWN_FUNCTIONS),
        "autograd.tracer": module("autograd.tracer", **OWN_FUNCTIONS),
        "autograd.test_util": module("autograd.test_util", hips_checks),
        "autograd.wrap_util": module("autograd.wrap_util", unary_to_nary=hips_core.of_chosen),
        "autograd.util": module("autograd.util", quick_grad_check=quick_grad_check),
        "autograd.misc": hips_misc.with_missing(
            "autograd.misc", "const_graph", flatten=hips_misc.flatten
        ),
        **hips_scipy.modules(),
    }
    for name, made_module in made.items():
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(made[parent], child, made_module)
    return made


def quick_grad_check(f: Callable[..., Any], x: Any, extra_args: Any = (), **_: Any) -> None:
    hips_checks.check_grads(lambda x: f(x, *extra_args), modes=["rev"], order=1)(x)


sys.modules.update(modules())
