"""Medians, ratios and slopes are those of the textbooks, and noise is called noise."""

import math
from statistics import stdev

import numpy as np
import pytest
from fake_workers import OURS, results, workload

from isograd.benchmarks.bench.conductor import Block, Measured
from isograd.benchmarks.bench.run import summaries
from isograd.benchmarks.bench.startup import FACTS
from isograd.benchmarks.bench.statistics import quantile, ratio, slope, spread
from isograd.benchmarks.bench.workload import Curve, largest_difference


def test_quantiles_are_interpolated_between_neighbours():
    assert quantile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.5
    assert quantile([1.0, 2.0], 0.1) == pytest.approx(1.1)
    assert quantile([7.0], 0.9) == 7.0


def test_one_slow_block_moves_neither_median_nor_quartiles():
    assert spread([4.0, 1.0, 3.0, 2.0, 100.0])["median"] == 3.0
    assert spread([4.0, 1.0, 3.0, 2.0, 100.0])["upper_quartile"] == 4.0


def test_a_ratio_is_the_geometric_mean_of_the_medians_of_its_passes():
    assert ratio([[2.0, 2.0, 90.0], [1.0], [0.5]])["ratio"] == pytest.approx(1.0)


def test_the_spread_is_where_the_mean_of_as_many_other_passes_is_expected():
    logarithms = (-0.2, 0.0, 0.1, 0.3, 0.3)
    found = ratio([[math.exp(x)] for x in logarithms])
    half = 2.78 * stdev(logarithms) * math.sqrt(2 / 5)
    assert math.log(found["upper"]) == pytest.approx(0.1 + half)
    assert math.log(found["lower"]) == pytest.approx(0.1 - half)


@pytest.mark.parametrize("n_passes", [3, 4, 5])
def test_another_run_falls_within_the_spread_in_95_of_100_cases(n_passes):
    logarithms = np.random.default_rng(n_passes).normal(0.0, 0.1, (1000, 2, n_passes))
    runs = [[ratio([[x] for x in passes]) for passes in np.exp(pair)] for pair in logarithms]
    inside = [a["lower"] <= b["ratio"] <= a["upper"] for a, b in runs]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.02)
    meet = [a["lower"] <= b["upper"] and b["lower"] <= a["upper"] for a, b in runs]
    assert np.mean(meet) > 0.99


def test_what_is_counted_has_no_spread_and_what_is_timed_has_some():
    assert ratio([[0.3]] * 5)["lower"] == ratio([[0.3]] * 5)["upper"]
    timed = ratio([[0.3], [0.3001], [0.3]])
    assert timed["upper"] / timed["ratio"] == pytest.approx(1.02)


def test_one_pass_does_not_tell_how_much_processes_differ():
    found = ratio([[1.0, 1.01, 1.02]])
    assert found["lower"] < 1.0 / 1.05
    assert found["upper"] > 1.02 * 1.05


def test_a_difference_whose_spread_meets_one_is_noise():
    assert ratio([[0.9], [1.1], [1.0], [1.05]])["within_noise"]
    assert not ratio([[1.2], [1.3], [1.25], [1.3]])["within_noise"]


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_a_power_law_has_its_exponent_as_slope(power):
    sizes = [10, 30, 100, 1000]
    assert slope(sizes, [3e-6 * n**power for n in sizes]) == pytest.approx(power)


def test_overhead_at_small_sizes_does_not_hide_a_steep_cost():
    sizes = [1, 2, 4, 256, 512, 1024]
    assert slope(sizes, [1.0 + 1e-3 * n**2 for n in sizes]) == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize(("power", "steeper"), [(1.0, False), (1.1, False), (2.0, True)])
def test_a_cost_that_grows_faster_than_its_arithmetic_is_marked(power, steeper):
    curve = Curve("depth", "a deep network", "n", 1.0)
    sizes = (8, 32, 128)
    deep = [workload(f"growth/depth-{n}", sizes={"n": n}, curve=curve) for n in sizes]
    times = {w.name: {OURS: [1e-6 * w.sizes["n"] ** power] * 3} for w in deep}
    (growth,) = results(times, workloads=deep)["growth"]
    assert growth["sizes"] == list(sizes)
    assert growth["slope"] == pytest.approx(power)
    assert growth["steeper"] is steeper


SIZES = (8, 32, 128)


def steeper(times, doubtful=()):
    """Whether these times of three sizes raise the alarm; doubtful: the sizes in doubt."""
    curve = Curve("depth", "a deep network", "n", 1.0)
    deep = [workload(f"growth/depth-{n}", sizes={"n": n}, curve=curve) for n in SIZES]
    table = {}
    for one, seconds in zip(deep, times, strict=True):
        blocks = [Block(x, one.sizes["n"] in doubtful) for x in seconds]
        table[one.name] = {OURS.name: Measured([blocks], dict(FACTS))}
    return summaries(deep, table, [OURS], [OURS.record(1, {})])["growth"][0]["steeper"]


def test_times_in_doubt_raise_no_alarm_about_growth():
    times = [[1e-6 * n**2] * 3 for n in SIZES]
    assert steeper(times)
    assert not steeper(times, doubtful=(128,))


def test_noise_raises_no_alarm_about_growth():
    times = [[1e-6 * n * x for x in (1.0, 2.0, 3.0)] for n in SIZES]
    noisy = [*times[:2], [3.0 * x for x in times[2]]]  # three times too long, as others' blocks are
    assert not steeper(noisy)
    assert steeper([*times[:2], [30.0 * x for x in times[2]]])


def test_two_sizes_make_no_curve():
    curve = Curve("depth", "a deep network", "n")
    deep = [workload(f"growth/depth-{n}", sizes={"n": n}, curve=curve) for n in (8, 32)]
    assert results({w.name: {OURS: [1.0] * 3} for w in deep}, workloads=deep)["growth"] == []


def test_results_differ_by_their_share_of_the_largest_number():
    deviation, where = largest_difference({"y": [1.0, 4.4]}, {"y": [1.0, 4.0]})
    assert (deviation, where) == (pytest.approx(0.1), "y")


@pytest.mark.parametrize(
    "wrong", [{"y": [1.0]}, {}, {"y": [1.0, 2.0], "dx": [1.0]}, {"y": [1.0, float("nan")]}]
)
def test_a_missing_result_another_shape_and_a_nan_are_infinitely_far(wrong):
    assert largest_difference(wrong, {"y": [1.0, 2.0]})[0] == float("inf")
