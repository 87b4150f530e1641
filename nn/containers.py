"""ModuleList and ModuleDict: modules by position or by name, called by the one that holds them.

A plain list or dict among a module's attributes does the same, with the same names in state_dict;
these two are for code that comes from torch, and can be models themselves.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any

from ..backend.errors import HyperparameterError
from .module import Module


class _Container(Module):
    """Modules under names of their own, in order."""

    def forward(self, *inputs: Any, **options: Any) -> Any:
        kind = type(self).__name__
        raise NotImplementedError(
            f"{kind}: it does not say in which order its modules are called; call them one by one, "
            "or use nn.Sequential"
        )

    def __len__(self) -> int:
        return len(self._held())

    def _held(self) -> dict[str, Module]:
        return {name: part for name, part in vars(self).items() if isinstance(part, Module)}

    def _set(self, name: Any, module: Any) -> None:
        kind = type(self)
        if not isinstance(module, Module):
            got = f"the class {module.__name__}" if isinstance(module, type) else repr(module)
            raise TypeError(f"{kind.__name__}: {name} must be a Module, got {got}")
        if not isinstance(name, str) or name.startswith("_") or "." in name or hasattr(kind, name):
            raise HyperparameterError(
                f"{kind.__name__}: {name!r} cannot name a module: a name is a string without a "
                f'dot, does not begin with "_", and is no method of {kind.__name__}'
            )
        setattr(self, name, module)


class ModuleList(_Container):
    """Modules by position, named "0", "1", ... as in torch's state_dict.

    len(), indexing, slicing (a ModuleList of the same modules), iteration, append, extend and += as
    of a list. Raises TypeError for what is no Module.
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self.extend(modules)

    def append(self, module: Module) -> ModuleList:
        """Add a module at the end; returns self."""
        self._set(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> ModuleList:
        """Add modules at the end; returns self."""
        for module in list(modules):
            self.append(module)
        return self

    def __iadd__(self, modules: Iterable[Module]) -> ModuleList:
        return self.extend(modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._held().values())

    def __getitem__(self, index: int | slice) -> Any:
        modules = list(self)
        return ModuleList(modules[index]) if isinstance(index, slice) else modules[index]

    def __setitem__(self, index: int, module: Module) -> None:
        self._set(list(self._held())[index], module)


class ModuleDict(_Container):
    """Modules by name: indexing, len(), "in", iteration over names, keys, values, items, update.

    Raises TypeError for what is no Module, HyperparameterError for a name that cannot be.
    """

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        self.update({} if modules is None else modules)

    def update(self, modules: Mapping[str, Module]) -> None:
        """Add these, in the place of those of the same name."""
        for name, module in modules.items():
            self[name] = module

    def keys(self) -> KeysView[str]:
        """The names, in order."""
        return self._held().keys()

    def values(self) -> ValuesView[Module]:
        """The modules, in order."""
        return self._held().values()

    def items(self) -> ItemsView[str, Module]:
        """(name, module), in order."""
        return self._held().items()

    def __iter__(self) -> Iterator[str]:
        return iter(self._held())

    def __contains__(self, name: object) -> bool:
        return name in self._held()

    def __getitem__(self, name: str) -> Module:
        return self._held()[name]

    def __setitem__(self, name: str, module: Module) -> None:
        self._set(name, module)

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        delattr(self, name)
