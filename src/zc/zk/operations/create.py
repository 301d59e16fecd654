"""Creating one node of any kind."""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from typing import TYPE_CHECKING, Any, NamedTuple

import zookeeper
from zc.zk.links import is_direct, join
from zc.zk.operations import root, subtree
from zc.zk.operations.real import leads_nowhere, link_at, place_to_make, real, real_place
from zc.zk.session.session import Session

if TYPE_CHECKING:
    from zookeeper.types import Acl, Data
else:
    Acl = Data = Any  # a large module, for a type

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

    Raises NodeExistsException, also when a link is in its place, which the node would hide,
    NoNodeException when there is nothing above it, unless `parents`, or a link that leads nowhere,
    and UnimplementedException from servers that do not have that kind.
    """
    place = node.path
    if place == "/" and root.is_missing(session):
        root.make(session, node.acl)
        session.call(session.binding.set, place, node.data)
        return place
    if is_direct(place):
        try:
            return _create(session, place, node)
        except zookeeper.NoNodeException as missing:
            if node.parents:
                place = _with_parents(session, place, node.acl)
            else:
                place = real_place(session, place)
                if place == node.path:
                    raise missing
    else:
        place = real_place(session, place)
    return _create(session, place, node)


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
            target = link_at(session, join(real(session, parent), names[count]))
            if target is not None:
                return leads_nowhere(above, target)
            return zookeeper.error(zookeeper.NONODE, above, hint)
    return missing


def place_of(session: Session, node: NewNode) -> str:
    """Return where a node belongs, links above it followed, with its parents made if it says so.

    Raises NoNodeException, and NodeExistsException when a link is there.
    """
    if node.parents:
        place = _with_parents(session, node.path, node.acl)
    else:
        place = real_place(session, node.path)
    _require_no_link(session, place)
    return place


def _with_parents(session: Session, path: str, acl: Acl) -> str:
    """Create what is missing above `path`, blank, and return where that leads to, links followed.

    That may be the root of the connection string. Raises NoNodeException for a link above that
    leads nowhere.
    """
    if root.is_missing(session):
        root.make(session, acl)
    parent, _, name = path.rpartition("/")
    place = join(place_to_make(session, parent or "/"), name)
    if place.count("/") > 1:
        subtree.create_ancestors(session, place, acl)
    return place


def _require_no_link(session: Session, place: str) -> None:
    """Raise NodeExistsException if there is a link at `place`, which a node would hide."""
    target = link_at(session, place)
    if target is not None:
        fault = f"it is a link to {target}, which a node would hide"
        raise zookeeper.error(zookeeper.NODEEXISTS, place, fault)


def _create(session: Session, path: str, node: NewNode) -> str:
    if not node.is_sequential:
        _require_no_link(session, path)
    ttl = {} if node.ttl is None else {"ttl": node.ttl}
    return session.call(session.binding.create, path, node.data, node.acl, node.flags, **ttl)
