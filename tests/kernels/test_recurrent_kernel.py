"""The NumPy kernel of the LSTM, with and without compiled loops, against its definition."""

import numpy as np
import pytest

import isograd as ig
from isograd.backend import settings_override, tolerance
from isograd.kernels import recurrent
from isograd.kernels.sequences import ROWS, packed
from isograd.kernels.threads import threads
from isograd.nn.recurrent.lstm import lstm_scan

# time, batch, units: one of each; odd ones; more rows than a thread takes at a time
SHAPES = [(1, 1, 1), (3, 5, 7), (2, 4, 16), (5, ROWS + 3, 33)]


def inputs(time, batch, n, dtype="float32"):
    """inputs, hidden, cell, weight, and a cotangent for each result."""
    random = np.random.RandomState(time + batch + n)
    shapes = [(time, batch, 4 * n), (batch, n), (batch, n), (4 * n, n)]
    dys = [(time, batch, n), (batch, n), (batch, n)]
    return tuple([random.randn(*shape).astype(dtype) for shape in part] for part in (shapes, dys))


def results(given, dys, valid=None, **options):
    """Outputs, last states and the gradients of all inputs."""
    tensors = [ig.Tensor(x, requires_grad=True) for x in given]
    ys = lstm_scan(*tensors, None, valid, **options)
    total = sum((y * dy).sum() for y, dy in zip(ys, dys, strict=True))
    total.backward()
    return [*(y.data for y in ys), *(t.grad for t in tensors)]


def lengths(time, batch):
    """Boolean (time, batch, 1): sequences of 1, 2, ... steps."""
    return np.arange(time)[:, None, None] <= (np.arange(batch) % time)[None, :, None]


def assert_near(found, expected):
    """Within the dtype's tolerance of the largest number: the products are sums of many terms."""
    largest = max(1.0, float(np.max(np.abs(expected))))
    near = tolerance(found.dtype)
    assert np.max(np.abs(found - expected)) <= (near.rtol + near.atol) * largest


def assert_is_the_definition(given, dys, valid=None, **options):
    found = results(given, dys, valid, **options)
    exact = [[x.astype(np.float64) for x in part] for part in (given, dys)]
    with settings_override(disable_kernels=True):
        expected = results(*exact, valid, **options)
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == given[0].dtype
        assert_near(a, b)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_kernel_is_the_definition(compiled, shape, reverse):
    assert_is_the_definition(*inputs(*shape), reverse=reverse)


@pytest.mark.parametrize("reverse", [False, True])
def test_sequences_that_end_early_keep_their_last_states(compiled, reverse):
    assert_is_the_definition(*inputs(4, 6, 5), lengths(4, 6), reverse=reverse)


def test_float64_is_left_to_numpy(compiled, monkeypatch):
    given, dys = inputs(3, 2, 5, "float64")
    monkeypatch.setattr(recurrent, "lstm_steps", None)
    assert_is_the_definition(given, dys)


def test_cotangents_of_any_layout_are_taken(compiled):
    given, dys = inputs(3, 4, 5)
    turned = [np.asfortranarray(dy) for dy in dys]
    for a, b in zip(results(given, turned), results(given, dys), strict=True):
        assert np.array_equal(a, b)


def test_the_loops_take_part_where_they_are_built(loops, monkeypatch):
    called = []
    for name in ("lstm_steps", "lstm_steps_back"):
        own = getattr(recurrent, name)
        monkeypatch.setattr(
            recurrent, name, lambda *a, own=own, name=name: called.append(name) or own(*a)
        )
    results(*inputs(2, 3, 4))
    assert called == ["lstm_steps", "lstm_steps_back"]


def test_a_backward_pass_on_numpy_takes_what_loops_have_saved(loops):
    given, dys = inputs(4, 5, 6)
    expected = results(given, dys)
    tensors = [ig.Tensor(x, requires_grad=True) for x in given]
    total = sum((y * dy).sum() for y, dy in zip(lstm_scan(*tensors), dys, strict=True))
    with settings_override(compiled=False):
        total.backward()
    for tensor, dx in zip(tensors, expected[3:], strict=True):
        assert_near(tensor.grad, dx)


def test_saturated_gates_are_exact(compiled):
    given, dys = inputs(2, 2, 4)
    given[0] = np.where(given[0] > 0, np.float32(500.0), np.float32(-500.0))
    outputs = results(given, dys)
    assert all(np.all(np.isfinite(x)) for x in outputs)
    assert_is_the_definition(given, dys)


def test_nan_stays_in_its_sequence(compiled):
    given, dys = inputs(3, 6, 5)
    given[0][1, 2, 0] = np.nan
    y = results(given, dys)[0]
    assert np.isnan(y[1:, 2]).any()
    assert np.all(np.isfinite(np.delete(y, 2, axis=1)))
    assert np.all(np.isfinite(y[0]))


def test_bits_do_not_depend_on_the_number_of_threads(loops):
    given, dys = inputs(3, 2 * ROWS + 1, 20)
    found = []
    for n in (1, 2, 3):
        with threads(n):
            found.append(results(given, dys))
    for other in found[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(found[0], other, strict=True))


def test_sigmoid_and_tanh_are_within_two_units_in_the_last_place(loops):
    sizes = 10.0 ** np.random.RandomState(7).uniform(-6, 2, 20_000)
    z = np.concatenate([sizes, -sizes, [0.0, np.inf, -np.inf]]).astype(np.float32)
    inputs = np.repeat(z, 4).reshape(1, -1, 4)
    state = np.zeros((len(z), 1), np.float32)
    _, (gates, *_) = recurrent.lstm_forward(inputs, state, state, np.zeros((4, 1), np.float32))
    with np.errstate(over="ignore"):
        exact = 1.0 / (1.0 + np.exp(-z.astype(np.float64))), np.tanh(z.astype(np.float64))
    for found, expected in zip(gates[0, [0, 2], :, 0], exact, strict=True):
        unit = np.spacing(np.abs(expected).astype(np.float32)).astype(np.float64)
        assert np.max(np.abs(found - expected) / unit) <= 2.0


def test_panels_have_sixteen_columns_and_zeros_after_the_last(loops):
    matrix = np.arange(6, dtype=np.float32).reshape(3, 2)
    panels = packed(loops, matrix).reshape(3, 16)
    assert np.array_equal(panels[:, :2], matrix)
    assert not panels[:, 2:].any()
    turned = packed(loops, matrix, transposed=True).reshape(2, 16)
    assert np.array_equal(turned[:, :3], matrix.T)
    assert not turned[:, 3:].any()


def zeros(*sizes):
    return [np.zeros(n, np.float32) for n in sizes]


def lstm_arguments(time=2, batch=3, n=4):
    """What lstm_forward takes for all rows, of the right sizes; the sizes stand at the end."""
    states, steps = (time + 1) * batch * n, time * batch * n
    arrays = zeros(states, states, 4 * steps, steps, 4 * batch * n, 4 * steps, 64 * n, 0)
    return [*arrays, time, batch, n, 0, batch, False]


def lstm_backward_arguments(time=2, batch=3, n=4):
    states, steps = batch * n, time * batch * n
    sizes = (4 * steps, states, states, steps, 4 * steps, steps + states, steps, 16 * 4 * n, 0)
    return [*zeros(*sizes), time, batch, n, 0, batch, False]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("lstm_forward", lstm_arguments), ("lstm_backward", lstm_backward_arguments)],
)
def test_arrays_of_wrong_sizes_are_refused(loops, name, arguments):
    loop, n_arrays = getattr(loops, name), len(arguments()) - 6
    loop(*arguments(n=16))
    for i in range(n_arrays):
        given = arguments(n=16)
        given[i] = np.zeros(given[i].size + 1, np.float32)
        with pytest.raises(ValueError, match=f"argument {i} must have"):
            loop(*given)


@pytest.mark.parametrize("rows", [(-1, 2), (0, 4), (2, 1)])
def test_rows_outside_the_batch_are_refused(loops, rows):
    given = lstm_arguments()
    given[-3:-1] = rows
    with pytest.raises(ValueError, match="rows must lie in the batch"):
        loops.lstm_forward(*given)
