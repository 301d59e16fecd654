"""Making the changes of a plan: in which order, and that nothing goes on after a failure.

A small plan is one transaction. A large one is many, of which the servers do each as a whole, and
the next one whatever became of it. So the order is that of the risk, and not that of the plan:

1. what the servers may refuse, new nodes at places that exist and changes of data, one transaction
   after the other;
2. nodes below those, several transactions at a time: nobody else knows of their parents. They are
   handed over with the first ones, and written down while these are under way (`serial`);
3. deletions, when all else is done, one transaction after the other.

A transaction that fails, or that was cut off, is the last one, but for those of the second kind
that were under way with it.

No transaction can set ACLs, so changes of them are requests of their own, many under way at once.
Those that take no permission away from anybody come before all else: what follows may need them.
The others come last, when nothing is left to do that they could forbid. New nodes have their ACLs
from the beginning.

A version does not tell a node from another one that was made at its place: both begin at 0. So
just before each write the nodes concerned are compared with what the plan was made from, by the
number of the change that created them. The time that one request takes remains, or, when
many nodes are deleted, the time that `CHECKED_TOGETHER` of them take.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from operator import is_
from typing import TYPE_CHECKING, Any

import zookeeper
from zc.zk.operations.accounts import account, kind_of, tell_with
from zc.zk.operations.samenodes import require_same_nodes
from zc.zk.session.session import Session
from zc.zk.tree.changes import AddNode, Change, DeleteNode, operations
from zc.zk.tree.markchanges import SetAcl
from zc.zk.tree.planned import Changes, Item

if TYPE_CHECKING:
    from zookeeper.types import Acl, Operation, Progress

# A plan within these bounds is one transaction, so that it is done as a whole or not at all.
MAX_OPERATIONS = 500
MAX_BYTES = 500_000

# So many nodes are compared, and then deleted, before the next ones are looked at.
CHECKED_TOGETHER = 10 * MAX_OPERATIONS

# Transactions under way at once, where nothing can be refused.
IN_FLIGHT = 4

# So many changes are handed over at once. Operations, data and answers take memory until all of
# them are done, several times as much as the plan: that of a million nodes has to go in parts.
HANDED_OVER = 100 * MAX_OPERATIONS

# Changes of ACLs under way at once: none has to do with another.
ACLS_IN_FLIGHT = 100

WITHOUT_TTL = "the servers make no nodes with a time to live (zookeeper.extendedTypesEnabled)"

# The consequences of what happened to another operation of the same transaction.
CONSEQUENCES = (zookeeper.RuntimeInconsistencyException, zookeeper.NothingException)


def write_plan(
    session: Session,
    changes: Changes,
    acl: Acl,
    zxid: int,
    progress: Progress | None = None,
) -> None:
    """Make the changes of a plan for nodes that were read when `zxid` was the last change.

    Raises the exception of the first one that failed. Then nothing has been done if they fit into
    one transaction, and the servers take it; the exception tells what has if not.
    """
    explicit = changes.explicit()
    acls = [change for change in explicit if isinstance(change, SetAcl)]
    if acls:
        _write_with_acls(session, changes, acls, acl, zxid, progress)
        return
    if len(changes) <= MAX_OPERATIONS:
        at_once = operations(changes, acl)
        if _is_small(at_once):
            require_same_nodes(session, explicit, zxid)
            if not at_once or _write_at_once(session, at_once):
                if at_once and progress is not None:
                    progress(len(at_once), len(at_once))
                return
    _check(session, explicit, acl)
    _Writer(session, changes, acl, zxid, progress).write(changes)


def _check(session: Session, changes: Sequence[Change], acl: Acl) -> None:
    """Find an operation that cannot be sent before anything has been."""
    if unsure := operations([change for change in changes if not change.is_sure], acl):
        session.call(session.binding.check_operations, unsure)


def _write_with_acls(
    session: Session,
    changes: Changes,
    acls: Sequence[SetAcl],
    acl: Acl,
    zxid: int,
    progress: Progress | None,
) -> None:
    explicit = changes.explicit()
    _check(session, explicit, acl)
    # All that is there is compared before the first request: later ones may forbid to look.
    require_same_nodes(session, explicit, zxid)
    others = changes.without(lambda change: isinstance(change, SetAcl))
    first = [change for change in acls if change.opens and not change.is_of_new]
    last = [change for change in acls if change.is_of_new or not change.opens]
    _Writer(session, changes, acl, zxid, progress).write(others, first, last)


def is_one_transaction(changes: Sequence[Change], acl: Acl = ()) -> bool:
    """Say whether a plan is within the bounds of one transaction, which holds no ACLs of others."""
    if len(changes) > MAX_OPERATIONS or any(isinstance(change, SetAcl) for change in changes):
        return False
    return _is_small(operations(changes, acl))


def _is_small(steps: Sequence[Operation]) -> bool:
    return sum(map(_size, steps)) <= MAX_BYTES


def _write_at_once(session: Session, steps: list[Operation]) -> bool:
    """Write all in one transaction; False if the servers do not take it."""
    try:
        session.call(session.binding.multi, steps)
    except zookeeper.UnimplementedException as fault:
        if hasattr(fault, "index"):
            raise _without_ttl(fault) from fault
        return False
    except zookeeper.BadArgumentsException as fault:
        if getattr(fault, "is_over_servers_limit", False):
            return False  # smaller ones may do, and tell which node is too large
        raise
    return True


def _without_ttl(fault: zookeeper.ZooKeeperException) -> zookeeper.ZooKeeperException:
    """Return the exception for an operation that servers do not know, which says what it is."""
    return zookeeper.error(fault.code, fault.path, WITHOUT_TTL)


def raise_first(results: Iterable[Any]) -> None:
    """Raise the exception that is behind a bulk write's failure, if it failed."""
    consequence = None
    for result in results:
        # Of a new node it is None or a path, which `isinstance` takes long to tell from exceptions.
        is_new = result is None or type(result) is str
        if not is_new and isinstance(result, zookeeper.ZooKeeperException):
            if isinstance(result, zookeeper.UnimplementedException):
                raise _without_ttl(result)
            if not isinstance(result, CONSEQUENCES):
                raise result
            consequence = consequence or result
    if consequence is not None:
        raise consequence


class _Writer:
    """Makes the changes of a plan that takes several transactions."""

    def __init__(
        self,
        session: Session,
        changes: Changes,
        acl: Acl,
        zxid: int,
        progress: Progress | None,
    ) -> None:
        self._session = session
        self._changes = changes
        self._acl = acl
        self._zxid = zxid
        self._progress = progress
        # The parts that are done; and the one that has failed, with its results if there are any.
        self._done: list[Changes] = []
        self._failed: tuple[Changes, Sequence[Any] | None] = Changes([]), ()

    def write(
        self,
        changes: Changes,
        acls_first: Sequence[SetAcl] = (),
        acls_last: Sequence[SetAcl] = (),
    ) -> None:
        try:
            self._write_acls(acls_first)
            if is_one_transaction(changes, self._acl):
                self._write(changes, in_flight=1)
            else:
                self._write_by_risk(changes)
            self._write_acls(acls_last)
        except zookeeper.ZooKeeperException as fault:
            tell_with(fault, self._account())
            raise

    def _write_by_risk(self, changes: Changes) -> None:
        others: list[Change] = []
        deletions: list[Change] = []
        for change in changes.explicit():
            if not _is_nested(change):
                (deletions if isinstance(change, DeleteNode) else others).append(change)
        nested = _all_but(changes.items, [*others, *deletions])
        if others:
            require_same_nodes(self._session, others, self._zxid)
        # Those nested are all new: there is nothing to compare.
        first = changes.of([*others, *nested])
        self._send(first, in_flight=IN_FLIGHT, serial=len(others))
        for start in range(0, len(deletions), CHECKED_TOGETHER):
            self._write(changes.of([*deletions[start : start + CHECKED_TOGETHER]]), in_flight=1)

    def _write_acls(self, changes: Sequence[SetAcl]) -> None:
        self._send(Changes([*changes]), in_flight=ACLS_IN_FLIGHT)

    def _write(self, changes: Changes, *, in_flight: int) -> None:
        if changes:
            require_same_nodes(self._session, changes.explicit(), self._zxid)
            self._send(changes, in_flight=in_flight)

    def _send(self, changes: Changes, *, in_flight: int, serial: int = 0) -> None:
        for start in range(0, len(changes), HANDED_OVER):
            part = changes[start : start + HANDED_OVER]
            self._hand_over(part, in_flight, max(0, min(len(part), serial - start)))

    def _hand_over(self, changes: Changes, in_flight: int, serial: int) -> None:
        # While the first ones are on their way. Nothing can be wrong with the last ones.
        self._failed = changes, None
        self._failed = (
            changes,
            self._session.call(
                self._session.binding.write_many,
                changes.operations(self._acl),
                count=len(changes),
                batch=MAX_OPERATIONS,
                in_flight=in_flight,
                serial=serial,
                progress=self._told(),
            ),
        )
        raise_first(self._failed[1] or ())
        self._failed = Changes([]), ()
        self._done.append(changes)

    def _told(self) -> Progress | None:
        """The progress function for a part of the changes; those before it are all done."""
        progress = self._progress
        if progress is None:
            return None
        before, total = sum(map(len, self._done)), len(self._changes)
        return lambda done, _: progress(before + done, total)

    def _account(self) -> str:
        """Return in words how much has been done, and may have been."""
        planned = Counter(map(kind_of, self._changes.items))
        done = Counter(kind_of(item) for part in self._done for item in part.items)
        changes, results = self._failed
        uncertain = 0
        if results is None:
            uncertain = len(changes)
        else:
            for item, result in zip(changes.items, results, strict=True):
                if isinstance(result, zookeeper.ZooKeeperException):
                    uncertain += result.may_have_happened
                else:
                    done[kind_of(item)] += 1
        return account(done, planned, uncertain)


def _all_but(items: list[Item], apart: Sequence[Item]) -> list[Item]:
    """Return items without some of them, which most often are the first ones, in order."""
    if all(map(is_, items, apart)):
        return items[len(apart) :]
    ids = {*map(id, apart)}
    return [item for item in items if id(item) not in ids]


def _is_nested(change: Change) -> bool:
    return isinstance(change, AddNode) and change.is_nested


def _size(operation: Operation) -> int:
    """About as many bytes as the operation takes in a request."""
    size = 64
    for part in operation[1:]:
        if isinstance(part, str):
            size += len(part.encode("utf-8", "surrogateescape"))
        elif isinstance(part, list):
            size += sum(len(entry["scheme"]) + len(entry["id"]) + 12 for entry in part)
    return size
