"""Copying and moving subtrees, be it from one service to another.

A subtree that fits into one transaction is done as a whole or not at all. A larger one is copied,
parents first, and a copy that was interrupted is gone on with by the next attempt: the nodes that
are there have to be like their originals. Moving it deletes the originals only when all copies are
there and both were compared, children first, each if it has the version that was copied.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from typing import TYPE_CHECKING, NamedTuple

import zookeeper
from zc.zk.acl import OPEN_ACL_UNSAFE
from zc.zk.links import is_within
from zc.zk.operations import accounts, apply
from zc.zk.operations.originals import Originals, read_originals
from zc.zk.operations.plan import Plan
from zc.zk.operations.real import link_at
from zc.zk.operations.subtree import reserved
from zc.zk.operations.told import Told, of_servers
from zc.zk.session.retry import attempts
from zc.zk.session.session import Session
from zc.zk.tree.changes import Change, DeleteNode
from zc.zk.tree.copies import (
    CopyNode,
    Different,
    deletions,
    differing,
    missing_copies,
    moved,
)

if TYPE_CHECKING:
    from zookeeper.types import Progress


class Place(NamedTuple):
    """A path of a session."""

    session: Session
    path: str


class CopyPlan:
    """The copies to make, and, when the originals are to go, the deletions behind them.

    `is_atomic` tells whether all of it is one transaction.
    """

    def __init__(
        self,
        source: Place,
        target: Place,
        originals: Originals,
        copies: list[CopyNode],
        *,
        is_move: bool,
        is_begun: bool,
        merge: bool,
    ) -> None:
        self.source = source
        self.target = target
        self.originals = originals
        self.copies = copies
        self.is_move = is_move
        self.is_begun = is_begun
        self._merge = merge
        self._told = Told()
        self.deletions: list[DeleteNode] = deletions(originals.nodes) if is_move else []
        changes: list[Change] = [*copies, *self.deletions]
        self.is_atomic = not (is_move and is_begun) and apply.is_one_transaction(changes)

    def apply(self, progress: "Progress | None" = None) -> None:
        """Make the copies, and delete the originals of a move.

        Raises what a plan's `apply` raises when others have changed the nodes concerned, and
        Different.
        """
        if self.is_move and self.is_atomic:
            self._move_at_once(progress)
            return
        with of_servers(self.target.session, self.source.session):
            self._copy(progress)
        if self.is_move:
            self._compare()
            self._delete(progress)

    def _copy(self, progress: "Progress | None") -> None:
        session = self.target.session
        copies = self.copies
        for attempt in attempts(session):
            if attempt.number > 1:
                with self._told.with_the_last():
                    copies = self._missing()
            with attempt, self._told.noted(len(self.copies) - len(copies), len(self.copies)):
                Plan(session, list(copies), OPEN_ACL_UNSAFE, 0).apply(progress)

    def _missing(self) -> list[CopyNode]:
        there = _read_if_any(self.target)
        return missing_copies(
            self.originals.nodes,
            self.source.path,
            self.target.path,
            there.nodes,
            merge=self._merge,
            is_one_service=_is_same_service(self.source.session, self.target.session),
        )

    def _move_at_once(self, progress: "Progress | None") -> None:
        session = self.source.session
        changes: list[Change] = [*self.copies, *self.deletions]
        for attempt in attempts(session):
            if attempt.number > 1 and self._is_moved():
                return
            with attempt:
                Plan(session, changes, OPEN_ACL_UNSAFE, self.originals.zxid).apply(progress)

    def _is_moved(self) -> bool:
        """Say whether the attempt whose answer was lost has moved all."""
        return not _read_if_any(self.source).nodes and not self._missing()

    def _compare(self) -> None:
        """Raise Different unless originals are as they were read, and all copies like them."""
        now = read_originals(self.source.session, self.source.path)
        changed = differing(self.originals.nodes, now.nodes)
        if changed is None and now.ephemerals:
            changed = now.ephemerals[0]
        if changed is not None:
            raise Different(
                changed, "somebody else has changed it; it was copied, and is not moved"
            )
        if missing := self._missing():
            raise Different(
                missing[0].path, "somebody else has deleted this copy; nothing is moved"
            )

    def _delete(self, progress: "Progress | None") -> None:
        session = self.source.session
        left = self.deletions
        try:
            for attempt in attempts(session, (zookeeper.NoNodeException,)):
                if attempt.number > 1:
                    with self._told.with_the_last():
                        there = _read_if_any(self.source).nodes
                    left = [change for change in self.deletions if change.path in there]
                done = len(self.deletions) - len(left)
                with attempt, self._told.noted(done, len(self.deletions)):
                    Plan(session, list(left), OPEN_ACL_UNSAFE, self.originals.zxid).apply(progress)
        except zookeeper.ZooKeeperException as fault:
            accounts.tell_with(fault, f"all of it was copied to {self.target.path}")
            raise


def plan_copy(
    source: Place,
    target: Place,
    *,
    is_move: bool = False,
    merge: bool = False,
    progress: "Progress | None" = None,
) -> CopyPlan:
    """Plan the copies of a subtree at `target`, or its move there.

    Both paths are real ones. Ephemeral nodes are left out of a copy, and make a move impossible.
    Raises Different when there are nodes at `target` that are no part of the same copy,
    NoNodeException when there is no node at `source`, or none above `target`, ValueError for a
    target that makes no sense.
    """
    _check_places(source, target, is_move=is_move)
    with of_servers(source.session, target.session):
        originals = read_originals(source.session, source.path, progress)
    if is_move and originals.ephemerals:
        raise ValueError(
            f"{originals.ephemerals[0]} is ephemeral: it belongs to a program that runs, and so"
            " nothing is moved"
        )
    if not originals.nodes:
        raise ValueError(f"{source.path} is ephemeral, and so there is nothing to copy")
    with of_servers(target.session, source.session):
        there = _read_if_any(target)
        if there.ephemerals:
            raise Different(there.ephemerals[0], "this node is there, and ephemeral")
        if not there.nodes:
            _require_place(target)
    copies = missing_copies(
        originals.nodes,
        source.path,
        target.path,
        there.nodes,
        merge=merge,
        is_one_service=_is_same_service(source.session, target.session),
    )
    return CopyPlan(
        source,
        target,
        originals,
        copies,
        is_move=is_move,
        is_begun=bool(there.nodes),
        merge=merge,
    )


def _check_places(source: Place, target: Place, *, is_move: bool) -> None:
    if is_move and source.path == "/":
        raise ValueError("the root cannot be moved")
    own = reserved(source.session)
    if is_move and own is not None and is_within(source.path, own):
        raise ValueError(f"{source.path} cannot be moved: it is the servers' own")
    if _is_same_service(source.session, target.session):
        source_path, target_path = _full(source), _full(target)
        if is_within(target_path, source_path):
            where = "itself" if source_path == target_path else "a place below itself"
            raise ValueError(f"{source.path} cannot be copied or moved to {where}: {target.path}")


def _is_same_service(one: Session, other: Session) -> bool:
    if one is other:
        return True
    return _servers(one) == _servers(other)


def _servers(session: Session) -> frozenset[str]:
    return frozenset(session.connection_string.strip().partition("/")[0].split(","))


def _full(place: Place) -> str:
    return moved(place.path, "/", place.session.root or "/")


def _read_if_any(place: Place) -> Originals:
    try:
        return read_originals(place.session, place.path)
    except zookeeper.NoNodeException:
        return Originals({}, [], 0)


def _require_place(target: Place) -> None:
    parent = target.path.rpartition("/")[0] or "/"
    for attempt in attempts(target.session):
        with attempt:
            stat = target.session.call(target.session.binding.exists, parent)
    if stat is None and target.path != "/":
        raise zookeeper.error(zookeeper.NONODE, parent)
    link = link_at(target.session, target.path)
    if link is not None:
        raise ValueError(f"{target.path} is a link to {link}, which a node would hide")
