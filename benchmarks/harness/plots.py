"""Draw scaling curves from the figures of the benchmarks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

# One measured case, as `harness.report.as_json` gives it.
Measured = Mapping[str, Any]


class Curve(NamedTuple):
    """Points of one competitor, by the parameter that they are drawn over."""

    label: str
    points: list[tuple[float, float]]


class Plot(NamedTuple):
    """The cases of a benchmark that `chosen` picks, over one of their parameters.

    `label` names a curve, from the case and the competitor; None leaves that competitor out.
    """

    title: str
    benchmark: str
    over: str
    unit: str
    chosen: Callable[[Measured], bool]
    label: Callable[[Measured, str], str | None]


def curves(plot: Plot, cases: Iterable[Measured]) -> list[Curve]:
    """Return the curves of a plot, each sorted by its parameter."""
    found: dict[str, list[tuple[float, float]]] = {}
    for case in cases:
        if plot.over in case["parameters"] and plot.chosen(case):
            for competitor, figures in case["competitors"].items():
                if (label := plot.label(case, competitor)) is not None:
                    point = float(case["parameters"][plot.over]), float(figures["median"])
                    found.setdefault(label, []).append(point)
    return [Curve(label, sorted(points)) for label, points in found.items()]


def draw(plots: Iterable[Plot], results: Mapping[str, Iterable[Measured]], file: Path) -> None:
    """Draw plots beside each other into an SVG file, as far as there are figures."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    drawn = [(plot, curves(plot, results.get(plot.benchmark, ()))) for plot in plots]
    drawn = [(plot, lines) for plot, lines in drawn if lines]
    if not drawn:
        return
    columns = min(2, len(drawn))
    rows = -(-len(drawn) // columns)
    # The file would be another one each time without these, and its text no text.
    matplotlib.rcParams.update({"svg.hashsalt": "zc.zk", "svg.fonttype": "none"})
    figure, axes = pyplot.subplots(
        rows, columns, figsize=(6.4 * columns, 4.4 * rows), squeeze=False, layout="constrained"
    )
    for axis in axes.flat[len(drawn) :]:
        axis.set_visible(False)
    for axis, (plot, lines) in zip(axes.flat, drawn, strict=False):
        for line in lines:
            axis.plot(*zip(*line.points, strict=True), marker="o", markersize=3, label=line.label)
        values = [x for line in lines for x, _ in line.points]
        if min(values) > 0 and max(values) >= 10 * min(values):
            axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_title(plot.title)
        axis.set_xlabel(plot.over)
        axis.set_ylabel(plot.unit)
        axis.grid(True, which="major", alpha=0.3)
        axis.legend(fontsize="small")
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)
