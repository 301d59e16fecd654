"""Trees as text, from the servers. Little is imported here: commands that export start quickly."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import zookeeper
from zc.zk.links import is_at_or_below
from zc.zk.owners import is_session
from zc.zk.session.retry import attempts
from zc.zk.session.session import Session
from zc.zk.tree.access import is_masked
from zc.zk.tree.exporting import (
    RESERVED,
    Marked,
    Skip,
    check_name,
    exported,
    is_at_root,
    name_of_top,
)
from zc.zk.tree.leftbehind import LIMITS, QUOTA, LeftBehind
from zc.zk.tree.render import render

if TYPE_CHECKING:
    from zookeeper.types import Acl, AclEntry, Progress, Stat, Subtree

HIDDEN = "servers show the hashes in its ACL only to those who may administer it"


def _read(session: Session, path: str, progress: Progress | None) -> Subtree:
    try:
        return session.call(session.binding.read_tree, path, progress=progress)
    except (zookeeper.NoNodeException, zookeeper.BadArgumentsException):
        from zc.zk.watching.readers import resolve  # seldom is there a link in the path

        real_path = resolve(session, path)
        return session.call(session.binding.read_tree, real_path, progress=progress)


def export_tree(
    session: Session,
    path: str,
    *,
    ephemeral: bool,
    name: str | None,
    acls: bool = False,
    kinds: bool = False,
    progress: Progress | None = None,
    skip: Skip | None = None,
    lost: Callable[[list[str]], object] | None = None,
) -> str:
    """Return a subtree as text; see `zc.zk.ZooKeeper.export_tree`.

    With `skip`, nodes that cannot be read are left out, with all below them, and it is called with
    their paths and why. The one at `path` is an error all the same. `lost` is called in the end
    with sentences about what cannot be exported, if there are any; it may raise.
    """
    check_name(name)
    for attempt in attempts(session):
        with attempt:
            tree = _read(session, path, progress)
    if tree[0].error is not None:
        raise tree[0].error
    top = tree[0].path  # behind all links
    top_name = name if name is not None else name_of_top(path, top)
    reserved = RESERVED if top == "/" and is_at_root(session.connection_string) else None
    found = _read_acls(session, tree, ephemeral, reserved, progress) if acls else None
    if found is not None and isinstance(fault := found.get(top), Exception) and top_name:
        raise fault
    marked = Marked(kinds, found)
    behind = None if lost is None else LeftBehind()
    rows = exported(
        tree, top_name, reserved, skip, ephemeral=ephemeral, marked=marked, behind=behind
    )
    text = "".join(render(rows))
    if behind is not None and lost is not None:
        if top != "/" and is_at_root(session.connection_string):
            _note_quotas(session, top, behind)
        if sentences := behind.sentences():
            lost(sentences)
    return text


def _note_quotas(session: Session, top: str, behind: LeftBehind) -> None:
    """Look for quotas of a node and those below it, as far as the client may."""
    try:
        for node in session.call(session.binding.read_tree, f"{QUOTA}{top}"):
            if node.path.endswith(LIMITS):
                behind.note_quota(node.path)
    except (zookeeper.NoNodeException, zookeeper.NoAuthException):
        pass


def _read_acls(
    session: Session,
    tree: Subtree,
    ephemeral: bool,
    reserved: str | None,
    progress: Progress | None,
) -> dict[str, Acl | Exception]:
    """Read the ACLs of nodes that are to be exported, or why each cannot be read."""
    from zc.zk.operations.subtree import read_acls

    nodes = [
        node
        for node in tree
        if node.error is None
        and (ephemeral or not is_session(node.ephemeralOwner))
        and not (reserved and is_at_or_below(node.path, reserved))
    ]
    answers = read_acls(session, [node.path for node in nodes], progress)
    return {
        node.path: _whole_acl(node.path, answer)
        for node, answer in zip(nodes, answers, strict=True)
    }


def _whole_acl(
    path: str, answer: tuple[Stat, list[AclEntry]] | zookeeper.ZooKeeperException
) -> Acl | Exception:
    """Return an ACL, or why it cannot be read: servers hide a part from some clients."""
    if isinstance(answer, Exception):
        return answer
    if is_masked(answer[1]):
        return zookeeper.error(zookeeper.NOAUTH, path, HIDDEN)
    return answer[1]
