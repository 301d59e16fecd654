"""The command of every benchmark: server, options, progress, table, JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from . import kazoo_jobs, machine
from .cases import Case
from .report import as_json, as_table
from .rounds import run_case
from .service import Service, running_service
from .shapes import SHAPES

Cases = Callable[[Service, argparse.Namespace], Iterator[Case]]
Running = Callable[[str | None], AbstractContextManager[Service]]


def main(
    cases: Cases,
    description: str,
    *,
    rounds: int = 5,
    nodes: int | None = None,
    sizes: Sequence[int] = (),
    shapes: Sequence[str] = (),
    delays: Sequence[float] = (),
    running: Running = running_service,
) -> None:
    """Parse the command line, run a benchmark's cases and print the results.

    `cases` is a generator: it prepares the server for a case and yields it, and when it is resumed
    the case has been run. It may be given up between two cases, so it tidies up in `finally`.

    The others are defaults of options: rounds of each case, nodes of a tree (the size that the
    goals are set for), or several sizes, its shapes, and delays in milliseconds. An option without
    a default here is one that the benchmark does not have. `running` is the kind of server.
    """
    options = parse_options(description, rounds, nodes, sizes, shapes, delays)
    surroundings = machine.describe()
    measured = []
    with running(options.hosts) as service:
        for case in cases(service, options):
            if options.only and options.only not in case.title:
                continue
            if nodes is not None and options.nodes != nodes:
                case = replace(case, goals=[])
            outcome = run_case(case, options.rounds, show_progress)
            show_progress("")
            print(as_table(outcome), end="\n\n", flush=True)
            measured.append(as_json(outcome))
        surroundings["server"] = kazoo_jobs.server_version(service.hosts)
    if options.json:
        result = {
            "benchmark": Path(sys.argv[0]).stem,
            "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "machine": surroundings,
            "rounds": options.rounds,
            "cases": measured,
        }
        options.json.write_text(json.dumps(result, indent=2) + "\n")


def parse_options(
    description: str,
    rounds: int,
    nodes: int | None,
    sizes: Sequence[int],
    shapes: Sequence[str],
    delays: Sequence[float],
) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--rounds", type=positive, default=rounds, help="of each case; default: %(default)s")
    add("--json", type=Path, metavar="FILE", help="write all figures to FILE, too")
    add("--only", metavar="TEXT", help="only the cases with TEXT in their titles")
    add("--hosts", help="a server that runs already; without it, one is started for the benchmark")
    if nodes is not None:
        add("--nodes", type=positive, default=nodes, help="default and size of goals: %(default)s")
    if sizes:
        add("--sizes", nargs="+", type=positive, default=sizes, help=f"default: {sizes}")
    if shapes:
        add("--shapes", nargs="+", choices=SHAPES, default=shapes, help=f"default: {shapes}")
    if delays:
        add("--delays", nargs="+", type=float, default=delays, help=f"milliseconds: {delays}")
    return parser.parse_args()


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return number


def show_progress(message: str) -> None:
    """Show one line on a terminal, always the same; nothing in a file."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{message}")
        sys.stderr.flush()
