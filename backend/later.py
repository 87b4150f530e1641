"""Names of a package that are imported when they are first used: it then loads quickly."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Callable
from typing import Any


def later(package: str) -> Callable[[str], Any]:
    """A module's __getattr__ for the names that its `if TYPE_CHECKING:` block imports.

    That block, which type checkers read, is the only list. It may not import from a module that has
    the name of something imported here: loading that module would set the name to the module.
    """
    where: dict[str, tuple[str, str]] = {}

    def load(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        if not where:
            where.update(_imports_for_checkers(package))
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, original = where[name]
        if module == "":
            value: Any = importlib.import_module(f"{package}.{original}")
        else:
            value = getattr(importlib.import_module(f"{package}.{module}"), original)
        setattr(sys.modules[package], name, value)
        return value

    return load


def _imports_for_checkers(package: str) -> dict[str, tuple[str, str]]:
    """name -> (module, its name there) for the relative imports of the block."""
    spec = sys.modules[package].__spec__
    source = spec.loader.get_source(package)  # type: ignore[union-attr]
    tree = ast.parse(source)
    blocks = [
        node
        for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    return {
        alias.asname or alias.name: (statement.module or "", alias.name)
        for block in blocks
        for statement in block.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }
