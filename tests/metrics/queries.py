"""The queries of the example dashboard and alerts, and the names in them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

EXAMPLES = Path(__file__).parents[2] / "examples"
DASHBOARD = EXAMPLES / "grafana" / "zookeeper-clients.json"
ALERTS = EXAMPLES / "prometheus" / "alerts.yml"

METRIC = re.compile(r"\bzookeeper_client_\w+")

# A metric with its selectors.
SELECTED = re.compile(r"\b(zookeeper_client_\w+)(?:\{([^}]*)\})?")
LABEL = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"')
GROUPED = re.compile(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)")


def dashboard() -> dict[str, Any]:
    """Return the dashboard."""
    read: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return read


def alerts() -> list[dict[str, Any]]:
    """Return the alerts."""
    return [
        rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]
    ]


def dashboard_queries() -> Iterator[str]:
    """Yield the queries of all panels, with the variables that Grafana fills in filled in."""
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            query: str = target["expr"].replace("$__rate_interval", "1m")
            yield re.sub(r"\$\w+", ".*", query)


def variable_queries() -> Iterator[str]:
    """Yield what the dashboard's variables are read from."""
    for variable in dashboard()["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["query"]["query"]


def alert_queries() -> Iterator[str]:
    """Yield the queries of the alerts."""
    for alert in alerts():
        yield alert["expr"]
