"""What tests of captured steps share; the fixture graphs is in conftest.py."""

import numpy as np

import isograd as ig


def batches(n, shape=(6, 5), n_classes=3):
    """n batches on the current device."""
    data = ig.random.Generator(1)
    return [
        (data.normal(shape), data.integers(0, n_classes, (shape[0],), dtype="int64"))
        for _ in range(n)
    ]


def plain(step):
    return step


def assert_same_bits(found, expected):
    assert found[0] == expected[0]
    for got, want in zip(found[1], expected[1], strict=True):
        np.testing.assert_array_equal(got, want)
