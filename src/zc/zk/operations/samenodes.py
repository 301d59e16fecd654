"""Whether nodes are still those that a plan was made from, and no others of the same names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import zookeeper
from zc.zk.owners import is_session
from zc.zk.session.retry import attempts
from zc.zk.session.session import Session
from zc.zk.tree.changes import Change, DeleteNode, SetData
from zc.zk.tree.markchanges import SetAcl

# With more parents than this, first ask whether there was any change at all.
MAX_PARENTS_AT_ONCE = 100


def require_same_nodes(session: Session, changes: Iterable[Change], zxid: int) -> None:
    """Raise if a node that is to be changed or deleted was made after the change `zxid`.

    BadVersionException, or NoNodeException when it is gone.
    """
    paths = [
        change.path
        for change in changes
        if isinstance(change, (SetData, DeleteNode))
        or (isinstance(change, SetAcl) and not change.is_of_new)
    ]
    for path, answer in _possibly_new(session, paths, zxid):
        if isinstance(answer, Exception):
            raise answer
        if answer[1]["czxid"] > zxid:
            raise zookeeper.error(
                zookeeper.BADVERSION, path, "it is another node, made since the plan was"
            )


def require_not_ephemeral(session: Session, paths: Sequence[str], zxid: int) -> None:
    """Raise BadVersionException if one was made ephemeral after the change `zxid`."""
    for path, answer in _possibly_new(session, paths, zxid):
        if not isinstance(answer, Exception) and is_session(answer[1]["ephemeralOwner"]):
            raise zookeeper.error(
                zookeeper.BADVERSION, path, "it is another node, an ephemeral one"
            )


def _possibly_new(session: Session, paths: Sequence[str], zxid: int) -> Iterator[tuple[str, Any]]:
    """Those nodes that may have been made after the change `zxid`, and what `get_many` says.

    A node tells when its last child came or went, so most nodes need not be looked at themselves;
    and nothing need be when nothing has changed anywhere.
    """
    parents = list(dict.fromkeys(map(_parent, paths)))
    if not parents or zxid <= 0:  # not known
        return
    if len(parents) > MAX_PARENTS_AT_ONCE and _read(session, parents[:1]).zxid <= zxid:
        return
    found = _read(session, parents)
    as_they_were = {
        parent
        for parent, answer in zip(parents, found, strict=True)
        if isinstance(answer, tuple) and answer[1]["pzxid"] <= zxid
    }
    doubtful = [path for path in paths if _parent(path) not in as_they_were]
    yield from zip(doubtful, _read(session, doubtful) if doubtful else [], strict=True)


def _read(session: Session, paths: list[str]) -> zookeeper.Answers[Any]:
    for attempt in attempts(session):
        with attempt:
            found = session.call(session.binding.get_many, paths)
    return found


def _parent(path: str) -> str:
    return path.rpartition("/")[0] or "/"
