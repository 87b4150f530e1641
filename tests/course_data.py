"""The points, starting weights and batch orders behind the printed numbers of the course and book.

Every generator is NumPy's frozen RandomState, called in the sources' order, so the points are
theirs to the last bit. Examples are rows; weights are (out, in). float64 throughout.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy import ndarray
from numpy.random import RandomState

Layers = list[tuple[ndarray, ndarray]]  # (weight, bias) of each layer


class Split(NamedTuple):
    """Training and test part: features (n, features), targets (n, 1)."""

    train_x: ndarray
    train_y: ndarray
    test_x: ndarray
    test_y: ndarray


def flower() -> tuple[ndarray, ndarray]:
    """400 points (400, 2) of two classes (400,), the petals of r = 4 sin 4t; seed 1."""
    random, points = RandomState(1), []
    for j in range(2):
        t = np.linspace(3.12 * j, 3.12 * (j + 1), 200) + 0.2 * random.randn(200)
        r = 4 * np.sin(4 * t) + 0.2 * random.randn(200)
        points.append(np.stack([r * np.sin(t), r * np.cos(t)], axis=1))
    return np.concatenate(points), np.repeat([0, 1], 200)


def circles(n_points: int, seed: int) -> tuple[ndarray, ndarray]:
    """scikit-learn's make_circles(n_points, noise=0.05), n_points even: a circle in a circle."""
    half = n_points // 2
    t = np.linspace(0, 2 * np.pi, half, endpoint=False)
    circle = np.stack([np.cos(t), np.sin(t)], axis=1)
    return _shuffled_with_noise(np.concatenate([circle, 0.8 * circle]), 0.05, seed)


def moons(n_points: int, seed: int) -> tuple[ndarray, ndarray]:
    """scikit-learn's make_moons(n_points, noise=0.2), n_points even: two half circles."""
    t = np.linspace(0, np.pi, n_points // 2)
    outer = np.stack([np.cos(t), np.sin(t)], axis=1)
    inner = np.stack([1 - np.cos(t), 1 - np.sin(t) - 0.5], axis=1)
    return _shuffled_with_noise(np.concatenate([outer, inner]), 0.2, seed)


def flower_layers() -> Layers:
    """2-4-1, weights .01 randn from seed 2, zero biases."""
    random = RandomState(2)
    hidden = 0.01 * random.randn(4, 2)
    return [(hidden, np.zeros(4)), (0.01 * random.randn(1, 4), np.zeros(1))]


def he_layers(*sizes: int) -> Layers:
    """Weights randn * sqrt(2 / n_in) from seed 3, layer after layer; zero biases."""
    random = RandomState(3)
    return [
        (random.randn(n_out, n_in) * np.sqrt(2.0 / n_in), np.zeros(n_out))
        for n_in, n_out in zip(sizes, sizes[1:], strict=False)
    ]


def moons_batches(n_points: int, epoch: int) -> Iterator[ndarray]:
    """The indices of each mini-batch of 64 in an epoch (0, 1, ...); the last holds what is left."""
    order = RandomState(11 + epoch).permutation(n_points)
    for start in range(0, n_points, 64):
        yield order[start : start + 64]


def boston(path: Path) -> Split:
    """The book's split of boston_housing.csv: 354 and 152 rows, standardised over all 506."""
    with path.open(newline="", encoding="utf-8") as file:
        table = np.array([[float(cell) for cell in row] for row in list(csv.reader(file))[1:]])
    x, y = table[:, :-1], table[:, -1:]
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    order = RandomState(80718).permutation(506)
    test, train = order[:152], order[152:]
    return Split(x[train], y[train], x[test], y[test])


def boston_layers(*sizes: int) -> Layers:
    """Standard normal weights and biases. The book reseeds before each layer, so equal shapes are
    equal layers; it draws weights as (in, out): ours are their transposes.
    """
    layers = []
    for n_in, n_out in zip(sizes, sizes[1:], strict=False):
        random = RandomState(20190501)
        weight = random.randn(n_in, n_out)
        layers.append((np.ascontiguousarray(weight.T), random.randn(1, n_out)[0]))
    return layers


def boston_batches(n_rows: int, sizes: tuple[int, ...], n_epochs: int) -> Iterator[list[ndarray]]:
    """For each epoch the row indices of its batches of 32, the last with what is left.

    The book shuffles the rows as the epoch before left them, and makes its layers (which reseed
    and draw) within the first epoch, after its shuffle: the second shuffle follows the last layer.
    """
    random, rows = RandomState(20190501), np.arange(n_rows)
    for epoch in range(n_epochs):
        rows = rows[random.permutation(n_rows)]
        yield [rows[start : start + 32] for start in range(0, n_rows, 32)]
        if epoch == 0:
            random = RandomState(20190501)
            random.randn((sizes[-2] + 1) * sizes[-1])


def _shuffled_with_noise(points: ndarray, noise: float, seed: int) -> tuple[ndarray, ndarray]:
    """The points, first half class 0, in random order and moved by normal noise."""
    random, order = RandomState(seed), np.arange(len(points))
    random.shuffle(order)
    labels = np.repeat([0, 1], len(points) // 2)
    return points[order] + random.normal(scale=noise, size=points.shape), labels[order]
