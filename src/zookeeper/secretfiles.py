"""Files with secrets: read with care, and a warning where others can read them too."""

from __future__ import annotations

import logging
import os
import stat

logger = logging.getLogger("zookeeper")

StrPath = str | os.PathLike[str]

# Passwords are shorter, and a device may have no end.
MAX_SECRET_BYTES = 65_536


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
        with open(file, "rb") as opened:
            content = opened.read(MAX_SECRET_BYTES + 1)
    except (OSError, ValueError) as fault:
        reason = getattr(fault, "strerror", None) or fault
        raise ValueError(f"{os.fspath(file)}: it cannot be read: {reason}") from fault
    if len(content) > MAX_SECRET_BYTES:
        raise ValueError(f"{os.fspath(file)}: more than {MAX_SECRET_BYTES} bytes are no password")
    return content


def warn_of_readers(file: StrPath, secret: str) -> None:
    """Log a warning if all users of this machine can read a file with a secret."""
    try:
        mode = os.stat(file).st_mode
    except (OSError, ValueError):
        return  # the error comes when the file is read
    if stat.S_ISREG(mode) and mode & stat.S_IROTH:
        logger.warning("%s: everybody on this machine can read %s", os.fspath(file), secret)
