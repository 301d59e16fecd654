"""A collector for `prometheus_client`: the extra zc.zk[prometheus].

    zc.zk.metrics.measure(zk)
    prometheus_client.REGISTRY.register(zc.zk.metrics.prometheus.Collector())

Once in a process is enough, whatever clients come and go.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

try:
    from prometheus_client.core import (
        CounterMetricFamily,
        GaugeMetricFamily,
        HistogramMetricFamily,
        Metric,
    )
    from prometheus_client.registry import Collector as Base
except ImportError as _missing:
    raise ImportError(
        "zc.zk.metrics.prometheus needs prometheus_client: pip install 'zc.zk[prometheus]'"
    ) from _missing

from zc.zk.metrics.durations import BOUNDS, Histogram
from zc.zk.metrics.exposition import bound_text
from zc.zk.metrics.families import COUNTER, FAMILIES, GAUGE, Family, Sample

_KINDS = {COUNTER: CounterMetricFamily, GAUGE: GaugeMetricFamily}


class Collector(Base):
    """Collects the figures of all clients that are measured and open at that moment."""

    def describe(self) -> Iterator[Metric]:
        """Yield what there may be, without figures, for the registry to find names given twice."""
        for family in FAMILIES:
            yield _metric(family, ())

    def collect(self) -> Iterator[Metric]:
        """Yield all figures. It waits for nothing."""
        for family in FAMILIES:
            yield _metric(family, family.samples())


def _metric(family: Family, samples: Iterator[Sample] | tuple[()]) -> Metric:
    labels = family.all_labels
    if family.kind not in _KINDS:
        histograms = HistogramMetricFamily(family.full_name, family.told, labels=labels)
        for values, value in samples:
            assert isinstance(value, Histogram)
            bounds = map(bound_text, (*BOUNDS, math.inf))
            histograms.add_metric(values, list(zip(bounds, value.counts, strict=True)), value.total)
        return histograms
    metric: CounterMetricFamily | GaugeMetricFamily
    metric = _KINDS[family.kind](family.full_name, family.told, labels=labels)
    for values, value in samples:
        assert not isinstance(value, Histogram)
        metric.add_metric(values, value)
    return metric
