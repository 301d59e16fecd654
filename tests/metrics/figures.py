"""Figures of one client, to be looked at."""

from __future__ import annotations

from typing import Any

from zc.zk.metrics import figures
from zc.zk.metrics.families import FAMILIES, Family, Number


def family(name: str) -> Family:
    """Return a family by its name."""
    (found,) = [each for each in FAMILIES if each.name == name]
    return found


def told(name: str, client: str | None = None) -> dict[tuple[str, ...], Any]:
    """Return what there is of a family, of the only client by default, by the other labels."""
    samples = list(family(name).samples())
    names = {sample.values[0] for sample in samples}
    assert client is not None or len(names) <= 1, names
    return {
        sample.values[1:]: sample.value
        for sample in samples
        if client is None or sample.values[0] == client
    }


def one(name: str, *labels: str) -> Number:
    """Return a figure of the only client."""
    figure: Number = told(name)[labels]
    return figure


def count(call: str, outcome: str = "ok") -> int:
    """Return how many calls there were of a kind that ended so."""
    histogram = told("call_duration").get((call, outcome))
    return 0 if histogram is None else histogram.counts[-1]


def names() -> set[str]:
    """Return the names of the clients that there are figures of."""
    return {sample.values[0] for _, samples in figures() for sample in samples}
