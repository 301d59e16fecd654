"""The client's side of ZooKeeper's protocol: requests written, answers read.

It is written apart from `zc.zk.testing.wire`, which would otherwise test itself.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

from tests.wireframes import Op

STAT = struct.Struct(">qqqqiiiqiiq")
STAT_FIELDS = [
    *["czxid", "mzxid", "ctime", "mtime", "version", "cversion", "aversion"],
    *["ephemeralOwner", "dataLength", "numChildren", "pzxid"],
]
NO_SESSION = bytes(16)

CREATING = (Op.CREATE, Op.CREATE2, Op.CREATE_CONTAINER, Op.CREATE_TTL)


def text(value: str | None) -> bytes:
    return buffer(None if value is None else value.encode("utf-8", "surrogatepass"))


def buffer(value: bytes | None) -> bytes:
    return struct.pack(">i", -1) if value is None else struct.pack(">i", len(value)) + value


def number(value: int) -> bytes:
    return struct.pack(">i", value)


def long(value: int) -> bytes:
    return struct.pack(">q", value)


def boolean(value: bool) -> bytes:
    return b"\1" if value else b"\0"


def vector(items: Iterable[bytes]) -> bytes:
    items = list(items)
    return number(len(items)) + b"".join(items)


def texts(values: Iterable[str | None]) -> bytes:
    return vector(map(text, values))


def acl(entries: Iterable[tuple[int, str | None, str | None]]) -> bytes:
    return vector(number(perms) + text(scheme) + text(id) for perms, scheme, id in entries)


def framed(body: bytes) -> bytes:
    return number(len(body)) + body


def greeting(
    timeout: int = 30_000,
    session: int = 0,
    password: bytes = NO_SESSION,
    last_zxid: int = 0,
    *,
    read_only_flag: bool = True,
) -> bytes:
    start = struct.pack(">iqiq", 0, last_zxid, timeout, session) + buffer(password)
    return start + b"\0" if read_only_flag else start


def request(xid: int, op: int, body: bytes = b"") -> bytes:
    return struct.pack(">ii", xid, op) + body


def multi(operations: Iterable[tuple[int, bytes]]) -> bytes:
    parts = [struct.pack(">i?i", op, False, -1) + body for op, body in operations]
    return b"".join([*parts, struct.pack(">i?i", -1, True, -1)])


class Answer:
    """The values in the body of an answer, taken from its front."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, layout: str) -> Any:
        values = struct.unpack_from(">" + layout, self._data, self._at)
        self._at += struct.calcsize(">" + layout)
        return values[0] if len(values) == 1 else values

    def buffer(self) -> bytes | None:
        length = self.take("i")
        if length < 0:
            return None
        self._at += length
        value = self._data[self._at - length : self._at]
        assert len(value) == length
        return value

    def text(self) -> str | None:
        """Take a text from the front.

        Java writes a character beyond the basic plane as two surrogates of three bytes each.
        """
        value = self.buffer()
        if value is None:
            return None
        units = value.decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass")
        return units.decode("utf-16")

    def texts(self) -> list[str | None]:
        return [self.text() for _ in range(self.take("i"))]

    def stat(self) -> dict[str, int]:
        return dict(zip(STAT_FIELDS, self.take(STAT.format[1:]), strict=True))

    def rest(self) -> bytes:
        return self._data[self._at :]


def answered(op: int, body: bytes) -> Any:
    """Return the body of an answer that has no error."""
    answer = Answer(body)
    value = _answered(op, answer)
    assert not answer.rest(), (op, body)
    return value


def _answered(op: int, answer: Answer) -> Any:
    if op in (Op.CREATE, Op.SYNC):
        return answer.text()
    if op in CREATING:
        return answer.text(), answer.stat()
    if op in (Op.EXISTS, Op.SET_DATA, Op.SET_ACL):
        return answer.stat()
    if op == Op.SASL:
        return answer.buffer()
    if op == Op.GET_DATA:
        return answer.buffer(), answer.stat()
    if op == Op.GET_ACL:
        entries = [
            (answer.take("i"), answer.text(), answer.text()) for _ in range(answer.take("i"))
        ]
        return entries, answer.stat()
    if op in (Op.GET_CHILDREN, Op.GET_EPHEMERALS):
        return answer.texts()
    if op == Op.GET_CHILDREN2:
        return answer.texts(), answer.stat()
    if op in (Op.GET_ALL_CHILDREN_NUMBER, Op.ADD_WATCH):
        return answer.take("i")
    if op == Op.WHO_AM_I:
        return [(answer.text(), answer.text()) for _ in range(answer.take("i"))]
    if op in (Op.MULTI, Op.MULTI_READ):
        return _multi_results(answer, reads=op == Op.MULTI_READ)
    return None


def _multi_results(answer: Answer, reads: bool) -> list[Any]:
    results: list[Any] = []
    while True:
        kind, is_end, code = answer.take("i?i")
        if is_end:
            assert (kind, code) == (-1, -1)
            return results
        if kind == -1:
            assert answer.take("i") == code
            results.append(code)
        elif kind in (Op.DELETE, Op.CHECK):
            results.append((kind,))
        else:
            results.append((kind, _answered(kind, answer)))
