"""Where results go: standard output, or a file that is replaced as a whole."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, TextIO

from zc.zk.scripts.failures import Failure

STANDARD = "-"


def write_text(file: str, chunks: Iterable[str]) -> None:
    """Write text, as UTF-8, to `file`; '-' is standard output."""
    write(file, (chunk.encode() for chunk in chunks))


def write(file: str, chunks: Iterable[bytes]) -> None:
    """Write to `file`, which is replaced once all is written; '-' is standard output.

    A file that was there keeps its permissions. What is no plain file, such as a pipe or a device,
    is written to as it is. Raises Failure, naming the file, and BrokenPipeError.
    """
    if file == STANDARD:
        _write_to_standard_output(chunks)
        return
    try:
        if _is_special(file):
            with open(file, "wb") as output:
                output.writelines(chunks)
        else:
            with _replacement(os.path.realpath(file)) as output:
                output.writelines(chunks)
    except BrokenPipeError:
        raise
    except OSError as fault:
        raise Failure(f"{file}: {fault.strerror}") from fault


def print_line(text: str) -> None:
    """Write a line to standard output, now."""
    _write_to_standard_output([f"{text}\n".encode("utf-8", "backslashreplace")])


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person sees or types what goes through a standard stream, which may be closed."""
    return stream is not None and stream.isatty()


def _write_to_standard_output(chunks: Iterable[bytes]) -> None:
    if sys.stdout is None:
        raise Failure("standard output is closed")
    try:
        sys.stdout.flush()
        for chunk in chunks:
            # With PYTHONUNBUFFERED there is no buffer that would see to the rest.
            rest = memoryview(chunk)
            while rest:
                rest = rest[sys.stdout.buffer.write(rest) :]
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as fault:
        raise Failure(f"standard output: {fault.strerror}") from fault


def _is_special(file: str) -> bool:
    try:
        return not stat.S_ISREG(os.stat(file).st_mode)
    except FileNotFoundError:
        return False


@contextmanager
def _replacement(file: str) -> Iterator[IO[bytes]]:
    """A new file that takes the place of `file` at the end, or goes if that is not reached."""
    import tempfile

    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(file), prefix=".zc.zk-")
    try:
        with open(descriptor, "wb") as output:
            os.fchmod(descriptor, _mode(file))
            yield output
            output.flush()
            os.fsync(descriptor)
        os.replace(temporary, file)
    except BaseException:
        os.unlink(temporary)
        raise


def _mode(file: str) -> int:
    """The permissions of `file`, or those that a new file gets."""
    try:
        return stat.S_IMODE(os.stat(file).st_mode)
    except FileNotFoundError:
        os.umask(mask := os.umask(0))
        return 0o666 & ~mask
