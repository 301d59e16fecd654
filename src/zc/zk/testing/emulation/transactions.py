"""The binding's functions that change many nodes at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from zc.zk.testing.emulation import arguments, values
from zc.zk.testing.emulation.asking import Asking
from zc.zk.testing.emulation.changes import create_operation
from zc.zk.testing.emulation.handle import Handle
from zc.zk.testing.emulation.request import Request
from zc.zk.testing.engine import (
    Check,
    Client,
    Create,
    Created,
    Delete,
    Kind,
    Refusal,
    SetData,
    StatRecord,
    Write,
    Written,
)
from zookeeper import constants, errors

if TYPE_CHECKING:
    from zookeeper.types import MultiCompletion, Operation, Progress

# The limit of a transaction of write_many, in bytes.
MAX_BYTES: Final = 500_000

MAX_IN_FLIGHT: Final = 100


class Planned(NamedTuple):
    """An operation, checked."""

    name: str
    path: str
    write: Write
    size: int


class Transactions(Asking):
    def multi(self, h: int, ops: Iterable[Operation], *, timeout: float | None = None) -> list[Any]:
        """Do several operations as one transaction: all of them or none."""
        handle = self._server.find(h)
        arguments.timeout(timeout)
        planned = _plan(handle, ops)
        if not planned:
            return []
        _check_size_of_all(handle, planned)
        code, (outcome,) = handle.ask(self._transaction(handle, planned))
        if code != constants.OK:
            raise errors.error(code)
        results, codes = outcome
        for index, failed in enumerate(codes):
            if failed != constants.OK:
                problem = self._refusal(handle, failed, planned[index].path)
                vars(problem).update(index=index, results=codes)
                raise problem
        return list(results)

    def amulti(
        self, h: int, ops: Iterable[Operation], completion: MultiCompletion | None = None
    ) -> Literal[0]:
        """Do the same as multi; `completion(handle, code, results)`."""
        handle = self._server.find(h)
        planned = _plan(handle, ops)
        arguments.function(completion, "a completion")
        _check_size_of_all(handle, planned)

        def complete(number: int, code: int, outcome: Any) -> None:
            results: list[Any] | None
            codes: list[int]
            results, codes = outcome or (None, [])
            failed = next((each for each in codes if each != constants.OK), code)
            assert completion is not None
            completion(number, failed, results if failed == code else codes)

        handle.ask(self._transaction(handle, planned), None if completion is None else complete)
        return constants.OK

    def check_operations(self, h: int, ops: Iterable[Operation]) -> None:
        """Raise what write_many would of operations it cannot send; send none."""
        _plan(self._server.find(h), ops)

    def write_many(
        self,
        h: int,
        ops: Iterable[Operation],
        *,
        count: int | None = None,
        batch: int = 500,
        in_flight: int = 4,
        stop: bool = True,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> list[Any]:
        """Do many operations, in order, as a sequence of transactions."""
        handle = self._server.find(h)
        planned = _plan(handle, ops)
        if arguments.integer(batch, "batch") < 1:
            raise arguments.bad(None, f"batch must be at least 1: {batch}")
        if not 1 <= arguments.integer(in_flight, "in_flight") <= MAX_IN_FLIGHT:
            raise arguments.bad(None, f"in_flight must be from 1 to {MAX_IN_FLIGHT}: {in_flight}")
        if count is not None and arguments.integer(count, "count") < 0:
            raise arguments.bad(None, f"count must not be negative: {count}")
        if count is not None and count != len(planned):
            raise ValueError(f"count is {count}, but the iterator gave {len(planned)} operations")
        arguments.function(progress, "progress")
        arguments.timeout(timeout)
        handle.require_usable(None)
        results: list[Any] = []
        for transaction in _transactions(planned, batch, min(MAX_BYTES, handle.max_request - 64)):
            outcome, failed = self._outcome(handle, transaction)
            results += outcome
            if progress is not None:
                progress(len(results), len(planned))
            if failed and stop:
                break
        not_sent = planned[len(results) :]
        return results + [errors.error(constants.NOTHING, each.path) for each in not_sent]

    def _outcome(self, handle: Handle, planned: list[Planned]) -> tuple[list[Any], bool]:
        """Do one transaction of many, and return results and whether it failed."""
        code, (outcome,) = handle.ask(self._transaction(handle, planned))
        if code != constants.OK:
            return [errors.error(code, each.path) for each in planned], True
        results, codes = outcome
        if results is not None:
            return results, False
        undone = constants.RUNTIMEINCONSISTENCY
        return [
            errors.error(failed if failed != constants.OK else undone, each.path)
            for failed, each in zip(codes, planned, strict=True)
        ], True

    def _transaction(self, handle: Handle, planned: list[Planned]) -> Request:
        """Make a request of a transaction.

        It has one result: the values if all went well, and the codes of all operations.
        """

        def perform(client: Client) -> tuple[Any, ...]:
            written = self._server.engine.write_all(client, [each.write for each in planned])
            results: list[Any] = []
            for each, one in zip(planned, written, strict=True):
                if isinstance(one, Refusal):
                    return ((None, [getattr(one, "code", constants.OK) for one in written]),)
                results.append(_value(handle, each, one))
            return ((results, [constants.OK] * len(planned)),)

        return Request(None, perform, failed=(None,))


def _plan(handle: Handle, operations: Iterable[Operation]) -> list[Planned]:
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


def _planned(handle: Handle, operation: Operation) -> Planned:
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
    if isinstance(write, Create):
        acl = write.acl or ()
        return size + 20 + len(write.data or b"") + arguments.acl_size(acl) - 4 * len(acl)
    return size + 4


def _check_size_of_all(handle: Handle, planned: list[Planned]) -> None:
    size = 64 + sum(each.size for each in planned)
    if size > handle.max_request:
        raise arguments.bad(
            None,
            f"a transaction of {len(planned)} operations and {size} bytes is over the limit of"
            f" {handle.max_request} (jute.maxbuffer)",
        )


def _transactions(planned: list[Planned], most: int, most_bytes: int) -> Iterator[list[Planned]]:
    """Divide operations into as few transactions as the limits allow."""
    current: list[Planned] = []
    size = 0
    for each in planned:
        if current and (len(current) == most or size + each.size > most_bytes):
            yield current
            current, size = [], 0
        current.append(each)
        size += each.size
    if current:
        yield current


def _value(handle: Handle, planned: Planned, written: Written) -> Any:
    if isinstance(written, StatRecord):
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
