"""The children of a node, live."""

from __future__ import annotations

from collections.abc import Iterator

from zc.zk.watching.liveobject import LiveObject, Look
from zc.zk.watching.readers import LookReader


class _ChildrenLook(Look):
    def __init__(self, real_path: str, names: list[str], *, deleted: bool = False) -> None:
        # Servers of one ensemble may list the same children in different orders.
        super().__init__(real_path, (real_path, deleted, sorted(names)), deleted=deleted)
        self.names = names


class Children(LiveObject[_ChildrenLook]):
    """The names of a node's children, kept up to date: an iterable with a length.

    `zc.zk.ZooKeeper.children` makes them; `LiveObject` says what they have in common with
    `Properties`.
    """

    @property
    def data(self) -> list[str]:
        """The names, in the server's order."""
        return self._seen.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def __contains__(self, name: object) -> bool:
        return name in self.data

    def _see(self, reader: LookReader) -> _ChildrenLook:
        return _ChildrenLook(*self._follow(reader, reader.children))

    def _see_nothing(self, real_path: str) -> _ChildrenLook:
        return _ChildrenLook(real_path, [], deleted=True)
