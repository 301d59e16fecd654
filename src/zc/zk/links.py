"""Symbolic links and property links, in anything that can read nodes.

A symbolic link is a property named `name ->` of the node in which it appears; its value is the
path that it leads to. A property link is a property named `name =>`; its value is a path, followed
by a space and the name of the property there if that name differs. A relative path starts at the
node that has the link. `.` and `..` work as in Unix: `..` after a link is the parent of the node
that the link leads to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, TypeGuard

from zc.zk.errors import LinkLoop, excerpt
from zookeeper.constants import BADARGUMENTS, NONODE
from zookeeper.errors import (
    NoNodeException,
    ZooKeeperException,
    error,
)

LINK = " ->"
PROPERTY_LINK = " =>"

# Links can be endless in practice without a loop: thirty of them, each of which leads twice through
# the one before, take a thousand million steps.
MAX_LINKS = 1000


def join(base: str, name: str) -> str:
    """Make the path of the child `name` of the node at `base`."""
    return f"/{name}" if base == "/" else f"{base}/{name}"


def as_told(text: str) -> str:
    """Decode `text` as servers do, whose text is UTF-8.

    A program's arguments hold surrogates for bytes that the locale cannot decode. They make the
    same request as the decoded characters, but do not equal the name in the answer.
    """
    if text.isascii():
        return text
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text  # it has no bytes, and to send it is an error


def is_path(text: object) -> TypeGuard[str]:
    """Say whether `text` is a path, absolute or relative, for a link.

    Such a path has no blank components.
    """
    if not isinstance(text, str) or not text or "\0" in text:
        return False
    return text == "/" or all(text.removeprefix("/").split("/"))


def without_slash(path: str) -> str:
    """Return `path` without the one slash that may be behind it."""
    if isinstance(path, str) and len(path) > 1 and path.endswith("/") and path[-2] != "/":
        return path[:-1]
    return path


def check_target(path: str) -> None:
    """Raise what `check_path` raises for a path, absolute or relative, that no link can lead to."""
    if not is_path(path):
        is_relative = isinstance(path, str) and path[:1] not in ("", "/")
        check_path(f"/{path}" if is_relative else path)


def check_path(path: str) -> None:
    """Raise BadArgumentsException for a path that cannot be followed.

    The exception says why. A path with `.` and `..` can be followed. Raises TypeError unless the
    path is a str.
    """
    if not isinstance(path, str):
        raise TypeError(f"a path must be str, not {type(path).__name__}")
    if path.startswith("/") and is_path(path):
        return
    if not path:
        fault = "a path must not be empty"
    elif not path.startswith("/"):
        fault = "a path must start with '/'"
    elif "\0" in path:
        fault = "a path must not hold a null character"
    elif "//" in path:
        fault = "a path must not hold '//'"
    else:
        fault = "a path must not end with '/'"
    raise error(BADARGUMENTS, path, fault)


def is_direct(path: str) -> bool:
    """Say whether servers can find `path`, which then has no `.` or `..`."""
    return "/." not in path or not {".", ".."}.intersection(path.split("/"))


def split_property_link(value: object, name: str) -> tuple[str, str]:
    """Split the value of the property link `name` into path and property.

    Raises ValueError unless the value is `path` or `path property`.
    """
    words = value.split() if isinstance(value, str) else []
    if len(words) not in (1, 2) or not is_path(words[0]):
        raise ValueError(f"neither a path nor a path and a property: {excerpt(value)}")
    return words[0], words[1] if len(words) == 2 else name


class Resolution(NamedTuple):
    """The path that a path leads to, and the nodes that this depends on.

    The result may change when the data of a node in `read` change (a link is there), when a node in
    `missing` is created (a real child hides a link), and when `path` itself disappears. Both tuples
    are in the order of reading, without repetition, and empty if there are no links on the way.
    """

    path: str
    read: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


class LinkedProperty(NamedTuple):
    """The value that a property link leads to.

    `path` is the node, without links, and `name` the property at the end.
    """

    value: Any
    path: str
    name: str


class NotRead(Exception):
    """A resolver raises this if it has yet to read the node, and notes that."""


class Nodes(Protocol):
    """The nodes in which links are followed; see `zc.zk.resolver.Resolver`."""

    def exists(self, path: str) -> object: ...

    def get_properties(self, path: str) -> Mapping[str, Any]: ...


class Journey:
    """The resolution of one path, component by component.

    `to_go` holds the components that are left, the next one last. A link puts its own components on
    top. Until they are used up, that link is being followed, and to meet it again is a loop. Later
    it is none: `/a/link/../link` is a valid path.
    """

    def __init__(self, nodes: Nodes, path: str) -> None:
        check_path(path)
        self.nodes = nodes
        self.asked = path
        self.here = "/"
        self.to_go = _components(path)
        # Links, and how much is to go after each.
        self.being_followed: dict[str, int] = {}
        self.count = 0
        self.read: dict[str, None] = {}
        self.missing: dict[str, None] = {}

    def go(self) -> Resolution:
        if is_direct(self.asked) and self.nodes.exists(self.asked):
            return Resolution(self.asked)
        while self.to_go:
            while self.being_followed and len(self.to_go) <= next(
                reversed(self.being_followed.values())
            ):
                self.being_followed.popitem()
            component = self.to_go.pop()
            if component == "..":
                self.here = self.here.rpartition("/")[0] or "/"
            elif self.nodes.exists(child := join(self.here, component)):
                self.here = child
            else:
                self.missing[child] = None
                self.follow(child, component)
        return Resolution(self.here, tuple(self.read), tuple(self.missing))

    def follow(self, link: str, name: str) -> None:
        try:
            target = self.nodes.get_properties(self.here).get(name + LINK)
        except NoNodeException:
            raise self.no_node() from None
        if not is_path(target):
            raise self.no_node()
        self.read[self.here] = None
        self.count += 1
        if link in self.being_followed or self.count > MAX_LINKS:
            raise LinkLoop((*self.being_followed, link))
        self.being_followed[link] = len(self.to_go)
        self.to_go += _components(target)
        if target.startswith("/"):
            self.here = "/"

    def no_node(self) -> ZooKeeperException:
        return error(NONODE, self.asked)


def _components(path: str) -> list[str]:
    """Split a path into components, the first one last, without `.` and blanks."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


def absolute(base: str, path: str) -> str:
    """Make `path`, which may be relative to the node at `base`, absolute."""
    return path if path.startswith("/") else join(base, path)
