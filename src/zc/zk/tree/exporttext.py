"""The nodes of a tree that are exported, as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from zc.zk import _speedups
from zc.zk.tree.exporting import Marked, Skip, exported
from zc.zk.tree.leftbehind import LeftBehind
from zc.zk.tree.render import literal_of, render

if TYPE_CHECKING:
    from zc.zk.tree.exporting import Exported

# Other threads wait, and signals, while so many nodes become text.
NODES_AT_A_TIME = 500


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
    """Return the text of nodes that come depth first; see `exported`.

    `reserved` is a child of the top.
    """

    def text_of(nodes: Iterable[Exported]) -> str:
        rows = exported(
            nodes, top_name, reserved, skip, ephemeral=ephemeral, marked=marked, behind=behind
        )
        return "".join(render(rows))

    has_acls = marked is not None and marked.acls is not None
    if skip is not None or has_acls or behind is not None:
        return text_of(nodes)  # one node is about others
    left_out = None if reserved is None else reserved.rpartition("/")[2]
    text = _speedups.TreeText(top_name, left_out, literal_of, lambda node: text_of([node]))
    for _ in _adding(text, nodes):
        pass
    return text.whole()


def export_parts(nodes: Iterable[Exported], top_name: str) -> Iterator[tuple[int, str]]:
    """Yield in parts what `export_text` returns of all but ephemeral nodes, as they are written.

    Before each is how many nodes it is the text of, ephemeral ones included.
    """

    def text_of(node: Exported) -> str:
        return "".join(render(exported([node], top_name, None, ephemeral=False)))

    text = _speedups.TreeText(top_name, None, literal_of, text_of)
    for count in _adding(text, nodes):
        yield count, text.whole()


def _adding(text: _speedups.TreeText, nodes: Iterable[Exported]) -> Iterator[int]:
    """Write nodes, and yield after each few of them how many."""
    to_come = iter(nodes)
    while count := text.add(islice(to_come, NODES_AT_A_TIME)):
        yield count
