"""The picture of the system, drawn again when it has changed.

The page does not get Graphviz's SVG, which it would have to parse as markup, but a list of the
shapes in it, and makes elements of these that are allowed to be nothing else. A tree too
large for a picture is drawn in groups, and one too large for that comes as a list of its services.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
import json
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple
from xml.etree import ElementTree

from zc.zk import graphvis
from zc.zk.browse.watchedtree import TOP, WatchedTree
from zc.zk.errors import printable
from zc.zk.tree.model import ParseNode, TreeResolver

SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}"

KINDS = {"node", "edge", "cluster"}

# Elements that Graphviz uses, and their attributes that can only show something.
SHAPES = {"polygon", "path", "polyline", "ellipse", "text"}
ATTRIBUTES = {
    "points", "d", "cx", "cy", "rx", "ry", "x", "y", "fill", "stroke", "stroke-width",
    "stroke-dasharray", "text-anchor", "font-size", "font-weight",
}  # fmt: skip

# Services that a list has at most, and links that it has of each.
MAX_LISTED = 10_000
MAX_LINKS = 5

# Pictures that are kept, each of another part of the tree.
MAX_PICTURES = 8

# To look at a large tree takes a second: it is left alone for so many times as long.
REST = 4


class NothingDrawn(LookupError):
    """There is no such node, or it is not shown."""


class Shown(NamedTuple):
    """A part of the tree as the page shows it: a drawing, unless there is a list."""

    source: str  # in Graphviz's language, '' for a list
    groups: set[str]  # the paths of boxes that can be opened
    services: list[dict[str, Any]]
    total: int


class Diagram:
    """Draws the system in a tree, one picture at a time.

    `version` counts changes: a picture is made anew only of another version, and not before the
    tree has been left alone for a while.
    """

    def __init__(self, tree: WatchedTree, version: Callable[[], int]) -> None:
        self._tree = tree
        self._version = version
        self._lock = threading.Lock()
        # By the path of a part, the last one that was asked for at the end: what is shown, and of
        # which version.
        self._shown: dict[str, tuple[int, Shown]] = {}
        self._pictures: dict[str, tuple[str, bytes]] = {}
        self._parsed: tuple[int, ParseNode] | None = None
        self._due = 0.0

    def svg(self, top: str = TOP) -> bytes:
        """Draw the picture of this moment. Raise GraphvizError, NothingDrawn."""
        with self._lock:
            shown = self._look(top)
            if not shown.source:
                raise NothingDrawn("there is no picture, as it would have too many boxes")
            return self._draw(top, shown.source)

    def shown(self, top: str = TOP) -> str:
        """Return what there is to see, as JSON: a picture's shapes, or services.

        `due` is in how many seconds there will be a newer one, 0 if this is the newest.
        """
        with self._lock:
            shown = self._look(top)
            told: dict[str, Any] = {"top": top, "due": self._seconds_until_due(top)}
            if shown.source:
                told |= shapes_of(self._draw(top, shown.source), shown.groups)
            else:
                told |= {"services": shown.services, "count": shown.total}
        return json.dumps(told)

    def _look(self, top: str) -> Shown:
        """Return what is shown of a part. With the lock."""
        version = self._version()
        made = self._shown.pop(top, None)
        if made is None or (made[0] != version and time.monotonic() >= self._due):
            started = time.monotonic()
            made = version, show(self._read(version), top)
            self._rest(started)
        self._shown[top] = made
        while len(self._shown) > MAX_PICTURES:
            oldest = next(iter(self._shown))
            del self._shown[oldest]
            self._pictures.pop(oldest, None)
        return made[1]

    def _seconds_until_due(self, top: str) -> float:
        is_new = self._shown[top][0] == self._version()
        return 0 if is_new else max(0.1, round(self._due - time.monotonic(), 1))

    def _read(self, version: int) -> ParseNode:
        if self._parsed is None or self._parsed[0] != version:
            self._parsed = version, parsed(self._tree)
        return self._parsed[1]

    def _draw(self, top: str, source: str) -> bytes:
        drawn = self._pictures.get(top)
        if drawn is None or drawn[0] != source:
            started = time.monotonic()
            drawn = self._pictures[top] = source, graphvis.picture(source, "svg")
            self._rest(started)
        return drawn[1]

    def _rest(self, started: float) -> None:
        """Leave the tree alone for a while after work that began then."""
        now = time.monotonic()
        self._due = max(self._due, now + (now - started) * REST)


def show(tree: ParseNode, top: str) -> Shown:
    """Choose how a part of a tree is shown. Raise NothingDrawn."""
    if not top.startswith("/") or TreeResolver(tree).find(top) is None:
        raise NothingDrawn(f"there is no node {printable(top)}")
    system = graphvis.system(tree, top)
    drawn = system if graphvis.is_drawable(system) else graphvis.clustered(system, top)
    if graphvis.is_drawable(drawn):
        groups = {unit.path for unit in drawn.units if unit.inside and not unit.is_outside}
        return Shown(graphvis.dot(drawn, live=True), groups, [], len(system.units))
    return Shown("", set(), listed(system), sum(not unit.is_outside for unit in system.units))


def listed(system: graphvis.System) -> list[dict[str, Any]]:
    """Return the services of a system, and what else would have a box, as a list."""
    links: dict[str, list[str]] = {}
    broken: dict[str, int] = {}
    for edge in system.edges:
        if edge.fault:
            broken[edge.source] = broken.get(edge.source, 0) + len(edge.names)
        else:
            links.setdefault(edge.source, []).append(edge.target)
    inside = [unit for unit in system.units if not unit.is_outside]
    return [
        {
            "path": unit.path,
            "type": unit.type,
            "providers": None if unit.providers is None else len(unit.providers),
            "links": links.get(unit.path, [])[:MAX_LINKS],
            "more": max(0, len(links.get(unit.path, [])) - MAX_LINKS),
            "broken": broken.get(unit.path, 0),
        }
        for unit in inside[:MAX_LISTED]
    ]


def shapes_of(svg: bytes, opened: set[str] | frozenset[str] = frozenset()) -> dict[str, Any]:
    """Take Graphviz's picture apart: view box, transformation, groups of shapes.

    A group has a kind, 'node', 'edge' or 'cluster', for nodes the path of the unit, a tooltip, and
    shapes as (name, attributes, text). It `opens` if there is a picture of what it stands for.
    """
    root = ElementTree.fromstring(svg)
    graph = root.find(f"{SVG}g")
    groups = [
        _group(element, opened) for element in root.iter(f"{SVG}g") if element.get("class") in KINDS
    ]
    return {
        "box": root.get("viewBox"),
        "transform": graph.get("transform") if graph is not None else None,
        "groups": groups,
    }


def _group(element: ElementTree.Element, opened: set[str] | frozenset[str]) -> dict[str, Any]:
    tooltips = [link.get(f"{XLINK}title", "") for link in element.iter(f"{SVG}a")]
    path = graphvis.unit_path(element.findtext(f"{SVG}title", ""))
    return {
        "kind": element.get("class"),
        "path": path,
        "opens": element.get("class") == "node" and path in opened,
        "tooltip": max(tooltips, default=""),
        "shapes": [
            (
                part.tag.removeprefix(SVG),
                {name: value for name, value in part.items() if name in ATTRIBUTES},
                part.text if part.tag == f"{SVG}text" else None,
            )
            for part in element.iter()
            if part.tag.removeprefix(SVG) in SHAPES
        ],
    }


def parsed(tree: WatchedTree) -> ParseNode:
    """Return the tree as its text would be parsed."""
    nodes = {TOP: ParseNode()}
    for watched in tree.nodes():
        parent, _, name = watched.path.rpartition("/")
        above = nodes.get(parent or TOP)
        if name and above is not None:
            node = nodes[watched.path] = ParseNode(name, dict(watched.properties))
            above.add(node)
    return nodes[TOP]
