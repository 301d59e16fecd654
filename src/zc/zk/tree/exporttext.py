"""The nodes of a tree that are exported, as text.

A node has its depth when it comes, and its text is about nothing else. So the text of nodes that
are read is made while more of them are on their way, and put in order in the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from zc.zk import _speedups
from zc.zk.tree.exporting import Marked, Skip, exported
from zc.zk.tree.leftbehind import LeftBehind
from zc.zk.tree.render import literal_of, render

if TYPE_CHECKING:
    from zc.zk.tree.exporting import Exported

# Other threads wait, and signals, while so many nodes become text.
NODES_AT_A_TIME = 500


class Writer:
    """Writes the nodes of a tree, each of which is about itself only.

    `reserved` is a path that is left out. It is what `read_tree` takes as its `nodes`.
    """

    def __init__(
        self, top_name: str, reserved: str | None, *, ephemeral: bool, kinds: bool = False
    ) -> None:
        def text_of(node: Exported) -> str:
            marked = Marked(kinds=kinds)
            rows = exported([node], top_name, reserved, ephemeral=ephemeral, marked=marked)
            return "".join(render(rows))

        def new() -> _speedups.TreeText:
            return _speedups.TreeText(top_name, reserved, literal_of, text_of)

        self._text = new()
        self._ahead = _speedups.TextAhead(new())

    def take(self, nodes: Iterable[Exported]) -> bool:
        """Write nodes of a subtree ahead, as they come; say whether there is room for more."""
        return self._ahead.take(nodes)

    def parts(self, nodes: Iterable[Exported]) -> Iterator[tuple[int, str]]:
        """Yield the text in parts, as they are written; before each of how many nodes it is.

        `nodes` come depth first; if some were written ahead, they are the subtree of these.
        """
        for count in self._adding(nodes):
            yield count, self._text.whole()

    def whole(self, nodes: Iterable[Exported]) -> str:
        """Return the text of nodes as of `parts`."""
        for _ in self._adding(nodes, is_whole=True):
            pass
        return self._text.whole()

    def _adding(self, nodes: Any, *, is_whole: bool = False) -> Iterator[int]:
        """Write nodes, and yield after each few of them how many.

        With `is_whole` all that is there ahead may be the first few.
        """
        if self._ahead:
            arrivals, size = nodes.arrivals, len(nodes)
            begun = self._text.take_over(arrivals, self._ahead) if is_whole else 0
            if begun:
                yield begun
            for first in range(begun, size, NODES_AT_A_TIME):
                end = min(first + NODES_AT_A_TIME, size)
                self._text.add_written(nodes, arrivals, self._ahead, first, end)
                yield end - first
            return
        to_come = iter(nodes)
        while count := self._text.add(islice(to_come, NODES_AT_A_TIME)):
            yield count


def export_text(
    nodes: Iterable[Exported],
    top_name: str,
    reserved: str | None,
    skip: Skip | None = None,
    *,
    ephemeral: bool,
    marked: Marked | None = None,
    behind: LeftBehind | None = None,
) -> str:
    """Return the text of nodes that come depth first; see `exported`."""
    if is_about_others(skip, marked, behind):
        rows = exported(
            nodes, top_name, reserved, skip, ephemeral=ephemeral, marked=marked, behind=behind
        )
        return "".join(render(rows))
    kinds = marked is not None and marked.kinds
    return Writer(top_name, reserved, ephemeral=ephemeral, kinds=kinds).whole(nodes)


def is_about_others(skip: Skip | None, marked: Marked | None, behind: LeftBehind | None) -> bool:
    """Say whether the text of a node is about other ones, so that a writer cannot make it."""
    has_acls = marked is not None and marked.acls is not None
    return skip is not None or has_acls or behind is not None
