"""Delete a node and all below it, but not the ephemeral nodes that running programs need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import zookeeper
from zc.zk.acl import OPEN_ACL_UNSAFE
from zc.zk.operations import subtree
from zc.zk.operations.accounts import account, tell_with
from zc.zk.operations.apply import CONSEQUENCES
from zc.zk.operations.plan import Plan, hands_off
from zc.zk.operations.samenodes import require_not_ephemeral
from zc.zk.session.retry import attempts, attempts_at_change
from zc.zk.session.session import Session
from zc.zk.tree.changes import DeleteNode, operations
from zc.zk.tree.diff import plan_deletion

if TYPE_CHECKING:
    from zc.zk.registration.ephemerals import Ephemerals
    from zookeeper.types import Progress

# Transactions get smaller with each attempt: one node that somebody else has changed undoes less.
BATCHES = (500, 50, 5, 1)

# These may stand in the way of a deletion, and pass.
_OBSTACLES = (*subtree.CONFLICTS, *CONSEQUENCES, zookeeper.SessionError)

# An ephemeral node of ours is gone, be it with the session.
_GONE = (
    zookeeper.NoNodeException,
    zookeeper.SessionExpiredException,
    zookeeper.InvalidStateException,
)


class _Tally:
    """How many nodes a deletion has deleted, over several attempts."""

    def __init__(self) -> None:
        self.planned = self.done = self.uncertain = 0

    def begin(self, plan: Plan) -> None:
        """Note what is to go, besides what has gone already."""
        self.planned = self.done + len(plan.deletions)
        self.uncertain = 0

    def note(self, results: list[Any]) -> None:
        """Note what has become of the deletions of a plan."""
        faults = [each for each in results if isinstance(each, zookeeper.ZooKeeperException)]
        self.done += len(results) - len(faults)
        self.uncertain = sum(fault.may_have_happened for fault in faults)

    def account(self) -> str:
        """Return in words how much has been done, and may have been."""
        return account({DeleteNode: self.done}, {DeleteNode: self.planned}, self.uncertain)


def make_plan(
    session: Session,
    path: str,
    *,
    force: bool,
    ignore_if_ephemeral: bool = False,
    ephemerals: Ephemerals | None = None,
    progress: Progress | None = None,
) -> Plan:
    """Plan what has to change for the node at `path` and all below it to be gone.

    `ephemerals` are those of the client, if it keeps any. Raises NoNodeException.
    """
    if path == "/":
        raise zookeeper.error(zookeeper.BADARGUMENTS, path, "the root cannot be deleted")
    seen = subtree.read_states(session, path, progress)
    changes = plan_deletion(path, seen.states, force=force, ignore_if_ephemeral=ignore_if_ephemeral)
    return Plan(session, changes, OPEN_ACL_UNSAFE, seen.zxid, ephemerals)


def delete_tree(
    session: Session,
    ephemerals: Ephemerals | None,
    path: str,
    *,
    force: bool,
    ignore_if_ephemeral: bool = False,
    progress: Progress | None = None,
) -> Plan:
    """Plan and delete until nothing else stands in the way; return the last plan.

    `ephemerals` are those of the client, if it keeps any. Nodes that others change meanwhile are
    planned again, and deleted as well. The exception of a
    server tells how many nodes have been deleted before it, where there are several.
    """
    tally = _Tally()
    try:
        return _until_done(
            session,
            ephemerals,
            path,
            tally,
            force=force,
            ignore_if_ephemeral=ignore_if_ephemeral,
            progress=progress,
        )
    except zookeeper.ZooKeeperException as fault:
        if tally.planned > 1:
            tell_with(fault, tally.account())
        raise


def _until_done(
    session: Session,
    ephemerals: Ephemerals | None,
    path: str,
    tally: _Tally,
    *,
    force: bool,
    ignore_if_ephemeral: bool,
    progress: Progress | None,
) -> Plan:
    what = f"{session.connection_string}: deleting"
    for attempt in attempts_at_change(_OBSTACLES, what, free=len(BATCHES)):
        try:
            plan = make_plan(
                session,
                path,
                force=force,
                ignore_if_ephemeral=ignore_if_ephemeral,
                progress=progress,
            )
        except zookeeper.NoNodeException:
            if attempt.number == 1:
                raise
            return Plan(session, [], OPEN_ACL_UNSAFE, 0)
        batch = BATCHES[min(attempt.number, len(BATCHES)) - 1]
        tally.begin(plan)
        obstacle = _delete(session, ephemerals, plan, batch, tally, progress, force=force)
        with attempt:
            if obstacle is not None:
                raise obstacle
    return plan


def _delete(
    session: Session,
    ephemerals: Ephemerals | None,
    plan: Plan,
    batch: int,
    tally: _Tally,
    progress: Progress | None,
    *,
    force: bool,
) -> Exception | None:
    """Do the deletions of a plan; return what stood in the way of some, and may pass, or None."""
    paths = plan.deletions
    deletions = [change for change in plan if isinstance(change, DeleteNode)]
    steps = operations(deletions, OPEN_ACL_UNSAFE)
    if not force:
        try:
            require_not_ephemeral(session, paths, plan.zxid)
        except zookeeper.BadVersionException as conflict:
            return conflict
    with hands_off(session, ephemerals, paths) as gone:
        for attempt in attempts(session):
            with attempt:
                tally.uncertain = len(steps)  # until it is known better
                results = session.call(
                    session.binding.write_many, steps, batch=batch, stop=False, progress=progress
                )
                tally.note(results)
        gone.update(
            path for path, result in zip(paths, results, strict=True) if _may_be_gone(result)
        )
    return _obstacle(results, batch)


def _may_be_gone(result: Any) -> bool:
    """Say whether by that result of a deletion an ephemeral node counts as deleted, for good."""
    if isinstance(result, zookeeper.ZooKeeperException):
        return isinstance(result, _GONE) or result.may_have_happened
    return True


def _obstacle(results: list[Any], batch: int) -> Exception | None:
    """Return the first failure among results that may pass; raise one that may not."""
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
