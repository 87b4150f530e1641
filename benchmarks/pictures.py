"""The demo's picture: curves of a training, digits that were read and digits that were misread.

Needs matplotlib, which is imported only when something is drawn. Blue and vermilion are those of
Okabe and Ito 2008, which people who see colours differently tell apart; words say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .digits import Epoch, Outcome, Reading

SUFFIXES = (".pdf", ".png", ".svg")
BLUE, VERMILION = "#0072B2", "#D55E00"
INK, GREY, RULE = "#222222", "#666666", "#dddddd"
STYLE: dict[Any, Any] = {
    "axes.edgecolor": RULE,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlepad": 12.0,
    "axes.titlesize": 12,
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same picture everywhere
    "font.size": 10,
    "grid.color": RULE,
    "lines.linewidth": 2.0,
    "svg.hashsalt": "isograd",  # else the names inside an SVG change from run to run
    "text.color": INK,
    "xtick.color": GREY,
    "xtick.major.size": 0,
    "ytick.color": GREY,
    "ytick.major.size": 0,
    "ytick.minor.size": 0,
}
UNDATED = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}
SIZE = (10.5, 8.4)  # inches
IN_A_ROW = 10
CELL = 0.8  # of a digit
LEFT, RIGHT = 0.04, 0.98


def why_no_picture() -> str:
    """What is missing to draw and the line that brings it, "" where nothing is."""
    if find_spec("matplotlib") is not None:
        return ""
    return 'matplotlib is not installed; pip install "isograd[demo]" brings it'


def draw_training(path: Path, outcome: Outcome, seed: int) -> Path:
    """Draw an outcome into a file, whose full path comes back; the same outcome, the same bytes."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=SIZE)
        _draw_title(figure, outcome, seed)
        panels = figure.add_gridspec(1, 2, left=0.07, right=0.84, top=0.8, bottom=0.51, wspace=0.56)
        _draw_losses(figure.add_subplot(panels[0]), outcome.epochs)
        _draw_accuracies(figure.add_subplot(panels[1]), outcome)
        _draw_readings(figure, outcome.test)
        figure.savefig(path, dpi=150, metadata=UNDATED.get(path.suffix.lower()))
    return path.resolve()


def surest_of_each_class(reading: Reading) -> list[int]:
    """For each class the place of the image that was read right with the largest probability."""
    places = []
    for label in range(reading.probabilities.shape[1]):
        right = ((reading.labels == label) & (reading.answers == label)).nonzero()[0]
        if len(right):
            places.append(int(right[reading.probabilities[right, label].argmax()]))
    return places


def worst(reading: Reading) -> list[int]:
    """Places of the misread images, the largest probability of a wrong class first."""
    sureness = reading.probabilities[reading.wrong].max(axis=1)
    return [int(place) for place in reading.wrong[(-sureness).argsort(kind="stable")]]


def least_sure(reading: Reading) -> list[int]:
    """Places of the images that were read right, the smallest probability first."""
    right = (reading.answers == reading.labels).nonzero()[0]
    sureness = reading.probabilities[right].max(axis=1)
    return [int(place) for place in right[sureness.argsort(kind="stable")]]


def _draw_title(figure: Any, outcome: Outcome, seed: int) -> None:
    n, n_wrong = len(outcome.test.labels), len(outcome.test.wrong)
    title = f"{100 * outcome.test.accuracy:.1f} % of {n} handwritten digits read right"
    note = (
        f"The network misread {n_wrong} of the {n} and learned from none of them. "
        f"{_counted(len(outcome.epochs), 'epoch')}, seed {seed}."
    )
    figure.text(LEFT, 0.938, title, fontsize=20, fontweight="bold")
    figure.text(LEFT, 0.902, note, fontsize=11, color=GREY)


def _draw_losses(axes: Any, epochs: Sequence[Epoch]) -> None:
    """The cross-entropies of the training and of the validation images, on a logarithmic scale."""
    training = [epoch.training_loss for epoch in epochs]
    validation = [epoch.validation_loss for epoch in epochs]
    _prepare(axes, "Cross-entropy, in nats", len(epochs))
    _scale_by_logarithms(axes, [*training, *validation])
    lower = training[-1] < validation[-1]
    _draw_line(axes, training, f"training {training[-1]:.3f}", BLUE, "-", lower)
    _draw_line(axes, validation, f"validation {validation[-1]:.3f}", VERMILION, "--", not lower)


def _draw_accuracies(axes: Any, outcome: Outcome) -> None:
    """The validation accuracy of each epoch, and at its end that of the test."""
    accuracies = [100.0 * epoch.validation_accuracy for epoch in outcome.epochs]
    test = 100.0 * outcome.test.accuracy
    _prepare(axes, "Read right, in % of the images", len(accuracies))
    axes.set_ylim(min(90.0, 10.0 * (min(*accuracies, test) // 10.0)), 100.5)
    lower = accuracies[-1] < test
    _draw_line(axes, accuracies, f"validation {accuracies[-1]:.1f} %", VERMILION, "--", lower)
    axes.plot(len(accuracies), test, marker="D", markersize=7, color=INK, clip_on=False, zorder=3)
    _label(axes, len(accuracies), test, f"test {test:.1f} %", INK, not lower)


def _prepare(axes: Any, title: str, n_epochs: int) -> None:
    """Title, and an axis of whole epochs."""
    from matplotlib.ticker import MaxNLocator

    axes.set_title(title, x=-0.1)
    axes.set_xlabel("epoch", color=GREY)
    if n_epochs == 1:
        axes.set(xlim=(0.5, 1.5), xticks=[1])
    else:
        axes.set_xlim(1, n_epochs)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))


def _scale_by_logarithms(axes: Any, values: Sequence[float]) -> None:
    """A logarithmic axis around the values, with lines at 1, 2 and 5 of each power of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axes.set_yscale("log")
    axes.set_ylim(min(values) / 1.4, max(values) * 1.2)
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))


def _draw_line(
    axes: Any, values: Sequence[float], text: str, color: str, style: str, below: bool
) -> None:
    """A curve over the epochs from 1 on, named at its end: a legend sends the eye away."""
    marker = "o" if len(values) == 1 else ""
    epochs = range(1, len(values) + 1)
    axes.plot(epochs, values, style, marker=marker, color=color, clip_on=False)
    _label(axes, len(values), values[-1], text, color, below)


def _label(axes: Any, x: float, y: float, text: str, color: str, below: bool) -> None:
    """A text to the right of a point, below or above its height so that two do not meet."""
    axes.annotate(
        text,
        (x, y),
        xytext=(9, 1 if below else -1),
        textcoords="offset points",
        va="top" if below else "bottom",
        color=color,
        annotation_clip=False,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
    )


def _draw_readings(figure: Any, reading: Reading) -> None:
    """A row of sure readings; below, the misread images and then the least sure of the others."""
    misread = worst(reading)[:IN_A_ROW]
    unsure = least_sure(reading)[: IN_A_ROW - len(misread)]
    upper, lower = 0.283, 0.075
    _draw_row(figure, reading, surest_of_each_class(reading), upper)
    _draw_row(figure, reading, [*misread, *unsure], lower)
    n_wrong = len(reading.wrong)
    shown = f", the surest {len(misread)} of {n_wrong}" if n_wrong > len(misread) else ""
    _head(figure, 0, upper, "Read right, the surest of each class")
    if misread:
        _head(figure, 0, lower, f"Misread{shown}")
    if unsure:
        _head(figure, len(misread), lower, "Read right, but least sure")


def _draw_row(figure: Any, reading: Reading, places: Sequence[int], bottom: float) -> None:
    """Images side by side, each with what the network says and how sure it is."""
    for column, place in enumerate(places):
        label, answer = int(reading.labels[place]), int(reading.answers[place])
        axes = figure.add_axes((_left(column), bottom, CELL / SIZE[0], CELL / SIZE[1]))
        image = reading.images[place].reshape(8, 8)
        axes.imshow(image, cmap="gray_r", vmin=-1.0, vmax=1.0, aspect="auto")
        axes.set(xticks=[], yticks=[])
        wrong = answer != label
        _frame(axes, VERMILION if wrong else RULE, 2.5 if wrong else 1.0)
        sureness = f"{100 * reading.probabilities[place, answer]:.0f} %"
        caption = f"{answer} ({sureness})" + (f"\nbut is {label}" if wrong else "")
        axes.set_xlabel(caption, color=VERMILION if wrong else INK, labelpad=5, linespacing=1.3)


def _frame(axes: Any, color: str, width: float) -> None:
    for spine in axes.spines.values():
        spine.set(visible=True, color=color, linewidth=width)


def _head(figure: Any, column: int, bottom: float, text: str) -> None:
    figure.text(_left(column), bottom + (CELL + 0.12) / SIZE[1], text, fontsize=12)


def _left(column: int) -> float:
    """Left edge of a cell, as a share of the figure's width."""
    return LEFT + column * (RIGHT - LEFT) / IN_A_ROW


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
