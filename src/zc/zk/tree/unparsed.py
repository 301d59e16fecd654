"""Text that may be the export of nodes that are there, and is not parsed unless it is another.

Most imports change nothing. To write nodes as an export does, and to compare the text, takes less
time than to parse the text that is given and to compare it with them node by node; and the text of
an export has neither faults nor marks, which would have to be told. Where none of the nodes is
there, it is enough to know where they are in the text, if it is plain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from zc.zk._speedups import Outline, outline_of, top_lines
from zc.zk.imports import importing
from zc.zk.tree.exporttext import Writer
from zc.zk.tree.syntax import is_node_name, is_plain_node_name
from zookeeper.errors import ZooKeeperException

if TYPE_CHECKING:
    from zc.zk.tree.exporting import Exported
    from zc.zk.tree.model import ParseNode


class Unparsed:
    """A text that may be an export: `names` are those of its top-level nodes, if it is one.

    Of the nodes of a top that were compared, by its name, it has been seen to begin with so many as
    `known` tells; see `is_same`.
    """

    def __init__(self, text: str, names: list[str]) -> None:
        self._text = text
        self._tree: ParseNode | None = None
        self._outline: Outline | None = None
        self.names = names
        self.known: dict[str, int] = {}

    @property
    def is_parsed(self) -> bool:
        return self._tree is not None

    def parse(self) -> ParseNode:
        """Return the parsed tree. Raises TreeSyntaxError."""
        if self._tree is None:
            self._tree = _parse(self._text)
        return self._tree

    def outline(self) -> Outline | None:
        """Return where the nodes are in the text; None if only parsing tells, which may fail."""
        if self._outline is None:
            self._outline = outline_of(self._text)
        return self._outline

    def writer_of(self, name: str) -> Writer:
        """Return what writes the top-level node of that name, and all below it, to be compared."""
        return Writer(name, None, ephemeral=False)

    def is_export_of(
        self, tops: Mapping[str, Iterable[Exported]], writers: Mapping[str, Writer] = {}
    ) -> bool:
        """Return whether an export of nodes, without ephemeral ones, has this text.

        `tops` are the top-level nodes by name, each with all below it, depth first; `writers` are
        those that were told of them as they came.
        """
        position = 0
        self.known = {}
        try:
            for name in self.names:
                self.known[name] = 0
                writer = writers.get(name) or self.writer_of(name)
                for count, part in writer.parts(tops.get(name, ())):
                    if not self._text.startswith(part, position):
                        return False
                    position += len(part)
                    self.known[name] += count
        except ZooKeeperException:  # a node that cannot be read
            return False
        return position == len(self._text)


def read_text(text: str) -> ParseNode | Unparsed:
    """Parse a text, unless it may be an export. Raises TreeSyntaxError."""
    # An exact string: the extension takes none of a class of a program's.
    exact = str.__str__(text) if isinstance(text, str) else ""
    names = _names(exact)
    return _parse(text) if names is None else Unparsed(exact, names)


def _parse(text: str) -> ParseNode:
    # Imported here: most imports need no parser.
    with importing:
        from zc.zk.tree.parse import parse_tree

    return parse_tree(text)


def checked(text: str) -> ParseNode | Unparsed:
    """Do the same, but parse text that may have a fault, or marks, which are told at once then."""
    source = read_text(text)
    return source.parse() if isinstance(source, Unparsed) and source.outline() is None else source


def _name_at(text: str, start: int) -> str:
    """Return the name of the node whose line begins there, with its type if it has one, or ''."""
    end = text.find("\n", start)
    name, colon, node_type = text[start + 1 : max(end, start + 1)].partition(" : ")
    is_node = text.startswith("/", start) and (node_type or not colon)
    return name if is_node else ""


def _names(text: str) -> list[str] | None:
    """Return the names of top-level nodes; None for text that is no export."""
    names: dict[str, None] = {}
    if not text.startswith("/"):
        return None
    for start in top_lines(text):
        name = _name_at(text, start)
        if not is_node_name(name) or not is_plain_node_name(name) or name in names:
            return None
        names[name] = None
    return [*names]
