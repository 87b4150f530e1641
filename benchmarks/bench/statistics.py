"""From blocks to what a table shows: medians and their spread, ratios, slopes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

FEWEST_PASSES = 3  # that tell how much they differ
STUDENT = {3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36, 9: 2.31}  # t, 97.5 %, by passes
STUDENT_AT_MOST = 2.26  # of ten passes or more
LEAST_HALF = math.log(1.02)
ROUNDING = 1e-12  # of logarithms that are equal
BETWEEN_PROCESSES = math.log(1.1)
FEWEST_SIZES = 3  # for a slope
STEEPER_BY = 0.2  # than the arithmetic asks for, before a slope is called too steep


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which this share of the values lies, interpolated between neighbours."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    i = math.floor(place)
    above = ordered[min(i + 1, len(ordered) - 1)]
    return ordered[i] + (above - ordered[i]) * (place - i)


def spread(blocks: Sequence[float]) -> dict[str, float]:
    """Median, quartiles and deciles by the names that results have for them."""
    return {
        "median": quantile(blocks, 0.5),
        "lower_quartile": quantile(blocks, 0.25),
        "upper_quartile": quantile(blocks, 0.75),
        "lower_decile": quantile(blocks, 0.1),
        "upper_decile": quantile(blocks, 0.9),
    }


def ratio(passes: Sequence[Sequence[float]]) -> dict[str, Any]:
    """The ratio of two candidates, and where a ratio of another run is to be expected.

    passes: for each, the ratios of neighbouring blocks: a slow minute met both of a pair. A pass
    has processes of its own, whose memory lies elsewhere, so passes differ by more than their
    blocks tell.
    ratio: the geometric mean of the passes' medians. lower, upper: 95 of 100 other runs fall
    between them if logarithms of passes are normal: ratio exp(-+ t s sqrt(2 / n)), with s the
    deviation of n of them and Student's t; never less than 2 % away, unless all passes are equal,
    as counted bytes are. Fewer than three passes do not tell s: the deciles of all pairs then, and
    10 % more on both sides.
    Source: Hahn and Meeker 1991, Statistical Intervals, chapter 4, the mean of future observations.
    """
    logarithms = [math.log(quantile(one, 0.5)) for one in passes]
    n = len(logarithms)
    mean = sum(logarithms) / n
    deviation = math.sqrt(sum((x - mean) ** 2 for x in logarithms) / max(n - 1, 1))
    pairs = [math.log(x) for one in passes for x in one]
    if n >= FEWEST_PASSES:
        student = STUDENT.get(n, STUDENT_AT_MOST)
        half = max(student * deviation * math.sqrt(2.0 / n), LEAST_HALF)
        half *= deviation > ROUNDING
        low, high = mean - half, mean + half
    else:
        low, high = (quantile(pairs, share) for share in (0.1, 0.9))
        low, high = min(low, mean) - BETWEEN_PROCESSES, max(high, mean) + BETWEEN_PROCESSES
    lower, upper = math.exp(low), math.exp(high)
    return {
        "ratio": math.exp(mean),
        "lower": lower,
        "upper": upper,
        "within_noise": lower <= 1.0 <= upper,
    }


def slope(sizes: Sequence[float], times: Sequence[float]) -> float:
    """Of the straight line through log(time) over log(size) with the least squared error.

    Over the larger half of the sizes, but three at least: at small ones the overhead hides a cost.
    """
    points = _larger_half(zip(sizes, times, strict=True))
    xs, ys = [math.log(x) for x, _ in points], [math.log(y) for _, y in points]
    x_mean, y_mean = sum(xs) / len(xs), sum(ys) / len(ys)
    products = sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True))
    return products / sum((x - x_mean) ** 2 for x in xs)


def _larger_half(points: Iterable[tuple[float, Any]]) -> list[tuple[float, Any]]:
    ordered = sorted(points, key=lambda point: point[0])
    return ordered[-max(FEWEST_SIZES, (len(ordered) + 1) // 2) :]


def in_doubt(result: Mapping[str, Any]) -> bool:
    """Whether other processes disturbed most blocks of what was measured, and their retries."""
    return 2 * result["kept_disturbed"] > len(result["blocks"])


def curves(workloads: Sequence[Mapping[str, Any]], expected: Mapping[str, Any]) -> list[dict]:
    """The growth of each candidate along each curve that has three sizes or more.

    workloads: as in the results. expected: Curve by its name.
    """
    found = []
    for name, curve in expected.items():
        rows = [workload for workload in workloads if workload["curve"] == name]
        for candidate in dict.fromkeys(one for row in rows for one in row["results"]):
            points = {
                row["sizes"][curve.along]: row["results"][candidate]
                for row in rows
                if row["results"].get(candidate, {}).get("status") == "ok"
            }
            if len(points) >= FEWEST_SIZES:
                found.append(_curve(curve, candidate, dict(sorted(points.items()))))
    return found


def _curve(curve: Any, candidate: str, points: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    sizes, medians = list(points), [one["median"] for one in points.values()]
    sure = {size: one for size, one in points.items() if not in_doubt(one)}
    return {
        "curve": curve.name,
        "title": curve.title,
        "along": curve.along,
        "candidate": candidate,
        "sizes": sizes,
        "medians": medians,
        "slope": slope(sizes, medians),
        "largest_expected": curve.largest_expected,
        "steeper": _least_slope(sure) > curve.largest_expected + STEEPER_BY,
    }


def _least_slope(points: Mapping[int, Mapping[str, Any]]) -> float:
    """The slope if small sizes took their upper decile and large ones their lower: the least.

    0 where fewer than three sizes were measured without doubt.
    """
    if len(points) < FEWEST_SIZES:
        return 0.0
    used = _larger_half(points.items())
    middle = quantile([size for size, _ in used], 0.5)
    sizes = [size for size, _ in used]
    times = [one["upper_decile" if size < middle else "lower_decile"] for size, one in used]
    return slope(sizes, times)
