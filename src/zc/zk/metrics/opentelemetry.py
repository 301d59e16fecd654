"""Instruments on a meter of OpenTelemetry: the extra zc.zk[opentelemetry].

    import zc.zk.metrics.opentelemetry

    zc.zk.metrics.measure(zk)
    instruments = zc.zk.metrics.opentelemetry.instrument(opentelemetry.metrics.get_meter("shop"))

Counters and gauges are observed when the meter's readers collect. Durations are recorded one by
one, by a thread of their own, soon after they were noted. A call may be made by a finaliser, which
runs anywhere, also in a thread that holds a lock of OpenTelemetry's; so nobody records there.

Danger: the names are those of Prometheus with dots, from which OpenTelemetry's exporters for
Prometheus make the same ones again. A process that is scraped has one of the two.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator

try:
    from opentelemetry.metrics import CallbackOptions, Meter, Observation
    from opentelemetry.metrics import Histogram as Instrument
except ImportError as _missing:
    raise ImportError(
        "zc.zk.metrics.opentelemetry needs opentelemetry-api: pip install 'zc.zk[opentelemetry]'"
    ) from _missing

from zc.zk.metrics import durations
from zc.zk.metrics.durations import BOUNDS, Histogram, Values
from zc.zk.metrics.families import COUNTER, FAMILIES, HISTOGRAM, PREFIX, SECONDS, Family

logger = logging.getLogger("zc.zk")

# How often durations are recorded, and how many may wait for that; beyond, the oldest are dropped.
RECORD_SECONDS = 1.0
MAX_WAITING = 100_000

# Between two lines in the log about a meter that refuses durations.
QUIET_SECONDS = 600.0

# How long `close` waits for the thread, which a meter may hold up.
END_SECONDS = 5.0


class Instruments:
    """The instruments on one meter, until `close`; in a forked child they go on."""

    def __init__(self, meter: Meter) -> None:
        self._waiting: deque[tuple[str, Values, float]] = deque(maxlen=MAX_WAITING)
        self._quiet_until = 0.0
        self._histograms: dict[str, tuple[Family, Instrument]] = {}
        self._is_closed = False
        for family in FAMILIES:
            name, unit = name_of(family), unit_of(family)
            if family.kind == HISTOGRAM:
                instrument = meter.create_histogram(
                    name, unit, family.told, explicit_bucket_boundaries_advisory=list(BOUNDS)
                )
                self._histograms[family.name] = family, instrument
            elif family.kind == COUNTER:
                meter.create_observable_counter(name, [self._observing(family)], unit, family.told)
            else:
                meter.create_observable_gauge(name, [self._observing(family)], unit, family.told)
        self._start()
        _all.add(self)
        durations.taps.append(self._tap)

    def _start(self) -> None:
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="zc.zk opentelemetry", daemon=True)
        self._thread.start()

    def after_fork(self) -> None:
        """Go on in a child process, without what the parent has yet to record."""
        self._waiting.clear()
        if not self._is_closed:
            self._start()

    def close(self) -> None:
        """Record what has been noted, and tell nothing from now on. Idempotent."""
        self._is_closed = True
        if self._tap in durations.taps:
            durations.taps.remove(self._tap)
        self._ending.set()
        if self._thread is not threading.current_thread():
            self._thread.join(END_SECONDS)

    def __enter__(self) -> Instruments:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _observing(self, family: Family) -> Callable[[CallbackOptions], Iterator[Observation]]:
        def observe(options: CallbackOptions) -> Iterator[Observation]:
            if self._is_closed:
                return
            for values, value in family.samples():
                assert not isinstance(value, Histogram)
                yield Observation(value, dict(zip(family.all_labels, values, strict=True)))

        return observe

    def _tap(self, family: str, values: Values, seconds: float) -> None:
        self._waiting.append((family, values, seconds))

    def _run(self) -> None:
        is_over = False
        while not is_over:
            is_over = self._ending.wait(RECORD_SECONDS)
            self._record_waiting()

    def _record_waiting(self) -> None:
        for _ in range(len(self._waiting)):
            name, values, seconds = self._waiting.popleft()
            family, instrument = self._histograms[name]
            try:
                instrument.record(seconds, dict(zip(family.all_labels, values, strict=True)))
            except BaseException as fault:  # a SystemExit would end this thread without a word
                self._note_fault(fault)

    def _note_fault(self, fault: BaseException) -> None:
        """Log the first fault of a meter, and then one in a while: it may refuse everything."""
        now = time.monotonic()
        if now >= self._quiet_until:
            self._quiet_until = now + QUIET_SECONDS
            logger.error("durations could not be recorded", exc_info=fault)


def instrument(meter: Meter) -> Instruments:
    """Make the instruments, which tell of all clients that are measured; close the result."""
    return Instruments(meter)


def name_of(family: Family) -> str:
    """Return the name of a family's instrument."""
    return PREFIX.replace("_", ".") + family.name


def unit_of(family: Family) -> str:
    """Return the unit of a family's instrument."""
    return "s" if family.unit == SECONDS else family.unit


_all: weakref.WeakSet[Instruments] = weakref.WeakSet()


def _note_fork() -> None:
    for each in list(_all):
        each.after_fork()


os.register_at_fork(after_in_child=_note_fork)
