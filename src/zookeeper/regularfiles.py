"""Files that are opened by a name from outside, without ever waiting for one.

To open a FIFO waits for its other end, and to read from it for what that writes: for ever, in the
middle of a call that promises an answer. All but regular files are refused.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import BinaryIO

StrPath = str | os.PathLike[str]

NOT_REGULAR = "it is no regular file"


def open_regular(file: StrPath) -> BinaryIO:
    """Open a file for reading, and nothing but a file. Raises OSError."""
    opened = open(file, "rb", opener=open_at_once)  # noqa: SIM115, as it is returned
    if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
        opened.close()
        raise OSError(errno.EINVAL, NOT_REGULAR, os.fspath(file))
    return opened


def open_at_once(path: str, flags: int) -> int:
    """Open a file for `open`, as its `opener`, without waiting for a FIFO's other end."""
    return os.open(path, flags | os.O_NONBLOCK)
