"""Build the source distribution, and wheels for every platform and Python: `make wheels`."""

from __future__ import annotations

import argparse
import fcntl
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from scripts.wheels.building import Workshop, build_sdist, time_of_commit
from scripts.wheels.interpreters import ROOT
from scripts.wheels.running import BuildError
from scripts.wheels.targets import PYTHONS, chosen_targets
from scripts.wheels.verdicts import faults_of_wheel

RELEASE = ROOT / "build" / "release"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.wheels", description=__doc__)
    parser.add_argument("--target", action="append", default=[], help="a part of a platform's tag")
    parser.add_argument("--python", action="append", help=f"default: {', '.join(PYTHONS)}")
    parser.add_argument("--output", type=Path, default=RELEASE, help="default: build/release")
    parser.add_argument(
        "--work", type=Path, default=ROOT / "build/wheels", help="kept for next time"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    work = options.work.resolve()
    try:
        with alone_in(work):
            return build(options, work)
    except (BuildError, LookupError) as error:
        print(error, file=sys.stderr)
        return 1


@contextmanager
def alone_in(work: Path) -> Iterator[None]:
    """Keep a folder to this process: two builds there would delete each other's sources."""
    work.mkdir(parents=True, exist_ok=True)
    with open(work / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BuildError(f"another build is at work in {work}") from None
        yield


def build(options: argparse.Namespace, work: Path) -> int:
    targets = chosen_targets(options.target)
    pythons = options.python or PYTHONS
    # A wheel must not depend on the one who builds it.
    os.umask(0o022)
    output = options.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    for old in [*output.glob("*.whl"), *output.glob("*.tar.gz")]:
        old.unlink()
    made_at = time_of_commit()
    workshop = Workshop(work, build_sdist(output, made_at), made_at)
    workshop.fetch_sources()
    for target in targets:
        print(f"libraries for {target.tag}", flush=True)
        workshop.build_libraries(target)
    with ThreadPoolExecutor(options.jobs) as workers:
        interpreters = list(workers.map(workshop.interpreter, pythons))
        done = workers.map(
            lambda python, interpreter: workshop.build_wheels(python, interpreter, targets, output),
            pythons,
            interpreters,
        )
        faults = 0
        for wheel in (wheel for wheels in done for wheel in wheels):
            found = faults_of_wheel(wheel)
            faults += len(found)
            print(
                f"{wheel.name}: {'; '.join(found) or f'{wheel.stat().st_size:,} bytes'}", flush=True
            )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
