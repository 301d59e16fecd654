"""One chart as SVG: a message, curves on logarithmic axes, and their names where they end.

A chart is as wide as a telephone, so that it is read there as it is; several stand side by side
where there is room. Those of a group have the same axes (small multiples). There is no legend.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from xml.sax.saxutils import escape

from .curves import Curve

WIDTH, HEIGHT = 340, 250

# Of the area in which curves are drawn.
LEFT, RIGHT, TOP, BOTTOM = 52, 250, 70, 214

MARGIN = 12
TITLE, SMALL = 14, 12  # pixels of a line's letters
LINE = 15  # from one line to the next

FONT = "'DejaVu Sans', Verdana, Helvetica, Arial, sans-serif"
INK, QUIET, GRID = "#1b1f24", "#57606a", "#d8dee4"

# Each is at 4.5 : 1 with the background; the first is ours.
COLOURS = ("#0b57a4", "#a8470d", "#57606a", "#1a6b32")


class Axes(NamedTuple):
    """The lowest and the highest value on each axis."""

    x: tuple[float, float]
    y: tuple[float, float]


class Chart(NamedTuple):
    """A message, and the figures for it: `unit` is theirs, `over` what they depend on."""

    message: str
    unit: str
    over: str
    curves: list[Curve]


def axes_of(charts: Iterable[Chart]) -> Axes:
    """Return axes on which all of these fit, from one power of ten to another."""
    points = [point for chart in charts for curve in chart.curves for point in curve.points]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    low, high = math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys)))
    return Axes((min(xs), max(xs)), (10.0**low, 10.0 ** max(high, low + 1)))


def svg(chart: Chart, axes: Axes) -> str:
    """Return the file. It is the same for the same figures."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}"'
            f' viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="{FONT}">',
            f"<title>{escape(chart.message)}</title>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
            *_heading(chart),
            *_grid(chart, axes),
            *_lines(chart, axes),
            *_names(chart, axes),
            "</svg>\n",
        ]
    )


def _heading(chart: Chart) -> Iterator[str]:
    lines = wrapped(chart.message, WIDTH - 2 * MARGIN, TITLE, bold=True)
    assert len(lines) <= 2, f"too long for two lines: {chart.message}"
    for number, line in enumerate(lines):
        yield text(MARGIN, 22 + number * (LINE + 3), line, INK, TITLE, bold=True)
    yield text(MARGIN, 22 + len(lines) * (LINE + 3) - 1, chart.unit, QUIET, SMALL)


def _grid(chart: Chart, axes: Axes) -> Iterator[str]:
    for value in _powers(*axes.y):
        y = _y(value, axes)
        yield f'<path d="M{LEFT} {y:.1f}H{RIGHT}" stroke="{GRID}"/>'
        yield text(LEFT - 6, y + 4, tick(value), QUIET, SMALL, anchor="end")
    for value in _xs(chart):
        x = _x(value, axes)
        yield f'<path d="M{x:.1f} {BOTTOM}v4" stroke="{QUIET}"/>'
        yield text(x, BOTTOM + 17, tick(value), QUIET, SMALL, anchor="middle")
    yield text((LEFT + RIGHT) / 2, BOTTOM + 31, chart.over, QUIET, SMALL, anchor="middle")


def _lines(chart: Chart, axes: Axes) -> Iterator[str]:
    # Ours last, on top of the others.
    for number, curve in reversed([*enumerate(chart.curves)]):
        colour, width = COLOURS[number], 2.5 if number == 0 else 1.5
        places = [(_x(x, axes), _y(y, axes)) for x, y in curve.points]
        way = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        yield f'<path d="M{way}" fill="none" stroke="{colour}" stroke-width="{width}"/>'
        for x, y in places:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{width + 0.5}" fill="{colour}"/>'


def _names(chart: Chart, axes: Axes) -> Iterator[str]:
    """Yield the curves' names: where they end, none upon another."""
    longest = max(curve.points[-1][0] for curve in chart.curves)
    to_the_right = [
        number for number, curve in enumerate(chart.curves) if curve.points[-1][0] == longest
    ]
    place = _x(longest, axes) + 9
    ends = [_y(chart.curves[number].points[-1][1], axes) for number in to_the_right]
    told = [
        wrapped(chart.curves[number].label, WIDTH - place - 4, SMALL) for number in to_the_right
    ]
    middles = spread(ends, [len(lines) * LINE for lines in told], TOP - 8, BOTTOM + 8)
    for number, lines, middle in zip(to_the_right, told, middles, strict=True):
        first = middle - len(lines) * LINE / 2 + LINE - 3
        for row, line in enumerate(lines):
            yield text(place, first + row * LINE, line, COLOURS[number], SMALL, bold=number == 0)
    # Others go on to the right of it: above its end.
    for number, curve in enumerate(chart.curves):
        if number not in to_the_right:
            x, y = _x(curve.points[-1][0], axes), _y(curve.points[-1][1], axes) - 8
            anchor = "start" if x < LEFT + 40 else "middle"
            yield text(x, y, curve.label, COLOURS[number], SMALL, anchor=anchor)


def spread(
    wanted: list[float], heights: list[float] | list[int], low: float, high: float
) -> list[float]:
    """Return the middles of labels: near where they are wanted, and none upon another."""
    order = sorted(range(len(wanted)), key=lambda number: wanted[number])
    middles = list(wanted)
    edge = low
    for number in order:
        middles[number] = max(middles[number], edge + heights[number] / 2)
        edge = middles[number] + heights[number] / 2
    edge = high
    for number in reversed(order):
        middles[number] = min(middles[number], edge - heights[number] / 2)
        edge = middles[number] - heights[number] / 2
    return middles


def _powers(low: float, high: float) -> list[float]:
    first, last = round(math.log10(low)), round(math.log10(high))
    step = 1 if last - first <= 5 else 2
    return [10.0**power for power in range(first, last + 1, step)]


def _xs(chart: Chart) -> list[float]:
    return sorted({x for curve in chart.curves for x, _ in curve.points})


def _along(value: float, low: float, high: float) -> float:
    return math.log(value / low) / math.log(high / low)


def _x(value: float, axes: Axes) -> float:
    return LEFT + 8 + _along(value, *axes.x) * (RIGHT - LEFT - 12)


def _y(value: float, axes: Axes) -> float:
    return BOTTOM - _along(value, *axes.y) * (BOTTOM - TOP)


def tick(value: float) -> str:
    """Return a number as an axis shows it."""
    if value >= 1_000_000:
        return f"{value / 1_000_000:g}M"
    if value >= 1000:
        return f"{value / 1000:g}k"
    return f"{value:g}"


def text(
    x: float,
    y: float,
    told: str,
    colour: str,
    size: int,
    *,
    bold: bool = False,
    anchor: str = "start",
) -> str:
    """Return a line of text."""
    weight = ' font-weight="bold"' if bold else ""
    where = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="{size}"{weight}{where}>'
        f"{escape(told)}</text>"
    )


def wrapped(told: str, width: float, size: int, *, bold: bool = False) -> list[str]:
    """Return a text in lines that are no wider than that."""
    lines = [""]
    for word in told.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and width_of(longer, size, bold=bold) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def width_of(told: str, size: int, *, bold: bool = False) -> float:
    """Return how wide a text is at most, in the widest of the fonts."""
    ems = sum(
        0.4 if letter in "iljtfrI.,:;'|() " else 1.0 if letter in "mwMW%" else 0.66
        for letter in told
    )
    return ems * size * (1.1 if bold else 1.0)
