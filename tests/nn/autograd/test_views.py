"""What is written to a view arrives in the Tensor that it is a view of, and is recorded there."""

import gc
import weakref

import numpy as np
import pytest

import isograd as ig
from isograd.backend import array_namespace
from isograd.backend.errors import InPlaceError

VIEWS = {
    "slice": lambda x: x[1:, ...],
    "row": lambda x: x[1, ...],
    "column": lambda x: x[:, 2],
    "new axis": lambda x: x[:, None, 1:],
    "slice of a slice": lambda x: x[1:, ...][:, :2],
    "reshape": lambda x: array_namespace(x).reshape(x, (-1,)),
    "every fifth": lambda x: array_namespace(x).reshape(x, (-1,))[::5],
    "T": lambda x: x.T,
    "mT": lambda x: x.mT[0, ...],
    "permute_dims": lambda x: array_namespace(x).permute_dims(x, (1, 0))[1:, ...],
    "moveaxis": lambda x: array_namespace(x).moveaxis(x, 0, 1)[1, ...],
    "expand_dims": lambda x: array_namespace(x).expand_dims(x, axis=1)[1, ...],
    "squeeze": lambda x: array_namespace(x).squeeze(x[None, :, 1:], axis=0),
    "flip": lambda x: array_namespace(x).flip(x, axis=0)[0, ...],
}
CHANGES = {
    "add": lambda view, v: view.__iadd__(v),
    "multiply": lambda view, v: view.__imul__(v),
    "set all": lambda view, v: view.__setitem__(..., v),
    "set a part": lambda view, v: view.__setitem__((slice(0, 1), ...), v),
    "mask": lambda view, v: view.__setitem__(view > 6.0, v),
}


def numbers(device, shape=(3, 4)):
    return ig.array(np.arange(1.0, 1.0 + np.prod(shape)).reshape(shape), device=device)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_writing_through_a_view_does_what_numpy_does(view, change):
    expected = numbers("cpu")
    seen = view(expected)
    change(seen, 0.5)
    x = ig.Tensor(numbers("cpu"))
    part = view(x)
    change(part, 0.5)
    assert np.array_equal(x.data, expected)
    assert np.array_equal(part.data, seen)


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_what_is_written_is_recorded(device, view):
    def f(x, v):
        x = x * 1.0
        part = view(x)
        part *= v
        return x * x

    by_hand = numbers("cpu")
    view(by_hand)[...] *= 3.0
    x, v = numbers(device), ig.array(3.0, dtype="float64", device=device)
    y, pull = ig.vjp(f, x, v)
    assert np.array_equal(ig.to_numpy(y), by_hand**2)
    dx, dv = pull(array_namespace(x).ones_like(x))
    scale = np.where(by_hand == numbers("cpu"), 1.0, 3.0)
    assert np.allclose(ig.to_numpy(dx), 2 * by_hand * scale)
    changed = scale == 3.0
    assert np.allclose(float(dv), np.sum((2 * by_hand * numbers("cpu"))[changed]))


def test_a_recorded_value_written_through_a_view_of_zeros_has_its_gradient():
    def f(x):
        xp = array_namespace(x)
        d = xp.zeros((5,), dtype=x.dtype)
        d[1:-1][x > 0] = 1.0
        d[1:-1] += 2.0 * x
        return xp.sum(d * d)

    x = np.asarray([0.5, -1.0, 2.0])
    assert np.allclose(ig.grad(f)(x), 4.0 * (2.0 * x + (x > 0)))


def test_elements_are_numbers_and_not_views():
    x = ig.Tensor(numbers("cpu", (3,)))
    total = x[0]
    total += x[1]
    for element in x:
        element *= 2.0
    assert np.array_equal(x.data, [1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    "copy",
    [lambda x: x[[0, 1]], lambda x: x[x > 3.0], lambda x: x + 0.0],
    ids=["list key", "mask key", "sum"],
)
def test_a_copy_is_no_view(copy):
    x = ig.Tensor(numbers("cpu"))
    y = copy(x)
    y *= 2.0
    assert np.array_equal(x.data, numbers("cpu"))


def test_a_reshape_that_must_copy_is_no_view():
    x = ig.Tensor(numbers("cpu"))
    y = array_namespace(x).reshape(x.T, (-1,))
    y *= 2.0
    assert np.array_equal(x.data, numbers("cpu"))


def test_a_view_is_written_to_as_its_root_is_now():
    x = ig.Tensor(numbers("cpu", (3,)))
    view = x[1:]
    x[2] = 10.0
    view[0] = 7.0
    assert np.array_equal(x.data, [1.0, 7.0, 10.0])
    assert np.array_equal(view.data, [7.0, 10.0])


def test_a_view_of_a_leaf_refuses_changes_in_place_like_the_leaf(device):
    leaf = ig.Tensor(numbers(device), requires_grad=True)
    view = leaf[1:, ...]
    with pytest.raises(InPlaceError, match="cannot be changed in place"):
        view *= 2.0
    assert np.array_equal(ig.to_numpy(leaf.data), numbers("cpu"))


def test_a_view_of_a_leaf_may_be_changed_within_no_grad(device):
    leaf = ig.Tensor(numbers(device), requires_grad=True)
    memory = leaf.data
    with ig.no_grad():
        view = leaf[1:, ...]
        view *= 2.0
    expected = numbers("cpu")
    expected[1:] *= 2.0
    assert leaf.data is memory
    assert leaf.is_leaf
    assert np.array_equal(ig.to_numpy(memory), expected)


def test_a_view_outlives_the_tensor_that_it_was_a_view_of():
    view = ig.Tensor(numbers("cpu"))[1:]
    view *= 2.0
    assert np.array_equal(view.data, 2.0 * numbers("cpu")[1:])


def test_a_view_does_not_keep_its_root():
    x = ig.Tensor(numbers("cpu"))
    gone = weakref.ref(x)
    view = x[1:]
    del x
    gc.collect()
    assert gone() is None
    assert view.shape == (2, 4)
