"""The one that backward passes start from."""

import numpy as np
import pytest

import isograd as ig
from isograd.backend import one
from isograd.backend.one import is_shared_one, shared_one
from isograd.backend.replay import HostShare, recording

strict = pytest.importorskip("array_api_strict")


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch):
    monkeypatch.setattr(one, "_ones", {})


def scalar(value, dtype=strict.float32):
    return strict.asarray(value, dtype=dtype)


def test_it_is_made_once_for_each_dtype():
    first = shared_one(scalar(5.0))
    assert (float(first), first.dtype, first.shape) == (1.0, strict.float32, ())
    assert shared_one(scalar(7.0)) is first
    other = shared_one(scalar(7.0, strict.float64))
    assert (float(other), other.dtype) == (1.0, strict.float64)
    assert is_shared_one(first)
    assert is_shared_one(other)


def test_another_one_is_not_known_to_be_one():
    shared_one(scalar(5.0))
    assert not is_shared_one(scalar(1.0))
    assert not is_shared_one(np.float32(1.0))


def test_in_numpy_everybody_gets_an_own_one():
    x = np.asarray(3.0, np.float32)
    first = shared_one(x)
    first *= 4.0
    assert shared_one(x) == 1.0
    assert not is_shared_one(first)


def test_what_a_capture_makes_is_left_to_its_replays():
    with recording(HostShare(0)):
        made = shared_one(scalar(2.0))
    assert float(made) == 1.0
    assert not is_shared_one(made)


def test_a_backward_pass_starts_from_it():
    started = []

    @ig.differentiable
    def doubled(x):
        return x + x

    @doubled.backward
    def _(dy):
        started.append(dy)
        return dy + dy

    for _ in range(2):
        doubled(ig.Tensor(scalar(3.0), requires_grad=True)).backward()
    assert all(map(is_shared_one, started))
    assert started[0] is started[1]


@pytest.mark.parametrize("function", [lambda x: x, lambda x: handed_down(x)])
def test_no_leaf_gets_it_for_its_gradient(function):
    x = ig.Tensor(scalar(3.0), requires_grad=True)
    function(x).backward()
    assert float(x.grad) == 1.0
    assert not is_shared_one(x.grad)


def handed_down(x):
    """x by a rule that returns dy itself."""

    @ig.differentiable
    def copy(x):
        return x + 0.0

    @copy.backward
    def _(dy):
        return dy

    return copy(x)
