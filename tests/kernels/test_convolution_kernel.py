"""The NumPy kernels of convolution, on NumPy alone and compiled, against the definitions."""

import numpy as np
import pytest

from isograd.backend import settings_override
from isograd.backend.geometry import Geometry
from isograd.kernels import convolution, convolution_loops
from isograd.kernels.threads import threads
from isograd.kernels.windows import window_numbers
from isograd.nn.convolution import products

ONE, NO = ((1, 1), (1, 1)), ((0, 0), (0, 0))
# geometry, items, channels of a group that come in and go out
CASES = {
    "3 x 3": (Geometry((9, 7), (3, 3), (1, 1), (1, 1), ONE), 2, 3, 8),
    "one element": (Geometry((1, 1), (1, 1), (1, 1), (1, 1), NO), 1, 1, 1),
    "one element in a border": (Geometry((1, 1), (3, 3), (1, 1), (1, 1), ONE), 3, 2, 5),
    "1 x 1": (Geometry((5, 6), (1, 1), (1, 1), (1, 1), NO), 2, 9, 17),
    "more than a register": (Geometry((4, 33), (2, 3), (1, 1), (1, 1), NO), 1, 2, 3),
    "strides": (Geometry((11, 8), (3, 2), (2, 3), (1, 1), ONE), 2, 2, 4),
    "strides that leave out": (Geometry((9, 10), (1, 2), (3, 4), (1, 1), NO), 2, 3, 2),
    "dilation": (Geometry((9, 12), (3, 3), (1, 2), (2, 3), ((2, 2), (3, 1))), 2, 2, 6),
    "stride and dilation in step": (Geometry((12, 9), (3, 3), (2, 3), (2, 3), ONE), 1, 2, 2),
    "uneven padding": (Geometry((6, 5), (2, 4), (1, 1), (1, 1), ((0, 3), (5, 1))), 2, 1, 7),
    "groups": (Geometry((6, 5), (3, 3), (1, 1), (1, 1), ONE, 3), 2, 2, 10),
    "a channel a group": (Geometry((6, 20), (3, 3), (2, 1), (1, 1), ONE, 5), 2, 1, 1),
    "many channels": (Geometry((3, 3), (3, 3), (1, 1), (1, 1), ONE), 2, 5, 49),
    "parts of an item": (Geometry((60, 37), (3, 3), (1, 1), (1, 1), ONE), 1, 1, 2),
    "parts, strided": (Geometry((90, 70), (4, 3), (2, 1), (1, 2), ONE), 2, 1, 1),
    "a sequence": (Geometry((50,), (5,), (2,), (2,), ((4, 3),), 2), 2, 3, 4),
    "a volume": (Geometry((5, 4, 6), (2, 3, 3), (1, 2, 1), (2, 1, 1), ((1, 0), *ONE)), 2, 2, 3),
    "parts of a volume": (
        Geometry((9, 16, 17), (3, 2, 2), (2, 1, 1), (1, 1, 1), (*NO, (1, 0))),
        *(1, 1, 2),
    ),
}


def arrays_of(name, dtype="float32"):
    """The geometry, x, weight, bias, and dy like the result."""
    geometry, items, n_in, n_out = CASES[name]
    random, groups = np.random.RandomState(5), geometry.groups
    x = random.randn(items, groups * n_in, *geometry.lengths)
    weight = random.randn(groups * n_out, n_in, *geometry.window)
    dy = random.randn(items, groups * n_out, *geometry.counts)
    found = (x, weight, random.randn(groups * n_out), dy)
    return geometry, *(array.astype(dtype) for array in found)


def results(geometry, x, weight, bias, dy):
    """y and all gradients by the kernels."""
    y = convolution.product(x, weight, bias, geometry=geometry)
    needs = frozenset(("x", "weight", "bias"))
    return y, *convolution.product_backward(dy, x, weight, geometry, needs, {})


def by_definition(geometry, *arrays):
    """The same in float64 by the definitions."""
    x, weight, bias, dy = (array.astype(np.float64) for array in arrays)
    with settings_override(disable_kernels=True), np.errstate(invalid="ignore"):
        y = products.product(x, weight, bias, geometry=geometry)
        dx = products.transposed_product(dy, weight, geometry=geometry)
        dweight = products.weight_product(x, dy, geometry=geometry)
    return y, dx, dweight, dy.sum(axis=(0, *range(2, dy.ndim)))


def assert_close(found, expected, dtype="float32"):
    """Within some roundings of sums of so many terms."""
    bound = {"float32": 1e-5, "float64": 1e-13}[dtype]
    for a, b in zip(found, expected, strict=True):
        assert (a.dtype, a.shape) == (dtype, b.shape)
        np.testing.assert_allclose(a, b, rtol=bound, atol=bound * max(1.0, np.nanmax(np.abs(b))))


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_the_kernels_agree_with_the_definitions(name, dtype):
    arrays = arrays_of(name, dtype)
    before = [array.copy() for array in arrays[1:]]
    assert_close(results(*arrays), by_definition(*arrays), dtype)
    for array, copy in zip(arrays[1:], before, strict=True):
        assert np.array_equal(array, copy)


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("name", ["groups", "strides", "a sequence"])
def test_a_transposed_convolution_has_its_own_bias(name):
    geometry, _, weight, _, dy = arrays_of(name)
    bias = np.arange(weight.shape[1] * geometry.groups, dtype=np.float32)
    found = convolution.transposed_product(dy, weight, bias, geometry=geometry)
    with settings_override(disable_kernels=True):
        expected = products.transposed_product(dy, weight, bias, geometry=geometry)
    assert_close([found], [expected])


@pytest.mark.usefixtures("compiled")
def test_arrays_that_are_not_contiguous_are_served():
    geometry, x, weight, bias, dy = arrays_of("3 x 3")
    strange = (np.asfortranarray(x), np.asfortranarray(weight), bias, np.asfortranarray(dy))
    assert_close(results(geometry, *strange), by_definition(geometry, x, weight, bias, dy))


def test_compiled_loops_serve_every_case(loops):
    del loops
    for name in CASES:
        geometry, x, weight, bias, dy = arrays_of(name)
        given = (x, weight, bias, geometry)
        assert convolution_loops.product(*given, backward=False) is not NotImplemented, name
        assert convolution_loops.weight_product(x, dy, geometry) is not NotImplemented, name


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("many_sums", [2**18, 0], ids=["parts of items", "parts of channels"])
@pytest.mark.parametrize("name", ["many channels", "groups", "parts, strided"])
def test_the_number_of_threads_changes_no_bit(name, many_sums, monkeypatch):
    monkeypatch.setattr(convolution_loops, "PART", 100)
    monkeypatch.setattr(convolution_loops, "MANY_SUMS", many_sums)
    arrays, found = arrays_of(name), []
    for n in (1, 2, 3):
        with threads(n):
            found.append(results(*arrays))
    assert_close(found[0], by_definition(*arrays))
    for more in found[1:]:
        for one, other in zip(found[0], more, strict=True):
            assert np.array_equal(one, other)


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("name", ["3 x 3", "strides", "parts of an item", "a channel a group"])
def test_a_number_that_is_none_spoils_its_own_windows_alone(name):
    geometry, x, weight, bias, dy = arrays_of(name)
    x[0, 0, 2, -1] = np.nan
    dy[0, 0, -1, 0] = np.nan
    with np.errstate(invalid="ignore"):
        found = results(geometry, x, weight, bias, dy)[:2]
    assert all(np.isfinite(array).any() for array in found)
    assert_close(found, by_definition(geometry, x, weight, bias, dy)[:2])


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("groups", [1, 2])
def test_gradients_of_weight_and_bias_are_written_where_they_belong(groups, dtype):
    geometry = Geometry((9, 7), (3, 2), (2, 1), (1, 1), ((1, 1), (0, 1)), groups)
    random = np.random.RandomState(5)
    x, weight = random.randn(3, 4, 9, 7), random.randn(6, 4 // groups, 3, 2)
    dy = random.randn(3, 6, *geometry.counts)
    x, weight, dy = (array.astype(dtype) for array in (x, weight, dy))
    into = {"weight": np.full_like(weight, np.nan), "bias": np.full(6, np.nan, dtype)}
    dx, *found = convolution.product_backward(dy, x, weight, geometry, frozenset(into), into)
    assert dx is None
    assert found[0] is into["weight"]
    assert found[1] is into["bias"]
    expected = by_definition(geometry, x, weight, np.zeros(6), dy)[2:]
    assert_close(found, expected, dtype)
    needs = frozenset(["bias"])
    *none, dbias = convolution.product_backward(dy, x, weight, geometry, needs, {})
    assert none == [None, None]
    assert_close([dbias], expected[1:], dtype)


def calls(loops):
    """Each function of convolution with arrays that fit, and the windows' numbers."""
    geometry, x, weight, bias, dy = arrays_of("3 x 3")
    numbers = (x.shape[1], weight.shape[0], *window_numbers(geometry))
    (n_packed, n_scratch, n_parts), _, (n_sums, n_room) = loops.convolution_sizes(*numbers)
    packed, scratch = np.zeros(n_packed, np.float32), np.zeros(n_scratch, np.float32)
    sums, room = np.zeros(n_sums, np.float32), np.zeros(n_room, np.float32)
    stop = n_parts * len(x)
    return numbers, {
        "convolution_packed": ([packed, weight, bias], [False]),
        "convolution": ([np.zeros_like(dy), x, packed, scratch], [False, 0, stop]),
        "convolution_weights": ([sums, x, dy, room], [0, len(x), 0, 1]),
    }


@pytest.mark.parametrize("name", ["convolution_packed", "convolution", "convolution_weights"])
def test_arrays_that_do_not_fit_are_refused(name, loops):
    numbers, given = calls(loops)
    arrays, settings = given[name]
    loop = getattr(loops, name)
    loop(*arrays, *settings, *numbers)
    for i, array in enumerate(arrays):
        shorter = [*arrays[:i], array.reshape(-1)[:-1].copy(), *arrays[i + 1 :]]
        with pytest.raises(ValueError, match=r"argument \d"):
            loop(*shorter, *settings, *numbers)
        other = [*arrays[:i], array.astype(np.float64), *arrays[i + 1 :]]
        with pytest.raises(TypeError, match="float32"):
            loop(*other, *settings, *numbers)
    with pytest.raises(TypeError, match="arguments"):
        loop(*arrays, *settings, *numbers[:-1])


@pytest.mark.parametrize("name", ["convolution", "convolution_weights"])
def test_parts_that_are_not_there_are_refused(name, loops):
    numbers, given = calls(loops)
    arrays, settings = given[name]
    for i in range(int(name == "convolution"), len(settings)):
        for wrong in (-1, 1000):
            changed = [*settings[:i], wrong, *settings[i + 1 :]]
            with pytest.raises(ValueError, match="must be a part of 0 to"):
                getattr(loops, name)(*arrays, *changed, *numbers)


def test_windows_that_are_none_are_refused(loops):
    numbers, _ = calls(loops)
    for i in range(len(numbers)):
        for wrong in (-1, 2**40):
            with pytest.raises(ValueError, match=r"no windows|too large"):
                loops.convolution_sizes(*numbers[:i], wrong, *numbers[i + 1 :])
    huge = [*numbers[:3], *[2**31 - 1] * 18]
    with pytest.raises(ValueError, match=r"no windows|too large"):
        loops.convolution_sizes(*huge)
    with pytest.raises(TypeError, match="takes 21 arguments"):
        loops.convolution_sizes(1)


@pytest.mark.usefixtures("compiled")
def test_windows_too_large_for_the_loops_are_computed_on_numpy():
    geometry = Geometry((2, 2), (2, 2), (1, 1), (1, 1), NO)
    assert convolution_loops._plan(geometry, 2**20 + 1, 1) is None
    assert convolution_loops._plan(Geometry((4,) * 4, *[(1,) * 4] * 3, ((0, 0),) * 4), 1, 1) is None
