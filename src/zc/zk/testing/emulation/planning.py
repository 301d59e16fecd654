"""Operations of transactions: checked, divided among transactions, and their results."""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from zc.zk.testing.emulation import arguments, values
from zc.zk.testing.emulation.changes import create_operation
from zc.zk.testing.emulation.handle import Handle
from zc.zk.testing.engine import (
    Check,
    Create,
    Created,
    Delete,
    Kind,
    SetAcl,
    SetData,
    StatRecord,
    Write,
    Written,
)
from zookeeper import errors

if TYPE_CHECKING:
    from zookeeper.types import Operation


class Planned(NamedTuple):
    """An operation, checked."""

    name: str
    path: str
    write: Write
    size: int


def plan(handle: Handle, operations: "Iterable[Operation]") -> list[Planned]:
    planned = []
    for index, operation in enumerate(operations):
        try:
            each = _planned(handle, operation)
        except errors.ZooKeeperException as problem:
            problem.args = (f"{problem.args[0]} (operation {index})",)
            raise
        except TypeError as problem:
            raise TypeError(f"{problem} (operation {index})") from None
        if each.size + 32 > handle.max_request:
            raise arguments.bad(
                each.path,
                f"operation {index} of {each.size} bytes is over the limit of"
                f" {handle.max_request} (jute.maxbuffer)",
            )
        planned.append(each)
    return planned


def _planned(handle: Handle, operation: "Operation") -> Planned:
    if not isinstance(operation, (tuple, list)) or len(operation) < 2:
        raise TypeError(f"an operation is a tuple of its name, a path and more: {operation!r}")
    name, path, *given = operation
    write: Write
    if name in ("create", "create2"):
        data, acl, flags, ttl = _with_defaults(name, given, 2, (0, None))
        arguments.node_kind(flags, path)
        arguments.acl(acl, path)  # first, as in the binding
        write = create_operation(handle, path, data, acl, flags, ttl)
    elif name == "set":
        data, version = _with_defaults(name, given, 1, (-1,))
        where = handle.server_path(arguments.path(path))
        write = SetData(where, arguments.data(data, path), arguments.integer(version, "a version"))
    elif name in ("delete", "check"):
        (version,) = _with_defaults(name, given, 0, (-1,))
        where = handle.server_path(arguments.path(path))
        kind = Delete if name == "delete" else Check
        write = kind(where, arguments.integer(version, "a version"))
    elif name == "set_acl":
        acl, version = _with_defaults(name, given, 1, (-1,))
        where = handle.server_path(arguments.path(path))
        wanted = arguments.integer(version, "a version")
        write = SetAcl(where, arguments.acl(acl, path), wanted)
    else:
        raise arguments.bad(None, f"no such operation: {name!r}")
    return Planned(name, path, write, _size(write))


def _with_defaults(
    name: str, given: list[Any], needed: int, defaults: tuple[Any, ...]
) -> list[Any]:
    """Fill in the optional arguments of an operation, after the path."""
    missing = needed + len(defaults) - len(given)
    if not 0 <= missing <= len(defaults):
        raise TypeError(
            f"{name} takes {needed} to {needed + len(defaults)} arguments after the path,"
            f" not {len(given)}"
        )
    return given + list(defaults[len(defaults) - missing :])


def _size(write: Write) -> int:
    """Count the bytes that an operation takes in a request."""
    size = 13 + len(write.path.encode("utf-8", "replace"))
    if isinstance(write, SetData):
        return size + 8 + len(write.data or b"")
    if isinstance(write, (Create, SetAcl)):
        acl = write.acl or ()
        data = b"" if isinstance(write, SetAcl) else write.data or b""
        return size + 20 + len(data) + arguments.acl_size(acl) - 4 * len(acl)
    return size + 4


def check_size_of_all(handle: Handle, planned: list[Planned]) -> None:
    for index, each in enumerate(planned):
        if isinstance(each.write, SetAcl):
            fault = f"servers set no ACLs in transactions (operation {index})"
            raise arguments.bad(each.path, fault)
    size = 64 + sum(each.size for each in planned)
    if size > handle.max_request:
        raise arguments.bad(
            None,
            f"a transaction of {len(planned)} operations and {size} bytes is over the limit of"
            f" {handle.max_request} (jute.maxbuffer)",
        )


def in_transactions(planned: list[Planned], most: int, most_bytes: int) -> Iterator[list[Planned]]:
    """Divide operations into as few transactions as the limits allow; ACLs are alone."""
    current: list[Planned] = []
    size = 0
    for each in planned:
        is_single = isinstance(each.write, SetAcl) or (
            bool(current) and isinstance(current[0].write, SetAcl)
        )
        if current and (is_single or len(current) == most or size + each.size > most_bytes):
            yield current
            current, size = [], 0
        current.append(each)
        size += each.size
    if current:
        yield current


def value_of(handle: Handle, planned: Planned, written: Written) -> Any:
    if isinstance(written, StatRecord) and not isinstance(planned.write, SetAcl):
        return values.stat(written)
    if not isinstance(written, Created):
        return None
    path = handle.client_path(written.path)
    if planned.name == "create":
        return path
    # As 3.8 servers do: the stat of a plain node is not in the answer.
    assert isinstance(planned.write, Create)
    is_plain = planned.write.kind is Kind.PLAIN
    return path, None if is_plain else values.stat(written.stat)
