"""The protocol's records: requests become values, values become answers."""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from zc.zk.testing.engine import (
    Check,
    Create,
    Created,
    Delete,
    Entry,
    Identity,
    Kind,
    Refusal,
    Rewatch,
    SetAcl,
    SetData,
    StatRecord,
    Write,
    Written,
)
from zc.zk.testing.engine.acl import Entries
from zc.zk.testing.wire import jute
from zc.zk.testing.wire.jute import INT, Malformed, Reader
from zc.zk.testing.wire.ops import ERROR, Op
from zookeeper import constants

STAT: Final = struct.Struct(">qqqqiiiqiiq")
HEADER: Final = struct.Struct(">iqi")  # of an answer: xid, zxid, error code
EVENT: Final = struct.Struct(">ii")  # type, session state
MULTI_HEADER: Final = struct.Struct(">i?i")  # type, whether that was all, error code

# So many bytes of data are worth a part of their own in an answer.
_LONG_DATA: Final = 4096

END_OF_MULTI: Final = MULTI_HEADER.pack(ERROR, True, ERROR)

_WITH_TTL = frozenset([constants.PERSISTENT_WITH_TTL, constants.PERSISTENT_SEQUENTIAL_WITH_TTL])


class Connect(NamedTuple):
    """A client's first request. Session 0 is a new one; times in milliseconds."""

    last_zxid: int
    timeout: int
    session: int
    password: bytes
    knows_read_only: bool


class ReadMany(NamedTuple):
    """The requests of a MultiRead: operation and path."""

    reads: list[tuple[int, str]]


def path(reader: Reader) -> str:
    """Read a path. The server cannot read a null one."""
    value = reader.string()
    if value is None:
        raise Malformed("a path is null")
    return value


def paths(reader: Reader) -> list[str]:
    found = reader.vector(lambda: path(reader))
    if found is None:
        raise Malformed("a list of paths is null")
    return found


def path_and_flag(reader: Reader) -> tuple[str, bool]:
    return path(reader), reader.boolean()


def acl(reader: Reader) -> list[Entry] | None:
    def entry() -> Entry:
        perms = reader.int32()
        scheme = reader.string()
        return Entry(perms, scheme, reader.string())

    return reader.vector(entry)


def connect(frame: bytes) -> Connect:
    reader = Reader(frame)
    reader.int32()  # version of the protocol, of which there is one
    last_zxid, timeout, session = reader.int64(), reader.int32(), reader.int64()
    password = reader.buffer() or b""
    # Clients from before 3.4 do not ask, and are not told, whether the server is read-only.
    return Connect(last_zxid, timeout, session, password, not reader.at_end())


def connected(timeout: int, session: int, password: bytes, knows_read_only: bool) -> bytes:
    """Write the answer to a Connect; all is 0 where the session is over."""
    answer = struct.pack(">iiq", 0, timeout, session) + jute.buffer(password)
    return answer + b"\0" if knows_read_only else answer


def create(reader: Reader, op: int) -> Create:
    where, data, access, flags = path(reader), reader.buffer(), acl(reader), reader.int32()
    if op == Op.CREATE_TTL:
        return Create(where, data, access, flags, reader.int64(), Kind.WITH_TTL)
    kind = Kind.CONTAINER if op == Op.CREATE_CONTAINER else Kind.PLAIN
    return Create(where, data, access, flags, kind=kind)


def delete(reader: Reader) -> Delete:
    return Delete(path(reader), reader.int32())


def set_data(reader: Reader) -> SetData:
    return SetData(path(reader), reader.buffer(), reader.int32())


def set_acl(reader: Reader) -> SetAcl:
    return SetAcl(path(reader), acl(reader), reader.int32())


def check(reader: Reader) -> Check:
    return Check(path(reader), reader.int32())


def multi(reader: Reader) -> list[Write]:
    """Read the operations of a transaction."""
    operations: list[Write] = []
    while (op := _next_of_multi(reader)) is not None:
        if op in (Op.CREATE, Op.CREATE2, Op.CREATE_CONTAINER, Op.CREATE_TTL):
            operations.append(_create_in_multi(reader, op))
        elif op == Op.DELETE:
            operations.append(delete(reader))
        elif op == Op.SET_DATA:
            operations.append(set_data(reader))
        elif op == Op.CHECK:
            operations.append(check(reader))
        else:
            raise Malformed(f"operation {op} in a transaction")
    return operations


def _create_in_multi(reader: Reader, op: int) -> Create:
    """Read a creation: in a transaction the flags decide the kind of node."""
    operation = create(reader, op)
    if operation.flags in _WITH_TTL:
        if op != Op.CREATE_TTL:
            raise Malformed(f"flags {operation.flags} without a ttl")
        return operation
    kind = Kind.CONTAINER if operation.flags == constants.CONTAINER else Kind.PLAIN
    return operation._replace(kind=kind, ttl=-1)


def multi_read(reader: Reader) -> ReadMany:
    reads: list[tuple[int, str]] = []
    while (op := _next_of_multi(reader)) is not None:
        if op not in (Op.GET_DATA, Op.GET_CHILDREN):
            raise Malformed(f"operation {op} in a MultiRead")
        where, _ = path_and_flag(reader)  # a watch is not set
        reads.append((op, where))
    return ReadMany(reads)


def _next_of_multi(reader: Reader) -> int | None:
    op, is_end = reader.int32(), reader.boolean()
    reader.int32()
    return None if is_end else op


def rewatch(reader: Reader, with_persistent: bool) -> tuple[int, Rewatch]:
    """Read the zxid that the client has seen, and its watches."""
    seen = reader.int64()
    kinds = 5 if with_persistent else 3
    return seen, Rewatch(*[paths(reader) for _ in range(kinds)])


# Answers


def stat(value: StatRecord) -> bytes:
    return STAT.pack(*value)


def data_and_stat(data: bytes | None, value: StatRecord) -> bytes:
    return jute.buffer(data) + STAT.pack(*value)


def read_of_multi(data: bytes | None, value: StatRecord) -> list[bytes]:
    """Write data and stat for a MultiRead, in parts; long data is not copied."""
    header = MULTI_HEADER.pack(Op.GET_DATA, False, 0)
    if data is None or len(data) < _LONG_DATA:
        return [header + data_and_stat(data, value)]
    return [header + INT.pack(len(data)), data, STAT.pack(*value)]


def names(values: Sequence[str]) -> bytes:
    return jute.vector([jute.string(value) for value in values])


def acl_and_stat(access: Entries, value: StatRecord) -> bytes:
    entries = [
        INT.pack(perms) + jute.string(scheme) + jute.string(id) for perms, scheme, id in access
    ]
    return jute.vector(entries) + STAT.pack(*value)


def identities(values: Sequence[Identity]) -> bytes:
    """Write a client's identities."""
    return jute.vector([jute.string(scheme) + jute.string(id) for scheme, id in values])


def event(event_type: int, where: str) -> bytes:
    return EVENT.pack(event_type, constants.CONNECTED_STATE) + jute.string(where)


def multi_results(operations: Sequence[Write], results: Sequence[Written | Refusal]) -> bytes:
    parts = [_multi_result(*pair) for pair in zip(operations, results, strict=True)]
    return b"".join([*parts, END_OF_MULTI])


def _multi_result(operation: Write, result: Written | Refusal) -> bytes:
    if isinstance(result, Refusal):
        return multi_error(result.code)
    if isinstance(result, Created):
        if isinstance(operation, Create) and operation.kind is Kind.PLAIN:
            return MULTI_HEADER.pack(Op.CREATE, False, 0) + jute.string(result.path)
        return (
            MULTI_HEADER.pack(Op.CREATE2, False, 0)
            + jute.string(result.path)
            + STAT.pack(*result.stat)
        )
    if isinstance(result, StatRecord):
        return MULTI_HEADER.pack(Op.SET_DATA, False, 0) + STAT.pack(*result)
    return MULTI_HEADER.pack(Op.DELETE if isinstance(operation, Delete) else Op.CHECK, False, 0)


def multi_error(code: int) -> bytes:
    return MULTI_HEADER.pack(ERROR, False, code) + INT.pack(code)
