"""The fault suite: `make faults`, or `python -m tests.faults --help`."""

from __future__ import annotations

import argparse
import random
import signal
import sys
import time

from tests.faults.report import Report
from tests.faults.run import Options, Run, random_rounds
from tests.servers import ensemble_of

FAULTS = 500
SEEDS = 3

SETTINGS = {"syncLimit": 10}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--faults", type=int, default=FAULTS, help="in all (%(default)s)")
    parser.add_argument(
        "--seed", type=int, action="append", help="may be repeated; by default, three at random"
    )
    parser.add_argument("--library", choices=["zc.zk", "kazoo"], default="zc.zk")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--verbose", action="store_true", help="tell of each fault")
    chosen = parser.parse_args()
    seeds = chosen.seed or [random.SystemRandom().randrange(10**6) for _ in range(SEEDS)]
    # As Ctrl-C does: everything that was started is stopped on the way out.
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    def tell(line: str) -> None:
        if chosen.verbose or not line.startswith("  "):
            print(line, flush=True)

    options = Options(library=chosen.library, clients=chosen.clients)
    report = Report(chosen.library)
    print("seeds:", *seeds, flush=True)
    began = time.monotonic()
    try:
        with ensemble_of(3, settings=SETTINGS, heap="128m") as ensemble:
            for index, seed in enumerate(seeds):
                share = chosen.faults * (index + 1) // len(seeds) - report.faults.total()
                run = Run(ensemble, seed, options, report, tell)
                run.run(random_rounds(seed, share, options))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    print(f"\n{report}\n\n{time.monotonic() - began:.0f} seconds")
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
