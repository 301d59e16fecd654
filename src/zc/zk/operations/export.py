"""Trees as text, from the servers. Little is imported here: commands that export start quickly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import zookeeper
from zc.zk.session.retry import attempts
from zc.zk.session.session import Session
from zc.zk.tree.exporting import RESERVED, Skip, check_name, exported, is_at_root, name_of_top
from zc.zk.tree.render import render

if TYPE_CHECKING:
    from zookeeper.types import Progress, Subtree


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
    progress: Progress | None = None,
    skip: Skip | None = None,
) -> str:
    """Return a subtree as text; see `zc.zk.ZooKeeper.export_tree`.

    With `skip`, nodes that cannot be read are left out, with all below them, and it is called with
    their paths and why. The one at `path` is an error all the same.
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
    return "".join(render(exported(tree, top_name, reserved, skip, ephemeral=ephemeral)))
