"""Pictures of a system: its services, and the links between them.

    tree = zc.zk.parse_tree(text)
    print(dot(system(tree)))

*Units* are drawn: nodes that have a child `providers`, where servers register; nodes that
have a type; and those that have links, or are linked to, without being part of one of the former. A
unit stands for everything below it, down to the next units. From unit to unit there is an edge
where a symbolic link or a property link, in the one or in something that it stands for, leads to
the other one. Units below one top-level node are drawn as a group.

`dot` writes the language of Graphviz, whose program `dot` makes pictures of it; `picture` calls it.
`clustered` has fewer boxes of a large system, as `is_drawable` finds it too large for a picture.
`get_edges` and `dump_edges` are for those who want nothing but the edges between services.
"""

from zc.zk.graphvis.clusters import clustered, is_drawable
from zc.zk.graphvis.drawing import PICTURE_FORMATS, GraphvizError, picture
from zc.zk.graphvis.edges import dump_edges, get_edges
from zc.zk.graphvis.language import dot, unit_path
from zc.zk.graphvis.survey import Edge, System, Unit, system

__all__ = [
    "PICTURE_FORMATS",
    "Edge",
    "GraphvizError",
    "System",
    "Unit",
    "clustered",
    "dot",
    "dump_edges",
    "get_edges",
    "is_drawable",
    "picture",
    "system",
    "unit_path",
]
