"""The objects of templates: nodes, properties, links and providers. None can be changed.

Their contents were written by anybody who may write to ZooKeeper, and go into files in which a line
means something. So a text with a line break, or another control character, is refused, unless the
template asks for such by `lines=True`.

Pure: a source says what there is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from zc.zk.errors import excerpt
from zc.zk.links import LINK, PROPERTY_LINK, absolute, join, split_property_link
from zc.zk.naturalorder import natural_key, sorted_naturally
from zc.zk.rendering.faults import BadArgument, TooFew
from zc.zk.rendering.lines import checked
from zc.zk.rendering.onestate import OneState
from zc.zk.rendering.source import Source, SourceNode, SourceProvider, SourceTree

_NO_IDENTIFIER = re.compile(r"[^A-Za-z0-9_.-]")


class Properties(Mapping[str, Any]):
    """The properties of a node. A property link reads as what it leads to."""

    def __init__(
        self,
        path: str,
        stored: Mapping[str, Any],
        linked: Callable[[], Mapping[str, Any]] | None = None,
        *,
        lines: bool = False,
    ) -> None:
        self._path = path
        self._stored = stored
        self._linked = linked
        self._lines = lines

    def __getitem__(self, name: str) -> Any:
        if name not in self._stored and f"{name}{PROPERTY_LINK}" in self._stored:
            if self._linked is None:
                raise KeyError(name)
            value = self._linked()[name]
        else:
            value = self._stored[name]
        return checked(value, f"property {name!r} of {self._path}", lines=self._lines)

    def __iter__(self) -> Iterator[str]:
        for name in sorted(self._stored):
            yield checked(name, f"the name of a property of {self._path}", lines=self._lines)

    def __len__(self) -> int:
        return len(self._stored)

    def __str__(self) -> str:
        return self._path

    def _plain(self) -> dict[str, Any]:
        """Return all as they are stored, for what escapes them."""
        return dict(self._stored)


class Link:
    """A link in the properties of a node: `path` is where it leads, `property` which one there."""

    def __init__(
        self, given: Given, at: str, value: object, name: str, *, is_property: bool
    ) -> None:
        self._given = given
        self.name = name
        self.property: str | None = None
        target = value if isinstance(value, str) else ""
        if is_property:
            target, self.property = split_property_link(value, name)
        self.path = absolute(at, checked(target, f"link {name!r} of {at}"))

    def __str__(self) -> str:
        return self.path

    @property
    def properties(self) -> Properties:
        return self._given.properties(self.path)

    @property
    def children(self) -> list[str]:
        return self._given.children(self.path)

    @property
    def node(self) -> Node:
        return self._given.tree(self.path)

    def providers(self, **words: Any) -> list[Provider]:
        return self._given.providers(self.path, **words)


class Node:
    """A node of a live tree: `children` are nodes too, in natural order."""

    def __init__(
        self, given: Given, tree: SourceTree, node: SourceNode, *, lines: bool = False
    ) -> None:
        self._given = given
        self._tree = tree
        self._node = node
        self._lines = lines
        self.path = checked(node.path, "a path", lines=lines)
        self.name = self.path.rpartition("/")[2]

    def __str__(self) -> str:
        return self.path

    def __getitem__(self, name: str) -> Node:
        """Return a node below this one, by its relative path."""
        node = self.get(name)
        if node is None:
            raise KeyError(name)
        return node

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def get(self, name: str) -> Node | None:
        """Return a node below this one, by its relative path, or None."""
        return self._at(join(self.path, name.strip("/")))

    @property
    def data(self) -> str:
        """The data, '' for none."""
        return checked(self._readable().data or "", f"the data of {self.path}", lines=self._lines)

    @property
    def properties(self) -> Properties:
        def linked() -> Mapping[str, Any]:
            return self._given.source.properties(self.path)[0]

        return Properties(self.path, self._readable().properties, linked, lines=self._lines)

    @property
    def links(self) -> dict[str, Link]:
        """The symbolic links among the properties, by name."""
        return self._links(LINK)

    @property
    def property_links(self) -> dict[str, Link]:
        """The property links, by name."""
        return self._links(PROPERTY_LINK)

    @property
    def is_ephemeral(self) -> bool:
        return bool(self._node.ephemeralOwner)

    @property
    def children(self) -> list[Node]:
        self._readable()
        paths = (join(self.path, name) for name in sorted_naturally(self._node.children))
        # One that has gone in this moment is told of by the next change.
        return [node for node in map(self._at, paths) if node is not None]

    def walk(self) -> Iterator[Node]:
        """Yield this node and all nodes below, depth first, in natural order."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += reversed(node.children)

    def _at(self, path: str) -> Node | None:
        node = self._tree.get(path)
        return None if node is None else Node(self._given, self._tree, node, lines=self._lines)

    def _readable(self) -> SourceNode:
        if self._node.error is not None:
            raise self._node.error
        return self._node

    def _links(self, arrow: str) -> dict[str, Link]:
        is_property = arrow == PROPERTY_LINK
        return {
            (name := stored.removesuffix(arrow)): Link(
                self._given, self.path, value, name, is_property=is_property
            )
            for stored, value in sorted(self._readable().properties.items())
            if stored.endswith(arrow)
        }


class Provider:
    """A registered server that can be called at `host` and `port`."""

    def __init__(self, path: str, provider: SourceProvider, *, lines: bool) -> None:
        self.address = provider.address
        self.host = provider.host
        self.port = provider.port
        self.is_draining = provider.is_draining
        self.properties = Properties(join(path, self.address), provider.properties, lines=lines)

    @property
    def name(self) -> str:
        """The address as an identifier: letters, digits, `_`, `.` and `-`."""
        return identifier(self.address)

    def __str__(self) -> str:
        return self.address


class Given:
    """The functions of templates, over a source, for one text.

    `counts` are the lengths of the lists that were asked for, by path, whatever was left out.
    """

    def __init__(self, source: Source) -> None:
        self.source = OneState(source)
        self.counts: dict[str, int] = {}

    def tree(self, path: str = "/", depth: int | None = None, *, lines: bool = False) -> Node:
        path = _path(path)
        if depth is not None:
            _check_count("depth", depth)
        top, tree = self.source.tree(path, depth)
        node = tree.get(top)
        if node is None:
            from zookeeper.constants import NONODE
            from zookeeper.errors import error

            raise error(NONODE, path)
        return Node(self, tree, node, lines=lines)

    def children(self, path: str, *, min: int = 0) -> list[str]:
        path = _path(path)
        _check_count("min", min)
        names = sorted_naturally(self.source.children(path))
        self.counts[path] = len(names)
        if len(names) < min:
            raise TooFew(path, len(names), min, "children")
        return [checked(name, f"the name of a child of {path}") for name in names]

    def properties(self, path: str, *, lines: bool = False) -> Properties:
        path = _path(path)
        linked, stored = self.source.properties(path)
        return Properties(path, stored, lambda: linked, lines=lines)

    def providers(
        self, path: str, *, min: int = 1, draining: bool = False, lines: bool = False
    ) -> list[Provider]:
        path = _path(path)
        _check_count("min", min)
        registered = self.source.providers(path)
        # Those that are draining have not vanished.
        self.counts[path] = len(registered)
        found = [
            Provider(path, each, lines=lines)
            for each in registered
            if draining or not each.is_draining
        ]
        if len(found) < min:
            raise TooFew(path, len(found), min, "providers")
        return sorted(found, key=lambda each: natural_key(each.address))

    def exists(self, path: str) -> bool:
        return self.source.exists(_path(path))


def _path(given: object) -> str:
    """Return a path, also that of a node or a link. Raises BadArgument."""
    if isinstance(given, (Node, Link)):
        return given.path
    if not isinstance(given, str):
        # Something that is not there says so itself when it becomes text.
        raise BadArgument(f"a path is text, as '/a/b', or a node: {excerpt(str(given))}")
    return given


def _check_count(name: str, given: object) -> None:
    if not isinstance(given, int) or isinstance(given, bool) or given < 0:
        raise BadArgument(f"{name} is a number, 0 or more: {excerpt(str(given))}")


def identifier(value: object) -> str:
    """Return a text as an identifier: what is no letter, digit, `_`, `.` or `-` is `_`."""
    return _NO_IDENTIFIER.sub("_", str(value))
