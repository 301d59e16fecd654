"""ZooKeeper's serialisation: big-endian numbers, lengths before texts.

A length of -1 stands for null. Text is UTF-8; other bytes are read as Java reads them, with
U+FFFD in their place.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final, TypeVar

T = TypeVar("T")

INT: Final = struct.Struct(">i")
LONG: Final = struct.Struct(">q")

NULL: Final = b"\xff\xff\xff\xff"


class Malformed(Exception):
    """Bytes that are not what they should be."""


class Reader:
    """Takes values from the front of some bytes."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self._data = data
        self._at = at

    def int32(self) -> int:
        return int(self.record(INT)[0])

    def int64(self) -> int:
        return int(self.record(LONG)[0])

    def record(self, layout: struct.Struct) -> tuple[Any, ...]:
        """Read several numbers."""
        at = self._at
        try:
            values = layout.unpack_from(self._data, at)
        except struct.error:
            raise Malformed("it ends within a number") from None
        self._at = at + layout.size
        return values

    def boolean(self) -> bool:
        at = self._at
        if at >= len(self._data):
            raise Malformed("it ends before a boolean")
        self._at = at + 1
        return self._data[at] != 0

    def at_end(self) -> bool:
        return self._at >= len(self._data)

    def buffer(self) -> bytes | None:
        length = self.int32()
        if length == -1:
            return None
        at = self._at
        end = at + length
        # Compared before anything is copied: a length may say anything.
        if length < 0 or end > len(self._data):
            raise Malformed(f"{length} bytes are announced, {len(self._data) - at} are there")
        self._at = end
        return self._data[at:end]

    def string(self) -> str | None:
        value = self.buffer()
        return None if value is None else value.decode("utf-8", "replace")

    def vector(self, item: Callable[[], T]) -> list[T] | None:
        """Read a list, each item by a function such as a method of this reader."""
        count = self.int32()
        if count == -1:
            return None
        # Each item has a byte at least, so what claims to be longer than the rest is refused. Other
        # negative numbers are lists without items, as they are to the server.
        if count > len(self._data) - self._at:
            raise Malformed(f"{count} items are announced, {len(self._data) - self._at} bytes left")
        return [item() for _ in range(count)]


def buffer(value: bytes | None) -> bytes:
    """Write bytes, or null, with the length in front."""
    return NULL if value is None else INT.pack(len(value)) + value


def string(value: str | None) -> bytes:
    """Write text, or null, with its length in bytes in front."""
    return NULL if value is None else buffer(value.encode("utf-8", "surrogatepass"))


def vector(values: list[bytes]) -> bytes:
    """Write serialised values with their number in front."""
    return INT.pack(len(values)) + b"".join(values)
