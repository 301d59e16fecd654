"""The input of commands: files, and trees in them."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from zc.zk.cli.arguments import format_of
from zc.zk.cli.failures import Failure
from zc.zk.cli.output import STANDARD, binary

if TYPE_CHECKING:
    from zc.zk.tree.model import ParseNode
    from zc.zk.tree.unparsed import Unparsed

T = TypeVar("T")

# A tree of so much text (bytes) is more than servers hold, and a device may have no end.
MAX_BYTES = 1 << 28

# A node of more bytes than that is taken by no server that is set up as usual (jute.maxbuffer).
MAX_DATA_BYTES = 1 << 20

# So much is read at a time, and what is no text is told of after the first part.
PART_BYTES = 1 << 20


def read_text(file: str) -> tuple[str, str]:
    """Return a file's text, '-' for standard input, and its name for messages.

    Raises Failure when it cannot be read, is no text in UTF-8, or is too long.
    """
    name = "standard input" if file == STANDARD else file
    try:
        text = _read(file, name)
    except OSError as fault:
        raise Failure(f"{name}: {fault.strerror or fault}") from fault
    return text.removeprefix("\ufeff"), name


def read_data(file: str) -> bytes:
    """Return the bytes of a file, '-' for standard input, to be a node's data.

    Raises Failure when it cannot be read, or is longer than any node can be.
    """
    name = "standard input" if file == STANDARD else file
    try:
        if file != STANDARD:
            with open(file, "rb") as source:
                data = source.read(MAX_DATA_BYTES + 1)
        else:
            data = _standard_input(MAX_DATA_BYTES + 1)
    except OSError as fault:
        raise Failure(f"{name}: {fault.strerror or fault}") from fault
    if len(data) > MAX_DATA_BYTES:
        raise Failure(f"{name}: more than {MAX_DATA_BYTES} bytes fit into no node")
    return data


def read_tree(file: str, format: str | None) -> ParseNode:
    """Read the tree in a file, in `format`, or else the one that its name says.

    Raises Failure with the name of the file, the line and what is wrong.
    """
    from zc.zk import formats

    return _tree(file, format, formats.parse)


def read_import(file: str, format: str | None) -> ParseNode | Unparsed:
    """Do the same for an import, which need not parse a plain text to know its faults."""
    from zc.zk.tree.unparsed import checked

    def parse(text: str, format: str) -> ParseNode | Unparsed:
        if format == "text":
            return checked(text)
        from zc.zk import formats

        return formats.parse(text, format)

    return _tree(file, format, parse)


def _tree(file: str, format: str | None, parse: Callable[[str, str], T]) -> T:
    text, name = read_text(file)
    try:
        return parse(text, format_of(file, format))
    except ValueError as fault:
        raise Failure(f"{name}: {fault}") from fault


def _standard_input(size: int) -> bytes:
    """Return so many bytes of standard input, or all there are."""
    if sys.stdin is None:
        raise Failure("standard input is closed")
    below = binary(sys.stdin)
    if below is None:  # a stream of text
        return sys.stdin.read(size).encode("utf-8", "surrogateescape")
    data = b""
    while len(data) < size and (part := below.read(size - len(data))):
        data += part
    return data


def _read(file: str, name: str) -> str:
    if file != STANDARD:
        with open(file, "rb") as source:
            return _decoded(source, name)
    if sys.stdin is None:
        raise Failure("standard input is closed")
    below = binary(sys.stdin)
    # A stream of text may replace it, which has nothing below.
    return sys.stdin.read() if below is None else _decoded(below, name)


def _decoded(source: BinaryIO, name: str) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    parts: list[str] = []
    lines, size = 1, 0
    part = b"-"
    while part:
        part = source.read(PART_BYTES)
        size += len(part)
        if size > MAX_BYTES:
            raise Failure(f"{name}: more than {MAX_BYTES} bytes are no tree")
        try:
            text = decoder.decode(part, final=not part)
        except UnicodeDecodeError as fault:
            line = lines + fault.object.count(b"\n", 0, fault.start)
            raise Failure(f"{name}: line {line}: not UTF-8 text: {fault.reason}") from fault
        if "\0" in text:
            line = lines + text.count("\n", 0, text.index("\0"))
            raise Failure(f"{name}: line {line}: not text: a null character")
        lines += text.count("\n")
        parts.append(text)
    return "".join(parts)
