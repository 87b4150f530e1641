"""A slowdown is found, noise is not one, and other machines are not compared unasked."""

import numpy as np
import pytest
from fake_workers import OURS, PEER, THIRD, results

from isograd.backend.errors import ConfigurationError
from isograd.benchmarks.bench.candidates import Candidate
from isograd.benchmarks.bench.compare import changes, describe, failures, slower

BEST, FOURTH = Candidate("torch", "cpu", "best"), Candidate("jax", "cpu")


def blocks(seconds, seed, spread=0.04, n=15):
    """Times around `seconds`, as a quiet machine shows them."""
    return list(seconds * np.random.default_rng(seed).lognormal(0.0, spread, n))


def measured(factor=1.0, machine=1.0, seed=0):
    """Results whose second workload takes `factor` times as long, on a machine `machine` times."""
    return results(
        {
            "a/one": {OURS: blocks(1e-3 * machine, seed), THIRD: blocks(5e-4 * machine, seed + 1)},
            "a/two": {OURS: blocks(2e-3 * machine * factor, seed + 2)},
        }
    )


def found(now, then=None, limit=1.1):
    """The names of what is slower."""
    return [c.workload for c in slower(changes(then or measured(seed=99), now), limit)]


def test_a_slowdown_of_a_half_is_found_and_nothing_else():
    assert found(measured(1.5)) == ["a/two"]


@pytest.mark.parametrize("seed", range(10, 40))
def test_a_clean_comparison_raises_no_alarm(seed):
    assert found(measured(seed=seed)) == []


@pytest.mark.parametrize(("factor", "alarm"), [(1.12, []), (1.18, []), (1.5, ["a/two"])])
def test_one_process_that_is_a_little_slower_raises_no_alarm(factor, alarm):
    def one_pass(factor=1.0):
        return results({"a/two": {OURS: [blocks(factor * 1e-3, 0, spread=0.01)]}})

    assert found(one_pass(factor), then=one_pass()) == alarm


def test_a_speedup_raises_no_alarm():
    assert found(measured(0.5)) == []


def test_a_machine_that_is_slower_today_raises_no_alarm():
    assert found(measured(machine=1.3)) == []
    assert found(measured(1.5, machine=1.3)) == ["a/two"]


@pytest.mark.parametrize(("ours", "alarm"), [(1.6, []), (2.4, ["a/two"])])
def test_a_workload_that_is_slower_for_others_too_is_the_machines(ours, alarm):
    def on_two_threads(ours=1.0, others=1.0):
        times = {OURS: [blocks(ours * 1e-3, 0, 0.01)], PEER: [blocks(others * 1e-3, 1, 0.01)]}
        return results({"a/two": times})

    assert found(on_two_threads(ours, others=1.45), then=on_two_threads()) == alarm
    assert found(on_two_threads(ours, others=1.0), then=on_two_threads()) == ["a/two"]


def test_one_library_of_three_that_is_slower_does_not_hide_a_slowdown():
    def of_four(ours=1.0, third=1.0):
        factors = {OURS: ours, PEER: third, BEST: 1.0, FOURTH: 1.0}
        times = {one: [blocks(factor * 1e-3, 0, 0.01)] for one, factor in factors.items()}
        return results({"a/two": times})

    assert found(of_four(ours=1.5, third=3.2), then=of_four()) == ["a/two"]


def test_a_library_that_was_updated_tells_nothing_of_the_machine():
    then = results({"a/two": {OURS: [blocks(1e-3, 0)], PEER: [blocks(1e-3, 1)]}})
    now = results({"a/two": {OURS: [blocks(1.5e-3, 0)], PEER: [blocks(1.5e-3, 1)]}})
    assert found(now, then=then) == []
    peer = next(one for one in now["candidates"] if one["library"] == PEER.library)
    peer["versions"] = {**peer["versions"], PEER.library: "another"}
    assert found(now, then=then) == ["a/two"]


def test_a_machine_that_is_faster_today_does_not_hide_a_slowdown():
    assert found(measured(1.5, machine=0.9)) == ["a/two"]


def test_the_comparison_shows_both_times_and_marks_noise():
    text = describe(changes(measured(seed=99), measured(1.5)))
    two = next(line for line in text.splitlines() if line.startswith("a/two"))
    assert "2.0" in two
    assert two.endswith("slower")
    assert next(line for line in text.splitlines() if line.startswith("a/one")).endswith("≈")


@pytest.mark.parametrize(
    ("other", "named"),
    [({"machine": "another"}, "processor 'another' there"), ({"threads": 1}, "threads 1 there")],
)
def test_results_of_another_machine_are_refused_unless_told(other, named):
    times = {"a/one": {OURS: [1.0] * 5}}
    then, now = results(times, **other), results(times)
    with pytest.raises(ConfigurationError, match=named):
        changes(then, now)
    assert len(changes(then, now, other_machine_too=True)) == 1


def test_a_workload_that_fails_now_is_told_of():
    then = results({"a/one": {OURS: [1.0] * 5}, "a/two": {OURS: [1.0] * 5}})
    now = results({"a/one": {OURS: [1.0] * 5}, "a/two": {OURS: [1.0] * 5}})
    now["workloads"][1]["results"][OURS.name] = {"status": "disagrees", "reason": "y is wrong"}
    assert failures(then, now) == ["a/two, isograd cpu: disagrees: y is wrong"]
    assert failures(now, then) == []


def test_without_numpy_nothing_is_said_of_the_machine():
    assert "plain NumPy took" in describe(changes(measured(), measured()))
    alone = results({"a/one": {OURS: [1.0] * 5}})
    assert "plain NumPy" not in describe(changes(alone, alone))


def test_workloads_that_only_one_side_has_are_passed_over():
    then = results({"a/one": {OURS: [1.0] * 5}})
    now = results({"a/two": {OURS: [1.0] * 5}})
    assert changes(then, now) == []
    assert describe([]) == "no workload is in both results"


def test_a_difference_within_a_wide_spread_raises_no_alarm():
    then = results({"a/one": {OURS: [1.0, 0.8, 1.4, 1.0, 1.2]}})
    now = results({"a/one": {OURS: [1.3, 0.9, 1.5, 1.3, 1.1]}})
    assert found(now, then) == []
    assert describe(changes(then, now)).splitlines()[1].endswith("≈")
