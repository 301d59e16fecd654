"""Answers: a function for each operation, from body to body."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from zc.zk.testing.engine import Client, Created, Engine, Mode, Refusal, StatRecord, Write
from zc.zk.testing.wire import jute, records
from zc.zk.testing.wire.jute import INT, Malformed, Reader
from zc.zk.testing.wire.ops import Op
from zookeeper import constants

# The body of an answer; a long one in parts, which may be the data of nodes as they are.
Body = bytes | list[bytes]

Answer = Callable[[Engine, Client, Reader], Body]

_WATCH_KINDS = (constants.WATCH_CHILDREN, constants.WATCH_DATA, constants.WATCH_ANY)
_WATCH_MODES = {0: Mode.PERSISTENT, 1: Mode.RECURSIVE}


def answer(engine: Engine, client: Client, op: int, reader: Reader) -> Body:
    """Do what a request asks for. Refuses one that cannot be done or read."""
    function = _ANSWERS.get(op)
    if function is None:
        raise Refusal(constants.UNIMPLEMENTED)
    try:
        return function(engine, client, reader)
    except Malformed:
        if op in _WRITING:
            raise engine.refuse_write(constants.MARSHALLINGERROR) from None
        raise Refusal(constants.MARSHALLINGERROR) from None


def _create(op: int) -> Answer:
    def create(engine: Engine, client: Client, reader: Reader) -> bytes:
        result = engine.write(client, records.create(reader, op))
        assert isinstance(result, Created)
        if op == Op.CREATE:
            return jute.string(result.path)
        return jute.string(result.path) + records.stat(result.stat)

    return create


def _delete(engine: Engine, client: Client, reader: Reader) -> bytes:
    engine.write(client, records.delete(reader))
    return b""


def _set_data(engine: Engine, client: Client, reader: Reader) -> bytes:
    return _stat_after(engine, client, records.set_data(reader))


def _set_acl(engine: Engine, client: Client, reader: Reader) -> bytes:
    return _stat_after(engine, client, records.set_acl(reader))


def _stat_after(engine: Engine, client: Client, operation: Write) -> bytes:
    result = engine.write(client, operation)
    assert isinstance(result, StatRecord)
    return records.stat(result)


def _multi(engine: Engine, client: Client, reader: Reader) -> bytes:
    operations = records.multi(reader)
    return records.multi_results(operations, engine.write_all(client, operations))


def _reconfigure(engine: Engine, client: Client, reader: Reader) -> bytes:
    # A server that is alone shares its configuration with no other.
    for _ in ("joining", "leaving", "members"):
        reader.string()
    reader.int64()
    raise engine.refuse_write(constants.UNIMPLEMENTED)


def _exists(engine: Engine, client: Client, reader: Reader) -> bytes:
    return records.stat(engine.exists(client, *records.path_and_flag(reader)))


def _get_data(engine: Engine, client: Client, reader: Reader) -> bytes:
    return records.data_and_stat(*engine.get_data(client, *records.path_and_flag(reader)))


def _get_children(engine: Engine, client: Client, reader: Reader) -> bytes:
    return records.names(engine.get_children(client, *records.path_and_flag(reader))[0])


def _get_children2(engine: Engine, client: Client, reader: Reader) -> bytes:
    names, stat = engine.get_children(client, *records.path_and_flag(reader))
    return records.names(names) + records.stat(stat)


def _multi_read(engine: Engine, client: Client, reader: Reader) -> list[bytes]:
    parts: list[bytes] = []
    for op, path in records.multi_read(reader).reads:
        try:
            if op == Op.GET_DATA:
                data, stat = engine.get_data(client, path)
                parts += records.read_of_multi(data, stat)
            else:
                names = records.names(engine.get_children(client, path)[0])
                parts.append(records.MULTI_HEADER.pack(op, False, 0) + names)
        except Refusal as refusal:
            parts.append(records.multi_error(refusal.code))
    parts.append(records.END_OF_MULTI)
    return parts


def _get_acl(engine: Engine, client: Client, reader: Reader) -> bytes:
    return records.acl_and_stat(*engine.get_acl(client, records.path(reader)))


def _sync(engine: Engine, client: Client, reader: Reader) -> bytes:
    return jute.string(reader.string())


def _get_ephemerals(engine: Engine, client: Client, reader: Reader) -> bytes:
    return records.names(engine.ephemerals(client, reader.string() or ""))


def _get_all_children_number(engine: Engine, client: Client, reader: Reader) -> bytes:
    return INT.pack(engine.count_descendants(client, records.path(reader)))


def _who_am_i(engine: Engine, client: Client, reader: Reader) -> bytes:
    return records.identities(client.shown_identities())


def _set_watches(with_persistent: bool) -> Answer:
    def set_watches(engine: Engine, client: Client, reader: Reader) -> bytes:
        engine.rewatch(client, *records.rewatch(reader, with_persistent))
        return b""

    return set_watches


def _add_watch(engine: Engine, client: Client, reader: Reader) -> bytes:
    path, number = records.path(reader), reader.int32()
    if number not in _WATCH_MODES:
        raise Malformed(f"no such mode of watch: {number}")
    engine.add_watch(client, path, _WATCH_MODES[number])
    return INT.pack(0)


def _check_watches(engine: Engine, client: Client, reader: Reader) -> bytes:
    if not engine.is_watched(*_path_and_kinds(reader)):
        raise Refusal(constants.NOWATCHER)
    return b""


def _remove_watches(engine: Engine, client: Client, reader: Reader) -> bytes:
    engine.remove_watch(client, *_path_and_kinds(reader))
    return b""


def _path_and_kinds(reader: Reader) -> tuple[str, int]:
    path, kinds = records.path(reader), reader.int32()
    if kinds not in _WATCH_KINDS:
        raise Malformed(f"no such kind of watch: {kinds}")
    return path, kinds


def _ping(engine: Engine, client: Client, reader: Reader) -> bytes:
    return b""


# Those that get a zxid even when they cannot be understood.
_WRITING: Final = frozenset(
    [
        Op.CREATE,
        Op.CREATE2,
        Op.CREATE_CONTAINER,
        Op.CREATE_TTL,
        Op.DELETE,
        Op.SET_DATA,
        Op.SET_ACL,
        Op.MULTI,
    ]
)

_ANSWERS: Final[dict[int, Answer]] = {
    Op.CREATE: _create(Op.CREATE),
    Op.CREATE2: _create(Op.CREATE2),
    Op.CREATE_CONTAINER: _create(Op.CREATE_CONTAINER),
    Op.CREATE_TTL: _create(Op.CREATE_TTL),
    Op.DELETE: _delete,
    Op.EXISTS: _exists,
    Op.GET_DATA: _get_data,
    Op.SET_DATA: _set_data,
    Op.GET_ACL: _get_acl,
    Op.SET_ACL: _set_acl,
    Op.GET_CHILDREN: _get_children,
    Op.SYNC: _sync,
    Op.PING: _ping,
    Op.GET_CHILDREN2: _get_children2,
    Op.MULTI: _multi,
    Op.RECONFIG: _reconfigure,
    Op.CHECK_WATCHES: _check_watches,
    Op.REMOVE_WATCHES: _remove_watches,
    Op.MULTI_READ: _multi_read,
    Op.SET_WATCHES: _set_watches(with_persistent=False),
    Op.GET_EPHEMERALS: _get_ephemerals,
    Op.GET_ALL_CHILDREN_NUMBER: _get_all_children_number,
    Op.SET_WATCHES2: _set_watches(with_persistent=True),
    Op.ADD_WATCH: _add_watch,
    Op.WHO_AM_I: _who_am_i,
}
