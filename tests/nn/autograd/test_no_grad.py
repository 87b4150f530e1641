"""no_grad: what rests within it, and who is not concerned - threads, coroutines, transforms."""

import asyncio
import contextvars
import threading

import numpy as np
import pytest

import isograd as ig
from isograd.backend import array_namespace


def leaf(values):
    return ig.Tensor(np.array(values, dtype=np.float64), requires_grad=True)


def total(x):
    return array_namespace(x).sum(x)


def records():
    """Whether an op records here."""
    return (leaf([1.0]) * 2.0).requires_grad


def test_nothing_is_recorded_within_no_grad(device):
    x = ig.Tensor(ig.array([1.0, 2.0]), requires_grad=True)
    xp = array_namespace(x)
    with ig.no_grad():
        results = [
            x * x,
            xp.exp(x),
            total(x),
            x @ x,
            x[0],
            xp.concat([x, x]),
            x.T if x.ndim > 1 else x + 1,
        ]
    for y in results:
        assert isinstance(y, ig.Tensor)
        assert not y.requires_grad
    assert records()


def test_blocks_nest():
    with ig.no_grad():
        with ig.no_grad():
            assert not records()
        assert not records()
    assert records()


def test_recording_goes_on_after_an_exception():
    with pytest.raises(KeyError), ig.no_grad():
        raise KeyError
    assert records()


def test_it_decorates_functions():
    @ig.no_grad()
    def evaluate():
        return records()

    assert not evaluate()
    assert not evaluate()
    assert records()


def test_a_transform_within_the_block_works(device):
    x = ig.array(3.0, dtype="float64")
    with ig.no_grad():
        assert float(ig.grad(lambda x: x * x)(x)) == 6.0
        assert float(ig.grad(ig.grad(lambda x: x * x * x))(x)) == 18.0
        y, push = ig.jvp(lambda x: x * x, (x,), (x,))
        assert (float(y), float(push)) == (9.0, 18.0)


def test_a_transform_within_the_block_sees_outer_leaves_as_constants():
    w = leaf([2.0, 3.0])
    with ig.no_grad():
        dx = ig.grad(lambda x: total(w * x * x))(np.ones(2))
    assert isinstance(dx, np.ndarray)
    np.testing.assert_array_equal(dx, [4.0, 6.0])


def test_a_block_within_a_transform_makes_constants(device):
    def f(x):
        with ig.no_grad():
            y = x * x
        return y * x

    x = ig.array(3.0, dtype="float64")
    assert float(ig.grad(f)(x)) == 9.0
    assert float(ig.grad(ig.grad(f))(x)) == 0.0


def test_a_transform_within_a_block_within_a_transform(device):
    """The innermost one records; what the middle block made is constant for the outer one."""

    def f(x):
        with ig.no_grad():
            slope = ig.grad(lambda y: y * y * x)(x)  # 2 x^2
        return slope * x

    assert float(ig.grad(f)(ig.array(3.0, dtype="float64"))) == 18.0


def test_backward_works_within_the_block():
    x = leaf([1.0, 2.0])
    loss = total(x * x)
    with ig.no_grad():
        loss.backward()
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])


# -- who is not concerned -----------------------------------------------------------------------


def test_other_threads_go_on_recording():
    inside, seen = threading.Event(), []

    def train():
        inside.wait(5.0)
        seen.append(records())

    thread = threading.Thread(target=train)
    thread.start()
    with ig.no_grad():
        inside.set()
        thread.join()
        assert not records()
    assert seen == [True]


def test_a_thread_within_no_grad_does_not_stop_the_others():
    entered, checked = threading.Event(), threading.Event()

    def evaluate():
        with ig.no_grad():
            entered.set()
            checked.wait(5.0)

    thread = threading.Thread(target=evaluate)
    thread.start()
    entered.wait(5.0)
    here = records()
    checked.set()
    thread.join()
    assert here


def test_coroutines_do_not_leak_into_each_other():
    """Thread-local flags do: torch 2.13's no_grad reaches the other coroutine."""
    seen = []

    async def evaluate():
        with ig.no_grad():
            await asyncio.sleep(0.0)
            seen.append(("evaluate", records()))
            await asyncio.sleep(0.0)

    async def train():
        for _ in range(4):
            seen.append(("train", records()))
            await asyncio.sleep(0.0)

    async def both():
        await asyncio.gather(evaluate(), train())

    asyncio.run(both())
    assert {recorded for who, recorded in seen if who == "train"} == {True}
    assert ("evaluate", False) in seen


def test_a_generator_holds_the_block_open_while_it_is_suspended():
    """It shares its caller's context, so the caller rests too until it ends: Python's own rule."""

    def evaluate():
        with ig.no_grad():
            yield records()

    running = evaluate()
    assert next(running) is False
    running.close()
    assert records()


def test_blocks_of_generators_may_end_in_any_order():
    """Restoring what was there at the start would open the outer block, or close it for good."""

    def evaluate():
        with ig.no_grad():
            yield

    first, second = evaluate(), evaluate()
    next(first)
    with ig.no_grad():
        next(second)
        first.close()
        assert not records()
    assert not records()  # the second generator is still within its block
    second.close()
    assert records()


def test_a_generator_may_be_closed_in_another_context():
    """A ContextVar's token would refuse that with a ValueError."""

    def evaluate():
        with ig.no_grad():
            yield

    running = evaluate()
    contextvars.copy_context().run(next, running)
    running.close()
    assert records()


# -- several trainings at once ------------------------------------------------------------------


def train(seed, n_steps=20):
    """Weights after some steps of a two-layer network, by hand-written updates."""
    generator = np.random.default_rng(seed)
    x, target = generator.normal(size=(16, 4)), generator.normal(size=(16, 2))
    weights = [leaf(generator.normal(size=shape)) for shape in ((4, 8), (8, 2))]
    xp = ig.wrap_namespace(np)
    for step in range(n_steps):
        y = xp.tanh(x @ weights[0]) @ weights[1]
        xp.mean((y - target) ** 2.0).backward()
        with ig.no_grad():
            for w in weights:
                w -= 0.1 * w.grad
                w.grad = None
        if step % 5 == 0:
            ig.grad(lambda x: xp.sum(xp.tanh(x @ weights[0])))(x)
    return [np.asarray(w.detach()) for w in weights]


def test_trainings_in_eight_threads_give_the_serial_results_bit_for_bit():
    serial = [train(seed) for seed in range(8)]
    parallel = [None] * 8
    barrier = threading.Barrier(8)

    def run(seed):
        barrier.wait(5.0)
        parallel[seed] = train(seed)

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for alone, together in zip(serial, parallel, strict=True):
        for a, b in zip(alone, together, strict=True):
            np.testing.assert_array_equal(a, b)
