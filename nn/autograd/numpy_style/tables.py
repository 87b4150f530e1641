"""Which op stands for which function of NumPy, by name.

Loaded when NumPy is first called with a Tensor: see numpy_protocol.py.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from ..ops import elementwise, special
from ..ops.linear_algebra import matmul, vecdot
from . import (
    elementwise as numpy_elementwise,
)
from . import (
    linalg as numpy_linalg,
)
from . import (
    picking as numpy_picking,
)
from . import (
    reductions as numpy_reductions,
)
from . import (
    shapes as numpy_shapes,
)
from . import (
    statistics as numpy_statistics,
)

Function = Callable[..., Any]

MODULES = (
    *(numpy_elementwise, numpy_reductions, numpy_statistics),
    *(numpy_shapes, numpy_picking, numpy_linalg),
)

RENAMED = {  # what NumPy's ufuncs are called in the standard, where that differs
    "absolute": "abs",
    **{f"arc{name}": f"a{name}" for name in ("cos", "cosh", "sin", "sinh", "tan", "tanh")},
    "arctan2": "atan2",
    "bitwise_not": "bitwise_invert",
    "invert": "bitwise_invert",
    "left_shift": "bitwise_left_shift",
    "mod": "remainder",
    "power": "pow",
    "right_shift": "bitwise_right_shift",
    "true_divide": "divide",
}


def _public(module: ModuleType) -> dict[str, Function]:
    """The functions that a module defines, by their NumPy names."""
    own = {}
    for name, value in vars(module).items():
        is_own = callable(value) and getattr(value, "__module__", None) == module.__name__
        if is_own and not name.startswith("_") and not isinstance(value, type):
            own[name.rstrip("_")] = value
    return own


def _ufuncs() -> dict[str, Function]:
    """The op of each of NumPy's ufuncs, and of SciPy's in xp.special."""
    found = {name: getattr(special, name) for name in special.__all__}
    found |= {name: getattr(elementwise, name) for name in elementwise.__all__}
    found |= {name: getattr(elementwise, standard) for name, standard in RENAMED.items()}
    found |= {"matmul": matmul, "vecdot": vecdot}
    found |= _public(numpy_elementwise)
    same = {"radians": "deg2rad", "degrees": "rad2deg", "psi": "digamma"}
    return found | {name: found[other] for name, other in same.items()}


def _functions() -> dict[str, Function]:
    """The function for each of NumPy's that is no ufunc, by its full name."""
    found: dict[str, Function] = {}
    for module in MODULES:
        found |= {f"numpy.{name}": function for name, function in _public(module).items()}
    for name in [name for name in found if name.startswith(("numpy.linalg_", "numpy.fft_"))]:
        found[name.replace("_", ".", 1)] = found.pop(name)
    found |= {f"numpy.linalg.{name}": f for name, f in numpy_linalg.LINALG_ALIKE.items()}
    found |= {f"numpy.fft.{name}": f for name, f in numpy_linalg.FFT.items()}
    same = {"amax": "max", "amin": "min", "around": "round"}
    return found | {f"numpy.{name}": found[f"numpy.{other}"] for name, other in same.items()}


UFUNCS = _ufuncs()
FUNCTIONS = _functions()
NAMES = [*FUNCTIONS, *(f"numpy.{name}" for name in UFUNCS if name not in special.__all__)]
METHODS: dict[tuple[str, str], Function] = {
    ("add", "reduce"): numpy_reductions.sum,
    ("multiply", "reduce"): numpy_reductions.prod,
    ("maximum", "reduce"): numpy_reductions.max,
    ("minimum", "reduce"): numpy_reductions.min,
    ("logical_and", "reduce"): numpy_reductions.all,
    ("logical_or", "reduce"): numpy_reductions.any,
    ("add", "accumulate"): numpy_reductions.cumsum,
    ("multiply", "accumulate"): numpy_reductions.cumprod,
}
