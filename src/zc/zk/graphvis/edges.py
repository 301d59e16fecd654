"""The edges of a system's services alone, as plain pairs."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TextIO

from zc.zk.graphvis.language import quoted
from zc.zk.graphvis.survey import system
from zc.zk.tree.model import ParseNode
from zc.zk.tree.parse import parse_tree


def get_edges(tree: ParseNode | str) -> list[tuple[str, str]]:
    """Return pairs of paths, sorted: which services of a tree link to which.

    A service is a node with a child `providers`. It links to another one if it, or a node that is
    part of it, has a symbolic link or a property link that leads to that one or into it. Links that
    lead nowhere are left out.
    """
    picture = system(parse_tree(tree) if isinstance(tree, str) else tree)
    services = {unit.path for unit in picture.units if unit.providers is not None}
    return sorted(
        {
            (edge.source, edge.target)
            for edge in picture.edges
            if edge.fault is None and edge.source in services and edge.target in services
        }
    )


def dump_edges(
    edges: ParseNode | str | Iterable[tuple[str, str]], file: TextIO | None = None
) -> None:
    """Write edges in Graphviz's language, to standard output or a file.

    `edges` are pairs as `get_edges` returns them, or a tree to get them from.
    """
    if isinstance(edges, (ParseNode, str)):
        edges = get_edges(edges)
    output = sys.stdout if file is None else file
    output.write("digraph {\n")
    for source, target in edges:
        output.write(f"  {quoted(source)} -> {quoted(target)}\n")
    output.write("}\n")
