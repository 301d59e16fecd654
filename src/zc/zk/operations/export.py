"""Trees as text, from the servers. Little is imported here: commands that export start quickly."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import zookeeper
from zc.zk.acl import OPEN_ACL_UNSAFE
from zc.zk.links import is_at_or_below
from zc.zk.operations.manyacls import read_acls
from zc.zk.owners import is_session
from zc.zk.session.retry import attempts
from zc.zk.session.session import Session
from zc.zk.tree.access import is_masked
from zc.zk.tree.exporting import (
    RESERVED,
    Marked,
    Skip,
    check_name,
    is_at_root,
    name_of_top,
)
from zc.zk.tree.exporttext import Writer, export_text
from zc.zk.tree.leftbehind import LIMITS, QUOTA, LeftBehind

if TYPE_CHECKING:
    from zookeeper.types import Acl, AclEntry, Progress, Stat, Subtree, Znode

# Of so many nodes the ACLs are looked at where they are not written, unless all are asked for.
MAX_ACLS_LOOKED_AT = 1000

HIDDEN = "servers show the hashes in its ACL only to those who may administer it"


def _read(
    session: Session,
    path: str,
    progress: Progress | None,
    new_writer: Callable[[str], Writer | None],
) -> tuple[Subtree, Writer | None]:
    """Read a node and all below it, also behind links, and have a new writer told of them."""

    def read(path: str) -> tuple[Subtree, Writer | None]:
        writer = new_writer(path)
        tree = session.call(session.binding.read_tree, path, progress=progress, nodes=writer)
        return tree, writer

    try:
        return read(path)
    except (zookeeper.NoNodeException, zookeeper.BadArgumentsException):
        from zc.zk.watching.readers import resolve  # seldom is there a link in the path

        return read(resolve(session, path))


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
    is_strict: bool = False,
) -> str:
    """Return a subtree as text; see `zc.zk.ZooKeeper.export_tree`.

    With `skip`, nodes that cannot be read are left out, with all below them, and it is called with
    their paths and why. The one at `path` is an error all the same. `lost` is called in the end
    with sentences about what cannot be exported, if there are any; it may raise. ACLs that are not
    written are looked at for it: with `is_strict` all of them, else those of some nodes.
    """
    check_name(name)
    is_whole = is_at_root(session.connection_string)

    def named(top: str) -> tuple[str, str | None]:
        shown = name if name is not None else name_of_top(path, top)
        return shown, RESERVED if top == "/" and is_whole else None

    def writer_at(top: str) -> Writer | None:
        if acls or skip is not None or lost is not None:
            return None  # the text of a node is about others, or what is read later
        return Writer(*named(top), ephemeral=ephemeral, kinds=kinds)

    for attempt in attempts(session):
        with attempt:
            tree, writer = _read(session, path, progress, writer_at)
    if tree[0].error is not None:
        raise tree[0].error
    if writer is not None:
        return writer.whole(tree)
    top = tree[0].path  # behind all links
    top_name, reserved = named(top)
    found = _read_acls(session, tree, ephemeral, reserved, progress) if acls else None
    if found is not None and isinstance(fault := found.get(top), Exception) and top_name:
        raise fault
    marked = Marked(kinds, found)
    behind = None if lost is None else LeftBehind()
    text = export_text(
        tree, top_name, reserved, skip, ephemeral=ephemeral, marked=marked, behind=behind
    )
    if behind is not None and lost is not None:
        if not acls:
            nodes = _nodes(tree, False, reserved)  # programs make their ephemeral nodes themselves
            _note_acls(session, nodes, behind, progress, is_strict=is_strict, top_name=top_name)
        if top != "/" and is_whole:
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
    nodes = _nodes(tree, ephemeral, reserved)
    answers = read_acls(session, [node.path for node in nodes], progress)
    return {
        node.path: _whole_acl(node.path, answer)
        for node, answer in zip(nodes, answers, strict=True)
    }


def _nodes(tree: Subtree, ephemeral: bool, reserved: str | None) -> list[Znode]:
    """Return the nodes that are to be exported."""
    return [
        node
        for node in tree
        if node.error is None
        and (ephemeral or not is_session(node.ephemeralOwner))
        and not (reserved and is_at_or_below(node.path, reserved))
    ]


def _note_acls(
    session: Session,
    nodes: list[Znode],
    behind: LeftBehind,
    progress: Progress | None,
    *,
    is_strict: bool,
    top_name: str,
) -> None:
    """Look for ACLs that an import would not bring back.

    Not of all nodes unless `is_strict`: of those whose ACL was changed, and those at the top.
    """
    if len(nodes) > MAX_ACLS_LOOKED_AT and not is_strict:
        nodes = sorted(nodes, key=_promise)[:MAX_ACLS_LOOKED_AT]
        behind.note_unseen_acls()
    paths = [node.path for node in nodes]
    for node, answer in zip(nodes, read_acls(session, paths, progress), strict=True):
        if isinstance(answer, zookeeper.NoNodeException):
            continue
        if isinstance(answer, Exception):
            if not isinstance(answer, zookeeper.NoAuthException):
                raise answer
        elif answer[1] == OPEN_ACL_UNSAFE:
            continue
        behind.note_acl(node.path, is_top=node.depth == 0 and not top_name)


def _promise(node: Znode) -> tuple[bool, int]:
    """Return what nodes are sorted by: those first whose ACL may be none of the open ones."""
    stat = node.stat
    return stat is None or not stat["aversion"], node.depth


def _whole_acl(
    path: str, answer: tuple[Stat, list[AclEntry]] | zookeeper.ZooKeeperException
) -> Acl | Exception:
    """Return an ACL, or why it cannot be read: servers hide a part from some clients."""
    if isinstance(answer, Exception):
        return answer
    if is_masked(answer[1]):
        return zookeeper.error(zookeeper.NOAUTH, path, HIDDEN)
    return answer[1]
