"""Show outcomes as a table to read and as JSON to keep."""

from __future__ import annotations

from typing import Any

from .cases import Goal
from .rounds import Outcome, Spread


def figure(number: float) -> str:
    """Return a number with three significant digits, without an exponent."""
    size = abs(number)
    if size >= 100:
        return f"{number:,.0f}"
    for digits, limit in ((1, 10.0), (2, 1.0), (3, 0.1), (4, 0.01)):
        if size >= limit:
            return f"{number:.{digits}f}"
    return f"{number:.5f}"


def between(spread: Spread) -> str:
    return f"{figure(spread.median)} ({figure(spread.lowest)} to {figure(spread.highest)})"


def as_table(outcome: Outcome) -> str:
    """Return the lines of one case: each competitor, then each goal."""
    case = outcome.case
    first = case.competitors[0].name
    rows = [("", "median", "lowest", "highest", "rounds", f"× {first}")]
    for name, figures in outcome.figures.items():
        spread = outcome.spread(name)
        rows.append(
            (
                name,
                figure(spread.median),
                figure(spread.lowest),
                figure(spread.highest),
                str(len(figures)),
                "" if name == first else figure(outcome.ratio(name, first).median),
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [f"{case.title} [{case.unit}]"]
    for name, *numbers in rows:
        cells = [number.rjust(width) for number, width in zip(numbers, widths[1:], strict=True)]
        lines.append(f"  {name.ljust(widths[0])}  {'  '.join(cells)}".rstrip())
    for goal in case.goals:
        verdict = "met" if outcome.met(goal) else "MISSED"
        ratio = outcome.ratio(goal.ours, goal.rival)
        lines.append(f"  {verdict}: {goal}; {'ratio' if goal.rival else 'is'} {between(ratio)}")
    if case.note:
        lines.append(f"  {case.note}")
    return "\n".join(lines)


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Return one case as plain data: all figures, spreads, goals and ratios."""
    case = outcome.case
    return {
        "title": case.title,
        "unit": case.unit,
        "parameters": case.parameters,
        "note": case.note,
        "competitors": {
            name: {"figures": figures, **vars(outcome.spread(name))}
            for name, figures in outcome.figures.items()
        },
        "goals": [goal_as_json(outcome, goal) for goal in case.goals],
    }


def goal_as_json(outcome: Outcome, goal: Goal) -> dict[str, Any]:
    """Return a ratio, and the one that was expected."""
    ratio = vars(outcome.ratio(goal.ours, goal.rival))
    return {**vars(goal), "ratio": ratio, "met": outcome.met(goal)}
