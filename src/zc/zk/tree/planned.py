"""The changes of a large plan: new nodes of a text are kept as they are, without an object more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias, overload

from zc.zk._speedups import OutlinedNode, creations, explicit, path_below
from zc.zk.tree.changes import AddNode, Change
from zc.zk.tree.model import ParseNode

if TYPE_CHECKING:
    from zookeeper.types import Acl, Operation

# A node stands for its creation below another new one, without marks; its data may wait.
Item: TypeAlias = Change | ParseNode | OutlinedNode


class Changes(Sequence[Change]):
    """Changes in order, some of which are made when they are asked for.

    Each item is one. A node that stands for one is of the parsed tree `top`, the node at `path`, or
    of an outline of what comes below that.
    """

    def __init__(self, items: list[Item], path: str = "/", top: ParseNode | None = None) -> None:
        self.items = items
        self._path = path
        self._top = top
        # Plans of many nodes are asked several times, and their items are not changed any more.
        self._explicit: list[Change] | None = None

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Change]:
        return map(self._change, self.items)

    @overload
    def __getitem__(self, index: int) -> Change: ...
    @overload
    def __getitem__(self, index: slice) -> Changes: ...
    def __getitem__(self, index: int | slice) -> Change | Changes:
        if isinstance(index, slice):
            return self.of(self.items[index])
        return self._change(self.items[index])

    def _change(self, item: Item) -> Change:
        if isinstance(item, Change):
            return item
        return AddNode(path_below(item, self._top, self._path), item, is_nested=True)

    def of(self, items: list[Item]) -> Changes:
        """Return the changes that such items are, some of these or others."""
        return Changes(items, self._path, self._top)

    def without(self, is_out: Callable[[Change], bool]) -> Changes:
        """Return the same changes without some of those that are not items as nodes."""
        if not any(map(is_out, self.explicit())):
            return self
        return self.of(
            [item for item in self.items if not (isinstance(item, Change) and is_out(item))]
        )

    def explicit(self) -> Sequence[Change]:
        """Return all changes but new nodes below new ones, with which nothing can be wrong."""
        if self._explicit is None:
            self._explicit = explicit(self.items)
        return self._explicit

    def operations(self, acl: Acl) -> Iterator[Operation]:
        """Yield the operations, in order; `acl` is for new nodes."""
        return creations(self.items, self._top, self._path, acl)
