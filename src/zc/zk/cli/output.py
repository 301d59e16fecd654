"""Where results go: standard output, or a file that is replaced as a whole.

Standard output is what stands in `sys.stdout` when something is written: that of the process, or
what a suite or a doctest has put in its place, which may know how to write text and nothing else.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, TextIO, cast

from zc.zk.cli.failures import Failure, Misuse
from zc.zk.cli.replacing import is_special, replacement
from zc.zk.errors import printable

STANDARD = "-"


def write_text(file: str, chunks: Iterable[str]) -> None:
    """Write text, as UTF-8, to `file`; '-' is standard output."""
    if file == STANDARD:
        _write_to_standard_output(chunks)
    else:
        write(file, (chunk.encode() for chunk in chunks))


def write(file: str, chunks: Iterable[bytes]) -> None:
    """Write to `file`, which is replaced at the end; '-' is standard output.

    A file that was there keeps its permissions, and its owner as far as we may. A pipe, a device,
    or another file that is not plain is written to as it is. Raises Failure, naming the file, and
    BrokenPipeError.
    """
    if file == STANDARD:
        _write_to_standard_output(chunks)
        return
    try:
        if is_special(file):
            # It may be a file after all, as /dev/stdout, and has what was written to it before.
            with open(file, "ab") as output:
                output.writelines(chunks)
        else:
            with replacement(file) as new:
                new.content.writelines(chunks)
                new.finish()
                new.take_place()
    except BrokenPipeError:
        raise
    except OSError as fault:
        raise Failure(f"{file}: {fault.strerror}") from fault


def print_line(text: str) -> None:
    """Write a line to standard output, at once and escaped."""
    _write_to_standard_output([f"{printable(text)}\n"])


def print_json(value: object) -> None:
    """Write an object as a line of JSON to standard output, at once; in ASCII, so escaped."""
    import json

    _write_to_standard_output([f"{json.dumps(value)}\n"])


@contextmanager
def telling_what_was_done(what: str) -> Iterator[None]:
    """Have a failure to print what was done say that it was, as in "/a was created"."""
    try:
        yield
    except Failure as fault:
        raise Failure(f"{fault}: {what} all the same") from fault


def say(text: str, end: str = "\n") -> None:
    """Write a line to standard error, if there is one, at once and escaped.

    It may be a pipe whose reader has ended, or a full disk: what is said is lost, and nobody could
    be told of that. It must not end a command that follows something for months.
    """
    if sys.stderr is not None:
        with suppress(OSError):
            sys.stderr.write(f"{printable(text)}{end}")
            flush(sys.stderr)


def tell(name: str, text: str) -> None:
    """Write a line in the name of a command to standard error."""
    say(f"{name}: {text}")


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a person is behind a standard stream, which may be closed."""
    isatty = getattr(stream, "isatty", None)
    return isatty is not None and isatty()


def flush(stream: TextIO | None) -> None:
    """Flush a standard stream, which may be closed, or only able to write."""
    flush = getattr(stream, "flush", None)
    if flush is not None:
        flush()


def binary(stream: TextIO) -> BinaryIO | None:
    """Return the stream of bytes below a standard stream; None below text only."""
    if isinstance(stream, (io.RawIOBase, io.BufferedIOBase)):
        return cast(BinaryIO, stream)
    return getattr(stream, "buffer", None)


def _write_to_standard_output(chunks: Iterable[bytes] | Iterable[str]) -> None:
    stream = sys.stdout
    if stream is None:
        raise Failure("standard output is closed")
    below = binary(stream)
    try:
        flush(stream)
        for chunk in chunks:
            if below is None:
                stream.write(chunk if isinstance(chunk, str) else _as_text(chunk))
                continue
            # With PYTHONUNBUFFERED there is no buffer that would see to the rest.
            rest = memoryview(chunk.encode() if isinstance(chunk, str) else chunk)
            while rest:
                rest = rest[below.write(rest) :]
        if below is not None:
            below.flush()
    except BrokenPipeError:
        raise
    except OSError as fault:
        raise Failure(f"standard output: {fault.strerror or fault}") from fault


def _as_text(chunk: bytes) -> str:
    try:
        return chunk.decode()
    except UnicodeDecodeError:
        raise Misuse("standard output takes text only, and this is none: -o FILE") from None
