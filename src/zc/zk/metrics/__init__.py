"""Figures of clients: counters, gauges and histograms, for Prometheus, OpenTelemetry and netcat.

    import zc.zk.metrics.prometheus

    zc.zk.metrics.measure(zk)
    prometheus_client.REGISTRY.register(zc.zk.metrics.prometheus.Collector())

`zc.zk.metrics.opentelemetry` has instruments for a meter. A monitor answers `metrics` with the text
of `zc.zk.metrics.exposition`.

All of these tell of the clients that are measured and open, blocking and asynchronous ones alike,
and of nothing else; `figures` is where they have it from, and `zc.zk.metrics.families` the list of
them. To tell them asks no server and waits for no lock.

A client is measured from the call of `measure` on. One that is not costs nothing: calls are timed
by another binding in front of the client's (`zc.zk.metrics.timedbinding`), which is put there then.
"""

from __future__ import annotations

from zc.zk.metrics.families import Family, Sample, figures
from zc.zk.metrics.measuring import Measured, clients, measure

__all__ = ["Family", "Measured", "Sample", "clients", "figures", "measure"]
