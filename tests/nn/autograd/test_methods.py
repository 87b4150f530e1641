"""The methods of Tensor are those of NumPy's arrays: the same numbers, and they record."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose

import isograd as ig
from isograd.nn.autograd.methods import METHODS, PROPERTIES

METHOD_CALLS = {
    "sum": lambda x: x.sum(axis=0),
    "prod": lambda x: x.prod(),
    "mean": lambda x: x.mean(axis=1, keepdims=True),
    "var": lambda x: x.var(axis=0, ddof=1),
    "std": lambda x: x.std(),
    "max": lambda x: x.max(axis=1),
    "min": lambda x: x.min(),
    "cumsum": lambda x: x.cumsum(),
    "cumprod": lambda x: x.cumprod(axis=1),
    "trace": lambda x: x.trace(1),
    "reshape": lambda x: x.reshape(4, 3),
    "reshape to a tuple": lambda x: x.reshape((2, -1)),
    "ravel": lambda x: x.ravel(),
    "flatten": lambda x: x.flatten(),
    "transpose": lambda x: x.transpose(),
    "transpose by axes": lambda x: x.transpose(1, 0),
    "transpose by a tuple": lambda x: x.transpose((1, 0)),
    "swapaxes": lambda x: x.swapaxes(0, 1),
    "squeeze": lambda x: x.reshape(3, 1, 4).squeeze(),
    "repeat": lambda x: x.repeat(2, axis=0),
    "take": lambda x: x.take([2, 0], axis=1),
    "compress": lambda x: x.compress([True, False, True], axis=0),
    "diagonal": lambda x: x.diagonal(),
    "clip": lambda x: x.clip(0.5, 1.2),
    "conj": lambda x: x.conj(),
    "conjugate": lambda x: x.conjugate(),
    "dot": lambda x: x.dot(x.T),
    "astype": lambda x: x.astype("float64"),
    "copy": lambda x: x.copy(),
    "real": lambda x: x.real,
    "imag": lambda x: x.imag + x,
}
CONSTANT_CALLS = {
    "all": lambda x: x.all(axis=0),
    "any": lambda x: x.any(),
    "argmax": lambda x: x.argmax(axis=1),
    "argmin": lambda x: x.argmin(),
    "argsort": lambda x: x.argsort(axis=0),
    "searchsorted": lambda x: x.ravel().copy().searchsorted(x.ravel()),
    "nonzero": lambda x: x.nonzero()[1],
    "round": lambda x: x.round(1),
}


def values():
    return np.random.default_rng(4).uniform(0.3, 1.7, (3, 4))


@pytest.mark.parametrize("name", METHOD_CALLS)
def test_a_method_gives_numpys_numbers_recorded(name, device):
    x = ig.Tensor(ig.array(values(), "float64"), requires_grad=True)
    y = METHOD_CALLS[name](x)
    assert y.requires_grad
    assert ig.device_of(y).name == ig.current_device().name
    expected = METHOD_CALLS[name](values())
    assert tuple(y.shape) == np.shape(expected)
    assert_allclose(ig.to_numpy(y.detach()), expected, rtol=1e-12)


@pytest.mark.parametrize("name", METHOD_CALLS)
def test_its_derivatives_agree_with_central_differences(name):
    ig.check_gradients(METHOD_CALLS[name], values(), order=2, max_entries=3)


@pytest.mark.parametrize("name", CONSTANT_CALLS)
def test_a_method_without_derivative_gives_numpys_numbers_alone(name):
    y = CONSTANT_CALLS[name](ig.Tensor(values(), requires_grad=True))
    assert not y.requires_grad
    assert_allclose(ig.to_numpy(y), CONSTANT_CALLS[name](values()))


def test_tolist_is_numbers():
    x = ig.Tensor(np.array([[1.0, 2.0]]), requires_grad=True)
    assert x.tolist() == [[1.0, 2.0]]
    assert x.sum().tolist() == 3.0


def test_a_copy_has_memory_of_its_own():
    x = ig.Tensor(values())
    for y in (x.copy(), x.flatten(), x.astype("float32")):
        assert not np.shares_memory(y.data, x.data)


def test_every_method_is_tried():
    tried = {name.split()[0] for name in (*METHOD_CALLS, *CONSTANT_CALLS)} | {"tolist"}
    tables = (*METHODS.values(), *PROPERTIES.values())
    assert tried == {name for names in tables for name in names}


def test_float_means_float64_as_in_numpy():
    assert ig.Tensor(np.ones(2, np.float32)).astype(float).dtype == np.float64


def test_a_parameter_has_them_too():
    weight = ig.nn.Parameter(values())
    (weight.reshape(-1) ** 2).sum().backward()
    assert_allclose(weight.grad, 2.0 * values())


def test_import_loads_none_of_the_functions_and_the_first_use_does():
    code = """
import sys, numpy, isograd
names = [name for name in sys.modules if ".numpy_style." in name]
assert {name.rpartition(".")[2] for name in names} == {"arguments", "protocol"}, names
assert isograd.Tensor(numpy.ones(2)).sum() == 2.0
assert numpy.prod(isograd.Tensor(numpy.ones(2))) == 1.0
"""
    subprocess.run([sys.executable, "-c", code], check=True)
