"""Many arrays joined by one kernel."""

import numpy as np
import pytest

import isograd as ig
from isograd.backend.replay import HostShare, recording
from isograd.kernels.cuda.concat import CONCAT, FEW, MOST, UNITS, concat_forward
from isograd.nn.autograd.ops.manipulation import concat, stack

MANY = FEW + 3


def arrays(n, *shape, dtype="float32"):
    numbers = np.random.default_rng(0).integers(0, 100, (n, *shape))
    return list(numbers.astype(dtype))


CASES = [  # of all units but two bytes: 1, 4, 8 and 16
    ("bool", (5, 3), 0),
    ("float32", (5, 3), 1),
    ("float32", (2, 8), -1),
    ("int64", (5, 3), -1),
    ("complex128", (3,), 0),
]


@pytest.mark.parametrize(("dtype", "shape", "axis"), CASES)
@pytest.mark.parametrize("join", [concat, stack])
def test_many_arrays_are_joined_in_one_launch(host_cupy, join, dtype, shape, axis):
    xs = arrays(MANY, *shape, dtype=dtype)
    y = join([host_cupy.array(x) for x in xs], axis=axis)
    expected = join(xs, axis=axis)
    assert (y.shape, y.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_array_equal(host_cupy.view(y), expected)
    assert host_cupy.compiler.launched == ["concat_arrays"]
    assert host_cupy.used == []


def test_more_arrays_than_a_launch_takes_need_another(host_cupy):
    xs = arrays(2 * MOST + 1, 3)
    y = stack([host_cupy.array(x) for x in xs], axis=1)
    np.testing.assert_array_equal(host_cupy.view(y), np.stack(xs, axis=1))
    assert len(host_cupy.compiler.launched) == 3


def test_arrays_that_begin_anywhere_or_have_gaps_are_joined(host_cupy):
    xs = arrays(MANY, 4, 6)
    there = [host_cupy.array(x) for x in xs]
    y = concat([x.reshape(-1)[1:] for x in there])
    np.testing.assert_array_equal(host_cupy.view(y), np.concatenate([x.ravel()[1:] for x in xs]))
    y = concat([x.T for x in there], axis=1)
    np.testing.assert_array_equal(host_cupy.view(y), np.concatenate([x.T for x in xs], axis=1))


def test_few_arrays_and_those_of_several_lengths_are_cupys(host_cupy):
    few = [host_cupy.array(x) for x in arrays(FEW, 3)]
    assert concat_forward(*few) is NotImplemented
    assert concat_forward(*few, few[0][:2]) is NotImplemented
    assert concat_forward(*few, few[0], axis=1) is NotImplemented  # CuPy names the mistake


@pytest.mark.parametrize("join", [concat, stack])
def test_in_a_captured_step_cupy_is_given_few_at_a_time(host_cupy, monkeypatch, join):
    given = []
    concatenate = host_cupy.cupy.concatenate

    def counting(arrays, axis):
        given.append(len(arrays))
        return concatenate(arrays, axis)

    monkeypatch.setattr(host_cupy.cupy, "concatenate", counting)
    xs = [*arrays(MANY, 3), *arrays(1, 3, dtype="float64")]
    with recording(HostShare(0)):
        y = join([host_cupy.array(x) for x in xs])
    np.testing.assert_array_equal(host_cupy.view(y), join(xs))
    assert max(given) <= FEW
    assert sum(given) == len(xs) + len(given) - 1


def test_a_gradient_reaches_each_of_the_arrays(host_cupy):
    tensors = [ig.Tensor(host_cupy.array(x), requires_grad=True) for x in arrays(MANY, 2)]
    dy = host_cupy.array(arrays(1, MANY, 2)[0])
    stack(tensors).backward(dy)
    for i, x in enumerate(tensors):
        np.testing.assert_array_equal(host_cupy.view(x.grad), host_cupy.view(dy)[i])


def test_the_numbers_here_are_those_of_the_text():
    assert f"MOST = {MOST};" in CONCAT.text
    assert f"struct __align__({max(UNITS)}) {UNITS[max(UNITS)]} " in CONCAT.text
