"""Run all benchmarks, and write their text, JSON and charts, and the guide's table.

The measurements go to docs/performance.json, and what is made of them to docs/performance.txt,
docs/performance-*.svg and the guide; with --quick, which takes a few minutes and has fewer rounds
and smaller trees, below build/ and not to the guide. With --only, earlier measurements stay for the
rest. With --redraw nothing is measured, and all is made anew of the measurements that there are.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from harness import guide
from harness.charts import charts
from harness.curves import by_benchmark
from harness.document import document

BENCHMARKS = Path(__file__).parent
REPOSITORY = BENCHMARKS.parent
FINDINGS = BENCHMARKS / "findings.txt"

RESULTS = "performance.json"


class Step(NamedTuple):
    """One run of a benchmark: a title, its file, and the options.

    The options are those of the full and of the quick form.
    """

    title: str
    benchmark: str
    full: str = ""
    quick: str | None = "--rounds 1"  # None: not in the quick form


STEPS = [
    Step("Single calls", "calls", "--rounds 2"),
    Step("Event loops and threads", "asynchronous", "--rounds 3"),
    Step("The same without the library", "event_loop", "--rounds 3"),
    Step("Trees, near the server", "tree", "--delays 0 --rounds 15", "--delays 0 --rounds 1"),
    Step(
        "Trees, 1 ms away", "tree", "--delays 1 --rounds 15", "--delays 1 --nodes 1000 --rounds 1"
    ),
    Step("From a thousand to a million nodes", "scale", "", "--sizes 1000 10000 --rounds 1"),
    Step("Text and network", "text", "--shapes mixed --rounds 3", "--nodes 10000 --rounds 1"),
    Step("Over TLS", "secured", "--rounds 7"),
    Step("Setting watches", "watches", "--rounds 5", "--shapes mixed --rounds 1"),
    Step("Bulk writes", "bulk_write", "--rounds 5"),
    Step("A thousand registrations", "registrations", "", "--nodes 100 --rounds 1"),
    Step("Imports and connections", "imports", quick="--rounds 5"),
    Step("Commands", "startup", "--rounds 10", "--rounds 2"),
    Step("Memory", "footprint"),
    Step("Live trees", "livetree", "--rounds 3"),
    Step("A live tree of a million nodes", "livetree", "--nodes 1000000 --shapes mixed", None),
    Step("Links", "links"),
    Step("The page of 200,000 nodes", "page", "", "--nodes 2000 --rounds 1"),
    Step("Picking a server", "picking", "", "--sizes 10 1000 --rounds 1"),
    Step("From a change to those who follow", "fanout"),
    *(
        Step(
            f"A lost session, {2 * nodes:,} watches",
            "reestablish",
            f"--nodes {nodes} --rounds {3 if nodes <= 10_000 else 1}",
            f"--nodes {nodes} --rounds 1" if nodes <= 5000 else None,
        )
        for nodes in (500, 5000, 10_000, 50_000)
    ),
    Step(
        "A fleet of clients",
        "fleet",
        "--clients 300 --processes 3",
        "--clients 40 --only blip --competitors zc.zk at-once",
    ),
    Step(
        "A fleet of clients, three servers",
        "fleet",
        "--clients 300 --processes 3 --servers 3 --only blip 'leader lost'",
        None,
    ),
    Step("The emulation and the server in Python", "embedded"),
    Step("Trees, 5 ms away", "tree", "--delays 5 --nodes 1000 --rounds 3", None),
    Step("Bulk reads", "bulk_read", "--rounds 2", "--shapes mixed --rounds 1"),
    Step("Text of many properties", "text", "--shapes many_properties --nodes 10000", None),
    Step(
        "Trees of other shapes",
        "tree",
        "--delays 0 --shapes wide deep large_values many_properties --rounds 25",
        None,
    ),
]


def main() -> None:
    options = parse_options()
    folder = options.into or REPOSITORY / ("build/performance" if options.quick else "docs")
    folder.mkdir(parents=True, exist_ok=True)
    measured: dict[str, Any] = {}
    if options.redraw:
        keep(json.loads((folder / RESULTS).read_text()), folder)
        return
    if options.only and (folder / RESULTS).exists():
        measured = json.loads((folder / RESULTS).read_text())
    failed = []
    started = time.monotonic()
    for step in STEPS:
        arguments = step.quick if options.quick else step.full
        if arguments is None or (options.only and step.benchmark not in options.only):
            continue
        minutes = (time.monotonic() - started) / 60
        print(f"=== {minutes:.0f} min: {step.title} ({step.benchmark} {arguments})", flush=True)
        result = run(step, shlex.split(arguments))
        if result is None:
            failed.append(step.title)
        else:
            measured[step.title] = result
            keep(measured, folder)
    print(f"=== {(time.monotonic() - started) / 60:.0f} min: {folder}/performance.txt", flush=True)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def keep(measured: dict[str, Any], folder: Path) -> None:
    """Write all measurements so far: the last minute may not cost an hour's work."""
    in_order = {step.title: measured[step.title] for step in STEPS if step.title in measured}
    (folder / RESULTS).write_text(json.dumps(in_order, indent=1) + "\n")
    for name, text in made_of(in_order).items():
        (folder / name).write_text(text)
    if folder == REPOSITORY / "docs" and in_order.keys() >= set(guide.STEPS):
        for page in guide.pages(REPOSITORY):
            text = page.read_text()
            if (renewed := guide.renewed(text, in_order)) != text:
                page.write_text(renewed)


def made_of(measured: Mapping[str, Any]) -> dict[str, str]:
    """Return the files that are made of the measurements, by their names."""
    findings = FINDINGS.read_text() if FINDINGS.exists() else ""
    drawn = charts(by_benchmark(measured))
    files = {f"performance-{name}.svg": chart for name, chart in drawn.items()}
    return {"performance.txt": document(measured, findings), **files}


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = list(dict.fromkeys(step.benchmark for step in STEPS))
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller trees")
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--redraw", action="store_true", help="measure nothing")
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="where the results go")
    return parser.parse_args()


def run(step: Step, arguments: list[str]) -> dict[str, Any] | None:
    """Return the measurements of a benchmark, with its tables, or None.

    None is for one that failed.
    """
    with tempfile.NamedTemporaryFile(suffix=".json") as figures:
        command = [sys.executable, BENCHMARKS / f"{step.benchmark}.py", "--json", figures.name]
        tables = []
        with subprocess.Popen(
            [*map(str, command), *arguments], stdout=subprocess.PIPE, text=True
        ) as benchmark:
            assert benchmark.stdout is not None
            for line in benchmark.stdout:
                tables.append(line)
                print(line, end="", flush=True)
        if benchmark.returncode:
            return None
        return {**json.load(figures), "tables": "".join(tables)}


if __name__ == "__main__":
    main()
