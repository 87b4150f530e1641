"""The NumPy kernels of pooling, on NumPy alone and compiled, against the definitions."""

import numpy as np
import pytest

from isograd.backend import settings_override
from isograd.backend.geometry import Geometry
from isograd.kernels import pooling
from isograd.kernels.threads import threads
from isograd.kernels.windows import window_numbers
from isograd.nn.pooling import windows

NO = ((0, 0), (0, 0))
CASES = {
    "2 x 2": Geometry((8, 70), (2, 2), (2, 2), (1, 1), NO),
    "2 x 2 of odd lengths": Geometry((9, 39), (2, 2), (2, 2), (1, 1), NO),
    "2 x 2 beyond the end": Geometry((5, 7), (2, 2), (2, 2), (1, 1), ((0, 1), (0, 1))),
    "one element": Geometry((1, 1), (1, 1), (1, 1), (1, 1), NO),
    "windows that overlap": Geometry((9, 20), (3, 3), (2, 2), (1, 1), ((1, 1), (1, 1))),
    "windows apart": Geometry((9, 8), (2, 1), (3, 2), (1, 1), NO),
    "dilation": Geometry((9, 8), (2, 3), (1, 2), (3, 2), ((1, 1), (1, 1))),
    "a border alone": Geometry((2, 3), (2, 2), (1, 1), (3, 1), ((1, 1), (1, 1))),
    "a sequence": Geometry((30,), (3,), (2,), (1,), ((1, 0),)),
    "a volume": Geometry((4, 5, 6), (2, 2, 2), (2, 2, 2), (1, 1, 1), ((0, 0), (0, 1), (1, 1))),
}


def drawn(name, values="all different", dtype="float32"):
    """The geometry, x (2, 3, ...), and dy for its windows."""
    geometry, random = CASES[name], np.random.RandomState(4)
    x = random.randn(2, 3, *geometry.lengths)
    if values != "all different":
        x = random.randint(-1, 2, x.shape).astype(dtype)
    if values == "not finite":
        strange = np.array([np.nan, -np.inf, -np.inf, np.inf])
        x = np.where(random.rand(*x.shape) < 0.5, random.choice(strange, x.shape), x)
        x[0, 0] = -np.inf
    dy = random.randint(1, 9, (2, 3, *geometry.counts))  # sums of which have no rounding
    return geometry, x.astype(dtype), dy.astype(dtype)


def expected_max(geometry, x, dy):
    """y and dx by the places that the definition finds."""
    places = windows.regular_places(geometry)
    found, empty = windows.max_places(x, places), windows._are_empty(places)
    y, dx = windows.largest(x, found, places), np.zeros((6, x[0, 0].size), x.dtype)
    for dx_own, own, dy_own in zip(dx, found.reshape(6, -1), dy.reshape(6, -1), strict=True):
        for place, d, is_empty in zip(own, dy_own, empty, strict=True):
            dx_own[place] += 0.0 if is_empty else d
    return y, dx.reshape(x.shape)


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("values", ["all different", "many equal"])
@pytest.mark.parametrize("name", CASES)
def test_the_largest_element_and_its_gradient_are_the_definitions(name, values, dtype):
    geometry, x, dy = drawn(name, values, dtype)
    y, dx = expected_max(geometry, x, dy)
    found = pooling.forward(x, geometry=geometry)
    if found is NotImplemented:
        assert not np.all(np.isfinite(y))  # a border alone
        return
    assert np.array_equal(found, y)
    assert np.array_equal(pooling.backward(dy, x, found, geometry)[0], dx)


@pytest.mark.parametrize("name", CASES)
def test_compiled_loops_choose_among_numbers_that_are_none_as_the_definition(name, loops):
    del loops
    geometry, x, dy = drawn(name, "not finite")
    y, dx = expected_max(geometry, x, dy)
    found = pooling.forward(x, geometry=geometry)
    assert np.array_equal(found, y, equal_nan=True)
    assert np.array_equal(pooling.backward(dy, x, found, geometry)[0], dx)


@pytest.mark.parametrize("name", CASES)
def test_compiled_sums_agree_with_the_definitions(name, loops):
    del loops
    geometry, x, dy = drawn(name)
    with settings_override(disable_kernels=True):
        sums = windows.window_sum(x.astype(float), geometry=geometry)
        spread = windows.window_spread(dy, geometry=geometry)
    found = pooling.window_sum(x, geometry=geometry)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, sums, rtol=1e-6, atol=1e-5)
    assert np.array_equal(pooling.window_spread(dy, geometry=geometry), spread)


@pytest.mark.usefixtures("compiled")
def test_arrays_that_are_not_contiguous_are_served():
    geometry, x, dy = drawn("windows that overlap")
    y, dx = expected_max(geometry, x, dy)
    assert np.array_equal(pooling.forward(np.asfortranarray(x), geometry=geometry), y)
    found = pooling.backward(np.asfortranarray(dy), np.asfortranarray(x), y, geometry)[0]
    assert np.array_equal(found, dx)


@pytest.mark.parametrize("name", ["2 x 2", "windows that overlap"])
def test_the_number_of_threads_changes_no_bit(name, loops, monkeypatch):
    del loops
    monkeypatch.setattr(pooling, "PART", 1)
    geometry, x, dy = drawn(name)
    found = []
    for n in (1, 2, 3):
        with threads(n):
            y = pooling.forward(x, geometry=geometry)
            dx = pooling.backward(dy, x, y, geometry)[0]
            found.append((y, dx, pooling.window_sum(x, geometry=geometry)))
    for more in found[1:]:
        for one, other in zip(found[0], more, strict=True):
            assert np.array_equal(one, other)


def test_compiled_loops_decline_what_they_do_not_take(loops):
    del loops
    geometry, x, _ = drawn("2 x 2")
    assert pooling.window_sum(x.astype(float), geometry=geometry) is NotImplemented
    assert pooling.window_sum(x[:0], geometry=geometry) is NotImplemented
    with settings_override(compiled=False):
        assert pooling.window_sum(x, geometry=geometry) is NotImplemented


@pytest.mark.parametrize(
    "name", ["window_max", "window_max_backward", "window_sum", "window_spread"]
)
def test_arrays_that_do_not_fit_are_refused(name, loops):
    geometry, x, dy = drawn("2 x 2")
    numbers = (1, 1, *window_numbers(geometry))
    given = {
        "window_max": [dy, x],
        "window_max_backward": [np.zeros_like(x), dy, x, dy],
        "window_sum": [dy, x],
        "window_spread": [x, dy],
    }[name]
    loop = getattr(loops, name)
    loop(*given, *numbers)
    for i, array in enumerate(given):
        shorter = [*given[:i], array[1:], *given[i + 1 :]]
        with pytest.raises(ValueError, match=r"argument \d must have"):
            loop(*shorter, *numbers)
    with pytest.raises(ValueError, match="no windows"):
        loop(*given, 0, *numbers[1:])
    with pytest.raises(TypeError, match="arguments"):
        loop(*given, *numbers[1:])
