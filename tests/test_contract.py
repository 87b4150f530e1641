"""What every op owes, asked of every line of the sample table on every device."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from samples import NO_OPS, SAMPLES, differentiable_namespace

import isograd as ig
from isograd import nn
from isograd.backend import settings_override, tolerance

DIFFERENTIABLE = [sample for sample in SAMPLES if sample.order]
CONSTANT = [sample for sample in SAMPLES if not sample.order]
ELEMENTWISE = [sample for sample in SAMPLES if sample.elementwise]
LAYOUTS = {
    "transposed": lambda x: x.T,
    "every second": lambda x: x[::2, ::3],
    "reversed": lambda x: x[:, ::-1],
}


def table(samples):
    return pytest.mark.parametrize("sample", samples, ids=str)


def on_device(sample, dtype="float64", shape=None):
    """The sample's inputs as plain arrays of the current device."""
    return [placed(x, dtype) for x in sample.arrays(shape)]


def placed(x, dtype="float64"):
    device = ig.current_device()
    return ig.array(x, dtype if x.dtype == np.float64 else None, device=device)


def parts(y):
    """The arrays of a result: most ops return one, some a tuple."""
    return list(y) if isinstance(y, tuple | list) else [y]


def floating(sample):
    """Positions of the inputs that derivatives are taken of."""
    return [i for i, given in enumerate(sample.inputs) if given.is_floating]


def of_floating(sample, arrays):
    """(function of the floating inputs alone, these inputs)."""
    positions = floating(sample)

    def f(*xs):
        merged = list(arrays)
        for i, x in zip(positions, xs, strict=True):
            merged[i] = x
        return sample.apply(*merged)

    f.__name__ = str(sample)
    return f, [arrays[i] for i in positions]


def weighted_sum(y):
    """A scalar in which every element of y counts differently."""
    total = 0.0
    for part in parts(y):
        xp = differentiable_namespace(part)
        weights = np.cos(np.arange(part.size, dtype=np.float64)).reshape(part.shape)
        total = total + xp.sum(part * placed(weights, part.dtype))
    return total


def gradients(sample, arrays):
    """The gradient of weighted_sum with respect to each floating input."""
    f, xs = of_floating(sample, arrays)
    return ig.grad(lambda *args: weighted_sum(f(*args)), argnums=range(len(xs)))(*xs)


def assert_close(actual, expected):
    """Equal within the tolerance of the dtype; shapes too."""
    assert tuple(actual.shape) == tuple(expected.shape)
    near = tolerance(expected)
    assert_allclose(ig.to_numpy(actual), ig.to_numpy(expected), near.rtol, near.atol)


@table(DIFFERENTIABLE)
def test_derivatives_agree_with_central_differences(sample, device):
    f, xs = of_floating(sample, on_device(sample))
    # one numeric stage more costs the strict library seconds and the others prove it
    order = sample.order if device == "cpu" else min(sample.order, 2)
    ig.check_gradients(f, *xs, order=order, max_entries=6)


@table(SAMPLES)
def test_plain_arrays_come_out_plain_and_tensors_as_tensors_with_the_same_values(sample, device):
    arrays = on_device(sample)
    plain = parts(sample.apply(*arrays))
    constants = parts(sample.apply(*map(ig.Tensor, arrays)))
    for x, y in zip(plain, constants, strict=True):
        assert not isinstance(x, ig.Tensor)
        assert isinstance(y, ig.Tensor)
        assert not y.requires_grad
        assert x.dtype == y.dtype
        if device == "cuda":  # CuPy's own sums, which plain arrays get, have another order
            assert_close(y, x)
        else:
            assert_array_equal(ig.to_numpy(x), ig.to_numpy(y))


@table(DIFFERENTIABLE)
def test_recorded_values_are_the_plain_values(sample, device):
    arrays = on_device(sample)
    leaves = list(arrays)
    for i in floating(sample):
        leaves[i] = ig.Tensor(arrays[i], requires_grad=True)
    for x, y in zip(parts(sample.apply(*arrays)), parts(sample.apply(*leaves)), strict=True):
        assert y.requires_grad
        assert_close(y.detach(), x)


@table(CONSTANT)
def test_the_result_of_an_op_without_derivative_is_not_recorded(sample, device):
    arrays = on_device(sample)
    for i in floating(sample):
        arrays[i] = ig.Tensor(arrays[i], requires_grad=True)
    if not floating(sample):
        arrays = [ig.Tensor(x) for x in arrays]
    assert not any(part.requires_grad for part in parts(sample.apply(*arrays)))


@table(SAMPLES)
def test_results_stay_on_the_device_of_the_inputs(sample, device):
    arrays = on_device(sample)
    f, xs = of_floating(sample, arrays)
    with ig.using("cpu"):  # the current device is for making arrays alone
        results = parts(sample.apply(*arrays))
        if sample.order:
            y, pull = ig.vjp(f, *xs)
            results += pull(y)
    assert {ig.device_of(y).name for y in results} == {ig.current_device().name}


@table(DIFFERENTIABLE)
def test_float32_in_gives_float32_out_in_the_same_shape(sample, device):
    wide, narrow = on_device(sample), on_device(sample, "float32")
    pairs = zip(parts(sample.apply(*wide)), parts(sample.apply(*narrow)), strict=True)
    for expected, y in pairs:
        assert y.dtype == differentiable_namespace(y).float32
        assert tuple(y.shape) == tuple(expected.shape)
        rough = tolerance("float32", 4)  # 4: inputs are rounded too, before the op
        assert_allclose(ig.to_numpy(y), ig.to_numpy(expected), rough.rtol, rough.atol)
    for x, dx in zip([narrow[i] for i in floating(sample)], gradients(sample, narrow), strict=True):
        assert dx.dtype == x.dtype
        assert tuple(dx.shape) == tuple(x.shape)


@table(ELEMENTWISE)
def test_an_elementwise_op_takes_scalars_and_empty_arrays(sample, device):
    for shape in [(), (0,), (2, 0, 3)]:
        arrays = on_device(sample, shape=shape)
        assert tuple(sample.apply(*arrays).shape) == shape
        if sample.order:
            assert all(tuple(dx.shape) == shape for dx in gradients(sample, arrays))


@table(ELEMENTWISE)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_elementwise_op_does_not_mind_the_layout_in_memory(sample, layout):
    views = [LAYOUTS[layout](x) for x in sample.arrays((6, 6))]
    copies = [np.ascontiguousarray(view) for view in views]
    assert_close(sample.apply(*views), sample.apply(*copies))
    if sample.order:
        for actual, expected in zip(*(gradients(sample, x) for x in (views, copies)), strict=True):
            assert_close(actual, expected)


@table(SAMPLES)
def test_an_op_takes_read_only_arrays_with_gaps_in_memory_and_writes_to_none(sample):
    copies = sample.arrays()
    views = [with_gaps(x) for x in copies]
    for y, expected in zip(*(parts(sample.apply(*xs)) for xs in (views, copies)), strict=True):
        assert_close(y, expected)
    if sample.order:
        for dx, expected in zip(*(gradients(sample, xs) for xs in (views, copies)), strict=True):
            assert_close(dx, expected)


def with_gaps(x):
    """x as a read-only view of every second element of a larger array."""
    view = np.zeros([2 * n for n in x.shape], x.dtype)[tuple(slice(None, None, 2) for _ in x.shape)]
    view[...] = x
    view.flags.writeable = False
    return view


@table([sample for sample in ELEMENTWISE if sample.name != "nn.identity"])
def test_the_result_of_an_elementwise_op_has_memory_of_its_own(sample):
    arrays = sample.arrays()
    assert not any(np.shares_memory(sample.apply(*arrays), x) for x in arrays)


@table([sample for sample in ELEMENTWISE if len(sample.inputs) > 1])
def test_broadcast_inputs_get_the_sum_of_the_gradients_of_their_copies(sample, device):
    n_inputs = len(sample.inputs)
    shapes = [(3, 1), (4,), (2, 1, 1)][:n_inputs]
    small = [on_device(sample, shape=shape)[i] for i, shape in enumerate(shapes)]
    common = np.broadcast_shapes(*shapes)
    full = [placed(np.broadcast_to(ig.to_numpy(x), common).copy()) for x in small]
    assert_close(sample.apply(*small), sample.apply(*full))
    if sample.order:
        found, copies = gradients(sample, small), gradients(sample, full)
        for i, dx, dcopies in zip(floating(sample), found, copies, strict=True):
            assert_close(dx, placed(summed(ig.to_numpy(dcopies), shapes[i])))


def summed(x, shape):
    """x summed over the axes along which shape was broadcast to it."""
    x = x.sum(axis=tuple(range(x.ndim - len(shape))))
    stretched = tuple(i for i, n in enumerate(shape) if n == 1)
    return x.sum(axis=stretched, keepdims=True)


@table(DIFFERENTIABLE)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_kernels_give_the_numbers_of_the_definition(sample, device, dtype):
    arrays = on_device(sample, dtype)
    fast = [*parts(sample.apply(*arrays)), *gradients(sample, arrays)]
    with settings_override(disable_kernels=True):
        plain = [*parts(sample.apply(*arrays)), *gradients(sample, arrays)]
    for actual, expected in zip(fast, plain, strict=True):
        assert actual.dtype == expected.dtype
        assert_close(actual, expected)


def public_functions():
    """Names of the differentiable namespace and of isograd.nn that compute something."""
    xp = ig.wrap_namespace(np)
    for name in dir(xp):
        value = getattr(xp, name)
        if callable(value) and not isinstance(value, type) and not name.startswith("_"):
            yield name
    for space in ("fft", "linalg", "special"):
        functions = vars(getattr(xp, space))
        yield from (f"{space}.{name}" for name in functions if not name.startswith("_"))
    for name in nn.__all__:
        value = getattr(nn, name)
        if callable(value) and not isinstance(value, type):
            yield f"nn.{name}"


def test_every_public_op_has_a_sample():
    names = {sample.name for sample in SAMPLES}
    assert sorted(set(public_functions()) - names - NO_OPS) == []


def test_no_sample_and_no_exception_outlives_its_op():
    names = {sample.name for sample in SAMPLES} - {"[]", "[]="}
    assert sorted((names | NO_OPS) - set(public_functions())) == []


def test_samples_of_one_op_are_told_apart_by_their_inputs_or_options():
    for first, second in itertools.combinations(SAMPLES, 2):
        assert first != second
