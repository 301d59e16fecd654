"""Run interleaved rounds, and take medians and ratios of them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .cases import Case, Goal


@dataclass(frozen=True)
class Spread:
    """The median of some figures and how far they lie apart."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> Spread:
        return cls(statistics.median(figures), min(figures), max(figures))


@dataclass(frozen=True)
class Outcome:
    """The figures of a case: one for each competitor and round it took part in."""

    case: Case
    figures: dict[str, list[float]]

    def spread(self, name: str) -> Spread:
        return Spread.of(self.figures[name])

    def ratio(self, ours: str, rival: str | None) -> Spread:
        """Return our figure divided by the rival's, round by round.

        Without a rival it is our figure itself. Two figures of one round were measured within
        seconds of each other, so their ratio is steadier than that of two medians on a machine that
        others use too. Where one side took part in fewer rounds, its figures are compared with the
        median of the other's.
        """
        if rival is None:
            return self.spread(ours)
        mine, others = self.figures[ours], self.figures[rival]
        if len(mine) > len(others):
            mine = [statistics.median(mine)] * len(others)
        elif len(others) > len(mine):
            others = [statistics.median(others)] * len(mine)
        return Spread.of([figure / other for figure, other in zip(mine, others, strict=True)])

    def met(self, goal: Goal) -> bool:
        return goal.met(self.ratio(goal.ours, goal.rival).median)


def run_case(
    case: Case, rounds: int, progress: Callable[[str], None] = lambda message: None
) -> Outcome:
    """Run every competitor of a case `rounds` times, all of them in each round.

    Each round starts with another competitor, and every second one goes the other way round, so
    that none always follows the same one. One round before the first is not counted: it warms the
    server's compiler, the caches and the pools.
    """
    figures: dict[str, list[float]] = {competitor.name: [] for competitor in case.competitors}
    count = len(case.competitors)
    for round_number in range(-1, rounds):
        way = 1 if round_number % 2 == 0 else -1
        for position in range(count):
            competitor = case.competitors[(round_number + way * position) % count]
            if competitor.rounds is not None and not 0 <= round_number < competitor.rounds:
                continue
            progress(f"{case.title}: round {round_number + 1} of {rounds}, {competitor.name}")
            figure = competitor.run()
            if round_number >= 0:
                figures[competitor.name].append(figure)
    return Outcome(case, figures)
