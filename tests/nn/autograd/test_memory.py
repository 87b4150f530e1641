"""What the tape keeps alive, how long, and that nothing is left behind."""

import gc
import tracemalloc
import weakref

import numpy as np
import pytest

import isograd as ig
from isograd.backend import array_namespace

xp = ig.wrap_namespace(np)


def leaf(values):
    return ig.Tensor(np.array(values, dtype=np.float64), requires_grad=True)


def total(x):
    return array_namespace(x).sum(x)


@pytest.fixture
def no_garbage_collection():
    """What dies here dies by reference counts: a reference cycle would keep its arrays."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


# -- only what a rule names ---------------------------------------------------------------------

MATRIX = np.array([[0.5, 1.5], [0.25, 0.75]])

# op of one recorded array: (op, whether its input is kept, whether its output is kept)
KEPT = {
    "add": (lambda x: x + 1.0, False, False),
    "subtract": (lambda x: 1.0 - x, False, False),
    "negative": (lambda x: -x, False, False),
    "scaled": (lambda x: x * 2.0, False, False),
    "times constant": (lambda x: x * MATRIX, False, False),
    "over constant": (lambda x: x / MATRIX, False, False),
    "exp": (lambda x: xp.exp(x), False, True),
    "sqrt": (lambda x: xp.sqrt(x), False, True),
    "tanh": (lambda x: xp.tanh(x), False, True),
    "log": (lambda x: xp.log(x), True, False),
    "sin": (lambda x: xp.sin(x), True, False),
    "square": (lambda x: x * x, True, False),
    "matmul constant": (lambda x: x @ MATRIX, True, False),
    "sum": (lambda x: xp.sum(x, axis=0), False, False),
    "mean": (lambda x: xp.mean(x), False, False),
    "astype": (lambda x: xp.astype(x, xp.float32), False, False),
    "where": (lambda x: xp.where(MATRIX > 1.0, x, 0.0), False, False),
    "take": (lambda x: xp.take(x, np.array([0, 0]), axis=0), False, False),
    "integer array": (lambda x: x[np.array([0, 0])], False, False),
    "concat": (lambda x: xp.concat([x, x]), False, False),
    "stack": (lambda x: xp.stack([x, x]), False, False),
}


@pytest.mark.parametrize("name", KEPT)
def test_only_what_a_rule_names_is_kept_alive(name, no_garbage_collection):
    op, keeps_input, keeps_output = KEPT[name]
    x = leaf(MATRIX) + 0.0
    y = op(x)
    after = y + 1.0  # keeps neither of its inputs: the node of op alone does
    inputs, outputs = weakref.ref(x.data), None
    if isinstance(y.data, np.ndarray):  # a 0-d result is a NumPy scalar: it has no weak references
        outputs = weakref.ref(y.data)
    del x, y
    kept_input = inputs() is not None
    kept_output = outputs is not None and outputs() is not None
    # matmul names both of its matrices in both of its rules: the shapes decide the formula
    assert (kept_input, kept_output) == (keeps_input, keeps_output)
    total(after).backward()


def test_an_input_that_needs_no_gradient_is_not_kept_for_it(no_garbage_collection):
    x = leaf(MATRIX) + 0.0
    constant = np.array(MATRIX)
    y = x * constant
    alive, gone = weakref.ref(constant), weakref.ref(x.data)
    del x, constant
    assert alive() is not None
    assert gone() is None
    del y
    assert alive() is None


def test_nothing_is_kept_without_a_recording(no_garbage_collection):
    x = ig.Tensor(np.array(MATRIX))
    data = weakref.ref(x.data)
    y = xp.log(x) * x
    del x
    assert data() is None
    assert not y.requires_grad


# -- how long -----------------------------------------------------------------------------------


def test_saved_arrays_die_with_the_result(no_garbage_collection):
    x = leaf(MATRIX)
    y = xp.exp(x)
    saved = weakref.ref(y.data)
    loss = total(y * 1.0)
    del y
    assert saved() is not None
    del loss
    assert saved() is None


def test_saved_arrays_die_with_pull(no_garbage_collection):
    saved = []

    def f(x):
        y = xp.exp(x)
        saved.append(weakref.ref(y.data))
        return y + 1.0

    _, pull = ig.vjp(f, np.array(MATRIX))
    assert saved[0]() is not None
    pull(np.ones((2, 2)))
    del pull
    assert saved[0]() is None


def test_saved_arrays_are_freed_while_backward_walks(no_garbage_collection):
    """When the first op's rule runs, what the later ops saved is gone; the loss is still held."""
    alive = []

    @ig.differentiable
    def probe(x):
        return x * 1.0

    @probe.backward
    def _(dy):
        alive.extend(reference() is not None for reference in saved)
        return dy

    y = probe(leaf(MATRIX))
    saved = []
    for _ in range(3):
        y = xp.tanh(y)
        saved.append(weakref.ref(y.data))
    loss = total(y)
    del y
    assert all(reference() is not None for reference in saved)
    loss.backward()
    assert alive == [False, False, False]


def test_a_kept_graph_keeps_its_saved_arrays(no_garbage_collection):
    y = xp.exp(leaf(MATRIX))
    saved = weakref.ref(y.data)
    loss = total(y)
    del y
    loss.backward(retain_graph=True)
    assert saved() is not None
    loss.backward()
    assert saved() is None


def test_backward_needs_memory_for_a_few_arrays_only():
    """A chain of 40 saved arrays: the walk's peak is below the forward pass's memory plus four."""
    size = 2**15
    x = leaf(np.linspace(-1.0, 1.0, size))
    tracemalloc.start()
    try:
        y = x
        for _ in range(40):
            y = xp.tanh(y)
        loss = total(y)
        del y
        forward, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        loss.backward()
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert forward > 40 * size * 8
    assert peak < forward + 4 * size * 8
    assert after < 3 * size * 8


# -- nothing is left behind ---------------------------------------------------------------------


def objects_left_by(step, n):
    """How many more objects the collector tracks after n steps than before; none may be garbage."""
    for _ in range(5):
        step()
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(n):
        step()
    return len(gc.get_objects()) - before


def test_a_thousand_training_steps_leave_nothing_behind(no_garbage_collection):
    weight, bias = leaf(MATRIX), leaf([0.0, 1.0])
    x = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])

    def step():
        y = xp.tanh(x @ weight.T + bias)
        y[0] = y[1] * 2.0
        total(xp.exp(y) * xp.concat([y, y])[:3]).backward()
        weight.grad = bias.grad = None

    assert objects_left_by(step, 1000) < 10


def test_a_step_that_is_never_walked_leaves_nothing_behind(no_garbage_collection):
    x = leaf(MATRIX)
    assert objects_left_by(lambda: total(xp.exp(x) @ x), 200) < 10


@pytest.mark.parametrize(
    "step",
    [
        lambda: ig.grad(ig.grad(lambda x: x * x * x))(np.float64(2.0)),
        lambda: ig.jvp(xp.tanh, (MATRIX,), (MATRIX,)),
        lambda: ig.hvp(lambda x: total(xp.exp(x)), (MATRIX,), (MATRIX,)),
        lambda: ig.hessian(lambda x: total(x**3.0))(np.ones(2)),
        lambda: total(ig.checkpoint(xp.exp, leaf(MATRIX))).backward(),
    ],
    ids=["grad of grad", "jvp", "hvp", "hessian", "checkpoint"],
)
def test_transforms_leave_nothing_behind(step, no_garbage_collection):
    assert objects_left_by(step, 50) < 10


def test_an_error_of_the_library_is_not_its_own_cause(no_garbage_collection):
    """`raise error from error` is a reference cycle that holds the arrays of every frame."""
    with pytest.raises(ValueError, match="broadcast") as caught:
        leaf([1.0, 2.0]) + leaf([1.0, 2.0, 3.0])
    assert caught.value.__cause__ is None
    with pytest.raises(ValueError, match=r"mismatch|align") as caught:
        leaf([1.0, 2.0]) @ leaf([1.0, 2.0, 3.0])
    assert caught.value.__cause__ is None


def test_a_thousand_steps_need_no_more_memory_than_one():
    x = leaf(np.ones((64, 64)))

    def step():
        total(xp.tanh(x @ x)).backward()
        x.grad = None

    step()
    tracemalloc.start()
    try:
        for _ in range(10):
            step()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(300):
            step()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 64 * 64 * 8
