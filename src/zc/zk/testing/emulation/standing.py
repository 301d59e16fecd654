"""The binding's functions that watch for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from zc.zk.testing.emulation import arguments, watching
from zc.zk.testing.emulation.asking import Asking
from zc.zk.testing.emulation.request import Request, Watch
from zc.zk.testing.engine import Client
from zookeeper import constants
from zookeeper.watchers import kinds_of

if TYPE_CHECKING:
    from zookeeper.types import VoidCompletion, Watcher

_KINDS = {
    constants.PERSISTENT: kinds_of(constants.WATCH_PERSISTENT),
    constants.PERSISTENT_RECURSIVE: kinds_of(constants.WATCH_PERSISTENT_RECURSIVE),
}


class Standing(Asking):
    def add_watch(
        self, h: int, path: str, mode: int, watcher: Watcher, *, timeout: float | None = None
    ) -> Literal[0]:
        """Watch a path for good, with or without a node."""
        self._now(h, self._add_watch(h, path, mode, watcher), timeout)
        return constants.OK

    def aadd_watch(
        self, h: int, path: str, mode: int, watcher: Watcher,
        completion: VoidCompletion | None = None,
    ) -> Literal[0]:  # fmt: skip
        """Do the same as add_watch; `completion(handle, code)`."""
        return self._later(h, self._add_watch(h, path, mode, watcher), completion)

    def event_zxid(self, h: int) -> int | None:
        """Return None: the emulated server, as those before 3.9, sends no zxid with events."""
        self._server.find(h)
        return None

    def _add_watch(self, h: int, path: str, mode: int, watcher: Watcher) -> Request:
        handle, _ = self._find(h, path)
        kind = _KINDS[arguments.watch_mode(mode, path)]
        if watcher is None:
            raise TypeError("a watcher is needed")
        arguments.watcher(watcher)

        def perform(client: Client) -> tuple[Any, ...]:
            mode = handle.registry.mode(path)  # that of all watchers of the path
            watching.stay(self._server.engine, client, handle, path, mode)
            return ()

        return Request(path, perform, watch=Watch(kind, path, watcher))
