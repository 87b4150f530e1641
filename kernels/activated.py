"""Activations on NumPy by compiled loops, in several threads: after linear, and as ops alone.

Where there are none for a name or an array, linear has activation.py's and an op its definition.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .activation import BY_NAME, drelu
from .compiled import loops_for
from .fused import Fused
from .threads import in_parts, in_slices

Array = np.ndarray

KINDS = {"gelu": 0, "gelu_tanh": 1, "silu": 2}  # as in compiled/activation.c
PART = 2**17  # numbers: what one thread takes at a time
CHEAP_PART = 2**19  # the same of relu, so that it, too, takes longer than a thread's waking
SMALL = 2**15  # numbers: below, relu and a bias alone are left to NumPy, whose calls cost less


def activated(z: Array, bias: Array | None, name: str | None) -> tuple[Array, Any]:
    """(the activation of z + bias, what its derivative needs): as Activation.forward.

    z: (rows, features), overwritten.
    """
    if name is None and bias is None:
        return z, None
    is_cheap = name is None or name == "relu"
    served = z.size >= SMALL if is_cheap else z.size > 0 and name in KINDS
    loops = loops_for(z, bias) if served else None
    if loops is None:
        if bias is not None:
            np.add(z, bias, out=z)
        return (z, None) if name is None else BY_NAME[name].forward(z)
    y, inner = (np.empty_like(z), np.empty_like(z)) if name in KINDS else (z, z)

    def work(start: int, stop: int) -> None:
        rows = z[start:stop]
        if bias is not None:
            loops.bias_added(rows, bias)
        if name == "relu":
            loops.rectified(rows, rows)
        elif name is not None:
            loops.activated(rows, y[start:stop], inner[start:stop], KINDS[name])

    in_parts(work, len(z), max(1, (CHEAP_PART if is_cheap else PART) // z.shape[1]))
    return y, (z, inner) if name in KINDS else y


def dactivated(dy: Array, name: str, saved: Any) -> Array:
    """dz of dy and of what was saved: as Activation.backward."""
    if name == "relu":
        return _drelu(dy, saved)
    loops = loops_for(dy, *saved) if name in KINDS else None
    if loops is None:
        return BY_NAME[name].backward(dy, saved)
    return _mapped(lambda *arrays: loops.dactivated(*arrays, KINDS[name]), PART, dy, *saved)


def _relu(x: Array) -> Any:
    """max(x, 0)."""
    loops = _loops_for_op(x) if x.size >= SMALL else None
    return NotImplemented if loops is None else _mapped(loops.rectified, CHEAP_PART, x)


def _drelu(dy: Array, y: Array) -> Array:
    """dy where y > 0, else 0."""
    loops = loops_for(dy, y) if y.size >= SMALL else None
    return drelu(dy, y) if loops is None else _mapped(loops.drectified, CHEAP_PART, dy, y)


def _gelu(x: Array, *, approximate: str = "none") -> Any:
    return _smooth(x, _name(approximate))


def _dgelu(dy: Array, approximate: str, saved: Any) -> tuple[Array]:
    return (dactivated(dy, _name(approximate), saved),)


def _name(approximate: str) -> str:
    return "gelu" if approximate == "none" else "gelu_tanh"


def _silu(x: Array) -> Any:
    return _smooth(x, "silu")


def _dsilu(dy: Array, saved: Any) -> tuple[Array]:
    return (dactivated(dy, "silu", saved),)


def _smooth(x: Array, name: str) -> Any:
    """(y, (x, what the derivative needs beside it))."""
    loops = _loops_for_op(x)
    if loops is None:
        return NotImplemented
    inner = np.empty_like(x)
    y = _mapped(lambda x, inner, y: loops.activated(x, y, inner, KINDS[name]), PART, x, inner)
    return y, (x, inner)


def _loops_for_op(x: Array) -> Any:
    """The compiled loops, if they take x; a reduction's scalar is no array."""
    return loops_for(x) if isinstance(x, np.ndarray) else None


def _mapped(loop: Callable[..., Any], size: int, *arrays: Array) -> Array:
    """What loop(a part of each array..., y) writes to y, so many numbers a part."""
    y = np.empty_like(arrays[0])
    flat = [a.reshape(-1) for a in (*arrays, y)]
    in_slices(loop, size, flat)
    return y


RELU_NUMPY = Fused(_relu, lambda dy, y: (_drelu(dy, y),))
GELU_NUMPY = Fused(_gelu, _dgelu, saves=True)
SILU_NUMPY = Fused(_silu, _dsilu, saves=True)
