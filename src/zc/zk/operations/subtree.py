"""Nodes at a place, read in a few round trips, and the conflicts when others change them.

Work on a tree may be repeated as a whole, so that is what is done, a bounded number of times. The
computing is in `zc.zk.tree`, and `zc.zk.operations.apply` writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import zookeeper
from zc.zk.session.retry import attempts
from zc.zk.session.session import Session
from zc.zk.tree.diff import NodeState, snapshot
from zc.zk.tree.exporting import RESERVED, is_at_root

if TYPE_CHECKING:
    from zc.zk.tree.exporttext import Writer
    from zookeeper.types import Acl, Progress, Subtree, Znode


# Somebody else has changed what a plan was computed from.
CONFLICTS = (
    zookeeper.BadVersionException,
    zookeeper.NodeExistsException,
    zookeeper.NoNodeException,
    zookeeper.NotEmptyException,
    zookeeper.NoChildrenForEphemeralsException,
)


class Seen:
    """Nodes by path, none of which was read before the servers' change `zxid`."""

    __slots__ = ("states", "zxid")

    def __init__(self, states: dict[str, NodeState], zxid: int) -> None:
        self.states = states
        self.zxid = zxid


def reserved(session: Session) -> str | None:
    """Return the path of ZooKeeper's own nodes, if the session can see them."""
    return RESERVED if is_at_root(session.connection_string) else None


def read_states(session: Session, path: str, progress: Progress | None = None) -> Seen:
    """Read a node and all below it. Raises NoNodeException when it is not there."""
    tree = read_nodes(session, path, progress)
    return Seen(states_of(tree), tree.zxid)


def read_nodes(session: Session, path: str, progress: Progress | None) -> Subtree:
    """Read a node and all below it. Raises NoNodeException when it is not there."""
    for attempt in attempts(session):
        with attempt:
            tree = session.call(session.binding.read_tree, path, progress=progress)
    return tree


def read_written(
    session: Session,
    path: str,
    writer: Callable[[], Writer],
    progress: Progress | None,
) -> tuple[Subtree, Writer]:
    """Read as `read_nodes` does, and have the text written meanwhile, by a new writer."""
    for attempt in attempts(session):
        with attempt:
            tells = writer()  # one that was told of nodes of a read that failed is of no use
            tree = session.call(session.binding.read_tree, path, progress=progress, nodes=tells)
    return tree, tells


def states_of(tree: Iterable[Znode]) -> dict[str, NodeState]:
    """Return the states of nodes, which come parents first, by path."""
    return snapshot(
        (node.path, node.data, node.version, node.ephemeralOwner, node.error) for node in tree
    )


def create_ancestors(session: Session, path: str, acl: Acl) -> None:
    """Create the nodes above `path`, blank, where they are missing.

    A refusal of one of them is not raised: the servers repeat it when its child is created.
    """
    names = path.split("/")[1:-1]
    steps = [("create", "/" + "/".join(names[: count + 1]), "", acl) for count in range(len(names))]
    session.call(session.binding.write_many, steps, batch=1, stop=False)
