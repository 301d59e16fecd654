"""Type a document's shell sessions into a shell, and compare the output.

In a literal block, a command is behind a dollar sign, with its continuation behind `>`; its output
follows, on standard output and standard error, as on a terminal. `...` stands for anything. All
commands of a document are typed into one shell. A command in the background may show something
later: each output is compared until all that is expected of it has come.
"""

from __future__ import annotations

import doctest
import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.deadlines import POLL_SECONDS, scaled

PATIENCE_SECONDS = 20

_COMMAND = re.compile(r"^    \$ ", re.MULTILINE)


class Command(NamedTuple):
    """A command and what the document says that it shows."""

    line: int
    text: str
    shown: str


def commands(document: str) -> Iterator[Command]:
    """Return the commands of a document, in their order."""
    for match in _COMMAND.finditer(document):
        rest = document[match.end() :].split("\n")
        text = [rest.pop(0)]
        while rest and rest[0].startswith("    >"):
            text.append(rest.pop(0).removeprefix("    >").removeprefix(" "))
        shown = []
        while rest and not rest[0].startswith("    $ ") and (not rest[0] or rest[0][:4] == "    "):
            shown.append(rest.pop(0)[4:])
        yield Command(
            document.count("\n", 0, match.start()) + 1,
            "\n".join(text),
            "\n".join(shown).rstrip("\n") + "\n" if any(shown) else "",
        )


def run(document: str, folder: Path, variables: Mapping[str, str], names: Mapping[str, str]) -> str:
    """Type a document's commands, up to the first that fails.

    Return a report, '' if none fails. The shell begins in `folder`, with the environment
    `variables`. `names` are the names that the document uses, and what they are here.
    """
    with _shell(folder, variables) as shell:
        for command in commands(document):
            shell.type(_replaced(command.text, names))
            expected = _replaced(command.shown, names)
            if not shell.shows(expected):
                return (
                    f"line {command.line}: {command.text}\n"
                    f"expected:\n{expected}\nshown:\n{shell.shown}"
                )
        shell.type("wait")
        if not shell.shows(""):
            return f"still there at the end, or shown then:\n{shell.shown}"
    return ""


def _replaced(text: str, names: Mapping[str, str]) -> str:
    for name, here in names.items():
        text = text.replace(name, here)
    return text


class _Shell:
    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.shown = ""
        self.marks = 0
        self.is_done = True

    def type(self, text: str) -> None:
        """Give it a command."""
        assert self.process.stdin is not None
        self.marks += 1
        self.is_done = False
        self.shown = ""
        # The mark is on a line of its own also when a command's last line does not end.
        self.process.stdin.write(f"{text}\nprintf '\\n{self.mark}\\n'\n".encode())
        self.process.stdin.flush()

    def shows(self, expected: str) -> bool:
        """Return whether the command ends and shows all that is expected, no more."""
        checker = doctest.OutputChecker()
        deadline = time.monotonic() + scaled(PATIENCE_SECONDS)
        while time.monotonic() < deadline and self.process.poll() is None:
            self.read()
            if self.is_done and checker.check_output(expected, self.shown, doctest.ELLIPSIS):
                return True
        return False

    @property
    def mark(self) -> str:
        return f"--- end of command {self.marks} ---"

    def read(self) -> None:
        assert self.process.stdout is not None
        readable, _, _ = select.select([self.process.stdout], [], [], POLL_SECONDS)
        if readable:
            self.shown += os.read(self.process.stdout.fileno(), 65536).decode()
        if not self.is_done and f"\n{self.mark}\n" in self.shown:
            self.is_done = True
            before, _, after = self.shown.partition(f"\n{self.mark}\n")
            self.shown = before + ("" if before.endswith("\n") or not before else "\n") + after


@contextmanager
def _shell(folder: Path, variables: Mapping[str, str]) -> Iterator[_Shell]:
    """Start a shell, which ends with everything that it has started."""
    process = subprocess.Popen(
        ["bash", "--norc", "--noprofile"],
        cwd=folder,
        env=dict(variables),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield _Shell(process)
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
