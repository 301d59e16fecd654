"""Server processes of others for tests: started, paused, stopped, and killed with the test run.

The kernel kills them when this process is killed, which could not do it itself.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.deadlines import scaled, wait_until

STOP_SECONDS = 15


class Daemon:
    """One process, which writes to a log, and can be started again when it has ended."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id, None while it is down."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def spawn(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Start the process, with these variables besides, and return at once."""
        assert self.pid is None, f"{self} is running already"
        self._process = _spawn(command, self.log, environment or {})

    def stop(self) -> None:
        """End the process as its operator would (SIGTERM), and wait for it."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the process as a crash would (SIGKILL), and wait for it.

        A paused one can be ended, too.
        """
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Stop the process where it is: connections stay open and nothing answers."""
        self._signal(signal.SIGSTOP)
        # Each thread stops when it sees the signal, and not before.
        wait_until(self._stands_still, f"{self} is paused")

    def resume(self) -> None:
        """Let a paused process go on."""
        self._signal(signal.SIGCONT)

    def log_tail(self) -> str:
        """Return the last lines of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-60:])

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, f"{self} was never started"
        assert self.pid is not None, f"{self} is not running"
        self._process.send_signal(number)

    def _stands_still(self) -> bool:
        threads = Path(f"/proc/{self.pid}/task").glob("*/stat")
        return all(stat.read_text().rpartition(")")[2].split()[0] == "T" for stat in threads)

    def _end(self, number: signal.Signals) -> None:
        if self.pid is None or self._process is None:
            return
        self._process.send_signal(number)
        if number != signal.SIGKILL:
            self._process.send_signal(signal.SIGCONT)
        self._process.wait(scaled(STOP_SECONDS))


# The kernel's parent-death signal follows the thread that made the child, not the process: a thread
# that lasts as long as the interpreter starts the servers, and not one that a test started for a
# moment.
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="server-starter")


def _spawn(
    command: Sequence[str], log: Path, variables: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    # A sanitizer that is loaded into this process has no business in others.
    environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}

    def popen() -> subprocess.Popen[bytes]:
        with log.open("wb") as output:
            # The server has a session of its own: the Ctrl-C that ends a test run is not for it.
            return subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**environment, **variables},
                start_new_session=True,
            )

    return _starter.submit(popen).result()
