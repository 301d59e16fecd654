"""What Prometheus reads: by `prometheus_client`, and as text of our own."""

from __future__ import annotations

import re
import subprocess
from contextlib import closing
from typing import Any

import prometheus_client
import pytest
from prometheus_client.parser import text_string_to_metric_families

import zc.zk.metrics.prometheus
import zc.zk.monitor
import zookeeper
from tests.metrics.programs import program
from zc.zk.lineserver import ask
from zc.zk.metrics import figures, measure
from zc.zk.metrics.exposition import exposition
from zc.zk.metrics.families import COUNTER, FAMILIES, HISTOGRAM, SECONDS
from zc.zk.testing import Emulation


@pytest.fixture
def emulated():
    """Yield a client of an emulation that has called and is measured."""
    with closing(Emulation()) as emulation:
        arguments: dict[str, Any] = {"binding": emulation.binding}
        with zc.zk.ZooKeeper(emulation.connection_string, **arguments) as zk:
            measure(zk)
            zk.create("/a", "")
            with pytest.raises(zookeeper.NoNodeException):
                zk.get("/none")
            yield zk


def parsed(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def collected() -> str:
    registry = prometheus_client.CollectorRegistry()
    registry.register(zc.zk.metrics.prometheus.Collector())
    return prometheus_client.generate_latest(registry).decode()


def test_the_collector_and_our_text_tell_the_same(emulated):
    ours, theirs = parsed(exposition(figures())), parsed(collected())
    times = {key for key in theirs if "busy" in key[0] or "disconnected" in key[0]}
    assert ours.keys() == theirs.keys()
    assert {key for key in theirs if ours[key] != theirs[key]} <= times
    assert len(theirs) > 60


def test_there_is_a_figure_of_each_family_once_it_has_happened(emulated):
    children = emulated.children("/")
    children.callbacks.append(lambda _: None)
    emulated.create("/b", "")
    told = {family.name for family in text_string_to_metric_families(exposition(figures()))}
    assert told == {family.full_name.removesuffix("_total") for family in FAMILIES}


@pytest.mark.parametrize("name", ['a"b', "back\\slash", "two\nlines", "ünïcode", "{}=,"])
def test_a_hostile_name_is_read_as_it_was(emulated, name):
    measure(emulated, name)
    for text in (exposition(figures()), collected()):
        assert {dict(labels)["client"] for _, labels in parsed(text)} == {name}


def test_without_clients_there_is_nothing_but_what_there_may_be():
    assert exposition(figures()) == ""
    assert parsed(collected()) == {}


def test_a_second_collector_in_a_registry_is_refused():
    registry = prometheus_client.CollectorRegistry()
    registry.register(zc.zk.metrics.prometheus.Collector())
    with pytest.raises(ValueError, match="uplicate"):
        registry.register(zc.zk.metrics.prometheus.Collector())


def test_names_are_those_that_prometheus_wants():
    """Snake case, a common prefix, base units, and `_total` for counters alone."""
    for family in FAMILIES:
        name = family.full_name
        assert re.fullmatch("zookeeper_client(_[a-z]+)+", name)
        assert name.endswith("_total") == (family.kind == COUNTER)
        assert ("_seconds" in name) == (family.unit == SECONDS)
        assert not re.search("milli|micro|minutes|_ms", name)
        assert family.told.endswith(".")
        assert family.kind != HISTOGRAM or family.unit == SECONDS
        assert all(re.fullmatch("[a-z]+", label) and label != "le" for label in family.labels)


@pytest.mark.skipif(program("promtool") is None, reason="make prometheus installs promtool")
def test_promtool_finds_nothing_to_complain_of(emulated):
    promtool = program("promtool")
    assert promtool is not None
    told = subprocess.run(
        [promtool, "check", "metrics"], input=exposition(figures()), capture_output=True, text=True
    )
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


def test_the_monitor_answers_the_same(emulated):
    with zc.zk.monitor.start(0) as monitor:
        told = ask(monitor.address, "metrics", 20)
    assert parsed(told).keys() == parsed(collected()).keys()
    assert told.startswith("# HELP zookeeper_client_state ")


def test_the_monitor_says_so_if_no_client_is_measured():
    with zc.zk.monitor.start(0) as monitor:
        assert ask(monitor.address, "metrics", 20) == (
            "# no client is measured: zc.zk.metrics.measure begins that\n"
        )
