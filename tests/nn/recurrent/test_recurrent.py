"""Recurrent layers beyond torch's numbers: carried states, edges, first values, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import isograd as ig
from isograd import nn
from isograd.backend.errors import DtypeError, HyperparameterError, ShapeError

KINDS = pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
CELLS = pytest.mark.parametrize("kind", [nn.RNNCell, nn.GRUCell, nn.LSTMCell])


def made(kind, *args, **options):
    return kind(*args, **options, dtype="float64", generator=ig.random.Generator(0))


def drawn(*shape):
    return np.random.RandomState(0).randn(*shape)


def first(state):
    """The hidden state of a layer's state."""
    return state[0] if isinstance(state, tuple) else state


@KINDS
def test_a_state_that_is_carried_on_makes_two_parts_one_sequence(kind, device):
    layer, x = made(kind, 2, 3, 2), ig.array(drawn(5, 2, 2))
    whole, last = layer(x)
    start, state = layer(x[:2, ...])
    rest, end = layer(x[2:, ...], state)
    for found, expected in ((start, whole[:2, ...]), (rest, whole[2:, ...])):
        assert_allclose(ig.to_numpy(found.detach()), ig.to_numpy(expected.detach()), rtol=1e-12)
    assert_allclose(ig.to_numpy(first(end).detach()), ig.to_numpy(first(last).detach()), rtol=1e-12)


@KINDS
def test_the_reverse_direction_is_the_forward_one_of_the_reversed_sequence(kind):
    layer, x = made(kind, 2, 3, bidirectional=True), drawn(4, 2, 2)
    weights = layer.state_dict()
    swapped = {name.replace("_l0_reverse", "_x"): w for name, w in weights.items()}
    for name in list(weights):
        if name.endswith("_reverse"):
            plain = name.removesuffix("_reverse")
            swapped[plain], swapped[name] = weights[name], weights[plain]
    other = made(kind, 2, 3, bidirectional=True)
    other.load_state_dict({name: w for name, w in swapped.items() if not name.endswith("_x")})
    y, y_reversed = layer(x)[0].data, other(np.ascontiguousarray(x[::-1]))[0].data
    assert_allclose(y[..., 3:], y_reversed[::-1, :, :3], rtol=1e-12)


@KINDS
def test_lengths_give_each_sequence_what_it_gets_alone(kind):
    layer, x, lengths = made(kind, 2, 3, 2, bidirectional=True), drawn(5, 3, 2), [4, 1, 5]
    y, last = layer(x, lengths=lengths)
    for b, n in enumerate(lengths):
        alone, last_alone = layer(x[:n, b, :])
        assert_allclose(y.data[:n, b], alone.data, rtol=1e-12)
        assert_array_equal(y.data[n:, b], np.zeros((5 - n, 6)))
        assert_allclose(first(last).data[:, b], first(last_alone).data, rtol=1e-12)


@KINDS
def test_a_layer_is_its_cell_from_step_to_step(kind):
    layer, x = made(kind, 2, 3), drawn(3, 2, 2)
    cell = getattr(nn, f"{kind.__name__}Cell")(2, 3, dtype="float64")
    cell.load_state_dict({n.removesuffix("_l0"): w for n, w in layer.state_dict().items()})
    state, outputs = None, []
    for step in x:
        state = cell(step, state)
        outputs.append(first(state).data)
    assert_allclose(layer(x)[0].data, np.stack(outputs), rtol=1e-12)


@KINDS
def test_an_empty_batch_has_empty_outputs_and_gradients_of_zero(kind, device):
    layer = made(kind, 2, 3)
    y, last = layer(ig.array(np.zeros((4, 0, 2))))
    assert tuple(y.shape) == (4, 0, 3)
    assert tuple(first(last).shape) == (1, 0, 3)
    y.backward(y.detach())
    assert not np.any(ig.to_numpy(layer.weight_hh_l0.grad))


@KINDS
def test_the_layout_of_the_input_in_memory_does_not_matter(kind):
    layer, x = made(kind, 2, 3), drawn(4, 3, 2)
    wide = np.zeros((8, 3, 4))
    wide[::2, :, ::2] = x
    assert_array_equal(layer(wide[::2, :, ::2])[0].data, layer(x)[0].data)
    assert_array_equal(layer(np.asfortranarray(x))[0].data, layer(x)[0].data)


@KINDS
def test_it_learns_to_remember_the_first_of_four_bits(kind):
    bits = np.random.RandomState(3).randint(0, 2, (4, 16, 1))
    layer = kind(1, 6, generator=ig.random.Generator(1))
    head = nn.Linear(6, 2, generator=ig.random.Generator(2))
    optimizer = nn.Adam([*layer.parameters(), *head.parameters()], lr=0.05)
    x, labels = bits.astype(np.float32), bits[0, :, 0]
    for _ in range(80):
        loss = nn.cross_entropy(head(layer(x)[0][-1, ...]), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert float(loss) < 0.05


def test_dropout_acts_between_layers_and_in_training_alone():
    x = drawn(3, 2, 2)
    layer = made(nn.LSTM, 2, 3, 2, dropout=0.5)
    plain = layer.eval()(x)[0].data
    assert_array_equal(plain, made(nn.LSTM, 2, 3, 2)(x)[0].data)
    assert np.any(layer.train()(x)[0].data != plain)
    with pytest.warns(UserWarning, match="dropout=0.5 acts between layers, and there is only one"):
        nn.GRU(2, 3, dropout=0.5)


@CELLS
def test_first_values_are_uniform_within_one_over_the_root_of_the_units(kind):
    for p in kind(30, 25, generator=ig.random.Generator(0)).parameters():
        assert np.abs(p.data).max() <= 0.2
        assert_allclose(p.data.std(), 0.2 / np.sqrt(3.0), rtol=0.2)


@KINDS
def test_a_state_of_another_batch_size_is_refused(kind, device):
    layer = made(kind, 2, 3)
    _, state = layer(ig.array(drawn(4, 2, 2)))
    says = r"state must have the shape .* = \(1, 5, 3\), got \(1, 2, 3\); .* another batch"
    with pytest.raises(ShapeError, match=says):
        layer(ig.array(drawn(4, 5, 2)), state)


@pytest.mark.parametrize(
    ("lengths", "says"),
    [
        ([1, 5], r"lengths must be from 1 to 4, the steps of x, got 5"),
        ([0, 4], r"got 0; leave empty sequences out"),
        ([2], r"shape \(batch,\) = \(2,\).*got \(1,\)"),
        ([[2, 1]], r"got \(1, 2\)"),
    ],
)
def test_lengths_that_do_not_fit_are_refused(lengths, says, device):
    with pytest.raises(ShapeError, match=says):
        made(nn.GRU, 2, 3)(ig.array(drawn(4, 2, 2)), lengths=ig.array(lengths))


def test_lengths_that_are_no_integers_are_refused():
    with pytest.raises(DtypeError, match="lengths must be integers, got float64"):
        made(nn.LSTM, 2, 3)(drawn(4, 2, 2), lengths=np.array([1.0, 2.0]))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: made(nn.LSTM, 2, 3)(drawn(4, 2, 5)), r"LSTM: x must be \(time, batch, 2\)"),
        (lambda: made(nn.GRU, 2, 3, batch_first=True)(drawn(4)), r"x must be \(batch, time, 2\)"),
        (lambda: made(nn.RNN, 2, 3)(drawn(0, 4, 2)), "at least one step"),
        (lambda: made(nn.LSTM, 2, 3)(drawn(4, 1, 2), drawn(1, 1, 3)), "a pair"),
        (lambda: made(nn.GRUCell, 2, 3)(drawn(4, 5)), r"x.shape\[-1\] must equal the input size"),
        (lambda: made(nn.GRUCell, 2, 3)(drawn(4, 1, 2)), r"must be \(batch, features\)"),
        (lambda: made(nn.RNNCell, 2, 3)(drawn(4, 2), drawn(2, 3)), r"hidden must have the shape"),
        (lambda: nn.rnn(drawn(3, 1, 2), drawn(1, 3), drawn(3, 2), drawn(3, 2)), "weight_hh must"),
        (lambda: nn.gru_cell(drawn(1, 2), drawn(1, 3), drawn(6, 2), drawn(9, 3)), "weight_ih must"),
        (lambda: projected(weight_hr=drawn(3, 3)), r"weight_hr must have the shape \(2, 3\), got"),
        (lambda: projected(hidden=drawn(1, 3)), r"hidden must have the shape \(1, 2\).*\(1, 3\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(call, says):
    with pytest.raises(ShapeError, match=says):
        call()


def projected(hidden=None, weight_hr=None):
    """lstm() of two numbers, three units, and hidden states that are projected to two."""
    hidden = drawn(1, 2) if hidden is None else hidden
    weight_hr = drawn(2, 3) if weight_hr is None else weight_hr
    weights = drawn(12, 2), drawn(12, 2)
    return nn.lstm(drawn(4, 1, 2), hidden, drawn(1, 3), *weights, weight_hr=weight_hr)


def test_a_projection_makes_the_hidden_states_smaller_and_not_the_cells():
    layer = nn.LSTM(5, 4, 2, bidirectional=True, proj_size=3)
    y, (hidden, cell) = layer(np.zeros((7, 2, 5), np.float32))
    assert (y.shape, hidden.shape, cell.shape) == ((7, 2, 6), (4, 2, 3), (4, 2, 4))
    assert "LSTM(5, 4, proj_size=3, num_layers=2, bidirectional=True)" in repr(layer)
    with pytest.raises(ShapeError, match=r"proj_size\) = \(4, 2, 3\), got \(4, 2, 4\)"):
        layer(np.zeros((7, 2, 5), np.float32), (cell, cell))


def test_two_dtypes_are_refused():
    with pytest.raises(DtypeError, match="lstm: x must be float32 like weight_ih, got float64"):
        nn.LSTM(2, 3)(drawn(4, 1, 2))


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.LSTM(0, 3),
        lambda: nn.GRU(2, 3, 0),
        lambda: nn.RNN(2, 3, 2, dropout=1.5),
        lambda: nn.LSTM(2, 3, proj_size=3),
        lambda: nn.LSTM(2, 3, proj_size=-1),
        lambda: nn.RNN(2, 3, nonlinearity="sigmoid"),
        lambda: nn.RNNCell(2, 3, nonlinearity="Tanh"),
        lambda: nn.LSTMCell(2, 2.5),
    ],
)
def test_settings_that_mean_nothing_are_refused(make):
    with pytest.raises(HyperparameterError, match="must be"):
        make()
