"""Figures as text in Prometheus' format (0.0.4), which needs no package of others."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from zc.zk.metrics.durations import BOUNDS, Histogram
from zc.zk.metrics.families import Family, Sample

_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_HELP_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n"})


def exposition(figures: Iterable[tuple[Family, list[Sample]]]) -> str:
    """Return the figures as Prometheus reads them, families without any left out."""
    return "".join(f"{line}\n" for each in figures for line in _lines(*each))


def _lines(family: Family, samples: list[Sample]) -> Iterator[str]:
    if not samples:
        return
    name = family.full_name
    yield f"# HELP {name} {family.told.translate(_HELP_ESCAPES)}"
    yield f"# TYPE {name} {family.kind}"
    for values, value in samples:
        labels = dict(zip(family.all_labels, values, strict=True))
        if not isinstance(value, Histogram):
            yield f"{name}{_braced(labels)} {value!r}"
            continue
        for bound, count in zip((*BOUNDS, math.inf), value.counts, strict=True):
            yield f"{name}_bucket{_braced({**labels, 'le': bound_text(bound)})} {count}"
        yield f"{name}_sum{_braced(labels)} {value.total!r}"
        yield f"{name}_count{_braced(labels)} {value.counts[-1]}"


def bound_text(bound: float) -> str:
    """Return the upper bound of a bucket as the value of its label."""
    return "+Inf" if bound == math.inf else repr(bound)


def _braced(labels: dict[str, str]) -> str:
    told = (f'{label}="{value.translate(_ESCAPES)}"' for label, value in labels.items())
    return f"{{{','.join(told)}}}"
