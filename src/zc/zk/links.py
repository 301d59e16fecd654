"""Following symbolic links and property links, over anything that can read nodes.

A symbolic link is a property named `name ->` of the node in which it appears; its value is the
path it leads to. A property link is a property named `name =>`; its value is a path, and after a
space the name of the property there when that is another one. Relative paths start at the node
that has the link, and `.` and `..` mean what they mean to Unix: `..` after a link is the parent
of the node that the link led to.
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

# Links need not form a loop to be endless for all practical purposes: thirty of them, each leading
# through the one before twice, take a thousand million steps.
MOST_LINKS = 1000


def join(base: str, name: str) -> str:
    """The path of the child `name` of the node at `base`."""
    return f"/{name}" if base == "/" else f"{base}/{name}"


def as_told(text: str) -> str:
    """`text` as servers tell it, whose text is UTF-8.

    What a program has from its arguments stands for bytes where the locale has no characters for
    them. These make the same request, but are not equal to the name that comes back.
    """
    if text.isascii():
        return text
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text  # no bytes stand for it, and whoever sends it says so


def is_path(text: object) -> TypeGuard[str]:
    """Whether a link can lead to `text`: a path, absolute or relative, without blank components."""
    if not isinstance(text, str) or not text or "\0" in text:
        return False
    return text == "/" or all(text.removeprefix("/").split("/"))


def check_path(path: str) -> None:
    """Raise BadArgumentsException, with the reason, for a path that cannot be followed.

    Those with `.` and `..` in them can. Raises TypeError for what is no text.
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
    """Whether ZooKeeper itself can look for `path`, as it has no `.` or `..` in it."""
    return "/." not in path or not {".", ".."}.intersection(path.split("/"))


def split_property_link(value: object, name: str) -> tuple[str, str]:
    """The path and the property that the property link `name` with this value leads to.

    Raises ValueError when the value is not `path` or `path property`.
    """
    words = value.split() if isinstance(value, str) else []
    if len(words) not in (1, 2) or not is_path(words[0]):
        raise ValueError(f"neither a path nor a path and a property: {excerpt(value)}")
    return words[0], words[1] if len(words) == 2 else name


class Resolution(NamedTuple):
    """Where a path leads, and what that depends on.

    It may lead elsewhere once the data of one of `read` change (a link lives there), or one of
    `missing` is created (a real child hides a link), besides the disappearance of `path` itself.
    Both are in the order of reading, each path once; both are empty when no link was followed.
    """

    path: str
    read: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


class LinkedProperty(NamedTuple):
    """The value that a property link leads to.

    `path` is the node, links resolved, and `name` the property at which following ended.
    """

    value: Any
    path: str
    name: str


class NotRead(Exception):
    """Raised by a resolver that cannot tell yet what it is asked for, and notes that it was."""


class Nodes(Protocol):
    """What links are followed in; see `zc.zk.resolver.Resolver`."""

    def exists(self, path: str) -> object: ...

    def get_properties(self, path: str) -> Mapping[str, Any]: ...


class Journey:
    """One path being resolved, component by component.

    `to_go` holds the components that are left, the next one last. A link's own components are put
    on top of it; until they are used up again that link is being followed, and meeting it once
    more is a loop. Meeting it after that is none: `/a/link/../link` is a fine path.
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
        if link in self.being_followed or self.count > MOST_LINKS:
            raise LinkLoop((*self.being_followed, link))
        self.being_followed[link] = len(self.to_go)
        self.to_go += _components(target)
        if target.startswith("/"):
            self.here = "/"

    def no_node(self) -> ZooKeeperException:
        return error(NONODE, self.asked)


def _components(path: str) -> list[str]:
    """The components of a path, the first one last, without those that mean nothing."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


def absolute(base: str, path: str) -> str:
    """The path of what is at `path`, absolute or relative to the node at `base`."""
    return path if path.startswith("/") else join(base, path)
