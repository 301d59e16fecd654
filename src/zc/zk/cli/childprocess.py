"""COMMANDs that a command of ours runs: they end when it ends, and get the signals that it gets."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

from zc.zk.cli import guardian, signals
from zc.zk.cli.failures import BY_SIGNAL, Failure

# A terminal sends these to all processes in front of it, and so to COMMAND, too.
_BY_TERMINAL = (signal.SIGINT, signal.SIGQUIT)

# A command that was killed is gone within that time (seconds), or the machine is in trouble.
_MAX_END_SECONDS = 10.0


class NotFound(Failure):
    """There is no such program; the status is a shell's."""

    status = guardian.NOT_FOUND


class NotExecutable(Failure):
    """The program is there, and cannot be executed; the status is a shell's."""

    status = guardian.NOT_EXECUTABLE


def require(words: Sequence[str]) -> None:
    """Raise NotFound or NotExecutable unless there is a program of that name."""
    program = words[0]
    if shutil.which(program) is not None:
        return
    if os.path.dirname(program) and os.path.isdir(program):
        raise NotExecutable(f"a directory is no program: {program!r}")
    file = shutil.which(program, os.F_OK)
    if file is not None:
        raise NotExecutable(f"it may not be executed (chmod +x permits it): {file!r}")
    where = "" if os.path.dirname(program) else " in PATH"
    raise NotFound(f"no such program{where}: {program!r}")


class Child:
    """A COMMAND that runs, tied to this process by `zc.zk.cli.guardian`.

    It has our standard streams, or another standard input. Without a terminal in front of which we
    are, or if `in_group`, it is a process group of its own, all of which is signalled and ended.
    With a `lease`, in seconds, it is ended when `renew` was not called for so long, with `grace`
    seconds between SIGTERM and SIGKILL.
    """

    def __init__(
        self,
        words: Sequence[str],
        variables: Mapping[str, str | bytes] | None = None,
        *,
        lease: float | None = None,
        grace: float = 0.0,
        stdin: int | None = None,
        in_group: bool = False,
    ) -> None:
        self._is_in_front = not in_group and _is_in_front()
        self._lease: int | None = None
        pipe: list[int] = []
        if lease is not None:
            end, self._lease = os.pipe()
            os.set_blocking(self._lease, False)
            pipe.append(end)
        guarded = [sys.executable, "-I", "-S", guardian.__file__, str(os.getpid())]
        options = ["0" if self._is_in_front else "1", str(pipe[0]) if pipe else ""]
        try:
            self._process = subprocess.Popen(
                [*guarded, *options, str(lease), str(grace), *words],
                env={**os.environ, **(variables or {})},
                pass_fds=pipe,
                stdin=stdin,
            )
        except BaseException:
            self.close()
            raise
        finally:
            for end in pipe:
                os.close(end)

    def renew(self) -> None:
        """Renew the lease, from now on."""
        if self._lease is not None:
            with suppress(OSError):  # it has ended
                os.write(self._lease, guardian.moment())

    def close(self) -> None:
        """Close what is left of it, when it has ended."""
        lease, self._lease = self._lease, None
        if lease is not None:
            os.close(lease)

    def wait(self) -> int:
        """Wait for its end, and return its status as a shell has it. Pass signals on meanwhile."""
        with self._passing_on():
            self._process.wait()
        return self.status

    @property
    def status(self) -> int:
        """The status with which it ended, as a shell has it."""
        code = self._process.returncode
        return code if code >= 0 else BY_SIGNAL - code

    def signal(self, number: int) -> None:
        """Send it a signal, if it runs."""
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    def end(self, grace: float) -> None:
        """Have it end by SIGTERM, or, when that takes longer than `grace` seconds, by SIGKILL."""
        self.signal(signal.SIGTERM)
        if self.ended_within(grace):
            return
        self.signal(guardian.END)
        if not self.ended_within(_MAX_END_SECONDS):
            self.signal(signal.SIGKILL)

    def ended_within(self, seconds: float) -> bool:
        """Wait for its end, for so many seconds; say whether it has ended."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    @contextmanager
    def _passing_on(self) -> Iterator[None]:
        """Pass signals on, which would end us otherwise."""

        def pass_on(number: int, frame: FrameType | None) -> None:
            if not (self._is_in_front and number in _BY_TERMINAL):
                self.signal(number)

        with signals.handled(guardian.PASSED_ON, pass_on):
            yield


def _is_in_front() -> bool:
    """Say whether we are in front of a terminal, which sends signals to all who are."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
