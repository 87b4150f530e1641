"""Numbers printed in the course notes and the book, by isograd's own derivatives.

Sources: A. Ng, Deep Learning (course 1, weeks 2 to 4; course 2, weeks 1 and 2); S. Weidman, Deep
Learning from Scratch, 2019, chapters 1 and 6. Printed digits decide the tolerances.
"""

import math

import course_data
import numpy as np
import oracles
import pytest
from course_models import network, update
from numpy.random import RandomState, default_rng
from numpy.testing import assert_allclose, assert_array_equal

import isograd as ig
from isograd import nn

# f, its derivative, f(2), f(2.001), the central difference at 2 with step 0.001
FUNCTIONS = {
    "3a": (lambda a: 3.0 * a, lambda a: 3.0 + 0.0 * a, 6.0, 6.003, 3.0),
    "a^2": (lambda a: a**2, lambda a: 2.0 * a, 4.0, 4.004001, 4.0),
    "a^3": (lambda a: a**3, lambda a: 3.0 * a**2, 8.0, 8.012006001, 12.000001),
    "ln a": (lambda a: log(a), lambda a: 1.0 / a, 0.6931471806, 0.6936470556, 0.5000000417),
}


def log(a):
    return (np if isinstance(a, np.ndarray | float) else a.__array_namespace__()).log(a)


def scalar(value):
    """A leaf of the tape on the current device, float64."""
    return ig.Tensor(ig.array(value, dtype="float64"), requires_grad=True)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_small_steps_approach_the_derivative(name):
    f, derivative, value, stepped, central = FUNCTIONS[name]
    a = np.array(2.0)
    assert_allclose([f(a), f(a + 0.001)], [value, stepped], atol=5e-11)
    assert_allclose(oracles.central_differences(f, a, 0.001), central, atol=5e-11)
    assert_allclose(ig.grad(f)(a), derivative(2.0), rtol=1e-15)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives_hold_for_every_element_of_an_array(name):
    f, derivative, *_ = FUNCTIONS[name]
    a = np.array([[0.5, 1.0, 2.0], [3.0, 4.0, 5.0]])
    y, pull = ig.vjp(f, a)
    (da,) = pull(np.ones_like(y))
    assert_allclose(da, derivative(a), rtol=1e-15)
    numeric = oracles.central_differences(lambda x: float(np.sum(f(x))), a, 0.001)
    assert_allclose(da, numeric, atol=3e-6)  # step^2 / 6 times the third derivative, 16 at most


def test_the_computation_graph_of_the_course_has_its_printed_derivatives(device):
    a, b, c = scalar(5.0), scalar(3.0), scalar(2.0)
    u = b * c
    v = a + u
    j = 3.0 * v
    j.backward()
    assert [float(x) for x in (u, v, j)] == [6.0, 11.0, 33.0]
    assert [float(x.grad) for x in (a, b, c)] == [3.0, 6.0, 9.0]


def test_the_inner_variables_of_the_graph_have_them_too():
    a, u, v = np.array(5.0), np.array(6.0), np.array(11.0)
    assert ig.grad(lambda v: 3.0 * v)(v) == 3.0
    assert ig.grad(lambda u: 3.0 * (a + u))(u) == 3.0


def test_a_chain_multiplies_the_derivatives_of_its_links():
    def square(x):
        return x * x

    def slope(x):  # of leaky relu, 0.2 below 0
        return np.where(x > 0, 1.0, 0.2)

    x = np.array([-3.0, -0.7, 0.4, 1.5])
    leaky = np.where(x > 0, x, 0.2 * x)
    _, pull = ig.vjp(lambda x: square(nn.leaky_relu(x, negative_slope=0.2)), x)
    assert_allclose(pull(np.ones(4))[0], 2 * leaky * slope(x), rtol=1e-15)

    _, pull = ig.vjp(lambda x: nn.sigmoid(square(nn.leaky_relu(x, negative_slope=0.2))), x)
    s = oracles.elementwise(oracles.sigmoid, leaky**2)
    assert_allclose(pull(np.ones(4))[0], s * (1 - s) * 2 * leaky * slope(x), rtol=1e-13)


def test_several_inputs_each_get_their_derivative():
    x, y = np.array([1.0, -2.0]), np.array([3.0, 0.5])
    _, pull = ig.vjp(lambda x, y: nn.sigmoid(x + y), x, y)
    s = oracles.elementwise(oracles.sigmoid, x + y)
    for gradient in pull(np.ones(2)):
        assert_allclose(gradient, s * (1 - s), rtol=1e-14)
    _, pull = ig.vjp(lambda x, y: nn.sigmoid(x * y), x, y)
    s = oracles.elementwise(oracles.sigmoid, x * y)
    assert_allclose(pull(np.ones(2)), [s * (1 - s) * y, s * (1 - s) * x], rtol=1e-14)


def test_a_branch_adds_the_derivatives_of_its_paths(device):
    x = scalar(3.0)
    square, triple = x * x, 3.0 * x
    (square * triple + square).backward()  # 3 x^3 + x^2
    assert float(x.grad) == 9 * 9.0 + 2 * 3.0


def test_a_variable_used_twice_accumulates_both_uses(device):
    a = scalar(3.0)
    b = 4.0 * a
    c = b + 3.0
    (c * (a + 2.0)).backward()  # (4a + 3)(a + 2): 8a + 11
    assert float(a.grad) == 35.0


def test_a_variable_added_to_itself_counts_twice_and_not_three_times(device):
    a = scalar(3.0)
    b = 4.0 * a
    (b + b).backward()
    assert float(a.grad) == 8.0  # the book's code gives 12


def test_one_neuron_has_the_printed_gradient():
    random = RandomState(190203)
    x, w = random.randn(1, 3), random.randn(3, 1)
    dx = ig.grad(lambda x: nn.sigmoid(x @ w)[0, 0])(x)
    assert_allclose(dx, [[0.0852, -0.0557, -0.1121]], atol=5e-5)


def test_the_sum_of_a_layer_has_the_printed_value_and_gradient(device):
    random = RandomState(190204)
    x = ig.Tensor(ig.array(random.randn(3, 3)), requires_grad=True)
    w = ig.array(random.randn(3, 2))
    s = nn.sigmoid(x @ w)
    total = s.__array_namespace__().sum(s)
    total.backward()
    assert float(total) == pytest.approx(2.3755, abs=5e-5)
    printed = [[0.2489, -0.3748, 0.0112], [0.126, -0.2781, -0.1395], [0.2299, -0.3662, -0.0225]]
    assert_allclose(ig.to_numpy(x.grad), printed, atol=5.1e-5)
    s = ig.to_numpy(s.data)
    assert_allclose(ig.to_numpy(x.grad), (s * (1 - s)) @ ig.to_numpy(w).T, rtol=1e-13)


def flower():
    x, labels = course_data.flower()
    return x, labels[:, None].astype("float64")


def random_layers(*sizes, seed=0):
    random = default_rng(seed)
    return [
        (random.normal(size=(n_out, n_in)), random.normal(size=n_out))
        for n_in, n_out in zip(sizes, sizes[1:], strict=False)
    ]


def test_the_tape_gives_the_six_equations_of_a_network_with_one_hidden_layer():
    x, y = flower()
    (w1, b1), (w2, b2) = random_layers(2, 4, 1)
    model = network([(w1, b1), (w2, b2)], nn.Tanh)
    nn.binary_cross_entropy(nn.sigmoid(model(x)), y).backward()

    m, columns = len(x), x.T  # the course: examples are columns, biases too
    a1 = np.tanh(w1 @ columns + b1[:, None])
    a2 = 1 / (1 + np.exp(-(w2 @ a1 + b2[:, None])))
    dz2 = a2 - y.T
    dw2 = dz2 @ a1.T / m
    db2 = np.sum(dz2, axis=1, keepdims=True) / m
    dz1 = w2.T @ dz2 * (1 - a1**2)
    dw1 = dz1 @ columns.T / m
    db1 = np.sum(dz1, axis=1, keepdims=True) / m

    found = [parameter.grad for parameter in model.parameters()]
    for gradient, equation in zip(found, (dw1, db1[:, 0], dw2, db2[:, 0]), strict=True):
        assert_allclose(gradient, equation, rtol=1e-11, atol=1e-15)


def perturbation_difference(model, loss, spoil=1.0):
    """|g - numeric| / (|g| + |numeric|) over all parameters, central differences of 1e-7."""
    loss().backward()
    ours, numeric = [], []
    for parameter in model.parameters():
        values = parameter.data.reshape(-1)
        ours += (spoil * parameter.grad).reshape(-1).tolist()
        for i in range(values.size):
            kept, costs = values[i], []
            for step in (1e-7, -1e-7):
                values[i] = kept + step
                costs.append(float(loss()))
            values[i] = kept
            numeric.append((costs[0] - costs[1]) / 2e-7)
    ours, numeric = np.array(ours), np.array(numeric)
    norm = np.linalg.norm
    return norm(ours - numeric) / (norm(ours) + norm(numeric))


@pytest.mark.parametrize("spoil", [1.0, 1.0 + 1e-5])
def test_the_gradient_check_of_the_course_passes_below_1e_7_and_finds_a_wrong_factor(spoil):
    x, y = flower()
    model = network(random_layers(2, 5, 3, 1, seed=1), nn.Tanh)

    def loss():
        return nn.binary_cross_entropy(nn.sigmoid(model(x)), y)

    difference = perturbation_difference(model, loss, spoil)
    assert (difference < 1e-7) == (spoil == 1.0)


def test_the_penalty_adds_its_share_to_the_gradient_of_the_weights_only():
    x, y = flower()
    lambda_, m = 0.7, len(x)
    model, twin = (network(random_layers(2, 4, 1), nn.Tanh) for _ in range(2))
    weights = [layer.weight for layer in model.modules() if isinstance(layer, nn.Linear)]
    cost = nn.binary_cross_entropy_with_logits(twin(x), y)
    penalized = nn.binary_cross_entropy_with_logits(model(x), y) + nn.l2_penalty(
        weights, lambda_ / m
    )
    cost.backward()
    penalized.backward()
    squares = sum(float(np.sum(w.data**2)) for w in weights)
    assert float(penalized) == pytest.approx(float(cost) + lambda_ / (2 * m) * squares, rel=1e-14)
    for (name, p), (_, q) in zip(model.named_parameters(), twin.named_parameters(), strict=True):
        share = lambda_ / m * p.data if name.endswith("weight") else 0.0
        assert_allclose(p.grad, q.grad + share, rtol=1e-12)


def test_inverted_dropout_divides_what_it_keeps_by_the_probability_to_keep(device):
    keep = 0.75
    a = ig.Tensor(ig.array(default_rng(0).uniform(1.0, 2.0, (200, 100))), requires_grad=True)
    y = nn.dropout(a, 1.0 - keep, generator=ig.random.Generator(0))
    y.__array_namespace__().sum(y).backward()
    dropped = ig.to_numpy(y.data) == 0.0
    assert_allclose(ig.to_numpy(y.data), np.where(dropped, 0.0, ig.to_numpy(a.data) / keep))
    assert_allclose(ig.to_numpy(a.grad), np.where(dropped, 0.0, 1.0 / keep))
    assert dropped.mean() == pytest.approx(1.0 - keep, abs=0.01)
    assert_array_equal(ig.to_numpy(nn.dropout(a, keep, training=False).data), ig.to_numpy(a.data))


def test_weights_that_start_at_zero_learn_nothing_but_the_share_of_each_class():
    x, y = flower()
    zeros = [(np.zeros((4, 2)), np.zeros(4)), (np.zeros((1, 4)), np.zeros(1))]
    model = network(zeros, nn.Tanh)
    optimizer = nn.SGD(model.parameters(), lr=1.2)
    for _ in range(10):
        cost = update(model, optimizer, nn.binary_cross_entropy_with_logits, x, y)
    assert cost == pytest.approx(math.log(2.0), rel=1e-12)
    for name, p in model.named_parameters():
        assert_allclose(p.data, 0.0, atol=1e-15, err_msg=name)


def test_the_gradient_of_a_batch_is_the_mean_of_its_examples_gradients():
    x, y = (part[::40] for part in flower())
    model = network(random_layers(2, 4, 1), nn.Tanh)
    nn.binary_cross_entropy_with_logits(model(x), y).backward()
    whole = [p.grad.copy() for p in model.parameters()]
    model.zero_grad()
    for one_x, one_y in nn.DataLoader((x, y), batch_size=1):
        nn.binary_cross_entropy_with_logits(model(one_x), one_y).backward()
    for p, expected in zip(model.parameters(), whole, strict=True):
        assert_allclose(p.grad / len(x), expected, rtol=1e-12, atol=1e-16)
