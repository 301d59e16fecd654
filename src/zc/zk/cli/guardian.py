"""The process between a command of ours and a COMMAND that it runs: the two end together.

It is run as a file by an interpreter that imports nothing else: arguments are our process id, 1 if
COMMAND is to be a process group of its own, and COMMAND. When we are killed, be it by SIGKILL, the
kernel tells the guardian, which kills COMMAND and, if it is a group, what COMMAND has started. When
the guardian is killed, the kernel kills COMMAND. The guardian ends with the status of COMMAND.

Danger: the kernel forgets what ties COMMAND to the guardian when a program with other rights
(setuid) is executed; and a process that leaves the group, as daemons do, is not found again.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1

# Signals that are passed on to COMMAND, and one that has it killed at once.
PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
END = signal.SIGRTMIN + 5

# As shells have them.
NOT_FOUND, NOT_EXECUTABLE, BY_SIGNAL = 127, 126, 128

# Python ignores these from its start on, and a program that it executes would go on to do so.
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)

_SENT_BY_KERNEL = 0x80  # as by the terminal, to all processes in front


def guard(parent: int, words: list[str], *, in_group: bool) -> int:
    """Run a command, and return its status; end it when `parent` ends."""
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
            os.write(2, f"{ascii(words[0])[1:-1]}: {fault.strerror}\n".encode())
            os._exit(NOT_FOUND if isinstance(fault, FileNotFoundError) else NOT_EXECUTABLE)
        finally:
            os._exit(BY_SIGNAL + signal.SIGKILL)
    if in_group:
        try:
            os.setpgid(command, command)  # whichever of the two comes first
        except OSError:
            pass
    return _until_ended(command, in_group)


def _tie(parent: int, number: int) -> bool:
    """Have the kernel send a signal when the parent ends; False if it has."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
    return os.getppid() == parent


def _until_ended(command: int, in_group: bool) -> int:
    awaited = {signal.SIGCHLD, END, *PASSED_ON}
    while True:
        news = signal.sigwaitinfo(awaited)
        if news.si_signo == signal.SIGCHLD:
            ended, status = os.waitpid(command, os.WNOHANG)
            if ended:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else BY_SIGNAL - code
            continue
        is_end = news.si_signo == END
        if is_end or in_group or news.si_code != _SENT_BY_KERNEL:
            number = signal.SIGKILL if is_end else news.si_signo
            try:
                os.killpg(command, number) if in_group else os.kill(command, number)
            except ProcessLookupError:
                pass
        if is_end:
            os.waitpid(command, 0)
            return BY_SIGNAL + signal.SIGKILL


if __name__ == "__main__":
    _, parent, in_group, *words = sys.argv
    sys.exit(guard(int(parent), words, in_group=in_group == "1"))
