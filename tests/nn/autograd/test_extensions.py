"""The sub-namespaces xp.linalg, xp.fft and xp.special: which there are, and what they hold."""

import inspect
import operator
from types import SimpleNamespace

import numpy as np
import pytest

import isograd as ig
from isograd.nn.autograd.extensions import extensions_of

SINCE_2025 = {"eig", "eigvals"}


@pytest.mark.parametrize("name", ["linalg", "fft"])
def test_every_function_of_the_standard_is_there_with_its_signature(name):
    strict = pytest.importorskip("array_api_strict")
    theirs = getattr(strict, name)
    ours = getattr(ig.wrap_namespace(strict), name)
    for function in {*theirs.__all__, *(SINCE_2025 if name == "linalg" else ())}:
        expected = inspect.signature(getattr(theirs, function)).parameters.values()
        found = inspect.signature(getattr(ours, function)).parameters.values()
        assert [(p.name, p.kind, p.default) for p in found] == [
            (p.name, p.kind, p.default) for p in expected
        ], function


def test_a_sub_namespace_is_there_when_the_library_has_it():
    bare = SimpleNamespace(__name__="bare")
    assert set(extensions_of(bare, "isograd.xp.bare")) == {"special"}
    bare.fft = SimpleNamespace()
    assert set(extensions_of(bare, "isograd.xp.bare")) == {"special", "fft"}


def test_a_function_is_there_when_the_library_has_it():
    old = SimpleNamespace(__name__="old", linalg=SimpleNamespace(inv=np.linalg.inv))
    la = extensions_of(old, "isograd.xp.old")["linalg"]
    assert hasattr(la, "inv")
    with pytest.raises(AttributeError, match=r"isograd.xp.old.linalg has no 'eig': see dir"):
        operator.attrgetter("eig")(la)


def test_names_tell_the_library_and_the_sub_namespace():
    xp = ig.wrap_namespace(np)
    assert xp.linalg.__name__ == "isograd.xp.numpy.linalg"
    assert str(xp.linalg.inv) == "inv"
    assert repr(xp.fft.rfft) == "<op rfft(x, /, *, n=None, axis=-1, norm='backward')>"


def test_functions_of_both_namespaces_are_the_same_ops():
    xp = ig.wrap_namespace(np)
    for name in ("matmul", "matrix_transpose", "tensordot", "vecdot"):
        assert getattr(xp.linalg, name) is getattr(xp, name)
