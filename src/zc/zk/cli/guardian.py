"""The process between a command of ours and a COMMAND that it runs: the two end together.

It is run as a file by an interpreter that imports nothing else: arguments are our process id, 1 if
COMMAND is to be a process group of its own, a lease, and COMMAND. When we are killed, be it by
SIGKILL, the kernel tells the guardian, which kills COMMAND and, if it is a group, what COMMAND has
started. When the guardian is killed, the kernel kills COMMAND. The guardian ends with the status of
COMMAND.

A lease is for a COMMAND that may run only as long as we say so: by a pipe we tell again and again
when we last knew it to be right. When that is too long ago, as we hang or were stopped, COMMAND
gets SIGTERM, and SIGKILL later.

Danger: the kernel forgets what ties COMMAND to the guardian when a program with other rights
(setuid) is executed; and a process that leaves the group, as daemons do, is not found again.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
import ctypes
import os
import signal
import struct
import sys
import time
from typing import NamedTuple

PR_SET_PDEATHSIG = 1

# Signals that are passed on to COMMAND, and one that has it killed at once.
PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
END = signal.SIGRTMIN + 5

# As shells have them; and what a lease that has ended makes of the status.
NOT_FOUND, NOT_EXECUTABLE, BY_SIGNAL = 127, 126, 128
LOST = 125

# Python ignores these from its start on, and a program that it executes would go on to do so.
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)

_SENT_BY_KERNEL = 0x80  # as by the terminal, to all processes in front


# Between two signals.
MIN_GRACE_SECONDS = 0.1

_MOMENT = struct.Struct("d")


def moment() -> bytes:
    """Return now, for the pipe of a lease; the clock goes on while the machine sleeps."""
    return _MOMENT.pack(_now())


def _now() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Lease(NamedTuple):
    """A lease: the pipe, how long it lasts, and the time between the two signals (seconds)."""

    pipe: int
    seconds: float
    grace: float


class _Term:
    """How long a command may run yet."""

    def __init__(self, lease: Lease | None) -> None:
        self._lease = lease
        self._until = _now() + lease.seconds if lease is not None else 0.0
        self._is_told = False

    def seconds_left(self) -> float | None:
        """Return the seconds until something is to be done; None if nothing ever is."""
        if self._lease is None:
            return None
        return max(0.0, self._until - _now())

    def signal_due(self) -> int:
        """Return the signal that the command is to get by now, or 0."""
        if self._lease is None or not self._is_over():
            return 0
        self._until = _now() + max(self._lease.grace, MIN_GRACE_SECONDS)
        number = signal.SIGKILL if self._is_told else signal.SIGTERM
        self._is_told = True
        return number

    @property
    def is_lost(self) -> bool:
        return self._is_told

    def _is_over(self) -> bool:
        assert self._lease is not None
        if not self._is_told:
            try:
                told = os.read(self._lease.pipe, 1 << 16)
            except BlockingIOError:
                told = b""
            if told:
                (known,) = _MOMENT.unpack(told[-_MOMENT.size :])
                self._until = known + self._lease.seconds
        return _now() >= self._until


def guard(parent: int, words: list[str], *, in_group: bool, lease: Lease | None = None) -> int:
    """Run a command, and return its status; end it when `parent` ends, or the lease."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    if not _tie(parent, END):
        return BY_SIGNAL + signal.SIGKILL
    guardian = os.getpid()
    command = os.fork()
    if not command:
        try:
            if in_group:
                os.setpgid(0, 0)
            if _tie(guardian, signal.SIGKILL):
                for number in _IGNORED_BY_PYTHON:
                    signal.signal(number, signal.SIG_DFL)
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)
                os.execvp(words[0], words)
        except OSError as fault:
            is_missing = isinstance(fault, FileNotFoundError) and not _is_there(words[0])
            if isinstance(fault, FileNotFoundError) and not is_missing:
                fault.strerror = "its interpreter, behind #! in the first line, does not exist"
            os.write(2, f"{ascii(words[0])[1:-1]}: {fault.strerror}\n".encode())
            os._exit(NOT_FOUND if is_missing else NOT_EXECUTABLE)
        finally:
            os._exit(BY_SIGNAL + signal.SIGKILL)
    try:
        # Signals to our own group reach us alone, and are passed on once.
        os.setpgid(0, 0)
        if in_group:
            os.setpgid(command, command)  # whichever of the two comes first
    except OSError:
        pass
    return _until_ended(command, in_group, _Term(lease))


def _is_there(program: str) -> bool:
    folders = [""] if "/" in program else os.get_exec_path()
    return any(os.path.exists(os.path.join(folder, program)) for folder in folders)


def _tie(parent: int, number: int) -> bool:
    """Have the kernel send a signal when the parent ends; False if it has."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    return os.getppid() == parent


def _until_ended(command: int, in_group: bool, term: _Term) -> int:
    awaited = {signal.SIGCHLD, END, *PASSED_ON}
    while True:
        left = term.seconds_left()
        news = signal.sigwaitinfo(awaited) if left is None else signal.sigtimedwait(awaited, left)
        if news is None:
            if number := term.signal_due():
                _send(command, in_group, number)
        elif news.si_signo == signal.SIGCHLD:
            ended, status = os.waitpid(command, os.WNOHANG)
            if ended:
                code = os.waitstatus_to_exitcode(status)
                if term.is_lost:
                    os.write(2, b"the lock is lost, as this process was stopped or hung\n")
                    return LOST
                return code if code >= 0 else BY_SIGNAL - code
        elif news.si_signo == END:
            _send(command, in_group, signal.SIGKILL)
            os.waitpid(command, 0)
            return BY_SIGNAL + signal.SIGKILL
        elif in_group or news.si_code != _SENT_BY_KERNEL:
            _send(command, in_group, news.si_signo)


def _send(command: int, in_group: bool, number: int) -> None:
    try:
        os.killpg(command, number) if in_group else os.kill(command, number)
        # One that is stopped, as by Ctrl-Z, gets it when it goes on.
        os.killpg(command, signal.SIGCONT) if in_group else os.kill(command, signal.SIGCONT)
    except ProcessLookupError:
        pass


def main(arguments: list[str]) -> int:
    """Guard the command that the arguments of the process describe."""
    parent, in_group, pipe, seconds, grace, *words = arguments
    lease = Lease(int(pipe), float(seconds), float(grace)) if pipe else None
    if lease is not None:
        os.set_blocking(lease.pipe, False)
        os.set_inheritable(lease.pipe, False)
    return guard(int(parent), words, in_group=in_group == "1", lease=lease)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
