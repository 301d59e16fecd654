"""The picture of the system, drawn again when it has changed.

The page does not get Graphviz's SVG, which it would have to parse as markup, but a list of the
shapes in it, and makes elements of these that are allowed to be nothing else.
"""

from __future__ import annotations

import json
import threading
from typing import Any
from xml.etree import ElementTree

from zc.zk import graphvis
from zc.zk.browse.watchedtree import TOP, WatchedTree
from zc.zk.tree.model import ParseNode

SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}"

KINDS = {"node", "edge", "cluster"}

# Elements that Graphviz uses, and their attributes that can only show something.
SHAPES = {"polygon", "path", "polyline", "ellipse", "text"}
ATTRIBUTES = {
    "points", "d", "cx", "cy", "rx", "ry", "x", "y", "fill", "stroke", "stroke-width",
    "stroke-dasharray", "text-anchor", "font-size", "font-weight",
}  # fmt: skip


class Diagram:
    """Draws the system in a tree, one picture at a time."""

    def __init__(self, tree: WatchedTree) -> None:
        self._tree = tree
        self._lock = threading.Lock()
        self._source = ""
        self._svg = b""

    def svg(self) -> bytes:
        """Draw the picture of this moment. Raise GraphvizError."""
        source = graphvis.dot(graphvis.system(_parsed(self._tree)), live=True)
        with self._lock:
            if source != self._source:
                self._svg = graphvis.picture(source, "svg")
                self._source = source
            return self._svg

    def shapes(self) -> str:
        """Return the picture as JSON: its size, and shapes for each unit or link."""
        return json.dumps(shapes_of(self.svg()))


def shapes_of(svg: bytes) -> dict[str, Any]:
    """Take Graphviz's picture apart: view box, transformation, groups of shapes.

    A group has a kind, 'node', 'edge' or 'cluster', for nodes the path of the unit, a tooltip, and
    shapes as (name, attributes, text).
    """
    root = ElementTree.fromstring(svg)
    graph = root.find(f"{SVG}g")
    groups = [_group(element) for element in root.iter(f"{SVG}g") if element.get("class") in KINDS]
    return {
        "box": root.get("viewBox"),
        "transform": graph.get("transform") if graph is not None else None,
        "groups": groups,
    }


def _group(element: ElementTree.Element) -> dict[str, Any]:
    tooltips = [link.get(f"{XLINK}title", "") for link in element.iter(f"{SVG}a")]
    return {
        "kind": element.get("class"),
        "path": graphvis.unit_path(element.findtext(f"{SVG}title", "")),
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


def _parsed(tree: WatchedTree) -> ParseNode:
    """Return the tree as its text would be parsed."""
    nodes = {TOP: ParseNode()}
    for watched in tree.nodes():
        parent, _, name = watched.path.rpartition("/")
        above = nodes.get(parent or TOP)
        if name and above is not None:
            node = nodes[watched.path] = ParseNode(name, dict(watched.properties))
            above.add(node)
    return nodes[TOP]
