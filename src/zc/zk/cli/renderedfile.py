"""A file that is made of a template: whole at any time, and the command that is owed for it.

A file may have been replaced, and the process killed before the command was run that has a service
read it. So it is noted beside the file, before it is replaced, that the command is owed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

from zc.zk.cli.failures import Failure
from zc.zk.cli.replacing import Replacement, is_special, remove_leftovers, replacement


class Refused(Failure):
    """The check did not accept the new file."""


class RenderedFile:
    """The file at `path`, a link to it followed."""

    def __init__(self, path: str) -> None:
        self.path = path
        folder, name = os.path.split(os.path.realpath(path))
        self._note = os.path.join(folder, f".{name}.zk-render-owed")
        self._is_swept = False

    def look(self) -> None:
        """Remove what processes left that were killed. Raises Failure if it cannot be replaced."""
        with self._named():
            if is_special(self.path):
                raise Failure(f"{self.path}: it is no file that can be replaced")
            if not self._is_swept:
                remove_leftovers(self.path)
                self._is_swept = True

    @property
    def is_owed(self) -> bool:
        """Whether the command has not succeeded since the file was replaced."""
        return os.path.lexists(self._note)

    def content(self) -> bytes | None:
        """Return what is in the file, None if there is none."""
        with self._named():
            try:
                with open(self.path, "rb") as opened:
                    return opened.read()
            except FileNotFoundError:
                return None

    def update(
        self, content: bytes, check: Callable[[str], str] | None, *, owes: bool
    ) -> Replacement | None:
        """Let the file have this content; return what has taken its place, None if it had it.

        `check` gets the path of the new file, and returns why it cannot be used, or ''. Raises
        Failure, naming the file.
        """
        self.look()
        if self.content() == content:
            return None
        with self._named(), replacement(self.path) as new:
            new.content.write(content)
            new.finish()
            if check is not None and (fault := check(new.name)):
                raise Refused(f"{self.path}: the new file is not accepted: {fault}")
            if check is not None and not new.holds(content):
                raise Refused(f"{self.path}: the new file is not accepted: the check changed it")
            if owes:
                self._owe()
            new.take_place()
        return new

    def note_done(self) -> None:
        """Note that the command has succeeded."""
        with self._named(), suppress(FileNotFoundError):
            os.unlink(self._note)

    def _owe(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        os.close(os.open(self._note, flags, 0o600))

    def _named(self) -> _Named:
        return _Named(self.path)


class _Named:
    """Has errors of the system name the file."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, fault: BaseException | None, traceback: object) -> None:
        if isinstance(fault, OSError):
            raise Failure(f"{self._path}: {fault.strerror or fault}") from fault
