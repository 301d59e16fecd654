"""Files that take the place of others, as a whole, with their permissions and owners."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

_PREFIX = ".zc.zk-"

# More links than the kernel follows.
_MAX_LINKS = 40

# A name has at most 255 bytes, of which some are for what makes it another one.
_MAX_PART = 100


class Replacement:
    """A file beside another one, whose place it can take; `name` is its path.

    `keeps_owner` says whether it has the owner and the group of the other one: only root can give
    files away.
    """

    def __init__(self, descriptor: int, name: str, target: str) -> None:
        self.name = name
        self._target = target
        self._descriptor = descriptor
        self.content: IO[bytes] = os.fdopen(descriptor, "wb", closefd=False)
        self.is_placed = False
        self.keeps_owner = self._take_after()

    def finish(self) -> None:
        """Have all of the content on the disk, for others to look at."""
        self.content.flush()
        os.fsync(self._descriptor)

    def holds(self, content: bytes) -> bool:
        """Return whether it is still there, as the file that was opened, and has this content.

        Somebody who was given its path may have put something else there.
        """
        try:
            there = os.lstat(self.name)
        except FileNotFoundError:
            return False
        if not os.path.samestat(there, os.fstat(self._descriptor)):
            return False
        with open(self.name, "rb") as opened:
            return opened.read() == content

    def take_place(self) -> None:
        """Be the file from here on, also if the machine breaks down."""
        os.replace(self.name, self._target)
        self.is_placed = True
        folder = os.open(os.path.dirname(self._target), os.O_RDONLY | os.O_CLOEXEC)
        try:
            with suppress(OSError):  # there are file systems that cannot
                os.fsync(folder)
        finally:
            os.close(folder)

    def _take_after(self) -> bool:
        """Take permissions and owners of the file that is there, as far as we may."""
        try:
            there = os.stat(self._target)
        except FileNotFoundError:
            os.fchmod(self._descriptor, 0o666 & ~_umask())
            return True
        with suppress(PermissionError):
            os.fchown(self._descriptor, -1, there.st_gid)
        with suppress(PermissionError):
            os.fchown(self._descriptor, there.st_uid, -1)
        os.fchmod(self._descriptor, stat.S_IMODE(there.st_mode))
        ours = os.fstat(self._descriptor)
        return (ours.st_uid, ours.st_gid) == (there.st_uid, there.st_gid)


def is_special(file: str) -> bool:
    """Return whether a file is none that can be replaced: a pipe, a device, a folder.

    Nor can one that a process has open be, as /dev/stdout: what comes later went to the old one.
    """
    try:
        if not stat.S_ISREG(os.stat(file).st_mode):
            return True
    except FileNotFoundError:
        return False
    for _ in range(_MAX_LINKS):
        folder = os.path.realpath(os.path.dirname(file))
        if folder.startswith("/proc/"):
            return True
        if not os.path.islink(file):
            break
        file = os.path.join(folder, os.readlink(file))
    return False


@contextmanager
def replacement(file: str) -> Iterator[Replacement]:
    """Open a file beside `file`, with the same extension. It goes, unless it has taken its place.

    After kill -9 it is still there: `remove_leftovers`.
    """
    import tempfile

    target = os.path.realpath(file)
    folder, name = os.path.split(target)
    descriptor, temporary = tempfile.mkstemp(_extension(name), _beginning(name), folder)
    new = None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        new = Replacement(descriptor, temporary, target)
        with new.content:
            yield new
    finally:
        os.close(descriptor)
        if new is None or not new.is_placed:
            with suppress(FileNotFoundError):
                os.unlink(temporary)


def remove_leftovers(file: str) -> None:
    """Remove the files beside `file` of processes that were killed before they could."""
    folder, name = os.path.split(os.path.realpath(file))
    beginning, extension = _beginning(name), _extension(name)
    for other in os.listdir(folder):
        if other.startswith(beginning) and other.endswith(extension):
            with suppress(OSError):
                _remove_unlocked(os.path.join(folder, other))


def _remove_unlocked(path: str) -> None:
    # A file that is being written is locked. The file may be anybody's link, or a pipe.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(path, flags)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(path)
    finally:
        os.close(descriptor)


def _umask() -> int:
    """Return the umask without a change of it, which other threads would see."""
    with open("/proc/self/status", "rb") as status:
        for line in status:
            if line.startswith(b"Umask:"):
                return int(line.split()[1], 8)
    return 0o077


def _beginning(name: str) -> str:
    return f"{_PREFIX}{name[:_MAX_PART]}-"


def _extension(name: str) -> str:
    extension = os.path.splitext(name)[1]
    return extension if len(extension) <= _MAX_PART else ""
