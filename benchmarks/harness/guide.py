"""The guide's table of figures, made of those that were measured.

In the page it stands between two comments, so that it can be made anew where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .amounts import duration, rate
from .charts import groups
from .curves import by_benchmark

Steps = Mapping[str, Mapping[str, Any]]

NEAR, FAR, CALLS = "Trees, near the server", "Trees, 1 ms away", "Single calls"
WATCHES, FOLLOWERS = "Setting watches", "From a change to those who follow"
SCALE = "From a thousand to a million nodes"

HEAD = ("work", "zc.zk", "kazoo, one by one", "kazoo at its best", "C")

ONE_BY_ONE, C = "kazoo one by one", "zoo_aget in C"
ASYNCHRONOUS, TRANSACTIONS = "kazoo asynchronous", "kazoo transactions"


class Row(NamedTuple):
    """A line of the table: the case, and the competitors in the columns; "" where there is none."""

    work: str
    step: str
    case: str
    columns: tuple[str, ...]
    told: Callable[[float], str] = duration


ROWS = [
    Row(
        "export of 10,000 nodes", NEAR, "export, 10,000 nodes, mixed",
        ("zk.export_tree", ONE_BY_ONE, ASYNCHRONOUS, C),
    ),
    Row(
        "the same, 1 ms away", FAR, "export, 10,000 nodes, mixed, 1 ms away",
        ("zk.export_tree", ONE_BY_ONE, ASYNCHRONOUS, C),
    ),
    Row(
        "fresh import of 10,000 nodes", NEAR, "fresh import, 10,000 nodes, mixed",
        ("zk.import_tree", ONE_BY_ONE, TRANSACTIONS),
    ),
    Row(
        "unchanged import", NEAR, "unchanged import, 10,000 nodes, mixed",
        ("zk.import_tree", ONE_BY_ONE, ASYNCHRONOUS),
    ),
    Row(
        "walk", NEAR, "walk, 10,000 nodes, mixed", ("zk.walk", ONE_BY_ONE, ASYNCHRONOUS),
    ),
    Row(
        "delete", NEAR, "delete, 10,000 nodes, mixed",
        ("zk.delete_recursive", ONE_BY_ONE, TRANSACTIONS),
    ),
    Row(
        "``get``", CALLS, "get, 1 thread", ("zookeeper", "kazoo", "", "zoo_get in C"),
        lambda microseconds: duration(microseconds / 1e6),
    ),
    Row(
        "``get`` in 8 threads", CALLS, "get, 8 threads",
        ("zookeeper", "kazoo", "", "zoo_get in C"), rate,
    ),
    Row(
        "the same beside a busy thread", CALLS, "get, 8 threads beside a busy one",
        ("zookeeper", "kazoo"), rate,
    ),
    Row(
        "20,000 watches set [1]_", WATCHES, "set 20,000 watches, mixed",
        (
            "zookeeper.watch_many", "zookeeper.get, get_children",
            "zookeeper.aget, aget_children",
        ),
    ),
    Row(
        "a change to 10,000 followers", FOLLOWERS, "one change to the last of 10,000 followers",
        ("zk.properties", "kazoo DataWatch"),
        lambda milliseconds: duration(milliseconds / 1e3),
    ),
]  # fmt: skip

# What the table, the sentence and the charts are made of: one run.
STEPS = (*dict.fromkeys(row.step for row in ROWS), SCALE)


BEGIN = (
    ".. Made of docs/performance.json by benchmarks/performance.py --redraw: please do not edit."
)
END = ".. The end of what is made."

NOTE = ".. [1] Compared with single and with asynchronous calls of the binding itself."


def pages(repository: Path) -> list[Path]:
    """Return the pages of the guide."""
    return [repository / "README.txt", *sorted((repository / "docs").rglob("*.txt"))]


def renewed(text: str, steps: Steps) -> str:
    """Return a page with its figures made anew, if it has some. Raises LookupError."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    return f"{before}{block(steps)}{after}" if begin and end else text


def block(steps: Steps) -> str:
    """Return all that is made, from the first comment to the last."""
    parts = [BEGIN, table(steps).rstrip(), NOTE, million(steps), *pictures(steps), END]
    return "\n\n".join(parts)


def pictures(steps: Steps) -> Iterator[str]:
    """Yield the charts, which stand side by side as far as there is room."""
    told = {
        name: each.message for group in groups(by_benchmark(steps)) for name, each in group.items()
    }
    yield "\n".join(f"|{name}|" for name in told)
    for name, message in told.items():
        yield f".. |{name}| image:: /performance-{name}.svg\n   :alt: {message}"


def table(steps: Steps) -> str:
    """Return the table, in reStructuredText."""
    lines = [HEAD, *(_cells(row, steps) for row in ROWS)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = "  ".join("=" * width for width in widths)
    told = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
    return "\n".join([rule, told[0], rule, *told[1:], rule]) + "\n"


def _cells(row: Row, steps: Steps) -> tuple[str, ...]:
    figures = [
        row.told(median(steps, row.step, row.case, competitor)) if competitor else ""
        for competitor in row.columns
    ]
    return (row.work, *figures, *[""] * (len(HEAD) - 1 - len(figures)))


def million(steps: Steps) -> str:
    """Return the sentence about an export of a million nodes."""
    seconds = median(steps, SCALE, "export, 1,000,000 nodes", "zc.zk")
    megabytes = median(steps, SCALE, "export, 1,000,000 nodes: megabytes", "zc.zk")
    return f"A million nodes are exported to a file in {duration(seconds)} and {megabytes:,.0f} MB."


def median(steps: Steps, step: str, title: str, competitor: str) -> float:
    """Return a figure. Raises LookupError if it has not been measured."""
    for case in steps[step]["cases"]:
        if case["title"] == title:
            figure: float = case["competitors"][competitor]["median"]
            return figure
    raise LookupError(f"{step!r} has no {title!r}")
