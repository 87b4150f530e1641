"""NumPy's own functions on Tensors: numpy.sin(x) and numpy.concatenate([x, y]) record.

NumPy hands a call with a Tensor among its arguments to Tensor.__array_ufunc__ or
__array_function__. Functions are found by their names and run as ops: nothing here needs NumPy, and
a Tensor around an array of any other library serves as well.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

from ....backend import PYTHON_SCALARS, array_namespace, is_array
from ....backend.errors import NotDifferentiableError
from .. import tree
from ..differentiable import wrap_constants
from ..tensor import Tensor, innermost, strip
from .arguments import alike, own_dtype

Function = Callable[..., Any]

_operand_types: set[type] = {Tensor, *PYTHON_SCALARS}  # and those of arrays that were seen

# Their results are whole numbers, truth values, shapes or dtypes: NumPy's own run on plain arrays.
CONSTANT = (
    *("argpartition", "array2string", "array_equal", "array_equiv", "array_repr", "array_str"),
    *("can_cast", "common_type", "diag_indices_from", "digitize", "fix", "isneginf", "isposinf"),
    *("lexsort", "may_share_memory", "min_scalar_type", "nanargmax", "nanargmin", "result_type"),
    *("shares_memory", "tril_indices_from", "triu_indices_from"),
)

# Made like a Tensor: numpy.asarray([x, y], like=x)
LIKE = {name: name for name in ("arange", "asarray", "empty", "eye", "full", "ones", "zeros")}
LIKE |= {"array": "asarray", "asanyarray": "asarray", "identity": "eye"}

# Values of arguments that change nothing here, so that they need not be refused.
NEUTRAL: dict[str, tuple] = {
    "casting": ("same_kind",),
    "dtype": (None,),
    "hermitian": (False,),
    "order": ("K", "C", "A", None),
    "overwrite_input": (False,),
    "subok": (True, False),
    "where": (True,),
}


def array_ufunc(self: Tensor, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """What numpy.add(array, tensor) and its kin do; also array + tensor, for arrays of NumPy."""
    for x in inputs:
        if type(x) not in _operand_types:
            inputs = _operands(inputs)
            break
    if inputs is NotImplemented:
        return NotImplemented
    name = ufunc.__name__
    function = _tables().UFUNCS.get(name)
    if function is None:
        module = getattr(ufunc, "__module__", "numpy")  # SciPy's ufuncs have none
        full_name = f"{module}.{name}" if module else name
        return _other(full_name, getattr(ufunc, method), inputs, kwargs)
    if method == "__call__":
        if kwargs:
            kwargs = _fitting(function, name, kwargs)
        return function(*inputs, **kwargs)
    if method == "outer":
        x1, x2 = alike(inputs)
        return function(x1[(..., *(None,) * x2.ndim)], x2)
    through = _tables().METHODS.get((name, method))
    if through is None:
        return _other(f"numpy.{name}.{method}", getattr(ufunc, method), inputs, kwargs)
    return through(*inputs, **{"axis": 0, **_fitting(through, f"{name}.{method}", kwargs)})


def array_function(self: Tensor, func: Any, types: Any, args: tuple, kwargs: dict) -> Any:
    """What numpy.sum(tensor) and its kin do."""
    if not all(_is_known(kind) for kind in types):
        return NotImplemented
    name = f"{func.__module__}.{func.__name__}"
    function = _tables().FUNCTIONS.get(name)
    if function is not None:
        return function(*args, **_fitting(function, name, kwargs))
    if func.__name__ in LIKE and not any(isinstance(x, Tensor) for x in args[:1]):
        return _made_like(self, LIKE[func.__name__], args, kwargs)
    if func.__name__ in CONSTANT:
        return wrap_constants(func(*_plain(args), **_plain(kwargs)))
    return _other(name, func, args, kwargs)


@cache
def _tables() -> Any:
    """numpy_tables, which takes long to load and is not needed before NumPy meets a Tensor."""
    from . import tables as numpy_tables

    return numpy_tables


def _operands(inputs: tuple) -> Any:
    """The inputs with arrays in place of lists; NotImplemented where one is no operand of ours."""
    for x in inputs:
        if not isinstance(x, Tensor | list | tuple) and type(x) not in PYTHON_SCALARS:
            if not is_array(x):
                return NotImplemented
            _operand_types.add(type(x))
    return tuple(alike(inputs) if any(isinstance(x, list | tuple) for x in inputs) else inputs)


def _made_like(tensor: Tensor, name: str, args: tuple, kwargs: dict[str, Any]) -> Any:
    """A new Tensor of the library of tensor, on its device: numpy.eye(3, like=tensor)."""
    given = {key: v for key, v in kwargs.items() if v is not None and key not in ("order", "subok")}
    if "M" in given:
        args = (*args, given.pop("M"))
    if "dtype" in given:
        given["dtype"] = own_dtype(tensor, given["dtype"])
    return getattr(array_namespace(tensor), name)(*args, **{"device": tensor.device, **given})


def _is_known(kind: type) -> bool:
    """Whether arrays of this type can be operands; others get their turn to answer NumPy."""
    if issubclass(kind, Tensor) or hasattr(kind, "__array_namespace__"):
        return True
    return kind.__module__.partition(".")[0] in ("numpy", "cupy")


def _other(name: str, function: Function, args: tuple, kwargs: dict) -> Any:
    """NumPy's own result where nothing is recorded. Raises NotDifferentiableError else."""
    if any(isinstance(strip(x), Tensor) for x in tree.leaves((args, kwargs))):
        (near,) = difflib.get_close_matches(name, _tables().NAMES, n=1, cutoff=0.0)
        raise NotDifferentiableError(
            f"{name}: isograd has no derivative for it; the nearest name that has one is {near}. "
            "Without a derivative, give x.detach()"
        )
    return wrap_constants(function(*_plain(args), **_plain(kwargs)))


def _plain(arguments: Any) -> Any:
    return tree.mapped(innermost, arguments)


def _fitting(function: Function, name: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    """The keyword arguments that the function takes. Raises NotDifferentiableError for others."""
    fitting = {}
    for key, value in kwargs.items():
        if type(value).__name__ == "_NoValueType":
            continue
        if key in _keywords(function) or ("**" in _keywords(function) and key != "out"):
            fitting[key] = value
        elif not _is_neutral(key, value):
            raise NotDifferentiableError(_refusal(name.removeprefix("numpy."), key))
    return fitting


def _is_neutral(key: str, value: Any) -> bool:
    """Whether the argument says only what holds anyway."""
    if key == "out":
        return all(part is None for part in (value if isinstance(value, tuple) else (value,)))
    return any(value is neutral or value == neutral for neutral in NEUTRAL.get(key, ()))


@cache
def _keywords(function: Function) -> frozenset[str]:
    """The names that a function takes by keyword; "**" among them where it takes any."""
    parameters = inspect.signature(function).parameters.values()
    return frozenset(
        "**" if p.kind is p.VAR_KEYWORD else p.name
        for p in parameters
        if p.kind is not p.POSITIONAL_ONLY
    )


def _refusal(name: str, key: str) -> str:
    if key == "out":
        return (
            f"numpy.{name}: out= must not be given with Tensors, since an array cannot hold a "
            "recording; take the result (x = x + y in place of x += y)"
        )
    return f"numpy.{name}: the argument {key}= is not supported for Tensors"


def install() -> None:
    """Let Tensors answer NumPy. Called once, when the package's ops are defined."""
    Tensor.__array_ufunc__ = array_ufunc
    Tensor.__array_function__ = array_function
