"""A client at work for a long time, without faults: nothing may grow."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.faults import place, truth
from tests.faults.clients import Client, Options
from tests.faults.logins import Logins
from tests.secured import Keys
from tests.servers import QUICK_START, Ensemble, standalone

SAMPLE_SECONDS = 5.0

# A client may have grown by so much at the end, compared with the time after the first fifth:
# caches fill, and memory is not given back in the order in which it was taken.
MOST_GROWTH = 0.03


@dataclass(frozen=True)
class Sample:
    """The resources of a client process at some moment."""

    seconds: float
    resident_kilobytes: int
    threads: int
    descriptors: int

    def __str__(self) -> str:
        return (
            f"{self.seconds:6.0f} s  {self.resident_kilobytes:8,} KB  {self.threads} threads"
            f"  {self.descriptors} descriptors"
        )


def soak(
    minutes: float, tell: Callable[[str], None], keys: Keys | None, logins: Logins | None
) -> list[str]:
    """Return what has grown in the meantime; nothing, if all is well."""
    samples: list[Sample] = []
    with ExitStack() as undo:
        server = undo.enter_context(
            standalone(
                settings=logins.settings if logins else None,
                java_options=logins.java_options if logins else QUICK_START,
                heap="256m",
                keys=keys,
            )
        )
        where = server.connection_string
        with truth.connected(where, "/soak", server.keys, logins) as servers:
            servers.create(place.nodes())
        client = Client(
            0, Ensemble([server]), "/soak", 0, Options(session_seconds=30, logins=logins)
        )
        undo.callback(client.close)
        client.process.send("go")
        began = time.monotonic()
        while time.monotonic() - began < minutes * 60:
            time.sleep(SAMPLE_SECONDS)
            samples.append(_sample(client, began))
            tell(str(samples[-1]))
        belief = client.process.ask("report")
        left = client.process.ask("close", seconds=30)
    tell(", ".join(f"{count:,} {what}" for what, count in sorted(belief["counts"].items())))
    return [*_growth(samples), *belief["errors"], *([left] if left else [])]


def _sample(client: Client, began: float) -> Sample:
    belief = client.process.ask("report")
    status = Path(f"/proc/{client.process.process.pid}/status").read_text().splitlines()
    (resident,) = [int(line.split()[1]) for line in status if line.startswith("VmRSS:")]
    return Sample(time.monotonic() - began, resident, belief["threads"], belief["descriptors"])


def _growth(samples: list[Sample]) -> list[str]:
    fifth = max(1, len(samples) // 5)
    grown = []
    for name in ("resident_kilobytes", "threads", "descriptors"):
        values = [getattr(sample, name) for sample in samples]
        early, late = values[fifth : 2 * fifth], values[-fifth:]
        if min(late) > max(early) * (1 + MOST_GROWTH):
            grown.append(f"{name} grew from {max(early):,} to {min(late):,}")
    return grown
