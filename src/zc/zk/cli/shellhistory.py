"""The history of `zk shell`: the lines of a user, in a file that only they can read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from zc.zk.cli.shellwords import is_secret

# A longer file is cut to the last of its lines when it is read.
MAX_LINES = 5000
MAX_BYTES = 1 << 20


def history_file() -> str:
    """Return the name of the file, below XDG_STATE_HOME."""
    state = os.environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(state):
        state = os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(state, "zc.zk", "shell-history")


class History:
    """Lines in a file, which other shells add to at the same time. Raises OSError."""

    def __init__(self, file: str) -> None:
        self._file = file
        os.makedirs(os.path.dirname(file), mode=0o700, exist_ok=True)

    def lines(self) -> list[str]:
        """Return the lines, the oldest first."""
        with self._opened() as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - MAX_BYTES))
            text = file.read().decode("utf-8", "replace")
        lines = text.split("\n")[1 if size > MAX_BYTES else 0 :]
        lines = [line for line in lines if line][-MAX_LINES:]
        if size > MAX_BYTES:
            self._replace(lines)
        return lines

    def add(self, line: str) -> None:
        """Keep a line, unless it is better forgotten."""
        if "\n" in line or is_secret(line):
            return
        with self._opened() as file:
            file.write(f"{line}\n".encode("utf-8", "replace"))

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        """Open the file, which nobody else may read, for reading and for adding to it."""
        with open(self._file, "a+b", opener=_private) as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                os.fchmod(file.fileno(), 0o600)
            yield file

    def _replace(self, lines: list[str]) -> None:
        """Cut the file, whole at any time; a line that is added just then may go."""
        kept = f"{self._file}.{os.getpid()}"
        with open(kept, "wb", opener=_private) as file:
            file.write("".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))
        os.replace(kept, self._file)


def _private(file: str, flags: int) -> int:
    return os.open(file, flags | os.O_CLOEXEC, 0o600)
