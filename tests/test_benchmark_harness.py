"""The arithmetic and the generated trees that the benchmarks rest on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

import pytest

import performance
from harness.cases import Case, Competitor, Goal, expect, replay
from harness.charts import GROUPS
from harness.curves import Curve, Plot, curves
from harness.document import document, goal_line
from harness.report import as_json, as_table
from harness.rounds import Outcome, run_case
from harness.service import received
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


def test_the_first_round_is_not_counted_and_slow_competitors_do_fewer() -> None:
    case = Case(
        "a job",
        "seconds",
        [
            Competitor("quick", figures_in_turn([99, 1, 2, 3])),
            Competitor("slow", figures_in_turn([10]), rounds=1),
        ],
    )
    assert run_case(case, rounds=3).figures == {"quick": [1, 2, 3], "slow": [10]}


def test_competitors_follow_each_other_in_another_order_each_round() -> None:
    order = []

    def competitor(name: str) -> Competitor:
        def run() -> float:
            order.append(name)
            return 1

        return Competitor(name, run)

    run_case(Case("a job", "seconds", [competitor(name) for name in "abc"]), rounds=2)
    assert "".join(order) == "cbaabcbac"


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


def test_figures_that_were_measured_together_are_told_in_their_order() -> None:
    told = replay([3, 1, 2])
    case = Case("memory", "megabytes", [Competitor("ours", told)])
    assert run_case(case, rounds=2).figures == {"ours": [1, 2]}


def test_a_goal_without_a_rival_is_about_the_figure_itself() -> None:
    goal = Goal("ours", at_most=1000)
    measured = outcome([goal], ours=[900, 950, 800])
    assert measured.met(goal)
    assert "met: ours: at most 1000; is 900 (800 to 950)" in as_table(measured)
    assert goal_line("export", as_json(measured)["goals"][0]) == (
        "met: export: ours, at most 1,000: 900 (800 to 950)"
    )


def test_the_document_tells_small_ratios_as_times_faster() -> None:
    measured = outcome([Goal("ours", "rival", at_most=0.02)], ours=[1, 2, 4], rival=[100, 100, 50])
    assert goal_line("export", as_json(measured)["goals"][0]) == (
        "met: export: ours, at least 50 × faster than rival: 50.0 (12.5 to 100)"
    )


def test_the_document_holds_goals_findings_and_tables() -> None:
    measured = outcome([Goal("ours", "rival", at_least=2)], ours=[1], rival=[2])
    machine = dict.fromkeys(("processor", "cores", "system", "python", "server"), "x")
    step = {
        "at": "today",
        "machine": machine,
        "cases": [as_json(measured)],
        "tables": as_table(measured),
    }
    text = document({"Trees": step, "Calls": step}, "Why it was missed: reasons.")
    assert text.count("Measured on: x, x cores") == 1
    assert text.count("- MISSED: a job: ours, at least 2 × rival: 0.500") == 2
    assert "Why it was missed: reasons." in text
    assert "\nTrees\n-----\n" in text
    assert "    a job [seconds]\n" in text


def test_a_curve_has_a_point_for_each_case_in_order() -> None:
    cases = [
        {
            "parameters": {"nodes": nodes},
            "competitors": {"ours": {"median": nodes / 10}, "rival": {"median": nodes}},
        }
        for nodes in (1000, 10, 100)
    ]
    plot = Plot(
        "scale", "nodes", lambda case: case["parameters"]["nodes"] > 10,
        lambda case, who: who if who == "ours" else None,
    )  # fmt: skip
    assert curves(plot, [*cases, {"parameters": {}, "competitors": {}}]) == [
        Curve("ours", [(100, 10), (1000, 100)])
    ]


def test_requests_are_counted_by_the_server() -> None:
    assert received("Zookeeper version: 3.8\nReceived: 123\nSent: 130\n") == 123
    with pytest.raises(ValueError, match="no number of requests"):
        received("srvr is not executed because it is not in the whitelist.")


def test_every_benchmark_is_part_of_the_whole() -> None:
    files = {path.stem for path in performance.BENCHMARKS.glob("*.py")}
    assert {step.benchmark for step in performance.STEPS} == files - {"performance"}
    assert {each.plot.benchmark for _, group in GROUPS for each in group} <= files
