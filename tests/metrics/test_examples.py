"""The example dashboard and alerts ask for figures that there are, and say so rightly."""

from __future__ import annotations

import re
import subprocess
from itertools import combinations
from pathlib import Path

import pytest

from tests.metrics import queries
from tests.metrics.programs import program
from tests.metrics.queries import GROUPED, LABEL, METRIC, SELECTED
from zc.zk.metrics.families import FAMILIES, HISTOGRAM, PREFIX

QUERIES = [*queries.dashboard_queries(), *queries.variable_queries(), *queries.alert_queries()]

# Of the scrape, and of a histogram's buckets.
COMMON_LABELS = {"job", "instance"}


def labels_by_metric() -> dict[str, set[str]]:
    """Return the labels of each metric as Prometheus stores it."""
    found = {}
    for family in FAMILIES:
        labels = {*family.all_labels, *COMMON_LABELS}
        if family.kind != HISTOGRAM:
            found[family.full_name] = labels
            continue
        found[f"{family.full_name}_bucket"] = {*labels, "le"}
        found[f"{family.full_name}_sum"] = found[f"{family.full_name}_count"] = labels
    return found


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_names_metrics_and_labels_that_there_are(query):
    known = labels_by_metric()
    assert METRIC.findall(query)
    for metric, selectors in SELECTED.findall(query):
        assert metric in known
        assert set(LABEL.findall(selectors)) <= known[metric]
    grouped = {label.strip() for labels in GROUPED.findall(query) for label in labels.split(",")}
    assert grouped <= set.union(*(known[metric] for metric in METRIC.findall(query)))


def test_each_family_is_on_the_dashboard():
    shown = set(METRIC.findall(" ".join(queries.dashboard_queries())))
    missing = [
        family.full_name
        for family in FAMILIES
        if not any(metric.startswith(family.full_name) for metric in shown)
    ]
    assert missing == []


def test_the_guide_lists_each_family_with_its_labels():
    guide = (queries.EXAMPLES.parent / "docs/howto/metrics.txt").read_text()
    rows = re.findall(r"^``(\w+)``  +(.*(?:\n   .*)*)", guide, re.MULTILINE)
    assert {name for name, _ in rows} == {
        family.full_name.removeprefix(PREFIX) for family in FAMILIES
    }
    for family in FAMILIES:
        row = dict(rows)[family.full_name.removeprefix(PREFIX)]
        assert [label for label in family.labels if f"``{label}``" not in row] == []


def test_panels_have_titles_units_and_places_of_their_own():
    panels = queries.dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        assert panel["title"]
        if panel["type"] != "row":
            assert panel["fieldConfig"]["defaults"]["unit"]
            assert panel["description"].endswith(".")
            assert [target["refId"] for target in panel["targets"]] == list("ABC")[
                : len(panel["targets"])
            ]
    for one, other in combinations([panel["gridPos"] for panel in panels], 2):
        assert (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )


def test_durations_are_shown_in_seconds():
    for panel in queries.dashboard()["panels"]:
        for target in panel.get("targets", ()):
            if "histogram_quantile" in target["expr"] or "_busy_seconds" in target["expr"]:
                assert panel["fieldConfig"]["defaults"]["unit"] == "s"


def test_there_are_four_alerts_with_a_severity_and_words_of_advice():
    alerts = queries.alerts()
    assert len({alert["alert"] for alert in alerts}) == 4
    for alert in alerts:
        assert alert["labels"]["severity"] in ("critical", "warning")
        assert "{{ $labels.instance }}" in alert["annotations"]["summary"]
        assert alert["annotations"]["description"].rstrip().endswith(".")


@pytest.mark.skipif(program("promtool") is None, reason="make prometheus installs promtool")
def test_promtool_has_each_alert_fire_for_its_trouble_and_no_other(tmp_path):
    promtool = program("promtool")
    assert promtool is not None
    (tmp_path / "alerts.yml").write_text(queries.ALERTS.read_text())
    tests = Path(__file__).parent / "alerts.test.yml"
    (tmp_path / tests.name).write_text(tests.read_text())
    for command in (["check", "rules", "alerts.yml"], ["test", "rules", tests.name]):
        told = subprocess.run([promtool, *command], cwd=tmp_path, capture_output=True, text=True)
        assert told.returncode == 0, told.stdout + told.stderr
