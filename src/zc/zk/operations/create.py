"""Creating one node of any kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import zookeeper
from zc.zk import codec
from zc.zk.links import LINK, is_direct, join
from zc.zk.operations import root, subtree
from zc.zk.operations.reading import read_node
from zc.zk.operations.real import real, real_place
from zc.zk.session.session import Session

if TYPE_CHECKING:
    from zookeeper.types import Acl, Data

_FLAGS = {
    ("persistent", False): 0,
    ("persistent", True): zookeeper.SEQUENCE,
    ("container", False): zookeeper.CONTAINER,
    ("ttl", False): zookeeper.PERSISTENT_WITH_TTL,
    ("ttl", True): zookeeper.PERSISTENT_SEQUENTIAL_WITH_TTL,
}


class NewNode(NamedTuple):
    """A node to create.

    `ttl` is in milliseconds, or None; `kind` one of those of `zc.zk.owners`, but not an ephemeral
    one. With `parents`, what is missing above it is made, too.
    """

    path: str
    data: Data
    acl: Acl
    kind: str = "persistent"
    ttl: int | None = None
    is_sequential: bool = False
    parents: bool = False

    @property
    def flags(self) -> int:
        return _FLAGS[self.kind, self.is_sequential]


def create(session: Session, node: NewNode) -> str:
    """Create a node, and return its path; links above it are followed.

    Raises NodeExistsException, NoNodeException when there is nothing above it, unless `parents`,
    and UnimplementedException from servers that do not have that kind.
    """
    place = None
    if is_direct(node.path):
        try:
            return _create(session, node.path, node)
        except zookeeper.NoNodeException as missing:
            place = _real_place(session, node.path)
            if place in (None, node.path) and not node.parents:
                raise missing
    else:
        place = _real_place(session, node.path)
    if place is None and not node.parents:
        raise zookeeper.error(zookeeper.NONODE, node.path)
    if place in (None, node.path):
        make_parents(session, node.path, node.acl)
    return _create(session, place or node.path, node)


def named_above(session: Session, path: str, missing: zookeeper.NoNodeException) -> Exception:
    """Return the exception for a node that cannot be created for want of one above it.

    It names that one, or the link that leads nowhere.
    """
    hint = f"--parents makes what is missing above {path}"
    if root.is_missing(session):
        fault = f"the root {session.root} does not exist: {hint}"
        return zookeeper.error(zookeeper.NONODE, missing.path, fault)
    names = path.split("/")[1:-1]
    for count in range(len(names)):
        parent = "/" + "/".join(names[:count])
        above = join(parent, names[count])
        try:
            real(session, above)
        except zookeeper.NoNodeException:
            target = _target_of_link(session, parent, names[count])
            if target is not None:
                fault = f"the link {above} leads there"
                return zookeeper.error(zookeeper.NONODE, target, fault)
            return zookeeper.error(zookeeper.NONODE, above, hint)
    return missing


def _target_of_link(session: Session, parent: str, name: str) -> str | None:
    """Return what a link in a node, which may not be readable, is to; None without one."""
    try:
        data = read_node(session, parent).data
    except zookeeper.ZooKeeperException:
        return None
    target = codec.decode(data).get(name + LINK)
    return target if isinstance(target, str) else None


def make_parents(session: Session, path: str, acl: Acl) -> None:
    """Create what is missing above `path`, blank, be it the root of the connection string."""
    if root.is_missing(session):
        root.make(session, acl)
    if path.count("/") > 1:
        subtree.create_ancestors(session, path, acl)


def _create(session: Session, path: str, node: NewNode) -> str:
    ttl = {} if node.ttl is None else {"ttl": node.ttl}
    return session.call(session.binding.create, path, node.data, node.acl, node.flags, **ttl)


def _real_place(session: Session, path: str) -> str | None:
    """Return where a node belongs, links above it followed; None when nothing is there."""
    try:
        return real_place(session, path)
    except zookeeper.NoNodeException:
        return None
