"""Run the C core in many threads, with credentials, under ThreadSanitizer.

Usage: run_tsan.py [ROUNDS]

Python is not in it: `tests/threads/driver.c` uses the core as the extension does, from threads of
its own, against the embedded server, whose connections are cut all the time. The C client comes
compiled: its use of memory is not seen, but its locks are, and the order in which all are taken.
Data races in the core, locks in two orders and threads that are left fail the run.
"""

from __future__ import annotations

import ast
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.tcpproxy import TcpProxy  # noqa: E402

from zc.zk.testing import Server  # noqa: E402

BUILD = ROOT / "build" / "tsan"
REPORTS = BUILD / "reports"
DRIVER = BUILD / "driver"
CORE = ROOT / "src" / "zookeeper" / "core"
SUPPRESSIONS = ROOT / "tests" / "threads" / "suppressions.txt"

ROUNDS = 30
MOST_SECONDS_A_ROUND = 30
INCLUDE = os.environ.get("ZOOKEEPER_INCLUDE_DIR", "/usr/include/zookeeper")
LIBRARY = os.environ.get("ZOOKEEPER_STATIC_LIB", "-l:libzookeeper_mt.a")


def main(arguments: list[str]) -> int:
    rounds = int(arguments[0]) if arguments else ROUNDS
    shutil.rmtree(REPORTS, ignore_errors=True)
    REPORTS.mkdir(parents=True)
    build()
    find_planted_faults()
    with Server() as server, TcpProxy(server.connection_string) as proxy:
        status = drive(proxy, rounds)
    found = reports()
    print(*found, f"ThreadSanitizer: {len(found)} reports, exit status {status}.", sep="\n\n")
    return 1 if found or status else 0


def build() -> None:
    """Compile the core and the driver with the sanitizer.

    The functions that setup.py wraps are wrapped here as well.
    """
    subprocess.run(
        [
            *(os.environ.get("CC", "gcc"), "-std=gnu11", "-g", "-O1", "-Wall", "-DTHREADED"),
            *("-fsanitize=thread", "-pthread", f"-I{INCLUDE}", f"-I{CORE}", "-o", str(DRIVER)),
            *map(str, [ROOT / "tests" / "threads" / "driver.c", *sorted(CORE.glob("*.c"))]),
            LIBRARY,
            *(f"-Wl,--wrap={name}" for name in wrapped()),
        ],
        check=True,
    )


def wrapped() -> list[str]:
    for statement in ast.parse((ROOT / "setup.py").read_text()).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "WRAPPED":
            names: list[str] = ast.literal_eval(statement.value)
            return names
    raise SystemExit("setup.py has no list WRAPPED")


def command(*arguments: str) -> list[str]:
    # The addresses are not randomised: the sanitizer's places for its own memory must be free.
    return ["setarch", "-R", str(DRIVER), *arguments]


def environment() -> dict[str, str]:
    options = {
        "log_path": REPORTS / "report",
        "suppressions": SUPPRESSIONS,
        "exitcode": 0,
        "second_deadlock_stack": 1,
        "history_size": 4,
    }
    settings = ":".join(f"{name}={value}" for name, value in options.items())
    return {**os.environ, "TSAN_OPTIONS": settings}


def reports() -> list[str]:
    return [part for file in sorted(REPORTS.iterdir()) for part in parts(file.read_text())]


def parts(text: str) -> list[str]:
    return [part.strip() for part in text.split("==================") if "WARNING:" in part]


def find_planted_faults() -> None:
    """Make sure that faults are found here at all."""
    subprocess.run(command("planted"), env=environment(), check=True)
    found = "".join(reports())
    for kind in ("data race", "lock-order-inversion"):
        if kind not in found:
            raise SystemExit(f"ThreadSanitizer did not find a {kind} that was made for it to find.")
    for file in REPORTS.iterdir():
        file.unlink()


def drive(proxy: TcpProxy, rounds: int) -> int:
    """Run the driver while its connections are cut; return its exit status.

    The status is -1 when the driver hangs.
    """
    deadline = time.monotonic() + rounds * MOST_SECONDS_A_ROUND
    with subprocess.Popen(command(prepared(proxy), str(rounds)), env=environment()) as process:
        while process.poll() is None:
            time.sleep(random.uniform(0.05, 0.3))
            proxy.cut(reset=random.random() < 0.5)
            if time.monotonic() > deadline:
                process.kill()
                return -1
    return process.returncode


def prepared(proxy: TcpProxy) -> str:
    """Return the connection string of a server that has the driver's node."""
    import zc.zk

    with zc.zk.ZooKeeper(proxy.connection_string, wait=True) as zk:
        zk.create("/a", "x", zc.zk.OPEN_ACL_UNSAFE)
    return proxy.connection_string


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
