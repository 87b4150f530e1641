"""listening(): every op of a block in order, its parts, its gradient; and nothing else changes."""

import threading

import numpy as np

import isograd as ig
from isograd import nn
from isograd.backend import array_namespace
from isograd.nn.autograd.listening import listening
from isograd.nn.autograd.ops.standard import BinaryOp, UnaryOp


def model_and_batch():
    ig.random.seed(0)
    model = nn.Sequential(nn.Linear(4, 8, activation="relu"), nn.Linear(8, 3))
    x = ig.array(np.linspace(-1.0, 1.0, 20, dtype="float32").reshape(5, 4))
    return model, x, ig.array([0, 1, 2, 0, 1])


def names(calls):
    return [str(call.op) for call in calls]


def gradients(model):
    return [ig.to_numpy(p.grad) for p in model.parameters()]


def test_the_outermost_ops_are_heard_in_order(device):
    model, x, labels = model_and_batch()
    with listening() as calls:
        nn.cross_entropy(model(x), labels)
    assert names(calls) == ["linear", "linear", "cross_entropy"]


def test_operators_and_functions_of_the_namespace_are_heard_once_each(device):
    x = ig.Tensor(ig.array([1.0, 2.0]), requires_grad=True)
    with listening() as calls:
        xp = array_namespace(x)
        xp.reshape(xp.exp(-x * 2.0), (2, 1)) > 0.0  # noqa: B015
    assert names(calls) == ["negative", "multiply", "exp", "reshape", "greater"]
    assert not any(call.parts for call in calls)


def test_what_is_heard_are_plain_arrays(device):
    model, x, labels = model_and_batch()
    with listening() as calls:
        loss = nn.cross_entropy(model(x), labels)
    assert not any(isinstance(a, ig.Tensor) for call in calls for a in (*call.args, call.y))
    assert float(calls[-1].y) == float(loss)
    assert calls[0].followed == (1, 2)  # weight and bias, not x


def test_a_definition_has_parts_and_a_kernel_has_none():
    for device, n_parts in (("cpu", 0), ("strict", 3)):  # matmul, transpose, the sum with the bias
        with ig.using(device), listening() as calls:
            model = nn.Linear(4, 2)
            model(ig.array([[1.0, 2.0, 3.0, 4.0]]))
        assert len(calls[-1].parts) == n_parts


def test_the_walk_back_tells_the_gradient_of_every_result(device):
    x = ig.Tensor(ig.array([1.0, 2.0]), requires_grad=True)
    xp = array_namespace(x)
    with listening() as calls:
        y = xp.sum(xp.exp(x) * 3.0)
    y.backward()
    exp, multiply, total = calls
    assert ig.to_numpy(exp.dys[0]).tolist() == [3.0, 3.0]
    assert ig.to_numpy(multiply.dys[0]).tolist() == [1.0, 1.0]
    assert float(total.dys[0]) == 1.0


def test_the_gradients_are_the_same_bits_with_and_without_a_listener(device):
    model, x, labels = model_and_batch()
    nn.cross_entropy(model(x), labels).backward()
    alone = gradients(model)
    model, x, labels = model_and_batch()
    with listening():
        loss = nn.cross_entropy(model(x), labels)
    loss.backward()
    assert all((a == b).all() for a, b in zip(alone, gradients(model), strict=True))


def test_writing_to_a_view_arrives_in_what_it_is_a_view_of(device):
    x = ig.Tensor(ig.array([1.0, 2.0, 3.0, 4.0]), requires_grad=True)
    with listening():
        y = x * 1.0
        row = array_namespace(y).reshape(y, (2, 2))
        row[0, ...] = 0.0
    assert ig.to_numpy(y.detach()).tolist() == [0.0, 0.0, 3.0, 4.0]


def test_after_the_block_the_ops_are_as_they_were():
    before = [vars(kind)["__call__"] for kind in (ig.nn.linear.__class__, UnaryOp, BinaryOp)]
    with listening() as calls, listening():
        pass
    after = [vars(kind)["__call__"] for kind in (ig.nn.linear.__class__, UnaryOp, BinaryOp)]
    assert before == after
    nn.relu(ig.array([1.0]))
    assert calls == []


def test_another_thread_is_not_heard():
    with listening() as calls:
        thread = threading.Thread(target=lambda: nn.relu(ig.array([1.0])))
        thread.start()
        thread.join()
    assert calls == []
