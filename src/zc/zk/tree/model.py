"""A parsed tree: nodes with properties and children, and links among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from zc.zk import codec
from zc.zk._speedups import Fields
from zc.zk.errors import printable
from zc.zk.resolver import Resolver
from zc.zk.tree.marks import Marks
from zookeeper.constants import NONODE
from zookeeper.errors import error

if TYPE_CHECKING:
    from zc.zk.tree.layout import Layout


class RawData:
    """Data that a node is to hold exactly, whatever properties they stand for."""

    __slots__ = ("data",)

    def __init__(self, data: str | None) -> None:
        self.data = data

    def __eq__(self, other: object) -> bool:
        return self.data == other.data if isinstance(other, RawData) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.data)

    def __repr__(self) -> str:
        return f"RawData({self.data!r})"


class ParseNode(Fields):
    """A node of a parsed tree.

    `name` is the last component of its path, '' for the root; `properties` a dictionary, in which
    links are `name ->` and property links `name =>`; `children` a dictionary of nodes by name;
    `parent` the node above, None for the root. `raw` holds the data themselves where the text gives
    them as a whole; the properties are then what they stand for. `layout` is how the properties are
    laid out as JSON, None for the library's own way. `marks` are the node's ACL and kind, None for
    a permanent node whose ACL nothing is said about.

    Children may also be given as keywords, `ParseNode(a=ParseNode())`: each gets the keyword as its
    name if it has none of its own.

    `parse_tree` calls a subclass with the name only, and sets the rest.
    """

    def __init__(
        self,
        name: str = "",
        properties: dict[str, Any] | None = None,
        children: Mapping[str, ParseNode] | ParseNode | None = None,
        **nodes: ParseNode,
    ) -> None:
        self.name = name
        self.properties: dict[str, Any] = {} if properties is None else properties
        self.children: dict[str, Any] = {}
        self.parent: Any = None
        self.raw: RawData | None = None
        self.layout: Layout | None = None
        self.marks: Marks | None = None
        if isinstance(children, ParseNode):  # one that is called so
            nodes["children"] = children
        elif children:
            for child in children.values():
                self.add(child)
        for key, child in nodes.items():
            child.name = child.name or key
            self.add(child)

    def add(self, child: ParseNode) -> None:
        """Put `child` under this node, in place of one with the same name."""
        self.children[child.name] = child
        child.parent = self

    @property
    def path(self) -> str:
        """The path from the root, '/' for the root."""
        names: list[str] = []
        node = self
        while node.parent is not None:
            names.append(node.name)
            node = node.parent
        return "/" + "/".join(reversed(names))

    @property
    def data(self) -> str | None:
        """The data that the node is to hold in ZooKeeper; see `codec.encode`."""
        if (plain := self.plain_data()) is not None:
            return plain
        if self.raw is not None:
            return self.raw.data
        if self.layout is not None:
            return self.layout.encode(self.properties)
        return codec.encode(self.properties)

    def walk(self: Node) -> Iterator[tuple[int, Node]]:
        """Yield (depth, node), depth first from this one at 0, children by name."""
        to_do: list[tuple[int, Node]] = [(0, self)]
        while to_do:
            depth, node = to_do.pop()
            yield depth, node
            if node.children:
                names = sorted(node.children, reverse=True)
                to_do += [(depth + 1, node.children[name]) for name in names]

    def __repr__(self) -> str:
        return printable(f"<{type(self).__name__} {self.path}>")


# Behind its bound: a bound that is text would be compiled.
Node = TypeVar("Node", bound=ParseNode)


class TreeResolver(Resolver, Generic[Node]):
    """Follows symbolic and property links within a parsed tree."""

    def __init__(self, root: Node) -> None:
        self.root = root

    def find(self, path: str) -> Node | None:
        """Return the node at `path`, links not followed, or None."""
        node: Node | None = self.root
        for name in path.split("/")[1:] if path != "/" else ():
            if node is None:
                return None
            node = node.children.get(name)
        return node

    def node(self, path: str) -> Node:
        """Return the node that `path` leads to; raise what `resolve` does."""
        node = self.find(self.resolve(path))
        assert node is not None
        return node

    def exists(self, path: str) -> bool:
        return self.find(path) is not None

    def get_properties(self, path: str) -> Mapping[str, Any]:
        node = self.find(path)
        if node is None:
            raise error(NONODE, path)
        return node.properties
