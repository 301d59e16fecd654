"""A subtree in, a plan out, in a few round trips.

What is computed in between is in `zc.zk.tree`; here are the reads and writes, and what to do when
they meet somebody else's: nodes that appear or vanish meanwhile. The work as a whole may be
repeated, so that is what is done, a bounded number of times.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import zookeeper
from zc.zk.acl import Acl
from zc.zk.links import join
from zc.zk.riding import ride
from zc.zk.session import Session
from zc.zk.tree._lines import is_same
from zc.zk.tree.changes import Change, Operation, operations
from zc.zk.tree.diff import AS_WANTED, NodeState, snapshot
from zc.zk.tree.model import ParseNode
from zc.zk.upkeep import pause

logger = logging.getLogger("zc.zk")

Progress = Callable[[int, "int | None"], object]

# A plan within these bounds is one transaction, so that it is done as a whole or not at all.
MOST_OPERATIONS = 500
MOST_BYTES = 500_000

# More subtrees than this at one place are read together with all that is beside them.
MANY_SUBTREES = 20

ATTEMPTS = 100
LONGEST_PAUSE_SECONDS = 0.2

# Somebody else has changed what a plan was computed from.
CONFLICTS = (
    zookeeper.BadVersionException,
    zookeeper.NodeExistsException,
    zookeeper.NoNodeException,
    zookeeper.NotEmptyException,
    zookeeper.NoChildrenForEphemeralsException,
)


def rest_before_attempt(attempt: int) -> None:
    """Let somebody else get on before we try again (1, 2, ...)."""
    time.sleep(min(pause(attempt), LONGEST_PAUSE_SECONDS))


def read_states(
    session: Session, path: str, progress: Progress | None = None
) -> dict[str, NodeState]:
    """A node and all below it, by path. Raises NoNodeException when it is not there."""
    return _states(_read(session, path, progress))


def read_present(
    session: Session,
    path: str,
    wanted: Mapping[str, ParseNode],
    progress: Progress | None = None,
) -> dict[str, NodeState]:
    """The node at `path`, and those of its children in `wanted` with all below them, by path.

    What is below a child that is as wanted, with all below it, is left out. Empty when there is no
    node at `path`.
    """
    parsed = {join(path, name): wanted[name] for name in sorted(wanted)}
    paths = [path, *parsed]
    found = ride(session, lambda handle: zookeeper.get_many(handle, paths))
    if isinstance(found[0], zookeeper.NoNodeException):
        return {}
    present = {path: state_of(found[0])}
    with_children = [
        child
        for child, answer in zip(paths[1:], found[1:], strict=True)
        if isinstance(answer, tuple) and answer[1]["numChildren"]
    ]
    subtrees: Mapping[str, dict[str, NodeState]] = {}
    if len(with_children) > MANY_SUBTREES:
        everything = read_states(session, path, progress)
        subtrees = _by_top(path, everything)
    else:
        subtrees = {
            child: _read_below(session, child, parsed[child], progress) for child in with_children
        }
    for child, answer in zip(paths[1:], found[1:], strict=True):
        if child in subtrees:
            present.update(subtrees[child])
        elif not isinstance(answer, zookeeper.NoNodeException):
            present[child] = state_of(answer)
    return present


def write_plan(
    session: Session, changes: Sequence[Change], acl: Acl, progress: Progress | None = None
) -> None:
    """Make the changes, in order: in one transaction if they fit into one.

    Raises the exception of the first one that failed; those before it may have been made then.
    """
    handle = session.require_handle()
    if len(changes) > MOST_OPERATIONS and all(change.is_sure for change in changes):
        # While the first ones are on their way. Nothing can be wrong with the last ones.
        steps = (step for change in changes if (step := change.operation(acl)) is not None)
        raise_first(
            zookeeper.write_many(
                handle, steps, count=len(changes), batch=MOST_OPERATIONS, progress=progress
            )
        )
        return
    at_once = operations(changes, acl)
    if not at_once:
        return
    if len(at_once) <= MOST_OPERATIONS and sum(map(_size, at_once)) <= MOST_BYTES:
        zookeeper.multi(handle, at_once)
        if progress is not None:
            progress(len(at_once), len(at_once))
        return
    raise_first(zookeeper.write_many(handle, at_once, batch=MOST_OPERATIONS, progress=progress))


def raise_first(results: Iterable[Any]) -> None:
    """Raise the exception that is behind a bulk write's failure, if it failed."""
    consequence = None
    for result in results:
        if isinstance(result, zookeeper.ZooKeeperException):
            if not isinstance(
                result, (zookeeper.RuntimeInconsistencyException, zookeeper.NothingException)
            ):
                raise result
            consequence = consequence or result
    if consequence is not None:
        raise consequence


def _read_below(
    session: Session, path: str, wanted: ParseNode, progress: Progress | None
) -> dict[str, NodeState]:
    """What there is at `path` and below; less is told of what is as wanted."""
    try:
        tree = _read(session, path, progress)
    except zookeeper.NoNodeException:
        return {}
    if is_same(wanted, tree):
        return {path: AS_WANTED}
    return _states(tree)


def _read(session: Session, path: str, progress: Progress | None) -> zookeeper.Subtree:
    return ride(session, lambda handle: zookeeper.read_tree(handle, path, progress=progress))


def _by_top(path: str, everything: Mapping[str, NodeState]) -> dict[str, dict[str, NodeState]]:
    """The states below `path`, separately for each of its children."""
    start = len(path.rstrip("/")) + 1
    tops: dict[str, dict[str, NodeState]] = {}
    for node_path, state in everything.items():
        if node_path != path:
            name = node_path[start:].partition("/")[0]
            tops.setdefault(join(path, name), {})[node_path] = state
    return tops


def _states(tree: Iterable[zookeeper.Znode]) -> dict[str, NodeState]:
    return snapshot(
        (node.path, node.data, node.version, node.ephemeralOwner != 0, node.error) for node in tree
    )


def state_of(answer: Any) -> NodeState:
    """The state of a node without children, from what `zookeeper.get_many` says of it."""
    if isinstance(answer, Exception):
        return NodeState(None, -1, False, [], answer)
    data, stat = answer
    return NodeState(data, stat["version"], stat["ephemeralOwner"] != 0, [])


def _size(operation: Operation) -> int:
    """About as many bytes as the operation takes in a request."""
    size = 64
    for part in operation[1:]:
        if isinstance(part, str):
            size += len(part.encode("utf-8", "surrogateescape"))
        elif isinstance(part, list):
            size += sum(len(entry["scheme"]) + len(entry["id"]) + 12 for entry in part)
    return size


def create_ancestors(session: Session, path: str, acl: Acl) -> None:
    """Create the nodes above `path`, blank, where they are missing.

    What the servers have against one of them they say again when its child is created.
    """
    names = path.split("/")[1:-1]
    steps = [("create", "/" + "/".join(names[: count + 1]), "", acl) for count in range(len(names))]
    zookeeper.write_many(session.require_handle(), steps, batch=1, stop=False)
