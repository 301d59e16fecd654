"""Files with secrets: read with care, and a warning where others can read them too."""

from __future__ import annotations

import logging
import os
import select
import stat
import time
from collections.abc import Iterator
from typing import BinaryIO

from zookeeper.regularfiles import StrPath, open_at_once

logger = logging.getLogger("zookeeper")

# Passwords are shorter, and a device may have no end.
MAX_SECRET_BYTES = 65_536

# A shell puts a pipe in the place of a file for what a program prints: <(pass show zk).
MAX_PIPE_SECONDS = 10.0


def password_in(file: StrPath) -> bytes:
    """Return a password that is all there is in a file, but for the end of the line."""
    password = secret_in(file).removesuffix(b"\n").removesuffix(b"\r")
    if not password:
        raise ValueError(f"{os.fspath(file)}: there is no password in it")
    if b"\n" in password:
        raise ValueError(f"{os.fspath(file)}: a password is a single line")
    return password


def secret_in(file: StrPath) -> bytes:
    """Return what is in a file. Raises ValueError, which names the file."""
    warn_of_readers(file, "what is in it")
    try:
        with open(file, "rb", opener=open_at_once) as opened:
            content = _content(opened)
    except (OSError, ValueError) as fault:
        reason = getattr(fault, "strerror", None) or fault
        raise ValueError(f"{os.fspath(file)}: it cannot be read: {reason}") from fault
    if len(content) > MAX_SECRET_BYTES:
        raise ValueError(f"{os.fspath(file)}: more than {MAX_SECRET_BYTES} bytes are no password")
    return content


def credential_lines(text: str, where: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text that are credentials, with their numbers.

    A line ends with a newline, or that and the return before it, and nothing else is taken from it:
    a password may end with a blank, though a warning of it is logged. Blank lines, and those that
    begin with a #, do not count.
    """
    for number, line in enumerate(text.split("\n"), 1):
        line = line.removesuffix("\r")
        if not line.strip() or line.startswith("#"):
            continue
        if line != line.strip():
            logger.warning("%s: line %d begins or ends with a blank, which counts", where, number)
        yield number, line


def _content(opened: BinaryIO) -> bytes:
    """Read a file or, for a while, a pipe. Raises OSError, ValueError."""
    if stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
        return opened.read(MAX_SECRET_BYTES + 1)
    content = b""
    poll = select.poll()
    poll.register(opened, select.POLLIN)
    deadline = time.monotonic() + MAX_PIPE_SECONDS
    while len(content) <= MAX_SECRET_BYTES:
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise ValueError(f"nobody has written all of it within {MAX_PIPE_SECONDS:.0f} s")
        part = os.read(opened.fileno(), MAX_SECRET_BYTES)
        if not part:
            break
        content += part
    return content


def warn_of_readers(file: StrPath, secret: str) -> None:
    """Log a warning if all users of this machine can read a file with a secret."""
    try:
        mode = os.stat(file).st_mode
    except (OSError, ValueError):
        return  # the error comes when the file is read
    if stat.S_ISREG(mode) and mode & stat.S_IROTH:
        logger.warning("%s: everybody on this machine can read %s", os.fspath(file), secret)
