"""Work on trees of nodes: plan, import, delete."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import zookeeper
from zc.zk.acl import OPEN_ACL_UNSAFE
from zc.zk.operations import root, subtree
from zc.zk.operations.apply import CONSEQUENCES, require_not_ephemeral, write_plan
from zc.zk.registration.registry import Ephemerals
from zc.zk.session.retry import attempts, attempts_at_change
from zc.zk.session.session import Session
from zc.zk.tree.changes import AddNode, Change, DeleteNode, messages, operations
from zc.zk.tree.diff import NodeState, plan_deletion, plan_import
from zc.zk.tree.model import ParseNode
from zc.zk.watching.readers import PlainReader

if TYPE_CHECKING:
    from zookeeper.types import Acl, Progress

logger = logging.getLogger("zc.zk")

# Transactions get smaller with each attempt: one node that somebody else has changed undoes less.
DELETION_BATCHES = (500, 50, 5, 1)

# What may stand in the way of a deletion, and pass.
_OBSTACLES = (*subtree.CONFLICTS, *CONSEQUENCES, zookeeper.SessionError)


class Plan:
    """What an import or a deletion would change, or will: a sequence of changes, in order.

    `str()` is what a dry run prints. Each change has a `path`, and a text of its own; the classes
    are those of `zc.zk.tree.changes`. `zxid` is the last change of the servers when it was made.
    """

    def __init__(self, session: Session, changes: list[Change], acl: Acl, zxid: int) -> None:
        self._session = session
        self._changes = changes
        self._acl = acl
        self._zxid = zxid

    def __iter__(self) -> Iterator[Change]:
        return iter(self._changes)

    def __len__(self) -> int:
        return len(self._changes)

    def __getitem__(self, index: int) -> Change:
        return self._changes[index]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def __repr__(self) -> str:
        return f"<Plan of {len(self)} change{'s' if len(self) != 1 else ''}>"

    def lines(self, *, verbose: bool = False) -> Iterator[str]:
        """The lines that a dry run prints; `verbose` tells all of new subtrees."""
        return messages(self._changes, dry_run=True, verbose=verbose)

    def notices(self) -> Iterator[str]:
        """The lines that are printed when the plan is applied."""
        return messages(self._changes)

    def apply(self, progress: Progress | None = None) -> None:
        """Make the changes; in one transaction if they fit into one (500 nodes, 500 KB).

        Changes only what is as it was when the plan was made: raises BadVersionException,
        NodeExistsException, NoNodeException or NotEmptyException otherwise, after which there is
        a new plan to be made. When it takes several transactions, deletions come last, nothing
        goes on after a failure, and the exception tells what has been done. `progress(done, total)`
        is called a few times a second. See `zc.zk.operations.apply`.
        """
        changes = [change for change in self._changes if change.writes]
        if changes and isinstance(changes[0], AddNode) and changes[0].path == "/":
            root.make(self._session, self._acl)
            del changes[0]
        write_plan(self._session, changes, self._acl, self._zxid, progress)
        logger.info("%s: %d nodes changed", self._session.connection_string, len(changes))


def make_plan(
    session: Session,
    tree: ParseNode,
    path: str,
    *,
    trim: bool | None,
    acl: Acl,
    progress: Progress | None = None,
) -> Plan:
    """What has to change for the nodes below `path` to become what `tree` says."""
    present, zxid = subtree.read_present(session, path, tree.children, progress)
    if not present and path == "/":
        return Plan(session, _plan_from_nothing(session, tree, path), acl, zxid)
    if not present:
        try:
            for attempt in attempts(session):
                with attempt:
                    real_path = PlainReader(session).resolve(path)
        except zookeeper.NoNodeException:
            return Plan(session, _plan_from_nothing(session, tree, path), acl, zxid)
        path = real_path
        present, zxid = subtree.read_present(session, path, tree.children, progress)
    return Plan(session, plan_import(tree, path, present, trim), acl, zxid)


def _plan_from_nothing(session: Session, tree: ParseNode, path: str) -> list[Change]:
    """The plan for a path that does not exist: it is made first, and what is above it."""
    names = [name for name in path.split("/") if name]
    ancestors = ["/" + "/".join(names[: count + 1]) for count in range(len(names))]
    if session.root:
        ancestors.insert(0, "/")
    for attempt in attempts(session):
        with attempt:
            answers = session.call(session.binding.get_many, ancestors)
    changes: list[Change] = [
        AddNode(ancestor, "")
        for ancestor, answer in zip(ancestors, answers, strict=True)
        if isinstance(answer, zookeeper.NoNodeException)
    ]
    changes += plan_import(tree, path, {path: NodeState("", 0, False)})
    return [
        AddNode(change.path, change.data, is_nested=index > 0)
        if isinstance(change, AddNode)
        else change
        for index, change in enumerate(changes)
    ]


def import_tree(
    session: Session,
    tree: ParseNode,
    path: str,
    *,
    trim: bool | None,
    acl: Acl,
    progress: Progress | None = None,
) -> Plan:
    """Plan and apply until no conflict with anybody else is left; returns the last plan."""
    for attempt in attempts(session, subtree.CONFLICTS):
        plan = make_plan(session, tree, path, trim=trim, acl=acl, progress=progress)
        with attempt:
            plan.apply(progress)
    return plan


def make_deletion_plan(
    session: Session, path: str, *, force: bool, progress: Progress | None = None
) -> Plan:
    """What has to change for the node at `path` and all below it to be gone."""
    _require_deletable(path)
    present, zxid = subtree.read_states(session, path, progress)
    return Plan(session, plan_deletion(path, present, force=force), OPEN_ACL_UNSAFE, zxid)


def delete_tree(
    session: Session,
    ephemerals: Ephemerals,
    path: str,
    *,
    dry_run: bool,
    force: bool,
    ignore_if_ephemeral: bool,
    progress: Progress | None = None,
) -> Iterator[str]:
    """Delete a node and all below it, children first. Yields the lines to print.

    What others change meanwhile is planned again, and deleted as well.
    """
    _require_deletable(path)
    what = f"{session.connection_string}: deleting"
    for attempt in attempts_at_change(_OBSTACLES, what, free=len(DELETION_BATCHES)):
        try:
            present, zxid = subtree.read_states(session, path, progress)
        except zookeeper.NoNodeException:
            if attempt.number == 1:
                raise
            return
        plan = plan_deletion(path, present, force=force, ignore_if_ephemeral=ignore_if_ephemeral)
        if dry_run:
            yield from messages(plan, dry_run=True)
            return
        batch = DELETION_BATCHES[min(attempt.number, len(DELETION_BATCHES)) - 1]
        obstacle = _delete(session, ephemerals, plan, zxid, batch, progress, force=force)
        with attempt:
            if obstacle is not None:
                raise obstacle
    yield from messages(plan)


def _require_deletable(path: str) -> None:
    if path == "/":
        raise zookeeper.error(zookeeper.BADARGUMENTS, path, "the root cannot be deleted")


def _delete(
    session: Session,
    ephemerals: Ephemerals,
    plan: list[Change],
    zxid: int,
    batch: int,
    progress: Progress | None,
    *,
    force: bool,
) -> Exception | None:
    """Do the deletions of a plan. What stood in the way of some, that may pass, or None."""
    deletions = [change for change in plan if isinstance(change, DeleteNode)]
    paths = [change.path for change in deletions]
    steps = operations(deletions, OPEN_ACL_UNSAFE)
    if not force:
        try:
            require_not_ephemeral(session, paths, zxid)
        except zookeeper.BadVersionException as conflict:
            return conflict
    held = [node for node in map(ephemerals.hold, paths) if node is not None]
    results: list[Any] = []
    try:
        for attempt in attempts(session):
            with attempt:
                results = session.call(
                    session.binding.write_many, steps, batch=batch, stop=False, progress=progress
                )
    finally:
        deleted = {
            path
            for path, result in zip(paths, results, strict=False)
            if not isinstance(result, Exception)
        }
        for node in held:
            ephemerals.release(node, is_gone=node.path in deleted)
    first: Exception | None = None
    for result in [result for result in results if result is not None]:  # None: it is deleted
        if isinstance(result, subtree.CONFLICTS) or result.is_retriable:
            is_gone = isinstance(result, zookeeper.NoNodeException) and batch == 1
            first = first if is_gone else first or result
        elif isinstance(result, CONSEQUENCES):
            first = first or result
        else:
            raise result
    return first
