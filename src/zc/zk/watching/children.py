"""The children of a node, live."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zc.zk.watching.dependencies import CachedNode, Kind
from zc.zk.watching.liveobject import LiveObject, View
from zc.zk.watching.readers import NodeReader


class _ChildrenView(View):
    __slots__ = ("sorted",)

    answer: list[str]  # the names

    def __init__(self, real_path: str, names: list[str], *, deleted: bool = False) -> None:
        super().__init__(real_path, names, deleted=deleted)
        # Servers of one ensemble may list the same children in different orders.
        self.sorted = sorted(names)

    def fingerprint(self) -> object:
        return self.real_path, self.deleted, self.sorted


class Children(LiveObject[_ChildrenView]):
    """The names of a node's children, kept up to date: an iterable with a length.

    `zc.zk.ZooKeeper.children` makes them; `LiveObject` says what they have in common with
    `Properties`.
    """

    _kind = Kind.CHILDREN
    _view_of_one = _ChildrenView

    @property
    def data(self) -> list[str]:
        """The names, in the server's order."""
        return self._shown.answer

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def __contains__(self, name: object) -> bool:
        return name in self.data

    def _see(self, reader: NodeReader) -> _ChildrenView:
        return _ChildrenView(*reader.follow(self._kind, self.path))

    def _see_alone(self, node: CachedNode, answer: Any) -> _ChildrenView:
        return _ChildrenView(node.path, answer)

    def _see_nothing(self, real_path: str) -> _ChildrenView:
        return _ChildrenView(real_path, [], deleted=True)
