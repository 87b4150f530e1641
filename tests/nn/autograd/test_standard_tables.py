"""The whole main namespace of the standard is there, each function in exactly one table."""

import inspect
from collections import Counter

import array_api_strict
import numpy as np
import pytest

import isograd as ig
from isograd.backend.errors import NotDifferentiableError
from isograd.nn.autograd import tables

STRICTS_OWN = {
    *("ArrayAPIStrictFlags", "Device", "get_array_api_strict_flags"),
    *("reset_array_api_strict_flags", "set_array_api_strict_flags"),
}


def strict_names():
    """Every name of the standard's main namespace, as array_api_strict has them."""
    return set(array_api_strict.__all__) - STRICTS_OWN - {"linalg", "fft"} - dunders()


def dunders():
    names = {name for name in array_api_strict.__all__ if name.startswith("__")}
    return names - {"__array_namespace_info__"}


def strict_functions():
    return {name for name in strict_names() if inspect.isroutine(getattr(array_api_strict, name))}


def listed(table):
    return [name for names in table.values() for name in names]


DIFFERENTIABLE = [*listed(tables.DIFFERENTIABLE), *tables.DIFFERENTIABLE_FACTORIES]
CONSTANT = [*listed(tables.CONSTANT), *tables.CONSTANT_INSPECTIONS]


def test_every_function_stands_in_exactly_one_table():
    counted = Counter([*DIFFERENTIABLE, *CONSTANT, *tables.NOT_DIFFERENTIABLE])
    assert set(counted) == strict_functions()
    assert set(counted.values()) == {1}


def test_every_name_of_the_standard_is_in_the_namespace(device):
    xp = ig.wrap_namespace(ig.current_device().xp)
    assert [name for name in sorted(strict_names()) if not hasattr(xp, name)] == []
    assert xp.__array_api_version__ == "2025.12"


@pytest.mark.parametrize("name", sorted(strict_functions()))
def test_a_signature_is_the_standards(name):
    """Names, and which of them are positional or keyword-only; annotations are left out."""
    theirs = inspect.signature(getattr(array_api_strict, name)).parameters.values()
    ours = inspect.signature(getattr(ig.xp.numpy, name)).parameters.values()
    assert [(p.name, p.kind) for p in ours] == [(p.name, p.kind) for p in theirs]
    for mine, standard in zip(ours, theirs, strict=True):
        if type(standard.default).__name__ != "Undef":  # the strict library's own "not given"
            assert mine.default == standard.default


@pytest.mark.parametrize(
    "arguments",
    [
        ("arange", 3.0),
        ("empty", 2),
        ("eye", 2),
        ("ones", 2),
        ("zeros", 2),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_factory_refuses_recorded_numbers(arguments, device):
    name, number = arguments
    x = ig.Tensor(ig.array(number, dtype="float64"), requires_grad=True)
    with pytest.raises(NotDifferentiableError, match=f"{name}: no derivative"):
        getattr(x.__array_namespace__(), name)(x)


def test_from_dlpack_refuses_a_recorded_tensor():
    x = ig.Tensor(np.ones(2), requires_grad=True)
    with pytest.raises(NotDifferentiableError, match="from_dlpack: no derivative"):
        ig.xp.numpy.from_dlpack(x)


def test_constants_are_the_librarys():
    for name in tables.CONSTANTS:
        ours, theirs = getattr(ig.xp.numpy, name), getattr(np, name)
        assert ours is theirs or ours == theirs or np.isnan(ours)


def test_dtypes_are_the_librarys(device):
    library = ig.current_device().xp
    xp = ig.wrap_namespace(library)
    for name in tables.DTYPES:
        assert getattr(xp, name) is getattr(library, name)
