"""From blocks to what a table shows: medians and their spread, ratios, slopes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

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


def ratio(ours: Sequence[float], others: Sequence[float]) -> dict[str, Any]:
    """The ratio of neighbouring blocks: its median, its deciles, and whether 1 lies between them.

    A slow minute of the machine met both of a pair, so it leaves the ratio alone.
    """
    ratios = [x / y for x, y in zip(ours, others, strict=False)]
    lower, upper = quantile(ratios, 0.1), quantile(ratios, 0.9)
    within = {"lower": lower, "upper": upper, "within_noise": lower <= 1.0 <= upper}
    return {"ratio": quantile(ratios, 0.5), **within}


def slope(sizes: Sequence[float], times: Sequence[float]) -> float:
    """Of the straight line through log(time) over log(size) with the least squared error.

    Over the larger half of the sizes, but three at least: at small ones the overhead hides a cost.
    """
    points = sorted(zip(sizes, times, strict=True))
    points = points[-max(FEWEST_SIZES, (len(points) + 1) // 2) :]
    xs, ys = [math.log(x) for x, _ in points], [math.log(y) for _, y in points]
    x_mean, y_mean = sum(xs) / len(xs), sum(ys) / len(ys)
    products = sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True))
    return products / sum((x - x_mean) ** 2 for x in xs)


def curves(workloads: Sequence[Mapping[str, Any]], expected: Mapping[str, Any]) -> list[dict]:
    """The growth of each candidate along each curve that has three sizes or more.

    workloads: as in the results. expected: Curve by its name.
    """
    found = []
    for name, curve in expected.items():
        rows = [workload for workload in workloads if workload["curve"] == name]
        for candidate in dict.fromkeys(one for row in rows for one in row["results"]):
            points = [
                (row["sizes"][curve.along], row["results"][candidate]["median"])
                for row in rows
                if row["results"].get(candidate, {}).get("status") == "ok"
            ]
            if len(points) >= FEWEST_SIZES:
                found.append(_curve(curve, candidate, sorted(points)))
    return found


def _curve(curve: Any, candidate: str, points: list[tuple[int, float]]) -> dict[str, Any]:
    sizes, medians = [size for size, _ in points], [median for _, median in points]
    steepness = slope(sizes, medians)
    return {
        "curve": curve.name,
        "title": curve.title,
        "along": curve.along,
        "candidate": candidate,
        "sizes": sizes,
        "medians": medians,
        "slope": steepness,
        "largest_expected": curve.largest_expected,
        "steeper": steepness > curve.largest_expected + STEEPER_BY,
    }
