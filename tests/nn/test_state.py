"""state_dict and load_state_dict: exact, checked in full before anything is written."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import isograd as ig
from isograd import nn
from isograd.backend.errors import CastOverflowError, DtypeError, StaleArrayError, StateDictError


class Counter(nn.Module):
    """A layer with a learned array, a buffer of each kind, and a tuple of buffers."""

    def __init__(self):
        self.weight = nn.Parameter(np.arange(3, dtype=np.float32))
        self.n_batches = np.asarray(7)
        self.moments = (np.zeros(2), np.ones(2))


def model(seed=0):
    generator = ig.random.Generator(seed)
    return nn.Sequential(
        nn.Linear(3, 4, activation="relu", generator=generator, device="cpu"),
        nn.Linear(4, 2, generator=generator, device="cpu"),
    )


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, x in expected.items():
        assert_array_equal(ig.to_numpy(found[name]), ig.to_numpy(x))


def test_names_are_those_of_torch():
    assert list(model().state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]


def test_a_state_is_a_copy_of_plain_arrays(device):
    layers = model().to(device)
    state = layers.state_dict()
    assert not any(isinstance(x, ig.Tensor) for x in state.values())
    assert {ig.device_of(x).name for x in state.values()} == {ig.current_device().name}
    before = ig.to_numpy(state["0.bias"]).copy()
    layers.load_state_dict(model(1).state_dict())
    assert_array_equal(ig.to_numpy(state["0.bias"]), before)


def test_a_loaded_state_gives_the_same_outputs(device):
    first, second = model(0).to(device), model(1).to(device)
    differences = second.load_state_dict(first.state_dict())
    assert differences == ([], [])
    x = ig.array(np.random.RandomState(0).randn(5, 3), "float32")
    assert_array_equal(ig.to_numpy(first(x).detach()), ig.to_numpy(second(x).detach()))


def test_a_state_of_another_device_or_library_is_taken(device):
    layers = model(1).to(device)
    layers.load_state_dict(model(0).state_dict())
    assert_same(layers.state_dict(), model(0).state_dict())
    assert {ig.device_of(p).name for p in layers.parameters()} == {ig.current_device().name}
    back = model(2)
    back.load_state_dict(layers.state_dict())
    assert_same(back.state_dict(), model(0).state_dict())


def test_parameters_keep_their_identity_and_own_their_memory():
    layers, state = model(), model(1).state_dict()
    before = layers.parameters()
    layers.load_state_dict(state)
    assert all(p is q for p, q in zip(layers.parameters(), before, strict=True))
    state["0.weight"][...] = 100.0
    assert_same(layers.state_dict(), model(1).state_dict())


def test_buffers_are_saved_and_loaded_in_their_places():
    layer = Counter()
    state = layer.state_dict()
    assert list(state) == ["weight", "n_batches", "moments.0", "moments.1"]
    state["n_batches"][...] = 8
    state["moments.1"][...] = 3.0
    layer.load_state_dict(state)
    assert int(layer.n_batches) == 8
    assert_array_equal(layer.moments[1], 3.0)
    assert isinstance(layer.moments, tuple)
    state["moments.1"][...] = 4.0
    assert_array_equal(layer.moments[1], 3.0)


def test_a_recorded_graph_is_stale_after_loading():
    layers = model()
    y = layers(np.ones((1, 3), dtype=np.float32))
    layers.load_state_dict(model(1).state_dict())
    with pytest.raises(StaleArrayError, match="changed in place"):
        y.backward(np.ones((1, 2), dtype=np.float32))


def test_missing_unexpected_and_misshaped_names_are_all_listed_and_nothing_is_written():
    layers, state = model(0), model(1).state_dict()
    state["0.wieght"] = state.pop("0.weight")
    state["1.bias"] = state["1.bias"][1:]
    state["extra"] = np.zeros(1)
    state["1.weight"] = [[1.0]]
    with pytest.raises(StateDictError) as caught:
        layers.load_state_dict(state)
    assert str(caught.value).splitlines() == [
        "load_state_dict: names and shapes must be those of the module; nothing was written",
        "  missing: 0.weight (4, 3)",
        "  unexpected: 0.wieght (did you mean 0.weight?), extra",
        "  mis-shaped: 1.weight must be an array, got list, 1.bias must be (2,), got (1,)",
    ]
    assert_same(layers.state_dict(), model(0).state_dict())


def test_a_long_list_of_names_is_cut():
    state = {f"unknown.{i}": np.zeros(1) for i in range(100)}
    with pytest.raises(StateDictError, match=r"unknown\.19, and 80 more"):
        model().load_state_dict({**model().state_dict(), **state})


def test_without_strict_other_names_are_passed_over_and_returned():
    layers, state = model(0), model(1).state_dict()
    del state["0.weight"]
    state["extra"] = np.zeros(1)
    differences = layers.load_state_dict(state, strict=False)
    assert differences.missing == ["0.weight"]
    assert differences.unexpected == ["extra"]
    assert_array_equal(layers[0].weight.data, model(0)[0].weight.data)
    assert_array_equal(layers[1].weight.data, model(1)[1].weight.data)


def test_without_strict_a_wrong_shape_is_still_refused():
    with pytest.raises(StateDictError, match=r"0.bias must be \(4,\), got \(1,\)"):
        model().load_state_dict({"0.bias": np.zeros(1)}, strict=False)


def test_a_wider_dtype_is_cast(device):
    layers = model(0).to(device)
    state = {name: x.astype(np.float64) for name, x in model(1).state_dict().items()}
    layers.load_state_dict(state)
    assert_same(layers.state_dict(), model(1).state_dict())
    assert str(layers[0].weight.dtype).endswith("float32")


def test_a_finite_value_that_would_become_infinite_is_refused_and_nothing_is_written():
    layers, state = model(0), model(1).state_dict()
    state["1.bias"] = np.array([1.0, 1e300])
    with pytest.raises(CastOverflowError, match=r"1\.bias.*float32.*nothing was written"):
        layers.load_state_dict(state)
    assert_same(layers.state_dict(), model(0).state_dict())


def test_infinite_values_are_loaded_as_they_are():
    layers, state = model(0), model(1).state_dict()
    state["1.bias"] = np.array([np.inf, np.nan])
    layers.load_state_dict(state)
    assert_array_equal(layers[1].bias.data, [np.inf, np.nan])


@pytest.mark.parametrize(
    ("name", "value"),
    [("n_batches", np.asarray(1.5)), ("weight", np.zeros(3, dtype=np.complex64))],
)
def test_another_kind_of_number_is_refused(name, value):
    layer = Counter()
    with pytest.raises(DtypeError, match=f"load_state_dict: {name} must be .* nothing was written"):
        layer.load_state_dict({**layer.state_dict(), name: value})


def test_an_integer_that_does_not_fit_is_refused():
    layer = Counter()
    layer.n_batches = np.asarray(0, dtype=np.int8)
    with pytest.raises(CastOverflowError, match=r"n_batches.*int8"):
        layer.load_state_dict({**layer.state_dict(), "n_batches": np.asarray(300)})


def test_a_shared_parameter_is_in_the_state_under_both_names():
    layers = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    layers[1].weight = layers[0].weight
    assert list(layers.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    layers.load_state_dict(layers.state_dict())


def test_tied_weights_may_be_given_under_one_of_their_names():
    layers = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    layers[1].weight = layers[0].weight
    state = {name: x + 1.0 for name, x in layers.state_dict().items()}
    first = state.pop("0.weight")
    assert layers.load_state_dict(state) == ([], [])
    assert_array_equal(layers[0].weight.data, first)
    del state["1.weight"]
    with pytest.raises(StateDictError, match=r"missing: 0.weight \(2, 2\), 1.weight \(2, 2\)"):
        layers.load_state_dict(state)
