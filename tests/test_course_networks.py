"""The networks of the course and the book, trained by isograd, print the numbers printed there.

Points, starting weights and batch orders come from course_data.py. A printed cost is the loss
before that update. The long runs have the marker slow. Boston needs ISOGRAD_DATA, the folder that
holds housing/boston_housing.csv.
"""

import os
from pathlib import Path

import course_data
import numpy as np
import pytest
from course_models import network, update
from numpy.testing import assert_allclose

import isograd as ig
from isograd import nn

PRINTED = 5e-7  # half of the last of six printed digits
loss = nn.binary_cross_entropy_with_logits


def column(labels):
    """Labels as the logits' shape and dtype: (n, 1), float64."""
    return labels[:, None].astype("float64")


def costs(model, optimizer, x, labels, n_updates):
    """The cost before each of n_updates + 1 updates by all the examples."""
    y = column(labels)
    return [update(model, optimizer, loss, x, y) for _ in range(n_updates + 1)]


def share_right(model, x, labels):
    """The share of examples on the side of the boundary where their label is."""
    with ig.no_grad():
        return nn.accuracy((ig.to_numpy(model(x)) > 0)[:, 0].astype("int64"), labels)


def test_the_flower_costs_what_the_course_prints():
    model = network(course_data.flower_layers(), nn.Tanh)
    optimizer = nn.SGD(model.parameters(), lr=1.2)
    found = costs(model, optimizer, *course_data.flower(), 5000)
    printed = [0.693048, 0.288083, 0.222644]
    assert_allclose([found[0], found[1000], found[5000]], printed, atol=PRINTED)


@pytest.mark.slow
def test_90_percent_of_the_flower_are_right_after_10_000_updates():
    x, labels = course_data.flower()
    model = network(course_data.flower_layers(), nn.Tanh)
    costs(model, nn.SGD(model.parameters(), lr=1.2), x, labels, 9_999)
    assert share_right(model, x, labels) >= 0.90


def test_logistic_regression_gets_47_percent_of_the_flower_right():
    x, labels = course_data.flower()
    model = network([(np.zeros((1, 2)), np.zeros(1))], nn.Identity)
    costs(model, nn.SGD(model.parameters(), lr=1.2), x, labels, 999)
    assert share_right(model, x, labels) == 0.47
    with ig.no_grad():
        assert_allclose(float(loss(model(x), column(labels))), 0.6731461686, atol=5e-11)


def circles_model():
    model = network(course_data.he_layers(2, 10, 5, 1), nn.ReLU)
    return model, nn.SGD(model.parameters(), lr=0.01)


def test_the_circles_begin_at_the_cost_that_the_course_prints():
    model, optimizer = circles_model()
    found = costs(model, optimizer, *course_data.circles(300, seed=1), 1000)
    assert_allclose([found[0], found[1000]], [0.883054, 0.687982591973], atol=PRINTED)


@pytest.mark.slow
def test_the_circles_cost_what_the_course_prints_and_its_shares_are_right():
    x, labels = course_data.circles(300, seed=1)
    model, optimizer = circles_model()
    found = costs(model, optimizer, x, labels, 14_999)
    assert_allclose([found[0], found[14_000]], [0.883054, 0.073579], atol=PRINTED)
    assert share_right(model, x, labels) == 298 / 300
    assert share_right(model, *course_data.circles(100, seed=2)) == 0.96


# optimizer, printed cost of the last mini-batch at epochs 0 and 1000, share right after 10,000
MOONS = {
    "gradient descent": (lambda p: nn.SGD(p, lr=7e-4), 0.690736, 0.685273, 0.797),
    "momentum": (
        lambda p: nn.SGD(p, lr=7e-4, momentum=0.9, ewma=True),
        0.690741,
        0.685341,
        0.797,
    ),
    "adam": (lambda p: nn.Adam(p, lr=7e-4), 0.690552, 0.185567, 0.94),
}


def moons_costs(optimizer_of, n_epochs):
    """The model, and the cost of each epoch's last mini-batch before its update."""
    x, labels = course_data.moons(300, seed=3)
    y = column(labels)
    model = network(course_data.he_layers(2, 5, 2, 1), nn.ReLU)
    optimizer = optimizer_of(model.parameters())
    found = []
    for epoch in range(n_epochs):
        for rows in course_data.moons_batches(300, epoch):
            cost = update(model, optimizer, loss, x[rows], y[rows])
        found.append(cost)
    return model, found


@pytest.mark.parametrize("name", MOONS)
def test_the_moons_cost_what_the_course_prints(name):
    optimizer_of, first, thousandth, _ = MOONS[name]
    _, found = moons_costs(optimizer_of, 1001)
    assert_allclose([found[0], found[1000]], [first, thousandth], atol=PRINTED)


@pytest.mark.slow
@pytest.mark.parametrize("name", MOONS)
def test_the_share_of_the_moons_that_is_right_is_the_printed_one(name):
    optimizer_of, _, _, share = MOONS[name]
    model, _ = moons_costs(optimizer_of, 10_000)
    assert share_right(model, *course_data.moons(300, seed=3)) == pytest.approx(share, abs=5e-4)


@pytest.fixture
def boston():
    """The book's split of the Boston houses."""
    folder = os.environ.get("ISOGRAD_DATA")
    if not folder:
        pytest.skip("ISOGRAD_DATA is not set: no folder with housing/boston_housing.csv")
    return course_data.boston(Path(folder) / "housing" / "boston_housing.csv")


def errors(prediction, y):
    """Mean absolute error and root mean squared error."""
    return [float(nn.l1(prediction, y)), float(nn.mse(prediction, y)) ** 0.5]


def test_least_squares_is_one_newton_step_and_has_the_books_errors(boston):
    def with_intercept(x):
        return np.column_stack([x, np.ones(len(x))])

    x = with_intercept(boston.train_x)

    def cost(w):
        return nn.mse((x @ w)[:, None], boston.train_y)

    start = np.zeros(14)
    w = start - np.linalg.solve(ig.hessian(cost)(start), ig.grad(cost)(start))
    assert np.abs(ig.grad(cost)(w)).max() < 1e-12
    prediction = (with_intercept(boston.test_x) @ w)[:, None]
    assert_allclose(errors(prediction, boston.test_y), [3.5671, 5.0476], atol=5e-5)


@pytest.mark.parametrize(
    ("sizes", "printed", "exact"),
    [
        ((13, 1), [3.52, 5.01], [3.5203889422, 5.0086771031]),
        ((13, 13, 1), [2.60, 4.03], [2.5976351684, 4.0267942837]),
        ((13, 13, 13, 1), [2.45, 3.83], [2.4478329542, 3.8282292973]),
    ],
    ids=["13-1", "13-13-1", "13-13-13-1"],
)
def test_the_houses_are_predicted_with_the_books_errors(boston, sizes, printed, exact):
    model = network(course_data.boston_layers(*sizes), nn.Sigmoid)
    optimizer = nn.SGD(model.parameters(), lr=0.01)
    for batches in course_data.boston_batches(354, sizes, 50):
        for rows in batches:
            update(model, optimizer, nn.mse, boston.train_x[rows], boston.train_y[rows])
    with ig.no_grad():
        found = errors(ig.to_numpy(model(boston.test_x)), boston.test_y)
    assert_allclose(found, printed, atol=5e-3)
    assert_allclose(found, exact, rtol=1e-9)
