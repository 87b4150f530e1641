"""conv and conv_transpose: memory, what they are made of, what is refused and how it is said."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import isograd as ig
from isograd import nn
from isograd.backend import settings_override
from isograd.backend.errors import DeviceError, DtypeError, HyperparameterError, ShapeError
from isograd.backend.geometry import Geometry


def single(*shape):
    return np.random.RandomState(0).randn(*shape).astype(np.float32)


# a batch of small images, one large image, a stride, groups, a long sequence
LARGE = [
    ((32, 16, 24, 24), lambda: nn.Conv2d(16, 32, 3, padding=1)),
    ((1, 8, 200, 200), lambda: nn.Conv2d(8, 16, 5, padding=2)),
    ((16, 16, 40, 40), lambda: nn.Conv2d(16, 32, 3, stride=2, padding=1)),
    ((16, 16, 40, 40), lambda: nn.Conv2d(16, 16, 3, padding=1, groups=16)),
    ((2, 8, 50_000), lambda: nn.Conv1d(8, 8, 9, padding=4)),
]


@pytest.mark.parametrize("disable_kernels", [False, True])
@pytest.mark.parametrize(("shape", "make"), LARGE)
def test_forward_needs_at_most_three_times_the_memory_of_input_and_output(
    shape, make, disable_kernels
):
    layer, x = make(), single(*shape)
    with settings_override(disable_kernels=disable_kernels):
        layer(x)
        tracemalloc.start()
        y = layer(x)
        peak = tracemalloc.get_traced_memory()[1] + x.nbytes  # x was there before
        tracemalloc.stop()
    assert peak <= 3 * (x.nbytes + y.data.nbytes)


@pytest.mark.parametrize(("shape", "make"), LARGE)
def test_blocks_of_windows_come_together_to_the_numbers_of_the_definition(shape, make):
    layer, x = make(), single(*shape)
    fast = values_and_gradients(layer, x)
    with settings_override(disable_kernels=True):
        plain = values_and_gradients(layer, x)
    for found, expected in zip(fast, plain, strict=True):
        # sums of up to 100,000 products in another order
        assert_allclose(found, expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max())


def values_and_gradients(layer, x):
    """y, dx and dweight against a cotangent of cosines."""
    leaf = ig.Tensor(x, requires_grad=True)
    layer.zero_grad()
    y = layer(leaf)
    y.backward(np.cos(np.arange(y.size, dtype=np.float32)).reshape(y.shape))
    return y.detach().data, leaf.grad, layer.weight.grad


def test_transposed_convolution_is_the_gradient_of_convolution():
    x, weight = single(2, 4, 7, 6), single(6, 2, 3, 2)
    options = {"stride": (3, 1), "padding": (1, 0), "groups": 2, "dilation": (1, 1)}
    y = single(*nn.conv2d(x, weight, **options).shape)
    dx = nn.conv2d.backward(y, x, weight, **options)[0]
    there = nn.conv_transpose2d(y, weight, output_padding=(0, 0), **options)
    assert_allclose(there, dx[:, :, : there.shape[2]], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("n_axes", [1, 2, 3])
def test_an_example_may_come_without_the_batch(n_axes):
    x, weight = single(3, *(5,) * n_axes), single(2, 3, *(2,) * n_axes)
    conv = (nn.conv1d, nn.conv2d, nn.conv3d)[n_axes - 1]
    assert_array_equal(conv(x, weight), conv(x[None], weight)[0])


def test_first_values_are_uniform_within_one_over_the_root_of_what_feeds_an_output():
    layer = nn.Conv2d(8, 50, 5, groups=2, generator=ig.random.Generator(0))
    assert layer.weight.shape == (50, 4, 5, 5)
    assert 0.099 < np.abs(layer.weight.data).max() <= 0.1
    transposed = nn.ConvTranspose2d(50, 8, 5, groups=2, generator=ig.random.Generator(0))
    assert transposed.weight.shape == (50, 4, 5, 5)
    assert_array_equal(transposed.weight.data, layer.weight.data)


def test_the_lengths_that_a_transposed_convolution_returns_to_can_be_chosen():
    layer, x = nn.ConvTranspose2d(1, 1, 3, stride=2, padding=1), single(1, 1, 4, 4)
    assert layer(x).shape == (1, 1, 7, 7)
    assert layer(x, output_size=(8, 7)).shape == (1, 1, 8, 7)
    with pytest.raises(HyperparameterError, match="output_size must be one of the lengths"):
        layer(x, output_size=(9, 7))


def test_repr_names_what_differs_from_the_default():
    text = repr(nn.Conv2d(2, 4, 3, padding="same", groups=2, bias=False))
    assert "Conv2d(2, 4, kernel_size=(3, 3), padding='same', groups=2, bias=False)" in text


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            lambda: nn.conv2d(single(1, 3, 5, 5), single(4, 2, 3, 3)),
            r"conv2d: x must have 2 channels .*got x of shape \(1, 3, 5, 5\) with 3",
        ),
        (
            lambda: nn.conv2d(single(1, 4, 5, 5), single(3, 2, 3, 3), groups=2),
            r"groups must divide the channels that come out, got groups=2 and weight of shape",
        ),
        (
            lambda: nn.conv2d(single(1, 2, 5, 4), single(3, 2, 3, 7), padding=1),
            r"kernel must fit the padded x, got a kernel of \(3, 7\) .*padded \(7, 6\)",
        ),
        (lambda: nn.conv1d(single(2, 5), single(3, 4, 2, 2)), "weight must be .* with 1 kernel"),
        (lambda: nn.conv3d(single(2, 3, 4), single(1, 3, 1, 1, 1)), "depth, height, width"),
        (
            lambda: nn.conv1d(single(1, 2, 5), single(3, 2, 2), single(2)),
            r"bias must have one number for each channel that comes out, shape \(3,\), got \(2,\)",
        ),
        (
            lambda: nn.conv_transpose1d(single(1, 3, 5), single(2, 3, 2)),
            r"x must have 2 channels \(weight.shape\[0\]\)",
        ),
        (
            lambda: nn.conv_transpose1d(single(1, 2, 2), single(2, 3, 2), padding=2),
            "at least one element an axis",
        ),
        (
            lambda: nn.conv1d(single(1, 2, 3), single(2, 2, 3), padding=3, padding_mode="reflect"),
            "mode 'reflect' can add at most 2 elements",
        ),
    ],
)
def test_shapes_that_do_not_fit_are_refused_and_named(call, says):
    with pytest.raises(ShapeError, match=says):
        call()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: nn.Conv2d(0, 1, 3), "in_channels must be an integer >= 1, got 0"),
        (lambda: nn.Conv2d(3, 4, 3, groups=2), "groups must divide in_channels and out_channels"),
        (lambda: nn.Conv2d(2, 4, (3, 3, 3)), "one for each of the 2 spatial axes"),
        (lambda: nn.Conv2d(2, 4, 3, stride=0), "stride must be an integer >= 1"),
        (lambda: nn.Conv1d(2, 4, 3, dilation=1.5), "dilation must be an integer >= 1"),
        (lambda: nn.Conv1d(2, 4, 3, padding=-1), "padding must be an integer >= 0"),
        (lambda: nn.Conv1d(2, 4, 3, padding="full"), '"same" or "valid", got \'full\''),
        (lambda: nn.Conv1d(2, 4, 3, stride=2, padding="same"), "must go with stride 1"),
        (lambda: nn.Conv1d(2, 4, 3, padding_mode="mirror"), "padding_mode must be one of"),
        (
            lambda: nn.conv_transpose1d(single(1, 2, 2), single(2, 3, 2), output_padding=1),
            "output_padding must be smaller than stride or dilation",
        ),
    ],
)
def test_settings_out_of_range_are_refused(make, says):
    with pytest.raises(HyperparameterError, match=says):
        make()


def test_two_dtypes_and_two_devices_are_refused():
    layer = nn.Conv1d(2, 3, 2)
    with pytest.raises(DtypeError, match="conv1d: x must be float32 like weight, got float64"):
        layer(np.zeros((1, 2, 4)))
    with pytest.raises(DeviceError, match="conv1d: all arrays must be on one device"):
        layer(ig.array(single(1, 2, 4), device="strict"))


def test_windows_are_cut_into_blocks_that_cover_each_of_them_once():
    geometry = Geometry((7, 5), (3, 2), (2, 1), (1, 2), ((1, 1), (0, 1)))
    assert geometry.counts == (4, 4)
    for limit in (1, 30, 100, 1000, 10**6):
        seen = np.zeros((3, *geometry.counts), int)
        for block in geometry.blocks(3, 6, limit):
            seen[block.items, block.rows] += 1
            assert block.n_items * block.n_windows * 6 <= max(limit, 24)
        assert_array_equal(seen, 1)
