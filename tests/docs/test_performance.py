"""Charts, text and the guide's table are made of docs/performance.json, which is one run."""

from __future__ import annotations

import copy
import json
import re
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any, NamedTuple

import pytest

import performance
from harness import guide
from harness.amounts import duration, rate, rounded
from harness.chart import HEIGHT, SMALL, WIDTH, spread, width_of, wrapped
from harness.charts import GROUPS, charts
from harness.curves import by_benchmark

DOCS = performance.REPOSITORY / "docs"

STEPS: dict[str, Any] = json.loads((DOCS / "performance.json").read_text())

REDRAW = "run .venv/bin/python benchmarks/performance.py --redraw"

# What the table and the charts are made of takes half an hour to measure.
MAX_HOURS = 2


def drawn(steps: dict[str, Any]) -> dict[str, str]:
    return charts(by_benchmark(steps))


def told_of() -> list[dict[str, Any]]:
    """Return the steps that the table, the sentence beside it and the charts are made of."""
    benchmarks = {each.plot.benchmark for _, group in GROUPS for each in group}
    return [
        step
        for name, step in STEPS.items()
        if name in guide.STEPS or step["benchmark"] in benchmarks
    ]


class Text(NamedTuple):
    told: str
    left: float
    right: float
    bottom: float
    size: int


TEXT = re.compile(
    r'<text x="([\d.]+)" y="([\d.]+)" fill="#\w+" font-size="(\d+)"( font-weight="bold")?'
    r'(?: text-anchor="(\w+)")?>(.*?)</text>'
)


def texts(chart: str) -> list[Text]:
    found = []
    for x, y, size, bold, anchor, told in TEXT.findall(chart):
        width = width_of(told, int(size), bold=bool(bold))
        left = float(x) - {"": 0, "start": 0, "middle": width / 2, "end": width}[anchor]
        found.append(Text(told, left, left + width, float(y), int(size)))
    return found


CHARTS = drawn(STEPS)


@pytest.mark.parametrize("name", performance.made_of(STEPS))
def test_a_file_is_what_is_made_of_the_figures(name):
    assert (DOCS / name).read_text() == performance.made_of(STEPS)[name], REDRAW


def test_there_is_no_chart_besides():
    files = {path.name for path in DOCS.glob("performance*.svg")}
    assert files == {f"performance-{each.name}.svg" for _, group in GROUPS for each in group}


def test_the_guide_has_the_figures_once_and_shows_charts_that_there_are():
    pages = [
        text
        for page in guide.pages(performance.REPOSITORY)
        if guide.BEGIN in (text := page.read_text())
    ]
    assert len(pages) == 1
    (page,) = pages
    assert page.count(guide.BEGIN) == page.count(guide.END) == 1
    assert guide.renewed(page, STEPS) == page, REDRAW
    shown = re.findall(r"image:: (?:.*/)?(performance\S*)", page)
    assert len(shown) >= 4
    assert [name for name in shown if not (DOCS / name).exists()] == []


def test_figures_that_are_told_come_from_one_run_on_one_machine():
    steps = told_of()
    assert len(steps) > 8
    times = [datetime.fromisoformat(step["at"]) for step in steps]
    assert max(times) - min(times) < timedelta(hours=MAX_HOURS)
    machines = [{**step["machine"], "load": 0} for step in steps]
    assert all(machine == machines[0] for machine in machines)


def test_another_figure_changes_the_table_the_charts_and_the_text():
    steps = copy.deepcopy(STEPS)
    for step in steps.values():
        for case in step["cases"]:
            for competitor in case["competitors"].values():
                competitor["median"] *= 7
    told = [
        set(re.findall(r"[\d.,]+ ?(?:ms|s|µs|/s)", guide.table(each))) for each in (steps, STEPS)
    ]
    assert len(told[1]) > 20
    assert len(told[0] & told[1]) < 5
    assert guide.million(steps) != guide.million(STEPS)
    changed = drawn(steps)
    assert changed.keys() == CHARTS.keys()
    assert [name for name in changed if changed[name] == CHARTS[name]] == []


def test_without_figures_there_is_no_chart_and_a_table_is_an_error():
    assert charts({}) == {}
    with pytest.raises(LookupError):
        guide.table({})


@pytest.mark.parametrize("name", CHARTS)
def test_texts_of_a_chart_are_within_it_and_none_is_upon_another(name):
    found = texts(CHARTS[name])
    assert len(found) > 6
    for each in found:
        assert each.left >= 0, each
        assert each.right <= WIDTH, each
        assert each.size <= each.bottom <= HEIGHT - 3, each
        assert each.size >= SMALL
    for one, other in combinations(found, 2):
        assert (
            one.right <= other.left
            or other.right <= one.left
            or one.bottom <= other.bottom - other.size * 0.8
            or other.bottom <= one.bottom - one.size * 0.8
        ), (one, other)


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_says_one_thing_and_names_its_curves_where_they_end(name):
    chart = CHARTS[name]
    (message,) = re.findall("<title>(.*)</title>", chart)
    headline = " ".join(text for _, _, _, bold, _, text in TEXT.findall(chart) if bold)
    assert headline.startswith(message)
    assert re.search(r"\d", message)
    lines = re.findall(r'fill="none" stroke="(#\w+)"', chart)
    names = re.findall(r'<text [^>]*fill="(#\w+)" font-size="12"', chart)
    assert 1 <= len(lines) == len(set(lines)) <= 4
    assert set(lines) <= set(names)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.00020159, "202 µs"),
        (0.0034, "3.4 ms"),
        (0.0338, "34 ms"),
        (0.2115, "212 ms"),
        (0.618, "0.62 s"),
        (7.948, "7.9 s"),
        (9.96, "10 s"),
        (60.3, "60 s"),
        (126.0, "130 s"),
    ],
)
def test_a_time_has_two_digits_and_a_unit_that_fits(seconds, told):
    assert duration(seconds) == told


def test_rates_and_round_numbers():
    assert [rate(each) for each in (12_288.5, 4735.1, 1008.9, 32.86)] == [
        "12,300/s", "4,700/s", "1,000/s", "33/s",
    ]  # fmt: skip
    assert [rounded(each) for each in (0, 0.0999, 99.9, 1234)] == ["0", "0.10", "100", "1,200"]


def test_labels_are_spread_near_where_they_are_wanted():
    assert spread([50, 50, 100], [20, 20, 20], 0, 200) == [50, 70, 100]
    assert spread([195, 198], [20, 20], 0, 200) == [170, 190]
    assert spread([1], [20], 0, 200) == [10]


def test_a_long_message_is_wrapped():
    lines = wrapped("one two three", width_of("one two", 12), 12)
    assert lines == ["one two", "three"]
