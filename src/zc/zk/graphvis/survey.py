"""Which units a system has, and how links connect them."""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from zc.zk.errors import BadPropertyLink, LinkLoop
from zc.zk.links import LINK, PROPERTY_LINK, join
from zc.zk.tree.model import ParseNode, TreeResolver
from zookeeper.errors import ZooKeeperException

PROVIDERS = "providers"


class Unit(NamedTuple):
    """One box of the picture.

    `providers` are the names of the children of the node `providers`, None if there is no such
    node. `is_outside` is true of a unit that is drawn only because of a link to it. `inside` is 0,
    or the number of services that the box stands for, of which `lifeless` have no providers.
    """

    path: str
    type: str | None
    providers: Sequence[str] | None
    is_outside: bool = False
    inside: int = 0
    lifeless: int = 0


class Edge(NamedTuple):
    """Links that lead from one unit to another.

    `names` say which ones: paths relative to the source. If `fault` is set, they lead nowhere, and
    `target` is what they say.
    """

    source: str
    target: str
    names: Sequence[str]
    is_property_link: bool = False
    fault: str | None = None


class System(NamedTuple):
    """The units of a tree, sorted by path, and the edges between them."""

    units: Sequence[Unit]
    edges: Sequence[Edge]


def system(tree: ParseNode, top: str = "/") -> System:
    """Find the units at and below the path `top` of a parsed tree, and links."""
    return _Survey(tree, top).result()


class _Survey:
    def __init__(self, tree: ParseNode, top: str) -> None:
        self.resolver = TreeResolver(tree)
        self.top = top
        self.units: dict[str, Unit] = {}
        self.names: dict[tuple[str, str, bool, str | None], list[str]] = {}

    def result(self) -> System:
        top = self.resolver.node(self.top)
        nodes = [(node.path, node) for _, node in top.walk()]
        for path, node in nodes:
            if path != "/" and _is_unit(node):
                self.add_unit(path)
        for path, node in nodes:
            for key, value in sorted(node.properties.items()):
                if key.endswith(LINK) and key.removesuffix(LINK) not in node.children:
                    self.follow(path, key.removesuffix(LINK), value, is_property_link=False)
                elif key.endswith(PROPERTY_LINK):
                    name = key.removesuffix(PROPERTY_LINK)
                    self.follow(path, name, value, is_property_link=True)
        units = [self.units[path] for path in sorted(self.units)]
        return System(units, [Edge(*key[:2], names, *key[2:]) for key, names in self.edges()])

    def edges(self) -> Iterable[tuple[tuple[str, str, bool, str | None], list[str]]]:
        return sorted(self.names.items(), key=lambda item: (*item[0][:3], item[0][3] or ""))

    def add_unit(self, path: str) -> str:
        if path not in self.units:
            node = self.resolver.find(path)
            assert node is not None
            providers = node.children.get(PROVIDERS)
            kind = node.properties.get("type")
            self.units[path] = Unit(
                path,
                kind if isinstance(kind, str) else None,
                None if providers is None else sorted(providers.children),
                is_outside=not _is_at_or_below(path, self.top),
            )
        return path

    def unit_of(self, path: str) -> str:
        """Return the path of the unit that a node is, or is part of."""
        node = self.resolver.find(path)
        while node is not None and node.parent is not None:
            if _is_unit(node):
                return self.add_unit(node.path)
            node = node.parent
        parent, _, name = path.rpartition("/")
        return self.add_unit(parent if name == PROVIDERS and parent else path)

    def follow(self, path: str, name: str, value: object, *, is_property_link: bool) -> None:
        source = self.unit_of(path)
        fault = None
        try:
            if is_property_link:
                found = self.resolver.follow_property_link(path, name, value)
                target = self.unit_of(found.path)
            else:
                target = self.unit_of(self.resolver.resolve(join(path, name)))
        except (BadPropertyLink, LinkLoop, ZooKeeperException) as broken:
            target = value if isinstance(value, str) else repr(value)
            fault = broken.reason if isinstance(broken, BadPropertyLink) else str(broken)
        if target == source and fault is None:
            return
        place = path.removeprefix(source).strip("/")
        label = "/".join(part for part in (place, name if name != PROVIDERS else "") if part)
        names = self.names.setdefault((source, target, is_property_link, fault), [])
        names.append(label or name)


def _is_unit(node: ParseNode) -> bool:
    return PROVIDERS in node.children or isinstance(node.properties.get("type"), str)


def _is_at_or_below(path: str, top: str) -> bool:
    return path == top or path.startswith(top.rstrip("/") + "/")
