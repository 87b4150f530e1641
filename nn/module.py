"""Module: what every layer is. It finds its parameters, buffers and layers among its attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ..backend import Array, Device, array_namespace, find_device, is_array, to_device, unwrap
from ..backend.replay import is_capturing, relies_on
from .autograd import Tensor
from .parameter import Parameter, move
from .state import Differences, load_state, saved_state
from .summary import table


class Module:
    """Base of all layers and models: define forward, and set what it needs as attributes.

    Attributes that are a Parameter are learned, attributes that are a Module are layers, arrays are
    buffers: saved and moved with the model, not learned. They may lie in lists, tuples and dicts.
    Passed over are names that begin with "_" and Tensors that a recording follows.
    A name is the path of attributes: "encoder.0.weight". What is reached by two paths counts once,
    under the first; state_dict() has it under both, as torch does.
    """

    training = True  # what train() and eval() set

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """What the module computes; every module defines it, and callers call the module."""
        raise NotImplementedError(f"{type(self).__name__}: define forward(self, x)")

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        if is_capturing():
            relies_on(self, ("training", *vars(self)))
        try:
            return self.forward(*inputs, **options)
        except Exception as error:
            _name_layer(error, self)
            raise

    def parameters(self) -> list[Parameter]:
        """Every Parameter, each once."""
        return [parameter for _, parameter in self.named_parameters()]

    def named_parameters(self) -> list[tuple[str, Parameter]]:
        """(path, Parameter), each once."""
        return _once(_of_kind(Parameter, named_parts(self)))

    def buffers(self) -> list[Array]:
        """Every array that is saved but not learned, each once."""
        return [buffer for _, buffer in self.named_buffers()]

    def named_buffers(self) -> list[tuple[str, Array]]:
        """(path, array), each once."""
        return _once((path, x) for path, x in named_parts(self) if _is_buffer(x))

    def modules(self) -> list[Module]:
        """This module and all below it, each once."""
        return [module for _, module in self.named_modules()]

    def named_modules(self) -> list[tuple[str, Module]]:
        """(path, module), this one first under the path "", each once."""
        return _once([("", self), *_of_kind(Module, named_parts(self))])

    def children(self) -> list[Module]:
        """The modules directly below this one, each once."""
        return [child for _, child in self.named_children()]

    def named_children(self) -> list[tuple[str, Module]]:
        """(name, module) directly below this one, each once."""
        return _once(_of_kind(Module, own_parts(self)))

    def train(self, mode: bool = True) -> Module:
        """Set training, which dropout and its kin obey, here and below; returns self."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Module:
        """train(False): from now on the module is a plain function of its input."""
        return self.train(False)

    def zero_grad(self) -> None:
        """Let go of the gradients of all parameters."""
        for parameter in self.parameters():
            if parameter.requires_grad:
                parameter.grad = None

    def to(self, device: str | Device) -> Module:
        """Move parameters, gradients and buffers to a device; returns self.

        Parameters stay the same objects. Graphs that were recorded before cannot be used after,
        and an optimizer keeps its memory on the old device: its next step raises DeviceError, so
        make it after the move. Raises UnknownDeviceError or DeviceUnavailableError.
        """
        target = find_device(device)
        for parameter in self.parameters():
            move(parameter, target)
        self._replace_buffers(lambda path, x: to_device(unwrap(x), target))
        return self

    def state_dict(self) -> dict[str, Array]:
        """Copies of all parameters and buffers as plain arrays, by path."""
        return saved_state(_named_arrays(self))

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> Differences:
        """Set parameters and buffers to the arrays of that name, of whatever library and device.

        From a file: model.load_state_dict(safetensors.numpy.load_file(path)), or np.load(path) of
        what np.savez(path, **model.state_dict()) wrote; torch's weights fit as they are.
        All is checked before anything is written. strict=False passes over names that only one side
        has; they come back as Differences(missing, unexpected).
        Raises StateDictError that lists every missing, unexpected and mis-shaped name,
        DtypeError for a kind of number that does not fit, CastOverflowError for a finite value that
        the parameter's dtype cannot hold.
        """
        differences, buffers = load_state(_named_arrays(self), state, strict)
        self._replace_buffers(lambda path, x: buffers.get(path, x))
        return differences

    def extra_repr(self) -> str:
        """What a layer says about itself between parentheses in repr and summary."""
        return ""

    def __repr__(self) -> str:
        return table(self)

    def __setattr__(self, name: str, value: Any) -> None:
        old = vars(self).get(name)
        if isinstance(old, Parameter) and not isinstance(value, Parameter | None):
            raise TypeError(
                f"{name} is a Parameter, and would no longer be learned as {type(value).__name__}: "
                f"assign nn.Parameter(value), or write its values with load_state_dict"
            )
        if old is not None and is_array(value) and not _is_buffer(value) and _is_buffer(old):
            value = _still_a_buffer(value)
        super().__setattr__(name, value)

    def _replace_buffers(self, replace: Callable[[str, Array], Array]) -> None:
        """Put replace(path, buffer) in the place of every buffer."""
        for prefix, module in self.named_modules():
            for name, value in list(vars(module).items()):
                if not name.startswith("_"):
                    new = _with_buffers(_joined(prefix, name), value, replace)
                    if new is not value:
                        setattr(module, name, new)


def named_parts(
    module: Module, prefix: str = "", above: tuple[Module, ...] = ()
) -> Iterator[tuple[str, Any]]:
    """(path, part) of every Parameter, buffer and module below, under each path to it."""
    above = (*above, module)
    for name, part in own_parts(module):
        path = _joined(prefix, name)
        if not isinstance(part, Module):
            yield path, part
        elif not any(part is ancestor for ancestor in above):  # a way back up is not followed
            yield path, part
            yield from named_parts(part, path, above)


def own_parts(module: Module) -> Iterator[tuple[str, Any]]:
    """(name, part) of every Parameter, buffer and module among the attributes, and not deeper."""
    for name, value in vars(module).items():
        if not name.startswith("_"):
            yield from _parts(name, value)


def _parts(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Parameter | Module) or _is_buffer(value):
        yield path, value
    elif isinstance(value, list | tuple | dict):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from _parts(f"{path}.{key}", item)


def _with_buffers(path: str, value: Any, replace: Callable[[str, Array], Array]) -> Any:
    """value with replace(path, buffer) for its buffers; value itself when none changes."""
    if isinstance(value, Parameter | Module):
        return value
    if _is_buffer(value):
        return replace(path, value)
    if isinstance(value, dict):
        new = {k: _with_buffers(f"{path}.{k}", item, replace) for k, item in value.items()}
        return new if any(new[k] is not value[k] for k in value) else value
    if isinstance(value, list | tuple):
        items = [_with_buffers(f"{path}.{i}", item, replace) for i, item in enumerate(value)]
        if all(item is old for item, old in zip(items, value, strict=True)):
            return value
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return value


def _is_buffer(x: Any) -> bool:
    """Whether x is an array that no recording follows; NumPy's scalars count as numbers."""
    if isinstance(x, Tensor):
        return not isinstance(x, Parameter) and not x.requires_grad
    return is_array(x) and hasattr(x, "__setitem__")


def _still_a_buffer(value: Array) -> Array:
    """A scalar of NumPy, which arithmetic makes of arrays without axes, as such an array."""
    if isinstance(value, Tensor):
        return value
    return array_namespace(value).asarray(value)


def _named_arrays(module: Module) -> list[tuple[str, Array]]:
    return [(path, part) for path, part in named_parts(module) if not isinstance(part, Module)]


def _of_kind(kind: type, named: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    return ((path, part) for path, part in named if isinstance(part, kind))


def _once(named: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Each part under its first name."""
    first: dict[int, tuple[str, Any]] = {}
    for path, part in named:
        first.setdefault(id(part), (path, part))
    return list(first.values())


def _joined(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix and name else prefix or name


def _name_layer(error: Exception, outer: Module) -> None:
    """Note in the error which layer failed: its path from the outermost module that was called."""
    failed, note = getattr(error, "_isograd_layer", (outer, None))
    for path, module in outer.named_modules():
        if module is failed:
            if note is not None:
                error.__notes__.remove(note)
            note = f"in {_joined('model', path)} ({type(failed).__name__})"
            error.add_note(note)
            error._isograd_layer = (failed, note)  # type: ignore[attr-defined]
            return
