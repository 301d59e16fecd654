"""Text and JSON of the plain kind, which is nearly all there is, read and written quickly.

Plain text, data and properties come out as `zc.zk.codec` and `zc.zk.tree` would have them, which
know all the rules. Nothing is an error here: the unusual is not plain, and is left to these.
`grammar.pxi` says what is plain. `FewEntries` is a mapping that takes little memory.
"""

from zc.zk._speedups._text import (
    FewEntries,
    Fields,
    Outline,
    OutlinedNode,
    Position,
    TextAhead,
    TreeText,
    creations,
    encode,
    explicit,
    has_marks,
    highest_score,
    is_same,
    new_nodes,
    outline_of,
    path_below,
    read_lines,
    render_data,
    top_lines,
)

__all__ = [
    "FewEntries",
    "Fields",
    "Outline",
    "OutlinedNode",
    "Position",
    "TextAhead",
    "TreeText",
    "creations",
    "encode",
    "explicit",
    "has_marks",
    "highest_score",
    "is_same",
    "new_nodes",
    "outline_of",
    "path_below",
    "read_lines",
    "render_data",
    "top_lines",
]
