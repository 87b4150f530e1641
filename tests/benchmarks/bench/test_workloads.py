"""The workloads are found by their names, and isograd computes what plain NumPy computes."""

from importlib.util import find_spec

import numpy as np
import pytest

import isograd as ig
from isograd.benchmarks.bench import catalogue
from isograd.benchmarks.bench.run import EVERYTHING, choose
from isograd.benchmarks.bench.sides import LIBRARIES, load_side
from isograd.benchmarks.bench.workload import largest_difference
from isograd.benchmarks.bench.workloads import startup
from isograd.benchmarks.bench.workloads.numbers import count, weights

SMALL = (
    "overhead/plain",
    "overhead/recorded",
    "overhead/function",
    "elementwise/multiply-add-1k",
    "elementwise/row-mean-1k",
    "matmul/gradients-64",
    "softmax/cross-entropy-32x10",
    "inference/mlp-1",
)


@pytest.fixture(autouse=True)
def current_device():
    """Loading isograd's side makes a device the current one; afterwards it is what it was."""
    with ig.using("cpu"):
        yield


def results(name, library, device="cpu"):
    """What a library makes of a workload, as NumPy's arrays."""
    side = load_side(library, device, "default", 1)
    prepared = catalogue.workload_named(name).prepare(side)
    found = {key: side.numbers(value) for key, value in prepared.results().items()}
    prepared.call()
    return found


def check_agreement(name, library, expected):
    deviation, where = largest_difference(results(name, library), expected)
    assert deviation <= catalogue.workload_named(name).tolerance, (name, library, where)


@pytest.mark.parametrize("name", SMALL)
def test_isograd_agrees_with_numpy_on_outputs_and_gradients(name):
    check_agreement(name, "isograd", results(name, "numpy"))


@pytest.mark.parametrize("name", ["step/tiny-mlp", "transfer/to-device-4kB"])
def test_a_workload_runs_on_a_device_of_its_own(name):
    expected = results(name, "isograd")
    deviation, _ = largest_difference(results(name, "isograd", "strict:device1"), expected)
    assert deviation <= 1e-4


@pytest.mark.slow
def test_every_library_that_is_here_agrees_with_isograd():
    for workload in catalogue.WORKLOADS:
        if workload.name == "optimizer/adam-100M":
            continue  # several gigabytes; it differs in nothing but the size
        expected = results(workload.name, "isograd")
        assert all(np.all(np.isfinite(x)) for x in expected.values()), workload.name
        for library in LIBRARIES[1:]:
            if library in workload.build and find_spec(library) is not None:
                check_agreement(workload.name, library, expected)


def test_names_are_unique_and_begin_with_their_group():
    names = [workload.name for workload in EVERYTHING]
    assert sorted(set(names)) == sorted(names)
    assert all("/" in name for name in names)


def test_every_curve_has_sizes_of_its_own():
    for workload in catalogue.WORKLOADS:
        if workload.curve:
            assert workload.sizes[workload.curve.along] > 0


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("step/mlp-128", "step/mlp-128"),
        ("tiny", "step/tiny-mlp"),
        ("matmul/*-512", "matmul/forward-512"),
    ],
)
def test_a_word_chooses_workloads_by_name_part_or_pattern(word, name):
    assert name in [workload.name for workload in choose([word], quick=False)]


@pytest.mark.parametrize(
    ("word", "near"), [("steps/gpt", "'step/gpt'"), ("atention", "'attention'"), ("adm-1M", "adam")]
)
def test_an_unknown_word_is_answered_with_the_nearest_names(word, near):
    with pytest.raises(ValueError, match="no workload is called") as refused:
        choose([word], quick=False)
    assert near in str(refused.value)


def test_quick_is_a_part_of_all_and_what_is_asked_for_by_name_is_never_left_out():
    quick = choose([], quick=True)
    assert 10 < len(quick) < len(choose([], quick=False)) == len(EVERYTHING)
    words = ["adam-10M", "overhead"]
    names = [workload.name for workload in choose(words, quick=True)]
    assert names == [*(w.name for w in quick if w.group == "overhead"), "optimizer/adam-10M"]


def test_what_a_start_costs_is_part_of_every_run():
    assert all(workload in EVERYTHING for workload in startup.WORKLOADS)


def test_the_same_name_and_shape_give_the_same_numbers():
    first, second = (weights({"a.weight": (3, 2), "norm.weight": (4,)}) for _ in range(2))
    assert first["a.weight"].tobytes() == second["a.weight"].tobytes()
    assert np.all(np.abs(first["norm.weight"] - 1.0) < 1.0)


@pytest.mark.parametrize(("n", "text"), [(64, "64"), (1000, "1k"), (10**7, "10M"), (1500, "1500")])
def test_large_counts_are_short_in_names(n, text):
    assert count(n) == text
