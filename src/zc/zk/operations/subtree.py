"""Nodes at a place, read in a few round trips, and the conflicts when others change them.

Work on a tree may be repeated as a whole, so that is what is done, a bounded number of times. The
computing is in `zc.zk.tree`, and `zc.zk.operations.apply` writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import zookeeper
from zc.zk._speedups import is_same
from zc.zk.links import join
from zc.zk.owners import is_session
from zc.zk.session.retry import attempts
from zc.zk.session.session import Session
from zc.zk.tree.diff import AS_WANTED, NodeState, snapshot
from zc.zk.tree.model import ParseNode

if TYPE_CHECKING:
    from zookeeper.types import Acl, Progress, Subtree, Znode


# More subtrees than this at one place are read together with all that is beside them.
MANY_SUBTREES = 20

# Somebody else has changed what a plan was computed from.
CONFLICTS = (
    zookeeper.BadVersionException,
    zookeeper.NodeExistsException,
    zookeeper.NoNodeException,
    zookeeper.NotEmptyException,
    zookeeper.NoChildrenForEphemeralsException,
)


class Seen(NamedTuple):
    """Nodes by path, none of which was read before the servers' change `zxid`."""

    states: dict[str, NodeState]
    zxid: int


def read_states(session: Session, path: str, progress: Progress | None = None) -> Seen:
    """Read a node and all below it. Raises NoNodeException when it is not there."""
    tree = _read(session, path, progress)
    return Seen(_states(tree), tree.zxid)


def read_present(
    session: Session,
    path: str,
    wanted: Mapping[str, ParseNode],
    progress: Progress | None = None,
    *,
    of_all: bool = False,
) -> Seen:
    """Read the node at `path`, and those of its children in `wanted` with all below them.

    Nodes below a child that is as wanted, with all below it, are left out unless `of_all`. Empty
    when there is no node at `path`.
    """
    parsed = {join(path, name): wanted[name] for name in sorted(wanted)}
    paths = [path, *parsed]
    for attempt in attempts(session):
        with attempt:
            found = session.call(session.binding.get_many, paths)
    if isinstance(found[0], zookeeper.NoNodeException):
        return Seen({}, found.zxid)
    present = {path: state_of(found[0])}
    zxid = found.zxid
    with_children = [
        child
        for child, answer in zip(paths[1:], found[1:], strict=True)
        if isinstance(answer, tuple) and answer[1]["numChildren"]
    ]
    subtrees: Mapping[str, dict[str, NodeState]] = {}
    if len(with_children) > MANY_SUBTREES:
        everything, as_of = read_states(session, path, progress)
        subtrees, zxid = _by_top(path, everything), min(zxid, as_of)
    else:
        below = {
            child: _read_below(session, child, None if of_all else parsed[child], progress)
            for child in with_children
        }
        subtrees = {child: seen.states for child, seen in below.items()}
        zxid = min([zxid, *(seen.zxid for seen in below.values() if seen.states)])
    for child, answer in zip(paths[1:], found[1:], strict=True):
        if child in subtrees:
            present.update(subtrees[child])
        elif not isinstance(answer, zookeeper.NoNodeException):
            present[child] = state_of(answer)
    return Seen(present, zxid)


def _read_below(
    session: Session, path: str, wanted: ParseNode | None, progress: Progress | None
) -> Seen:
    """Read the nodes at `path` and below; less is told of those that are as `wanted`, if given."""
    try:
        tree = _read(session, path, progress)
    except zookeeper.NoNodeException:
        return Seen({}, 0)
    if wanted is not None and is_same(wanted, tree):
        return Seen({path: AS_WANTED}, tree.zxid)
    return Seen(_states(tree), tree.zxid)


def _read(session: Session, path: str, progress: Progress | None) -> Subtree:
    for attempt in attempts(session):
        with attempt:
            tree = session.call(session.binding.read_tree, path, progress=progress)
    return tree


def _by_top(path: str, everything: Mapping[str, NodeState]) -> dict[str, dict[str, NodeState]]:
    """Return the states below `path`, separately for each of its children."""
    start = len(path.rstrip("/")) + 1
    tops: dict[str, dict[str, NodeState]] = {}
    for node_path, state in everything.items():
        if node_path != path:
            name = node_path[start:].partition("/")[0]
            tops.setdefault(join(path, name), {})[node_path] = state
    return tops


def _states(tree: Iterable[Znode]) -> dict[str, NodeState]:
    return snapshot(
        (node.path, node.data, node.version, node.ephemeralOwner, node.error) for node in tree
    )


def state_of(answer: Any) -> NodeState:
    """Return the state of a node without children, from the answer of `zookeeper.get_many`."""
    if isinstance(answer, Exception):
        return NodeState(None, -1, False, [], answer)
    data, stat = answer
    return NodeState(data, stat["version"], is_session(stat["ephemeralOwner"]), [])


def create_ancestors(session: Session, path: str, acl: Acl) -> None:
    """Create the nodes above `path`, blank, where they are missing.

    A refusal of one of them is not raised: the servers repeat it when its child is created.
    """
    names = path.split("/")[1:-1]
    steps = [("create", "/" + "/".join(names[: count + 1]), "", acl) for count in range(len(names))]
    session.call(session.binding.write_many, steps, batch=1, stop=False)
