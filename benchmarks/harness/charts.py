"""The charts of docs/performance: what each of them says, by the figures themselves.

The charts of a group have the same axes. A message is made of the curves, so that it says what is
drawn, and what the guide's table has from the same run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from .amounts import duration, rate
from .chart import Chart, axes_of, svg
from .curves import Curve, Measured, Plot, curves

MILLION = 1_000_000
OURS = "zc.zk"

# The cases of each benchmark.
Results = Mapping[str, Iterable[Measured]]

Named = dict[str, Curve]
Message = Callable[[Named], str]


class Drawn(NamedTuple):
    """A chart to be drawn: the end of its file's name, its curves, and what it says."""

    name: str
    plot: Plot
    unit: str
    message: Message


def _job(job: str, unit: str) -> Plot:
    return Plot(
        "scale",
        "nodes",
        lambda case: case["unit"] == unit and case["parameters"]["job"] == job,
        lambda case, who: who,
    )


def _at_the_same(what: str) -> Message:
    def message(named: Named) -> str:
        nodes, kazoo = named["kazoo"].points[-1]
        ours = duration(named[OURS].at(nodes))
        return f"{what}: {nodes:,.0f} nodes take {ours}, by kazoo {duration(kazoo)}"

    return message


def _memory(named: Named) -> str:
    nodes, megabytes = named[OURS].points[-1]
    told = "a million" if nodes == MILLION else f"{nodes:,.0f}"
    return f"An export of {told} nodes takes {megabytes:,.0f} MB of memory"


def _requests(named: Named) -> str:
    nodes, kazoo = named["kazoo"].points[-1]
    ours = named[OURS].at(nodes)
    return f"{ours:,.0f} requests export {nodes:,.0f} nodes, by kazoo {kazoo:,.0f}"


def _gets(*, busy: bool) -> Plot:
    return Plot(
        "calls",
        "threads",
        lambda case: (
            case["unit"] == "calls a second"
            and case["parameters"]["call"] == "get"
            and case["parameters"]["busy"] is busy
        ),
        lambda case, who: {"zookeeper": OURS, "kazoo": who, "zoo_get in C": who}.get(who),
    )


def _threads(named: Named) -> str:
    threads, ours = named[OURS].points[-1]
    return f"{threads:.0f} threads get {rate(ours)}, by kazoo {rate(named['kazoo'].at(threads))}"


def _busy(named: Named) -> str:
    threads, ours = named[OURS].points[-1]
    kazoo = rate(named["kazoo"].at(threads))
    return f"Beside a thread that computes they get {rate(ours)}, by kazoo {kazoo}"


def _followers(named: Named) -> str:
    followers, ours = named[OURS].points[-1]
    kazoo = duration(named["kazoo"].at(followers) / 1000)
    return (
        f"A change reaches {followers:,.0f} followers in {duration(ours / 1000)}, by kazoo {kazoo}"
    )


def _lost_session(named: Named) -> str:
    watches, ours = named[OURS].points[-1]
    single = duration(named["call by call"].at(watches))
    return f"{watches:,.0f} watches are set again in {duration(ours)}, call by call in {single}"


def _links(named: Named) -> str:
    (none, first), (links, last) = named["in the path"].points[0], named["in the path"].points[-1]
    return f"A link in a path costs {duration((last - first) / (links - none) / 1e6)} more"


JOBS = ("export", "fresh import", "unchanged import", "delete")

SECONDS = "seconds; lower is better"
EACH_SECOND = "calls a second; higher is better"

GROUPS: list[tuple[str, list[Drawn]]] = [
    (
        "nodes",
        [
            Drawn(
                job.replace(" ", "-"), _job(job, "seconds"), SECONDS, _at_the_same(job.capitalize())
            )
            for job in JOBS
        ],
    ),
    ("nodes", [Drawn("memory", _job("export", "megabytes"), "megabytes", _memory)]),
    ("nodes", [Drawn("requests", _job("export", "requests"), "requests", _requests)]),
    (
        "threads",
        [
            Drawn("threads", _gets(busy=False), EACH_SECOND, _threads),
            Drawn("busy", _gets(busy=True), EACH_SECOND, _busy),
        ],
    ),
    (
        "followers",
        [
            Drawn(
                "followers",
                Plot(
                    "fanout",
                    "followers",
                    lambda case: True,
                    lambda case, who: "kazoo" if who.startswith("kazoo") else OURS,
                ),
                "milliseconds; lower is better",
                _followers,
            )
        ],
    ),
    (
        "watches",
        [
            Drawn(
                "lost-session",
                Plot(
                    "reestablish",
                    "watches",
                    lambda case: True,
                    lambda case, who: {
                        "zookeeper.watch_many, write_many": "the binding alone",
                        "zookeeper.get, get_children, create": "call by call",
                    }.get(who, who),
                ),
                SECONDS,
                _lost_session,
            )
        ],
    ),
    (
        "links",
        [
            Drawn(
                "links",
                Plot(
                    "links",
                    "links",
                    lambda case: case["parameters"]["links"] > 0,
                    lambda case, who: {
                        "zk.resolve": "in the path",
                        "zk.properties, watched": "in a property",
                    }.get(who),
                ),
                "microseconds; lower is better",
                _links,
            )
        ],
    ),
]


def charts(results: Results) -> dict[str, str]:
    """Return the charts as SVG by the ends of their files' names, as far as there are figures."""
    drawn: dict[str, str] = {}
    for group in groups(results):
        axes = axes_of(group.values())
        drawn.update((name, svg(chart, axes)) for name, chart in group.items())
    return drawn


def groups(results: Results) -> Iterator[dict[str, Chart]]:
    """Yield the charts of each group by their names, as far as there are figures."""
    for over, group in GROUPS:
        told = {each.name: _chart(each, over, results) for each in group}
        if there := {name: chart for name, chart in told.items() if chart is not None}:
            yield there


def _chart(each: Drawn, over: str, results: Results) -> Chart | None:
    found = curves(each.plot, results.get(each.plot.benchmark, ()))
    named = {curve.label: curve for curve in found}
    try:
        message = each.message(named)
    except (KeyError, IndexError):
        return None  # as after --quick, in which some are left out
    return Chart(message, each.unit, over, found)
