"""Run pytest by `make`, retry the failed tests, and list the flaky ones.

    python scripts/flaky.py run test [PYTEST ARGUMENT ...]
    python scripts/flaky.py summary

The tests kill servers and race threads on a machine that others may load at the same time. So `run`
tries a failed test once more, alone. A test that fails twice has failed. A test that passes then is
flaky, which is a bug: build/flaky has its name and what it said. `summary` prints the list, and
fails if there are more than two.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FLAKY = ROOT / "build" / "flaky"
SANITIZED_FAULTS = ROOT / "build" / "sanitized" / "faults"

# Pytest remembers the failed tests of the last run here.
LAST_FAILED = ROOT / ".pytest_cache" / "v" / "cache" / "lastfailed"

MAX_FLAKY = 2


def last_failed() -> list[str]:
    """Return the tests that failed in the last run.

    There are none if it ended before any could fail.
    """
    try:
        return sorted(json.loads(LAST_FAILED.read_text()))
    except (OSError, ValueError):
        return []


def make(target: str, arguments: Iterable[str]) -> bool:
    """Call make and return whether it succeeded."""
    call = ["make", target, f"ARGS={' '.join(arguments)}"]
    return subprocess.run(call, cwd=ROOT, check=False).returncode == 0


def run(target: str, arguments: list[str]) -> int:
    """Run the tests of a target, and once more those that failed."""
    for former in (LAST_FAILED, SANITIZED_FAULTS):
        former.unlink(missing_ok=True)
    if make(target, arguments):
        return 0
    if SANITIZED_FAULTS.exists() and SANITIZED_FAULTS.stat().st_size:
        return 1  # a fault that a sanitizer has seen once is there
    failed = last_failed()
    if not failed:
        return 1  # no test has failed, so there is nothing to retry
    print(f"make {target} failed: these are tried again", *failed, sep="\n  ", flush=True)
    if not make(target, [*arguments, "-n 0 --last-failed --last-failed-no-failures=none -v"]):
        return 1
    note(f"make {target}", failed)
    return 0


def note(where: str, tests: Iterable[str]) -> None:
    """Add tests to the list."""
    FLAKY.parent.mkdir(exist_ok=True)
    with FLAKY.open("a") as file:
        file.writelines(f"{where}: {test}\n" for test in tests)


def summary() -> int:
    """Print the tests that needed a second try. Return 1 if there are too many."""
    tests = FLAKY.read_text().splitlines() if FLAKY.exists() else []
    if not tests:
        print("No test needed a second try.")
        return 0
    line = "=" * 100
    print(line, f"FLAKY: {len(tests)} tests needed a second try. Each is a bug:", sep="\n")
    print(*tests, sep="\n")
    too_many = len(tests) > MAX_FLAKY
    print(f"More than {MAX_FLAKY}: this run has failed." if too_many else "", line, sep="\n")
    return 1 if too_many else 0


def main() -> int:
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    command, *rest = sys.argv[1:]
    if command == "summary":
        return summary()
    target, *arguments = rest
    return run(target, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
