"""The measurements as one document: the goals, the findings, the figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .report import between
from .rounds import Spread

# One run of one benchmark leaves `at`, `machine`, `rounds`, `cases` and `tables`.
Step = Mapping[str, Any]

HEAD = """\
Performance
===========

Made by `make bench`; please do not edit. Each figure is the median of several rounds in which the
competitors took turns, with the lowest and the highest beside it, and a ratio is taken within a
round. The rivals are kazoo written the obvious way (one by one), kazoo at its best (asynchronous,
guided by stats, transactions), and programs in C on the C client that the binding is linked with,
which are the limit. benchmarks/ has all of it, docs/performance.json every single figure, and the
page about speed the curves.
"""


def document(steps: Mapping[str, Step], findings: str) -> str:
    """Return the whole document. `findings` is prose about missed goals."""
    sections = [HEAD, *surroundings(steps), heading("Goals"), *goals(steps)]
    if findings:
        sections += ["\n", findings.strip() + "\n"]
    for name, step in steps.items():
        sections.append(heading(name))
        sections.append(f"\nMeasured {step['at']}::\n\n" + indented(step["tables"]))
    return "".join(sections)


def heading(text: str) -> str:
    return f"\n\n{text}\n{'-' * len(text)}\n"


def indented(text: str) -> str:
    lines = (f"    {line}".rstrip() + "\n" for line in text.strip().splitlines())
    return "".join(lines)


def surroundings(steps: Mapping[str, Step]) -> Iterator[str]:
    """Yield the machine of the measurements; once if all were on the same."""
    seen = []
    for step in steps.values():
        machine = step["machine"]
        described = "{processor}, {cores} cores, {system}, Python {python}, server {server}".format(
            **machine
        )
        if described not in seen:
            seen.append(described)
            yield f"\nMeasured on: {described}.\n"


def goals(steps: Mapping[str, Step]) -> Iterator[str]:
    """Yield a line for each goal: met or not, its subject, and the distance."""
    for step in steps.values():
        for case in step["cases"]:
            for goal in case["goals"]:
                yield "\n- " + goal_line(case["title"], goal)
    yield "\n"


def goal_line(title: str, goal: Mapping[str, Any]) -> str:
    """Return the expected and the measured ratio of a goal from `as_json`.

    "At most 0.02 times the time" is told as "at least 50 times faster".
    """
    spread, rival = Spread(**goal["ratio"]), goal["rival"]
    limit, word = goal["at_least"], "at least"
    if goal["at_most"] is not None:
        limit, word = goal["at_most"], "at most"
    times = f" × {rival}" if rival else ""
    if rival and word == "at most" and limit < 0.1:
        limit, word, times = 1 / limit, "at least", f" × faster than {rival}"
        spread = Spread(1 / spread.median, 1 / spread.highest, 1 / spread.lowest)
    verdict = "met" if goal["met"] else "MISSED"
    wanted = f"{word} {limit:,.4g}{times}"
    return f"{verdict}: {title}: {goal['ours']}, {wanted}: {between(spread)}"
