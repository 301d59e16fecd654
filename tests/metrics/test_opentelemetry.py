"""Instruments of OpenTelemetry, read by its SDK."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

import zc.zk.metrics
from tests.conftest import SESSION_TIMEOUT_MILLISECONDS
from tests.deadlines import wait_until
from tests.library.forked import Child
from tests.metrics.figures import count
from zc.zk.metrics import measure
from zc.zk.metrics.durations import BOUNDS
from zc.zk.metrics.families import FAMILIES, HISTOGRAM
from zc.zk.metrics.opentelemetry import Instruments, instrument, name_of


class Reader:
    """A provider whose metrics are looked at."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self.provider = MeterProvider([self._reader])
        self.meter = self.provider.get_meter("test")

    def points(self) -> dict[str, list[Any]]:
        """Return the points of all metrics by their names."""
        data = self._reader.get_metrics_data()
        if data is None:
            return {}
        return {
            metric.name: list(metric.data.data_points)
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


@pytest.fixture
def reader():
    reader = Reader()
    yield reader
    reader.provider.shutdown()


@pytest.fixture
def instruments(reader, monkeypatch):
    monkeypatch.setattr(zc.zk.metrics.opentelemetry, "RECORD_SECONDS", 0.05)
    with instrument(reader.meter) as instruments:
        yield instruments


def calls(reader: Reader, call: str) -> list[Any]:
    points = reader.points().get("zookeeper.client.call_duration", [])
    return [point for point in points if point.attributes["call"] == call]


def test_all_figures_are_told_with_the_same_labels(reader, instruments, zk):
    measure(zk, "shop")
    zk.create("/a", "")
    properties = zk.properties("/a")(lambda _: None)
    zk.set("/a", '{"x": 1}')
    wait_until(
        lambda: reader.points().keys() == {name_of(family) for family in FAMILIES},
        lambda: f"there is each family: {sorted(reader.points())}",
    )
    points = reader.points()
    assert properties["x"] == 1
    for family in FAMILIES:
        for point in points[name_of(family)]:
            assert set(point.attributes) == set(family.all_labels)
            assert point.attributes["client"] == "shop"
    (connects,) = points["zookeeper.client.connects"]
    assert connects.value == 1
    states = {point.attributes["state"]: point.value for point in points["zookeeper.client.state"]}
    assert states["connected"] == 1 == sum(states.values())


def test_each_call_is_recorded_in_the_same_buckets(reader, instruments, zk):
    measure(zk)
    for _ in range(7):
        zk.get("/")
    wait_until(lambda: calls(reader, "get") and calls(reader, "get")[0].count == 7, "all of them")
    (point,) = calls(reader, "get")
    assert point.explicit_bounds == BOUNDS
    assert dict(point.attributes)["outcome"] == "ok"
    assert count("get") == 7


def test_a_closed_client_vanishes(reader, instruments, zk):
    measure(zk)
    assert reader.points()["zookeeper.client.state"]
    zk.close()
    assert "zookeeper.client.state" not in reader.points()


def test_closing_records_what_was_noted_and_then_nothing(reader, zk):
    measure(zk)
    instruments = instrument(reader.meter)
    zk.get("/")
    instruments.close()
    instruments.close()
    assert [point.count for point in calls(reader, "get")] == [1]
    zk.get("/")
    assert [point.count for point in calls(reader, "get")] in ([], [1])
    assert "zookeeper.client.state" not in reader.points()


def test_a_call_of_a_finaliser_in_the_middle_of_recording_is_recorded(reader, instruments, zk):
    """The thread that runs it may have any lock of OpenTelemetry's."""
    measure(zk)

    class Last:
        def __del__(self) -> None:
            zk.exists("/")

    histogram, original = instruments._histograms["call_duration"]

    class Histogram:
        def record(self, *arguments: Any) -> None:
            if not calls_made:
                calls_made.append(1)
                cycle: list[Any] = [Last()]
                cycle.append(cycle)
                del cycle
                gc.collect()
            original.record(*arguments)

    calls_made: list[int] = []
    instruments._histograms["call_duration"] = histogram, Histogram()
    try:
        zk.get("/")
        wait_until(lambda: calls(reader, "exists"), "the finaliser's call is recorded", 20)
    finally:
        instruments._histograms["call_duration"] = histogram, original


def test_more_than_can_be_recorded_is_dropped_and_kept_in_bounds(reader, monkeypatch, zk):
    monkeypatch.setattr(zc.zk.metrics.opentelemetry, "MAX_WAITING", 10)
    monkeypatch.setattr(zc.zk.metrics.opentelemetry, "RECORD_SECONDS", 3600)
    with instrument(reader.meter) as instruments:
        measure(zk)
        for _ in range(50):
            zk.get("/")
        assert len(instruments._waiting) == 10
    assert count("get") == 50


@pytest.mark.parametrize("fault", [ValueError("no"), SystemExit("no")])
def test_a_duration_that_is_refused_holds_up_no_other_one(reader, monkeypatch, zk, caplog, fault):
    measure(zk)
    monkeypatch.setattr(zc.zk.metrics.opentelemetry, "RECORD_SECONDS", 0.01)
    with instrument(reader.meter) as instruments:
        family, original = instruments._histograms["call_duration"]

        class Refusing:
            def record(self, seconds, labels):
                if "get" in labels.values():
                    raise fault
                original.record(seconds, labels)

        instruments._histograms["call_duration"] = family, Refusing()  # type: ignore[assignment]
        for _ in range(20):
            zk.get("/")
        zk.exists("/")
        wait_until(lambda: calls(reader, "exists"), "the other one is recorded")
        assert instruments._thread.is_alive()
        instruments._histograms["call_duration"] = family, original
    assert caplog.text.count("durations could not be recorded") == 1


def test_a_meter_that_fails_is_logged_and_costs_nothing_else(reader, monkeypatch, zk, caplog):
    measure(zk)
    monkeypatch.setattr(zc.zk.metrics.opentelemetry, "RECORD_SECONDS", 0.01)
    with instrument(reader.meter) as instruments:
        family, original = instruments._histograms["call_duration"]
        instruments._histograms["call_duration"] = family, None  # type: ignore[assignment]
        zk.get("/")
        wait_until(lambda: "could not be recorded" in caplog.text, "it is logged")
        instruments._histograms["call_duration"] = family, original
        zk.exists("/")
        wait_until(lambda: calls(reader, "exists"), "the next one is recorded")


def test_a_forked_child_records_what_it_does(place):
    reader = Reader()
    with zc.zk.ZooKeeper(place, SESSION_TIMEOUT_MILLISECONDS) as zk:
        measure(zk)
        with instrument(reader.meter) as instruments:

            def work(child: Child) -> None:
                zk.reopen()
                zk.get_children("/")
                instruments.close()
                child.tell([point.count for point in calls(reader, "get_children")])
                zk.close()

            child = Child(work)
            assert child.hear() == "[1]"
            child.join()
            assert calls(reader, "get_children") == []
    reader.provider.shutdown()


def test_instruments_stand_for_all_families(instruments):
    assert isinstance(instruments, Instruments)
    assert {name for name, _ in instruments._histograms.items()} == {
        family.name for family in FAMILIES if family.kind == HISTOGRAM
    }
