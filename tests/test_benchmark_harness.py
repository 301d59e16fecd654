"""The arithmetic and the generated trees that the benchmarks rest on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

import pytest

from harness.cases import Case, Competitor, Goal, expect
from harness.report import as_json, as_table
from harness.rounds import Outcome, run_case
from harness.shapes import SHAPES, generate


def outcome(goals: list[Goal] | None = None, **figures: list[float]) -> Outcome:
    competitors = [Competitor(name, lambda: 0) for name in figures]
    return Outcome(Case("a job", "seconds", competitors, goals or []), figures)


def figures_in_turn(figures: Iterable[float]) -> Callable[[], float]:
    turns = iter(figures)
    return lambda: next(turns)


def test_a_ratio_is_taken_within_each_round() -> None:
    ratio = outcome(ours=[1, 10, 100], rival=[2, 40, 200]).ratio("ours", "rival")
    assert (ratio.lowest, ratio.median, ratio.highest) == (0.25, 0.5, 0.5)


def test_a_rival_with_fewer_rounds_is_compared_with_our_median() -> None:
    both = outcome(ours=[9, 2, 1], rival=[2, 4])
    assert both.ratio("ours", "rival").highest == 1
    assert both.ratio("rival", "ours").lowest == 1


@pytest.mark.parametrize(
    ("goal", "met"),
    [
        (Goal("ours", "rival", at_most=0.5), True),
        (Goal("ours", "rival", at_most=0.4), False),
        (Goal("rival", "ours", at_least=2), True),
        (Goal("rival", "ours", at_least=2.1), False),
    ],
)
def test_a_goal_is_met_when_the_ratio_is_within_its_limit(goal: Goal, met: bool) -> None:
    assert outcome(ours=[1], rival=[2]).met(goal) is met


def test_the_first_round_does_not_count_and_slow_competitors_take_part_in_fewer() -> None:
    case = Case(
        "a job",
        "seconds",
        [
            Competitor("quick", figures_in_turn([99, 1, 2, 3])),
            Competitor("slow", figures_in_turn([10]), rounds=1),
        ],
    )
    assert run_case(case, rounds=3).figures == {"quick": [1, 2, 3], "slow": [10]}


def test_every_round_starts_with_another_competitor() -> None:
    order = []

    def competitor(name: str) -> Competitor:
        def run() -> float:
            order.append(name)
            return 1

        return Competitor(name, run)

    run_case(Case("a job", "seconds", [competitor(name) for name in "abc"]), rounds=2)
    assert "".join(order) == "cababcbca"


def test_the_table_says_which_goals_were_missed() -> None:
    table = as_table(outcome([Goal("ours", "rival", at_most=0.1)], ours=[1], rival=[2]))
    assert "MISSED: ours: at most 0.1 × rival; ratio 0.500" in table


def test_the_json_holds_every_figure() -> None:
    result = json.loads(json.dumps(as_json(outcome(ours=[1, 3, 2]))))
    assert result["competitors"]["ours"] == {
        "figures": [1, 3, 2],
        "median": 2,
        "lowest": 1,
        "highest": 3,
    }


def test_work_that_was_not_done_is_not_measured() -> None:
    with pytest.raises(AssertionError, match="nodes: 9, expected 10"):
        expect(9, 10, "nodes")


@pytest.mark.parametrize("shape", SHAPES)
def test_a_tree_is_as_large_as_asked_for_and_the_same_each_time(shape: str) -> None:
    nodes = generate(shape, 1234)
    assert nodes == generate(shape, 1234)
    assert len({node.path for node in nodes}) == 1234


@pytest.mark.parametrize("shape", SHAPES)
def test_parents_come_before_their_children(shape: str) -> None:
    seen = {""}
    for node in generate(shape, 1234)[1:]:
        assert node.path.rpartition("/")[0] in seen
        seen.add(node.path)
