"""Rules of the standard's functions beyond what the sample table asks of every op."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from samples import SAMPLES

import isograd as ig
from isograd.backend import tolerance
from isograd.nn.autograd.tape import sum_to_shape

DIFFERENTIABLE = [
    sample
    for sample in SAMPLES
    if sample.order and "." not in sample.name and "[" not in sample.name
]


def here(x):
    return ig.array(x, dtype="float64" if x.dtype == np.float64 else None)


def of_floating(sample):
    """(function of the floating inputs alone, these inputs)."""
    arrays = [here(x) for x in sample.arrays()]
    positions = [i for i, given in enumerate(sample.inputs) if given.is_floating]

    def f(*xs):
        merged = list(arrays)
        for i, x in zip(positions, xs, strict=True):
            merged[i] = x
        return sample.apply(*merged)

    return f, [arrays[i] for i in positions]


def parts(y):
    return list(y) if isinstance(y, tuple | list) else [y]


def inner(us, vs):
    return sum(np.sum(ig.to_numpy(u) * ig.to_numpy(v)) for u, v in zip(us, vs, strict=True))


def drawn(arrays, random):
    return [here(random.uniform(-1.0, 1.0, tuple(x.shape))) for x in arrays]


@pytest.mark.parametrize("sample", DIFFERENTIABLE, ids=str)
def test_forward_and_backward_derivatives_are_transposes(sample, device):
    """v . (J u) = (J^T v) . u, with J u from jvp and J^T v from vjp."""
    f, xs = of_floating(sample)
    y, pull = ig.vjp(f, *xs)
    random = np.random.RandomState(0)
    us, vs = drawn(xs, random), drawn(parts(y), random)
    _, tangent = ig.jvp(f, xs, us)
    pulled = pull(vs[0] if not isinstance(y, tuple | list) else type(y)(vs))
    near = tolerance("float64", 10)  # 10: sums of up to a hundred products
    assert_allclose(inner(vs, parts(tangent)), inner(us, pulled), near.rtol, near.atol)


# -- against extended precision -----------------------------------------------------------------

ELEMENTWISE = {
    **dict.fromkeys(("log", "log2", "log10", "log1p", "sqrt", "reciprocal"), (0.3, 2.0)),
    **dict.fromkeys(("exp", "expm1", "sin", "cos", "sinh", "cosh", "square"), (-2.0, 2.0)),
    **dict.fromkeys(("tanh", "atan", "asinh"), (-2.0, 2.0)),
    **dict.fromkeys(("tan", "asin", "acos", "atanh"), (-0.7, 0.7)),
    "acosh": (1.3, 3.0),
}
# Central differences of order 8: f'(x) = sum of c_k (f(x + k h) - f(x - k h)) / h.
STENCIL = {1: (4, 5), 2: (-1, 5), 3: (4, 105), 4: (-1, 280)}
few_bits = np.finfo(np.longdouble).eps > 1e-18


@pytest.mark.skipif(few_bits, reason="longdouble has no more digits than float64 here")
@pytest.mark.parametrize("name", sorted(ELEMENTWISE))
def test_an_elementwise_rule_is_right_to_fifteen_digits(name):
    x = np.random.RandomState(0).uniform(*ELEMENTWISE[name], 50)
    dx = ig.grad(lambda x: ig.xp.numpy.sum(getattr(ig.xp.numpy, name)(x)))(x)
    wide, h = x.astype(np.longdouble), np.longdouble(2.0) ** -9
    f = getattr(np, name)
    exact = sum(
        np.longdouble(over) / under * (f(wide + k * h) - f(wide - k * h))
        for k, (over, under) in STENCIL.items()
    )
    error = np.abs(dx - exact / h)
    assert float(np.max(error / (1.0 + np.abs(exact / h)))) < 1e-15


# -- one by one ---------------------------------------------------------------------------------


def test_values_written_twice_give_their_gradient_to_the_last(device):
    if device.startswith("strict"):
        pytest.skip("array_api_strict writes by slices and masks alone")
    xp = ig.wrap_namespace(ig.current_device().xp)
    rows = ig.array([1, 0, 1])

    def f(x, value):
        x = xp.asarray(x, copy=True)
        x[rows] = value
        return x

    x, value = ig.array([5.0, 6.0, 7.0]), ig.array([1.0, 2.0, 3.0])
    y, pull = ig.vjp(f, x, value)
    dx, dvalue = pull(ig.array([10.0, 20.0, 30.0]))
    written = ig.to_numpy(y)[1]
    last = [1.0, 3.0].index(written)  # libraries may differ in the order
    assert_array_equal(ig.to_numpy(dx), [0.0, 0.0, 30.0])
    assert_array_equal(ig.to_numpy(dvalue), [20.0 * (last == 0), 10.0, 20.0 * (last == 1)])


def test_the_gradient_of_a_written_value_has_its_shape():
    xp = ig.xp.numpy

    def f(value):
        x = xp.zeros((2, 3))
        x[0, :] = value
        return x

    for shape in [(), (3,), (1, 3), (1, 1)]:  # NumPy lets a value have leading ones
        (dvalue,) = ig.vjp(f, np.ones(shape))[1](np.ones((2, 3)))
        assert dvalue.shape == shape


def test_take_without_an_axis_counts_through_the_elements():
    x, indices = np.arange(6.0).reshape(2, 3), np.array([4, 1, 4])
    (dx,) = ig.vjp(lambda x: ig.xp.numpy.take(x, indices), x)[1](np.array([1.0, 2.0, 4.0]))
    assert_array_equal(dx, [[0.0, 2.0, 0.0], [0.0, 5.0, 0.0]])


def test_take_along_axis_broadcasts_its_indices(device):
    xp = ig.wrap_namespace(ig.current_device().xp)
    x = ig.array(np.arange(6.0).reshape(2, 3), dtype="float64")
    indices = ig.array([[2, 0, 2]])
    y, pull = ig.vjp(lambda x: xp.take_along_axis(x, indices, axis=1), x)
    (dx,) = pull(xp.ones_like(y))
    repeated = ig.to_numpy(y).shape[0]
    assert_array_equal(ig.to_numpy(dx), np.broadcast_to([[1.0, 0.0, 2.0]], (repeated, 3)))


def test_equal_numbers_keep_their_order_when_sorted(device):
    xp = ig.wrap_namespace(ig.current_device().xp)
    x = ig.array([2.0, 1.0, 2.0, 1.0])
    (dx,) = ig.vjp(lambda x: xp.sort(x), x)[1](ig.array([1.0, 2.0, 3.0, 4.0]))
    assert_array_equal(ig.to_numpy(dx), [3.0, 1.0, 4.0, 2.0])


def test_a_distinct_value_hands_its_gradient_to_the_first_of_its_equals(device):
    xp = ig.wrap_namespace(ig.current_device().xp)
    x = ig.array([[2.0, 1.0], [2.0, 3.0]])
    (dx,) = ig.vjp(lambda x: xp.unique_values(x), x)[1](ig.array([10.0, 20.0, 30.0]))
    assert_array_equal(ig.to_numpy(dx), [[20.0, 10.0], [0.0, 30.0]])


def test_the_parts_of_unique_all_belong_together(device):
    xp = ig.wrap_namespace(ig.current_device().xp)
    x = ig.Tensor(ig.array([3.0, 1.0, 3.0, 2.0]), requires_grad=True)
    found = xp.unique_all(x)
    assert found.values.requires_grad
    assert not found.counts.requires_grad
    assert_array_equal(ig.to_numpy(found.values.detach()), [1.0, 2.0, 3.0])
    assert_array_equal(ig.to_numpy(found.indices), [1, 3, 0])
    assert_array_equal(ig.to_numpy(found.inverse_indices), [2, 0, 2, 1])
    assert_array_equal(ig.to_numpy(found.counts), [1, 1, 2])


@pytest.mark.parametrize("repeats", [0, 1, 3])
def test_the_gradient_of_a_repeated_element_is_the_sum_over_its_copies(repeats, device):
    xp = ig.wrap_namespace(ig.current_device().xp)
    x = ig.array(np.ones((2, 3)), dtype="float64")
    for axis in (None, 0, -1):
        y, pull = ig.vjp(lambda x, axis=axis: xp.repeat(x, repeats, axis=axis), x)
        assert_array_equal(ig.to_numpy(pull(xp.ones_like(y))[0]), np.full((2, 3), float(repeats)))


def test_a_total_in_integers_is_a_constant(device):
    xp = ig.wrap_namespace(ig.current_device().xp)
    x = ig.Tensor(ig.array([1.5, 2.5]), requires_grad=True)
    assert not xp.astype(x, xp.int64).requires_grad
    assert not xp.sum(xp.astype(x, xp.int64)).requires_grad
    assert not xp.sum(x, dtype=xp.int64).requires_grad
    assert not xp.prod(x, dtype=xp.int64).requires_grad
    assert xp.sum(x, dtype=xp.float64).requires_grad


def test_arrays_given_by_keyword_may_be_tensors(device):
    xp = ig.wrap_namespace(ig.current_device().xp)
    x = ig.Tensor(ig.array([3.0, 1.0, 2.0]))
    found = xp.searchsorted(x, ig.array([2.5]), sorter=xp.argsort(x))
    assert_array_equal(ig.to_numpy(found), [2])
    low = ig.Tensor(ig.array(1.5), requires_grad=True)
    assert xp.clip(x, min=low).requires_grad


def test_broadcasting_to_a_wrong_shape_names_the_op():
    with pytest.raises(ig.errors.ShapeError, match="some op: its rule must return"):
        sum_to_shape(np.ones((2, 3)), (2, 2), "some op")


def test_summed_axes_of_unequal_lengths_are_refused(device):
    xp = ig.wrap_namespace(ig.current_device().xp)
    with pytest.raises(ig.errors.ShapeError, match="tensordot: summed axes must have equal"):
        xp.tensordot(xp.ones((2, 3)), xp.ones((2, 3)), axes=1)


@pytest.mark.parametrize("indexing", ["xy", "ij"])
def test_a_grid_is_numpys(indexing, device):
    xp = ig.wrap_namespace(ig.current_device().xp)
    axes = [np.arange(2.0), np.arange(3.0), np.arange(4.0)]
    found = xp.meshgrid(*map(here, axes), indexing=indexing)
    assert isinstance(found, tuple)
    for y, expected in zip(found, np.meshgrid(*axes, indexing=indexing), strict=True):
        assert_array_equal(ig.to_numpy(y), expected)


def test_differences_are_taken_a_whole_number_of_times():
    with pytest.raises(ValueError, match="diff: n must be 0 or more"):
        ig.xp.numpy.diff(np.ones(3), n=-1)


def test_a_grid_has_no_third_way_of_indexing():
    with pytest.raises(ValueError, match='indexing must be "xy" or "ij"'):
        ig.xp.numpy.meshgrid(np.ones(3), indexing="yx")
