"""A real Prometheus scrapes a real client, and answers all that the examples ask."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import prometheus_client
import pytest

import zc.zk.metrics.prometheus
from tests.deadlines import wait_until
from tests.metrics import queries
from tests.metrics.figures import count
from tests.metrics.programs import program
from tests.ports import LOOPBACK, free_ports
from zc.zk.metrics import measure

pytestmark = pytest.mark.skipif(
    program("prometheus") is None, reason="make prometheus installs Prometheus"
)

SERVICE_UNAVAILABLE = 503

CONFIGURATION = """
global: {scrape_interval: 200ms, evaluation_interval: 200ms}
rule_files: [%s]
scrape_configs:
  - job_name: shop
    static_configs: [{targets: ["%s"]}]
"""


@contextmanager
def exposed() -> Iterator[str]:
    """Serve the figures of this process, and yield the address."""
    registry = prometheus_client.CollectorRegistry()
    registry.register(zc.zk.metrics.prometheus.Collector())
    handler = prometheus_client.MetricsHandler.factory(registry)
    server = ThreadingHTTPServer((LOOPBACK, 0), handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"{LOOPBACK}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Prometheus:
    """A Prometheus that scrapes one address, until `close`."""

    def __init__(self, target: str, folder: Path) -> None:
        (port,) = free_ports(1)
        configuration = folder / "prometheus.yml"
        configuration.write_text(CONFIGURATION % (queries.ALERTS, target))
        self._url = f"http://{LOOPBACK}:{port}/api/v1/"
        self._log = (folder / "log").open("wb")
        self._process = subprocess.Popen(
            [
                str(program("prometheus")),
                f"--config.file={configuration}",
                f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address={LOOPBACK}:{port}",
                "--query.lookback-delta=30s",
            ],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        self._log.close()

    def ask(self, what: str, **arguments: str) -> Any:
        """Return the data of an answer of its API. Raises OSError."""
        question = f"{self._url}{what}?{urllib.parse.urlencode(arguments)}"
        with urllib.request.urlopen(question, timeout=20) as answer:
            return json.load(answer)["data"]

    def find(self, query: str) -> dict[tuple[tuple[str, str], ...], float]:
        """Return the figures that a query finds now, by their labels; none if it is not there."""
        try:
            result = self.ask("query", query=query)["result"]
        except urllib.error.HTTPError as refusal:
            if refusal.code != SERVICE_UNAVAILABLE:
                raise
            return {}  # it is starting
        except OSError:
            return {}
        return {tuple(sorted(each["metric"].items())): float(each["value"][1]) for each in result}


def test_it_scrapes_a_client_and_finds_what_the_examples_ask_for(tmp_path, zk, other_zk):
    measure(zk, "shop")
    zk.create("/p", "")
    zk.register("/p", "here:1")
    children = zk.children("/p")
    children.callbacks.append(lambda _: None)
    with exposed() as address, closing(Prometheus(address, tmp_path)) as prometheus:
        other_zk.create("/p/other:1", "")
        for _ in range(20):
            zk.get("/p")
        made = count("get")  # a live object has read nodes above it, too
        assert made >= 20
        query = 'zookeeper_client_call_duration_seconds_count{call="get", outcome="ok"}'
        wait_until(
            lambda: list(prometheus.find(query).values()) == [made],
            lambda: f"all gets are there: {prometheus.find(query)}",
            60,
        )
        (target,) = prometheus.ask("targets")["activeTargets"]
        assert (target["health"], target["lastError"]) == ("up", "")
        zk.get("/p")
        wait_until(
            lambda: any(prometheus.find("rate(zookeeper_client_connects_total[5s])")),
            "there are two scrapes",
            20,
        )
        for query in queries.dashboard_queries():
            prometheus.find(query)  # raises if it is none
        registered = prometheus.find('zookeeper_client_registrations{state="registered"}')
        assert list(registered.values()) == [1]
        (rules,) = prometheus.ask("rules")["groups"]
        wait_until(
            lambda: (
                {rule["health"] for rule in prometheus.ask("rules")["groups"][0]["rules"]} == {"ok"}
            ),
            "all alerts are evaluated",
            20,
        )
        assert {rule["state"] for rule in rules["rules"]} == {"inactive"}
        zk.close()
        wait_until(
            lambda: prometheus.find("zookeeper_client_state") == {}, "the client has vanished", 30
        )
