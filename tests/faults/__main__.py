"""The fault suite: `make faults`, or `python -m tests.faults --help`."""

from __future__ import annotations

import argparse
import itertools
import logging
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from tests.deadlines import scaled
from tests.faults.clients import RECOVERY_SECONDS, Options
from tests.faults.logins import Logins
from tests.faults.plan import Fault
from tests.faults.report import Report
from tests.faults.run import Run, random_rounds
from tests.faults.soak import soak
from tests.secured import Keys
from tests.servers import QUICK_START, ensemble_of

FAULTS = 500
SEEDS = 3

# The short form begins no round of faults after so many seconds.
SHORT_SECONDS = 50

# The servers give up a leader that is gone or stands still within a second (10 ticks).
SETTINGS = {"syncLimit": 10}


def main() -> int:
    chosen = _arguments()
    # These loggers tell at length of the connections that are broken here.
    for name in ("ZooKeeper", "kazoo", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # SIGTERM acts as Ctrl-C does: everything that was started is stopped on the way out.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with (
            _keys() if chosen.tls else nullcontext() as keys,
            _logins() if chosen.sasl else nullcontext() as logins,
        ):
            if chosen.soak:
                return _soak(chosen.soak, keys, logins)
            return _inject(chosen, keys, logins)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--faults", type=int, default=FAULTS, help="in all (%(default)s)")
    parser.add_argument(
        "--seed", type=int, action="append", help=f"may be repeated; by default {SEEDS}, at random"
    )
    parser.add_argument("--short", action="store_true", help="one seed, for about a minute")
    parser.add_argument(
        "--library",
        choices=["zc.zk", "zc.zk.aio", "kazoo"],
        default="zc.zk",
        help="with zc.zk every second client is one of zc.zk.aio",
    )
    parser.add_argument(
        "--recovery",
        type=float,
        default=RECOVERY_SECONDS,
        metavar="SECONDS",
        help="until when all has to be right again (%(default)s); more for a busy machine",
    )
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--tls", action="store_true", help="by TLS, with client certificates")
    parser.add_argument("--sasl", action="store_true", help="clients log in, by DIGEST-MD5")
    parser.add_argument("--soak", type=float, metavar="MINUTES", help="no faults, look for leaks")
    parser.add_argument("--verbose", action="store_true", help="tell of each fault and finding")
    chosen = parser.parse_args()
    if not chosen.seed:
        count = 1 if chosen.short else SEEDS
        chosen.seed = [random.SystemRandom().randrange(10**6) for _ in range(count)]
    return chosen


@contextmanager
def _keys() -> Iterator[Keys]:
    """Yield keys of servers and clients, in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="zookeeper-keys-") as folder:
        yield Keys.make(Path(folder))


@contextmanager
def _logins() -> Iterator[Logins]:
    """Yield a login, whose JAAS file is in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="zookeeper-logins-") as folder:
        yield Logins(Path(folder))


def _inject(chosen: argparse.Namespace, keys: Keys | None, logins: Logins | None) -> int:
    def tell(line: str) -> None:
        if chosen.verbose or not line.startswith("  "):
            print(line, flush=True)

    def rounds(seed: int, enough: int) -> Iterator[list[Fault]]:
        """Yield rounds until there have been enough faults in all.

        Some faults cannot be done at their time.
        """

        def goes_on(_: object) -> bool:
            if chosen.short and time.monotonic() - began > SHORT_SECONDS:
                return False
            return report.faults.total() < enough

        return itertools.takewhile(goes_on, random_rounds(seed, chosen.faults * 10, options))

    options = Options(
        chosen.library,
        chosen.clients,
        recovery_seconds=scaled(chosen.recovery),
        by_tls=chosen.tls,
        logins=logins,
    )
    report = Report(chosen.library)
    print("seeds:", *chosen.seed, flush=True)
    began = time.monotonic()
    try:
        settings = {**SETTINGS, **(logins.settings if logins else {})}
        java_options = logins.java_options if logins else QUICK_START
        with ensemble_of(
            3, settings=settings, java_options=java_options, heap="128m", keys=keys
        ) as ensemble:
            for index, seed in enumerate(chosen.seed):
                enough = chosen.faults * (index + 1) // len(chosen.seed)
                Run(ensemble, seed, options, report, tell).run(rounds(seed, enough))
    finally:
        print(f"\n{report}\n\n{time.monotonic() - began:.0f} seconds")
    return 1 if report.findings else 0


def _soak(minutes: float, keys: Keys | None, logins: Logins | None) -> int:
    problems = soak(minutes, lambda line: print(line, flush=True), keys, logins)
    print(*(problems or ["nothing has grown"]), sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
