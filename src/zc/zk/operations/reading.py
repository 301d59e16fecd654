"""Reading one node, or one property of it, by a path that may have links in it."""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from collections.abc import Callable
from operator import methodcaller
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import zookeeper
from zc.zk import codec
from zc.zk.links import PROPERTY_LINK
from zc.zk.naturalorder import sorted_naturally
from zc.zk.operations.real import at_node
from zc.zk.session.retry import attempts
from zc.zk.session.session import Session

if TYPE_CHECKING:
    from zookeeper.types import Stat
else:
    Stat = Any  # a large module, for a type

T = TypeVar("T")


class Node(NamedTuple):
    """A node as it was read, under its own path."""

    path: str
    data: str | None
    stat: Stat


def locate(session: Session, path: str) -> tuple[str, Stat]:
    """Return the path and the stat of the node that `path` leads to; no ACL keeps anybody out.

    Raises NoNodeException, and LinkLoop.
    """

    def look(real_path: str) -> tuple[str, Stat]:
        stat = session.call(session.binding.exists, real_path)
        if stat is None:
            raise zookeeper.error(zookeeper.NONODE, path)
        return real_path, stat

    return _again(session, path, look)


def read_node(session: Session, path: str) -> Node:
    """Read the node that `path` leads to. Raises NoNodeException, NoAuthException and LinkLoop."""

    def read(real_path: str) -> Node:
        return Node(real_path, *session.call(session.binding.get, real_path))

    return _again(session, path, read)


def child_names(session: Session, path: str) -> list[str]:
    """Return the names of a node's children, in natural order; raises what `read_node` does."""

    def read(real_path: str) -> list[str]:
        return session.call(session.binding.get_children, real_path)

    return sorted_naturally(_again(session, path, read))


def read_property(session: Session, path: str, name: str) -> tuple[Node, Any]:
    """Read a node and one property of it, links followed.

    Raises LookupError if there is no such property, and BadPropertyLink.
    """
    from zc.zk.watching.readers import NodeReader, SessionSource

    for attempt in attempts(session):
        with attempt:
            node = read_node(session, path)
            properties = codec.decode(node.data, node.path)
            if name in properties:
                return node, properties[name]
            link = name + PROPERTY_LINK
            if link not in properties:
                raise LookupError(name)
            find = methodcaller("follow_property_link", node.path, name, properties[link])
            return node, NodeReader(SessionSource(session)).complete(find).value
    raise AssertionError("the last attempt returns or raises")


def _again(session: Session, path: str, read: Callable[[str], T]) -> T:
    """Read at the node that `path` leads to, as often as connections break."""
    for attempt in attempts(session):
        with attempt:
            return at_node(session, path, read)
    raise AssertionError("the last attempt returns or raises")
