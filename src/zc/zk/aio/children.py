"""The children of a node, live, for an event loop."""

from __future__ import annotations

from collections.abc import Iterator

from zc.zk.aio.live import LiveObject
from zc.zk.watching.children import Children as Blocking


class Children(LiveObject[Blocking]):
    """The names of a node's children, kept up to date: an iterable with a length."""

    def _make(self) -> Blocking:
        return self._zk._ready().children(self.path, self._watch)

    @property
    def data(self) -> list[str]:
        """The names, in the server's order."""
        return self._object.data

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def __contains__(self, name: object) -> bool:
        return name in self.data
