"""A plan: what an import or a deletion would change, to be shown, and to be applied as it is."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import zookeeper
from zc.zk.operations import root
from zc.zk.operations.apply import write_plan
from zc.zk.session.session import Session
from zc.zk.tree.changes import AddNode, Change, DeleteNode, messages
from zc.zk.tree.marking import losses
from zc.zk.tree.planned import Changes

if TYPE_CHECKING:
    from zc.zk.registration.ephemerals import Ephemerals
    from zc.zk.registration.schedule import Hold
    from zookeeper.types import Acl, Progress

logger = logging.getLogger("zc.zk")


class Plan:
    """The changes that an import or a deletion would make, or will, in order.

    `str()` is what a dry run prints. Each change has a `path`, and a text of its own; the classes
    are those of `zc.zk.tree.changes`.
    """

    def __init__(
        self,
        session: Session,
        changes: list[Change] | Changes,
        acl: Acl,
        zxid: int,
        ephemerals: Ephemerals | None = None,
    ) -> None:
        self._session = session
        self._changes = changes if isinstance(changes, Changes) else Changes([*changes])
        self._acl = acl
        self._zxid = zxid
        # Those of the client, which are not made again when the plan deletes them.
        self._ephemerals = ephemerals

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

    @property
    def deletions(self) -> list[str]:
        """The paths of the nodes that are deleted, in order."""
        explicit = self._changes.explicit()
        return [change.path for change in explicit if isinstance(change, DeleteNode)]

    @property
    def losses(self) -> list[str]:
        """Sentences about all that is not as the text says when the plan has been applied."""
        return losses(self._changes)

    @property
    def zxid(self) -> int:
        """The servers' last change when the nodes were read."""
        return self._zxid

    def lines(self, *, verbose: bool = False) -> Iterator[str]:
        """Yield the lines that a dry run prints; `verbose` tells all of new subtrees."""
        told = self._changes if verbose else self._changes.explicit()
        return messages(told, dry_run=True, verbose=verbose)

    def notices(self) -> Iterator[str]:
        """Yield the lines that are printed when the plan is applied."""
        return messages(self._changes.explicit())

    def apply(self, progress: Progress | None = None) -> None:
        """Make the changes; in one transaction if they fit into one (500 nodes, 500 KB).

        Changes only what is as it was when the plan was made: raises BadVersionException,
        NodeExistsException, NoNodeException or NotEmptyException otherwise, after which there is
        a new plan to be made. When it takes several transactions, deletions come last, nothing
        goes on after a failure, and the exception tells what has been done. Changes of ACLs are
        requests of their own: those that take nothing away come first, and the others last.
        `progress(done, total)` is called a few times a second. See `zc.zk.operations.apply`.
        """
        changes = self._changes.without(lambda change: not change.writes)
        if changes and isinstance(changes[0], AddNode) and changes[0].path == "/":
            root.make(self._session, self._acl)
            changes = changes[1:]
        with hands_off(self._session, self._ephemerals, self.deletions) as gone:
            write_plan(self._session, changes, self._acl, self._zxid, progress)
            gone.update(self.deletions)
        logger.info("%s: %d nodes changed", self._session.connection_string, len(changes))


@contextmanager
def hands_off(
    session: Session, ephemerals: Ephemerals | None, paths: list[str]
) -> Iterator[set[str]]:
    """Have no ephemeral node of the client made again that is deleted meanwhile.

    Yields a set, to be filled with the paths that are gone. When the deletion fails half-way, it is
    found out.
    """
    held: list[Hold] = []
    gone: set[str] = set()
    try:
        if ephemerals is not None:
            held += filter(None, map(ephemerals.hold, paths))
        yield gone
    except Exception as fault:
        gone |= _gone(session, [hold.path for hold in held], fault)
        raise
    finally:
        if ephemerals is not None:
            for hold in held:
                ephemerals.release(hold, is_gone=hold.path in gone)


def _gone(session: Session, paths: list[str], fault: Exception) -> set[str]:
    """Return those paths that count as deleted when a deletion failed, be it half-way.

    Those that may have been deleted do: the program wanted them gone, and they end with the
    session.
    """
    if not paths or (isinstance(fault, zookeeper.ZooKeeperException) and fault.may_have_happened):
        return set(paths)
    try:
        answers = session.call(session.binding.get_many, paths)
    except zookeeper.ZooKeeperException:
        return set(paths)
    return {
        path
        for path, answer in zip(paths, answers, strict=True)
        if isinstance(answer, zookeeper.NoNodeException)
    }
