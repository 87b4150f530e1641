"""Sequential: layers one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..backend.errors import HyperparameterError
from .module import Module


class Sequential(Module):
    """The layers in order, each fed with what the one before puts out.

    Layers are named "0", "1", ..., as in torch's state_dict; a dict gives them names of its own.
    len(), indexing, slicing (a Sequential of the same layers) and iteration work as for a list.
    Raises TypeError for what is no Module, e.g. a class that was not called, HyperparameterError
    for a name that is taken.
    """

    def __init__(self, *layers: Module | Mapping[str, Module]) -> None:
        if len(layers) == 1 and isinstance(layers[0], Mapping):
            named: dict[str, Any] = dict(layers[0])
        else:
            named = {str(i): layer for i, layer in enumerate(layers)}
        for name, layer in named.items():
            self._set(name, layer)

    def forward(self, x: Any) -> Any:
        for layer in self._layers().values():
            x = layer(x)
        return x

    def append(self, layer: Module) -> Sequential:
        """Add a layer at the end; returns self."""
        self._set(str(len(self)), layer)
        return self

    def __len__(self) -> int:
        return len(self._layers())

    def __iter__(self) -> Iterator[Module]:
        return iter(self._layers().values())

    def __getitem__(self, index: int | slice) -> Any:
        layers = list(self)
        return Sequential(*layers[index]) if isinstance(index, slice) else layers[index]

    def __setitem__(self, index: int, layer: Module) -> None:
        self._set(list(self._layers())[index], layer)

    def _layers(self) -> dict[str, Module]:
        return {name: part for name, part in vars(self).items() if isinstance(part, Module)}

    def _set(self, name: str, layer: Any) -> None:
        if not isinstance(layer, Module):
            got = f"the class {layer.__name__}" if isinstance(layer, type) else repr(layer)
            hint = f"; call it: nn.{layer.__name__}(...)" if isinstance(layer, type) else ""
            raise TypeError(f"Sequential: layer {name} must be a Module, got {got}{hint}")
        if name.startswith("_") or "." in name or hasattr(Sequential, name):
            raise HyperparameterError(
                f"Sequential: {name!r} cannot name a layer: a name has no dot, does not begin with "
                '"_", and is no method of Sequential'
            )
        setattr(self, name, layer)
