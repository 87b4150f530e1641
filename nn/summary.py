"""A model as a table of text: repr shows its arrays, summary also what each layer puts out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from ..backend import Array, device_of, dtype_name, is_array
from .autograd import no_grad, tree
from .parameter import Parameter

if TYPE_CHECKING:
    from .module import Module


def summary(model: Module, *example_inputs: Any) -> str:
    """repr(model) with one column more: the shape that each layer puts out for these inputs.

    The model runs once, in evaluation mode and without a recording. A layer that runs several
    times shows its last output, one that does not run shows "-".
    """
    shapes: dict[int, str] = {}
    modules = model.modules()
    modes = [module.training for module in modules]
    try:
        model.eval()
        for module in modules:
            vars(module)["forward"] = _watched(module, shapes)
        with no_grad():
            model(*example_inputs)
    finally:
        for module, mode in zip(modules, modes, strict=True):
            vars(module).pop("forward", None)
            module.training = mode
    return table(model, ("output", lambda module: shapes.get(id(module), "-")))


def table(model: Module, *columns: tuple[str, Callable[[Module], str]]) -> str:
    """One line a layer: path, layer, further columns, arrays with shapes, number of parameters."""
    headings = ("path", "layer", *(heading for heading, _ in columns), "arrays", "parameters")
    counted: set[int] = set()
    rows = []
    for path, module in model.named_modules():
        arrays, n = _own_arrays(module, counted)
        if path or arrays or not model.children():
            cells = [cell(module) for _, cell in columns]
            rows.append((path, described(module), *cells, arrays, f"{n:,}" if n else ""))
    return "\n".join([type(model).__name__, *_aligned([headings, *rows]), _total(model)])


def described(module: Module) -> str:
    """The layer as it was asked for: "Linear(64, 128)"."""
    return f"{type(module).__name__}({module.extra_repr()})"


def _own_arrays(module: Module, counted: set[int]) -> tuple[str, int]:
    """The arrays of a module itself as text, and how many parameters were not counted before."""
    from .module import Module, own_parts  # module.py needs this file for its repr

    texts, n = [], 0
    for name, part in own_parts(module):
        if isinstance(part, Module):
            continue
        note = "" if isinstance(part, Parameter) else " buffer"
        if isinstance(part, Parameter):
            note = "" if part.requires_grad else " frozen"
            note += " shared" if id(part) in counted else ""
            n += 0 if id(part) in counted else math.prod(part.shape)
            counted.add(id(part))
        texts.append(f"{name} {tuple(part.shape)}{note}")
    return ", ".join(texts), n


def _total(model: Module) -> str:
    """The last line: parameters, bytes, dtypes and devices of the whole model."""
    parameters = model.parameters()
    if not parameters:
        return "no parameters"
    n = sum(math.prod(p.shape) for p in parameters)
    n_frozen = sum(math.prod(p.shape) for p in parameters if not p.requires_grad)
    dtypes = _listed(dtype_name(p.dtype) for p in parameters)
    devices = _listed(device_of(p).name for p in parameters)
    frozen = f" ({n_frozen:,} frozen)" if n_frozen else ""
    return f"{n:,} parameters{frozen}, {dtypes} on {devices}"


def _listed(names: Iterable[str]) -> str:
    return " and ".join(dict.fromkeys(names))


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    """The rows with columns of one width, the last one, of numbers, to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths[:-1], strict=True)]
        lines.append("  ".join(["", *cells, row[-1].rjust(widths[-1])]).rstrip())
    return lines


def _watched(module: Module, shapes: dict[int, str]) -> Callable[..., Any]:
    """The module's forward, which also notes the shapes of what it returns."""
    forward = module.forward

    def watched(*inputs: Any, **options: Any) -> Any:
        y = forward(*inputs, **options)
        shapes[id(module)] = ", ".join(_shape(part) for part in tree.leaves(y))
        return y

    return watched


def _shape(part: Array) -> str:
    return str(tuple(part.shape)) if is_array(part) else type(part).__name__
