"""Curves out of the figures of the benchmarks: one competitor's, over a parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

# One measured case, as `harness.report.as_json` gives it.
Measured = Mapping[str, Any]


class Curve(NamedTuple):
    """Points of one competitor, by the parameter that they are drawn over."""

    label: str
    points: list[tuple[float, float]]

    def at(self, x: float) -> float:
        """Return the figure at a value of the parameter, which has been measured."""
        return dict(self.points)[x]


class Plot(NamedTuple):
    """The cases of a benchmark that `chosen` picks, over one of their parameters.

    `label` names a curve, from the case and the competitor; None leaves that competitor out.
    """

    benchmark: str
    over: str
    chosen: Callable[[Measured], bool]
    label: Callable[[Measured, str], str | None]


def by_benchmark(steps: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Measured]]:
    """Return the cases of each benchmark, of all steps in their order."""
    found: dict[str, list[Measured]] = {}
    for step in steps.values():
        found.setdefault(step["benchmark"], []).extend(step["cases"])
    return found


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
