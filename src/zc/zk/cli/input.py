"""The input of commands: files, and trees in them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from zc.zk.cli.arguments import format_of
from zc.zk.cli.failures import Failure
from zc.zk.cli.output import STANDARD, binary

if TYPE_CHECKING:
    from zc.zk.tree.model import ParseNode


def read_text(file: str) -> tuple[str, str]:
    """Return a file's text, '-' for standard input, and its name for messages.

    Raises Failure when it cannot be read, or is not UTF-8.
    """
    name = "standard input" if file == STANDARD else file
    try:
        content = _read(file)
    except OSError as fault:
        raise Failure(f"{name}: {fault.strerror or fault}") from fault
    if isinstance(content, str):
        return content.removeprefix("\ufeff"), name
    try:
        return content.decode("utf-8-sig"), name
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        raise Failure(f"{name}: line {line}: not UTF-8 text: {fault.reason}") from fault


def read_tree(file: str, format: str | None) -> ParseNode:
    """Read the tree in a file, in `format`, or else the one that its name says.

    Raises Failure with the name of the file, the line and what is wrong.
    """
    from zc.zk import formats

    text, name = read_text(file)
    try:
        return formats.parse(text, format_of(file, format))
    except ValueError as fault:
        raise Failure(f"{name}: {fault}") from fault


def _read(file: str) -> bytes | str:
    """Read a file; text where a stream of text replaces standard input."""
    if file != STANDARD:
        with open(file, "rb") as source:
            return source.read()
    if sys.stdin is None:
        raise Failure("standard input is closed")
    return (binary(sys.stdin) or sys.stdin).read()
