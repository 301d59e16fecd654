"""The command that every benchmark is: server, options, progress, table and JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path

from . import kazoo_jobs, machine
from .cases import Case
from .report import as_json, as_table
from .rounds import run_case
from .service import Service, running_service
from .shapes import SHAPES

Cases = Callable[[Service, argparse.Namespace], Iterator[Case]]


def main(cases: Cases, description: str, default_rounds: int = 5) -> None:
    """Parse the command line, run the cases of a benchmark and print how they went.

    `cases` is a generator: it prepares the server for a case and yields it, and when it is resumed
    the case has been run. It may be given up between two cases, so it tidies up in `finally`.
    """
    options = parse_options(description, default_rounds)
    surroundings = machine.describe()
    measured = []
    with ExitStack() as stack:
        service = stack.enter_context(running_service(options.hosts))
        for case in cases(service, options):
            if options.only and options.only not in case.title:
                continue
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


def parse_options(description: str, default_rounds: int) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rounds", type=positive, default=default_rounds, help="default: %(default)s"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE, too")
    parser.add_argument(
        "--nodes", type=positive, default=10_000, help="size of a tree (%(default)s)"
    )
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, help="shapes of trees")
    parser.add_argument("--only", metavar="TEXT", help="only the cases with TEXT in their titles")
    parser.add_argument(
        "--hosts", help="a server that runs already; otherwise one is started for the benchmark"
    )
    return parser.parse_args()


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return number


def show_progress(message: str) -> None:
    """One line on a terminal, always the same; nothing in a file."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{message}")
        sys.stderr.flush()
