"""Reading subtrees with all that a copy has to have: data, ACLs, and kinds of nodes."""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from typing import TYPE_CHECKING, NamedTuple

import zookeeper
from zc.zk.links import is_within
from zc.zk.operations.subtree import reserved
from zc.zk.session.retry import attempts
from zc.zk.session.session import Session
from zc.zk.tree.access import is_masked
from zc.zk.tree.aclchange import Lists
from zc.zk.tree.copies import Original

if TYPE_CHECKING:
    from zookeeper.types import Progress


class Originals(NamedTuple):
    """The nodes of a subtree by path, parents first; none was read before the change `zxid`.

    `ephemerals` are the paths of those that go with a session, which are not among `nodes`.
    """

    nodes: dict[str, Original]
    ephemerals: list[str]
    zxid: int


def read_originals(session: Session, path: str, progress: "Progress | None" = None) -> Originals:
    """Read a node and all below it, but not ZooKeeper's own nodes.

    Raises NoNodeException, also for a node that vanishes meanwhile, and NoAuthException for one
    that may not be read.
    """
    for attempt in attempts(session):
        with attempt:
            tree = session.call(session.binding.read_tree, path, progress=progress)
    lists = Lists()
    nodes: dict[str, Original] = {}
    ephemerals: list[str] = []
    spared = reserved(session)
    if spared is not None and is_within(path, spared):
        spared = None
    found = []
    for node in tree:
        if spared is not None and is_within(node.path, spared):
            continue
        if node.error is not None:
            raise node.error
        if node.ephemeralOwner:
            ephemerals.append(node.path)
        else:
            found.append(node)
    for attempt in attempts(session):
        with attempt:
            acls = session.call(session.binding.get_acl_many, [node.path for node in found])
    for node, answer in zip(found, acls, strict=True):
        if isinstance(answer, zookeeper.ZooKeeperException):
            raise answer
        stat, acl = answer
        if is_masked(acl):
            raise zookeeper.error(
                zookeeper.NOAUTH, node.path, "servers show its ACL to its administrators only"
            )
        nodes[node.path] = Original(
            node.data,
            lists.one(acl),
            node.version,
            stat["aversion"],
            stat["czxid"],
        )
    return Originals(nodes, ephemerals, tree.zxid)
