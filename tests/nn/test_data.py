"""DataLoader and train_test_split: every example once, in an order that a seed fixes everywhere."""

from typing import NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import isograd as ig
from isograd.backend.errors import (
    DeviceError,
    DtypeError,
    HyperparameterError,
    ShapeError,
    StateDictError,
)
from isograd.nn.data import DataLoader, train_test_split

X = np.arange(20.0).reshape(10, 2)
Y = np.arange(10)


class Pair(NamedTuple):
    x: np.ndarray
    y: np.ndarray


def labels(loader):
    """The labels of one pass over a loader of (X, Y), batch by batch."""
    return [ig.to_numpy(y).tolist() for _, y in loader]


def flat(batches):
    return [label for batch in batches for label in batch]


def test_batches_follow_the_data_and_the_last_is_what_is_left(device):
    loader = DataLoader((ig.array(X), ig.array(Y)), batch_size=4)
    batches = list(loader)
    assert len(loader) == len(batches) == 3
    for (x, y), rows in zip(batches, ([0, 1, 2, 3], [4, 5, 6, 7], [8, 9]), strict=True):
        assert_array_equal(ig.to_numpy(x), X[rows])
        assert_array_equal(ig.to_numpy(y), Y[rows])
        assert ig.device_of(x) == ig.device_of(y) == ig.current_device()


def test_drop_last_leaves_out_the_smaller_batch():
    loader = DataLoader((X, Y), batch_size=4, drop_last=True)
    assert labels(loader) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert len(loader) == 2
    assert len(DataLoader((X, Y), batch_size=5, drop_last=True)) == 2


def test_shuffling_keeps_pairs_together_and_meets_every_example_once(device):
    loader = DataLoader((ig.array(X), ig.array(Y)), batch_size=3, shuffle=True)
    for x, y in loader:
        assert_array_equal(ig.to_numpy(x), X[ig.to_numpy(y)])
    assert sorted(flat(labels(loader))) == list(range(10))


def test_the_order_depends_on_seed_and_epoch_alone(device):
    loader = DataLoader((ig.array(X), ig.array(Y)), batch_size=3, shuffle=True, seed=5)
    first, second = labels(loader), labels(loader)
    assert first != second
    host = DataLoader((X, Y), batch_size=5, shuffle=True, seed=5)
    assert flat(labels(host)) == flat(first)
    host.epoch = 1
    assert flat(labels(host)) == flat(second)
    assert flat(labels(DataLoader((X, Y), shuffle=True, seed=6))) != flat(first)
    expected = ig.random.Generator(5).fold_in(0).permutation(10, device="cpu")
    assert flat(first) == expected.tolist()


def test_unshuffled_batches_of_numpy_share_memory_with_the_data():
    for x, y in DataLoader((X, Y), batch_size=4):
        assert np.shares_memory(x, X)
        assert np.shares_memory(y, Y)


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_batch_has_the_structure_of_the_data(shuffle):
    def one(data):
        return next(iter(DataLoader(data, batch_size=2, shuffle=shuffle)))

    assert one(X).shape == (2, 2)
    assert [part.shape for part in one([X, Y])] == [(2, 2), (2,)]
    assert isinstance(one(Pair(X, Y)), Pair)
    nested = one({"in": (X, X[:, 0]), "out": Y})
    assert nested["in"][1].shape == nested["out"].shape == (2,)
    assert_array_equal(nested["in"][0][:, 0], nested["in"][1])
    assert one(np.zeros((4, 3, 5, 5))).shape == (2, 3, 5, 5)


def test_tensors_come_as_tensors_that_record():
    x = ig.Tensor(X, requires_grad=True)
    for batch in DataLoader(x, batch_size=5, shuffle=True):
        ig.wrap_namespace(np).sum(batch * batch).backward()
    assert_array_equal(x.grad, 2 * X)


def test_a_transform_is_applied_to_every_batch():
    loader = DataLoader((X, Y), batch_size=5, transform=lambda batch: (batch[0] / 2, batch[1]))
    assert_array_equal(np.concatenate([x for x, _ in loader]), X / 2)


def test_the_epoch_counts_passes_also_one_that_was_left_early():
    loader = DataLoader((X, Y), batch_size=3, shuffle=True)
    for expected in range(2):
        for _ in loader:
            assert loader.epoch == expected
    assert loader.epoch == 2
    for _ in loader:
        break
    assert loader.epoch == 2
    third = labels(loader)
    assert loader.epoch == 4
    loader.epoch = 3
    assert labels(loader) == third


def test_two_loops_over_one_loader_do_not_disturb_each_other():
    loader = DataLoader((X, Y), batch_size=4, shuffle=True)
    inner = [[ig.to_numpy(y).tolist() for (_, y), _ in zip(loader, loader, strict=True)]]
    assert sorted(flat(inner[0])) == list(range(10))


@pytest.mark.parametrize("n_done", [0, 1, 2, 4])
def test_a_loader_resumes_where_the_state_was_taken(n_done):
    def loader():
        return DataLoader((X, Y), batch_size=3, shuffle=True, seed=9)

    whole = loader()
    expected = labels(whole) + labels(whole) + labels(whole)
    stopped = loader()
    seen = labels(stopped)
    for n, (_, y) in enumerate(stopped, start=1):
        if n > n_done:
            break
        seen.append(y.tolist())
        state = stopped.state_dict()
    if n_done == 0:
        state = {**stopped.state_dict(), "position": 0}
    resumed = loader()
    resumed.load_state_dict(state)
    assert resumed.epoch == 1
    assert seen + labels(resumed) + labels(resumed) == expected
    assert all(type(value) is int for value in state.values())


def test_a_state_between_epochs_resumes_with_the_next_one():
    loader = DataLoader((X, Y), batch_size=3, shuffle=True)
    labels(loader)
    state = loader.state_dict()
    second = labels(loader)
    resumed = DataLoader((X, Y), batch_size=3, shuffle=True)
    resumed.load_state_dict(state)
    assert labels(resumed) == second


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 1}, "seed must be that of the state, 1, got 0"),
        ({"batch_size": 2}, "batch_size must be that of the state, 2, got 4"),
        ({"position": 4}, "position one from 0 to the 3 batches"),
        ({"position": -1}, "position one from 0"),
        ({"epoch": "x"}, "epoch must be an integer >= 0"),
        ({"extra": 1}, "must have the keys"),
    ],
)
def test_a_state_of_another_loader_is_refused_and_changes_nothing(change, message):
    loader = DataLoader((X, Y), batch_size=4)
    with pytest.raises(StateDictError, match=message):
        loader.load_state_dict({**loader.state_dict(), "epoch": 3, **change})
    assert loader.state_dict() == {"epoch": 0, "position": 0, "seed": 0, "batch_size": 4}


@pytest.mark.parametrize("batch_size", [0, -1, 2.5, True, "4", None])
def test_a_batch_size_of_no_use_is_refused(batch_size):
    with pytest.raises(HyperparameterError, match="batch_size must be an integer >= 1"):
        DataLoader(X, batch_size)


def test_an_epoch_of_no_use_is_refused():
    loader = DataLoader(X)
    with pytest.raises(HyperparameterError, match="epoch must be an integer >= 0, got -1"):
        loader.epoch = -1


def test_drop_last_that_would_leave_nothing_is_refused():
    with pytest.raises(HyperparameterError, match="at most the 10 examples, got 11"):
        DataLoader(X, batch_size=11, drop_last=True)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ((X, Y[:9]), ShapeError, r"the same number of examples.*\[\(10, 2\), \(9,\)\]"),
        ((X[:0], Y[:0]), ShapeError, "at least one"),
        ((), ShapeError, "at least one"),
        (np.array(1.0), ShapeError, "along their first axis"),
        ([1, 2, 3], DtypeError, r"must be arrays.*got int; make one with isograd\.array"),
        ({"x": X, "y": "labels"}, DtypeError, "got str"),
    ],
)
def test_data_that_cannot_be_cut_in_batches_is_refused(data, error, message):
    with pytest.raises(error, match=message):
        DataLoader(data)


def test_data_on_two_devices_is_refused():
    pytest.importorskip("array_api_strict")
    with pytest.raises(DeviceError, match=r"DataLoader: .*cpu and strict:cpu"):
        DataLoader((X, ig.array(Y, device="strict")))


def test_a_split_keeps_pairs_and_every_example_once(device):
    parts = train_test_split(ig.array(X), ig.array(Y), test_fraction=0.3, seed=1)
    train_x, test_x, train_y, test_y = map(ig.to_numpy, parts)
    assert ig.device_of(parts[0]) == ig.current_device()
    assert len(train_y) == 7
    assert len(test_y) == 3
    assert_array_equal(train_x, X[train_y])
    assert_array_equal(test_x, X[test_y])
    assert sorted([*train_y, *test_y]) == list(range(10))
    assert_array_equal(test_y, train_test_split(Y, test_fraction=0.3, seed=1)[1])
    assert train_test_split(Y, seed=1)[0].tolist() != train_test_split(Y, seed=2)[0].tolist()


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.5, 0.01, 0.99, float("nan")])
def test_a_split_without_one_of_its_parts_is_refused(fraction):
    with pytest.raises(HyperparameterError, match=r"in \(0, 1\) and leave a row for either part"):
        train_test_split(X, test_fraction=fraction)


def test_arrays_of_different_lengths_are_not_split():
    with pytest.raises(ShapeError, match="train_test_split: all arrays must have the same number"):
        train_test_split(X, Y[:3])
