"""Live objects that templates ask for: any change of one has the templates rendered again."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import zookeeper
from zc.zk.errors import LinkLoop
from zc.zk.logs import logger
from zc.zk.operations.awaiting import Awaited
from zc.zk.rendering.source import SourceProvider, SourceTree
from zc.zk.tree.expectation import Expectation

if TYPE_CHECKING:
    from zc.zk.client import ZooKeeper
    from zc.zk.providers.providers import Providers
    from zc.zk.watching.children import Children
    from zc.zk.watching.properties import Properties
    from zc.zk.watching.tree import Tree

    T = TypeVar("T", bound="Tree | Children | Properties | Providers | Awaited")

# A thing that is asked for: the kind, the path, and how deep a tree is.
SourceKey = tuple[str, str, int | None]

# Names and addresses of machines, whatever file they are written to.
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+(%[A-Za-z0-9._-]+)?")

# A node may come while it is found missing; how often in one rendering.
MAX_ATTEMPTS = 5


class Sources:
    """Live objects by what was asked for, those of the last rendering. For one thread.

    `changed` is called, in any thread, when one of them has changed.
    """

    def __init__(self, zk: ZooKeeper, changed: Callable[[], object]) -> None:
        self._zk = zk
        self._changed = changed
        self._live: dict[SourceKey, Any] = {}
        self._missing: dict[SourceKey, Awaited] = {}
        self._used: set[SourceKey] = set()
        self._warned: set[str] = set()

    def begin(self) -> None:
        """Begin to note what is asked for."""
        self._used = set()

    def close(self) -> None:
        """Drop everything."""
        self.begin()
        self.drop_unused()

    def drop_unused(self) -> None:
        """Drop what nobody has asked for since the beginning."""
        for kept in (self._live, self._missing):
            for key in kept.keys() - self._used:
                _drop(kept.pop(key))

    def tree(self, path: str, depth: int | None) -> tuple[str, SourceTree]:
        found: Tree = self._get(("tree", path, depth), lambda: self._zk.tree(path, depth=depth))
        return found.real_path, found

    def children(self, path: str) -> Sequence[str]:
        found: Children = self._get(("children", path, None), lambda: self._zk.children(path))
        return found.data

    def properties(self, path: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Return properties with links followed, and as they are stored."""
        found: Properties = self._get(("properties", path, None), lambda: self._zk.properties(path))
        return found, found.data

    def providers(self, path: str) -> Sequence[SourceProvider]:
        """Return the servers that can be called; of others the log tells."""
        found: Providers = self._get(("providers", path, None), lambda: self._zk.providers(path))
        registered = found._shown.registered
        usable = {
            name: each.provider
            for name, each in registered.items()
            if each.provider is not None and _HOST.fullmatch(each.provider.host)
        }
        if news := registered.keys() - usable.keys() - self._warned:
            told = ", ".join(map(repr, sorted(news)))
            logger.warning("%s: passed over, as it is no address to call: %s", path, told)
        self._warned |= registered.keys() - usable.keys()
        return list(usable.values())

    def exists(self, path: str) -> bool:
        expectation = Expectation()
        awaited: Awaited = self._get(
            ("exists", path, None), lambda: Awaited(self._zk.watches, path, expectation)
        )
        return awaited.seen.is_there

    def _get(self, key: SourceKey, make: Callable[[], T]) -> Any:
        """Return a live object. Raises NoNodeException, having waited for nothing."""
        self._used.add(key)
        live = self._live.get(key)
        if live is None:
            live = self._live[key] = self._begun(key, make)
        if getattr(live, "deleted", False):
            raise zookeeper.error(zookeeper.NONODE, key[1])
        return live

    def _begun(self, key: SourceKey, make: Callable[[], T]) -> T:
        """Return a live object that is new, or take care that we are told when there can be one."""
        for _ in range(MAX_ATTEMPTS):
            awaited = self._missing.get(key)
            if awaited is not None and not awaited.seen.is_there:
                raise zookeeper.error(zookeeper.NONODE, key[1])
            try:
                live = self._told_of(make())
            except (zookeeper.NoNodeException, LinkLoop):
                # Another one each time: what was known of the node may be old.
                self._forget(key)
                self._missing[key] = self._told_of(Awaited(self._zk.watches, key[1], Expectation()))
            else:
                self._forget(key)
                return live
        self._changed()  # it comes and goes: later
        raise zookeeper.error(zookeeper.NONODE, key[1])

    def _forget(self, key: SourceKey) -> None:
        if (awaited := self._missing.pop(key, None)) is not None:
            _drop(awaited)

    def _told_of(self, live: T) -> T:
        """Have changes told; not the first call, which is of how it is."""
        calls = 0

        def tell(*_: object) -> None:
            nonlocal calls
            calls += 1
            if calls > 1:
                self._changed()

        live(tell)
        return live


def _drop(live: Any) -> None:
    """Have it told to nobody, while it is still there: one that goes with callbacks says so."""
    live.callbacks.clear()
