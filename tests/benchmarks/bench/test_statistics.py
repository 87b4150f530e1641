"""Medians, ratios and slopes are those of the textbooks, and noise is called noise."""

import pytest
from fake_workers import OURS, results, workload

from isograd.benchmarks.bench.statistics import quantile, ratio, slope, spread
from isograd.benchmarks.bench.workload import Curve, largest_difference


def test_quantiles_are_interpolated_between_neighbours():
    assert quantile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.5
    assert quantile([1.0, 2.0], 0.1) == pytest.approx(1.1)
    assert quantile([7.0], 0.9) == 7.0


def test_one_slow_block_moves_neither_median_nor_quartiles():
    assert spread([4.0, 1.0, 3.0, 2.0, 100.0])["median"] == 3.0
    assert spread([4.0, 1.0, 3.0, 2.0, 100.0])["upper_quartile"] == 4.0


def test_a_slow_minute_that_meets_both_leaves_the_ratio_alone():
    found = ratio([1.0, 1.0, 5.0, 5.0, 1.0], [2.0, 2.0, 10.0, 10.0, 2.0])
    assert found == {"ratio": 0.5, "lower": 0.5, "upper": 0.5, "within_noise": False}


def test_a_difference_whose_spread_meets_one_is_noise():
    assert ratio([0.9, 1.1, 1.0, 1.05], [1.0] * 4)["within_noise"]
    assert not ratio([1.2, 1.3, 1.25, 1.3], [1.0] * 4)["within_noise"]


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
