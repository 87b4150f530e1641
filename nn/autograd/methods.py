"""The methods of Tensor that people know from NumPy's arrays: x.sum(axis=0), x.reshape(2, 3), ...

Each runs the function of that name with x for its first argument; all but the table's last part
are recorded. Where torch means something else by a name, NumPy's meaning holds: x.max(axis) is the
values alone, x.std() divides by n, x.transpose(1, 0) permutes, x.repeat(2) repeats elements.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from .tensor import Tensor

# By the module that has the functions.
METHODS = {
    "numpy_style.reductions": (
        *("all", "any", "argmax", "argmin", "argsort", "cumprod", "cumsum", "max", "mean", "min"),
        *("nonzero", "prod", "searchsorted", "std", "sum", "var"),
    ),
    "numpy_style.shapes": ("ravel", "squeeze", "swapaxes"),
    "numpy_style.picking": ("copy", "diagonal", "repeat", "take", "trace"),
    "numpy_style.elementwise": ("conjugate", "round"),
    "numpy_style.linalg": ("dot",),
    "numpy_style.methods": (
        *("astype", "clip", "compress", "conj", "flatten", "reshape", "tolist", "transpose"),
    ),
}
PROPERTIES = {"numpy_style.elementwise": ("imag", "real")}


class Loaded:
    """A method or property that loads its module when it is first used, and then makes way.

    NumPy's functions are many, and `import isograd` is to stay quick.
    """

    def __init__(self, module: str, name: str, kind: Callable[[Any], Any]) -> None:
        self.module, self.name, self.kind = module, name, kind

    def __get__(self, instance: Tensor | None, owner: type) -> Any:
        function = getattr(import_module(f".{self.module}", __package__), self.name)
        setattr(Tensor, self.name, self.kind(function))
        return getattr(owner if instance is None else instance, self.name)


def install() -> None:
    """Give Tensor its methods. Called once, when the package's ops are defined."""
    for table, kind in ((METHODS, lambda function: function), (PROPERTIES, property)):
        for module, names in table.items():
            for name in names:
                setattr(Tensor, name, Loaded(module, name, kind))
