"""The properties of a node, live, for an event loop, and changes to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from zc.zk.aio.crossing import cross
from zc.zk.aio.live import LiveObject
from zc.zk.watching.properties import Changes, Items
from zc.zk.watching.properties import Properties as Blocking

if TYPE_CHECKING:
    from zookeeper.types import Stat


class Properties(LiveObject[Blocking], Mapping[str, Any]):
    """The properties of a node, kept up to date: a mapping.

    Changes, by `set`, `update`, `rewrite` and `delete`, are to be awaited, and are seen here then.
    """

    # There is one of each: a mapping has no hash otherwise.
    __hash__ = object.__hash__

    def _make(self) -> Blocking:
        return self._zk._ready().properties(self.path, self._watch)

    @property
    def data(self) -> dict[str, Any]:
        """The properties as they are stored, links not followed."""
        return self._object.data

    @property
    def meta_data(self) -> Stat:
        """The node's stat; empty when it is gone."""
        return self._object.meta_data

    def copy(self) -> dict[str, Any]:
        """Return the properties as they are stored, links not followed."""
        return self._object.copy()

    def __getitem__(self, name: str) -> Any:
        return self._object[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._object)

    def __len__(self) -> int:
        return len(self._object)

    def __contains__(self, name: object) -> bool:
        return name in self._object

    async def set(self, data: Items | None = None, **properties: Any) -> None:
        """Let the node have these properties and no others."""
        self._zk._ready()
        await cross(self._object.set, data, **properties)

    async def update(self, data: Items | Changes | None = None, **properties: Any) -> None:
        """Change some properties of the node and leave the others."""
        self._zk._ready()
        await cross(self._object.update, data, **properties)

    async def rewrite(self, change: Callable[[dict[str, Any]], Items]) -> None:
        """Let the node have what `change` makes of its properties."""
        self._zk._ready()
        await cross(self._object.rewrite, change)

    async def delete(self, name: str) -> None:
        """Take away the property `name`, or else the property link `name`, as `del` would.

        Raises KeyError when there is neither.
        """
        self._zk._ready()
        await cross(self._object.__delitem__, name)
