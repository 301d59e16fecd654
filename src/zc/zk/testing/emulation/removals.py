"""The binding's functions that remove watches."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from zc.zk.testing.emulation import arguments
from zc.zk.testing.emulation.asking import Asking
from zc.zk.testing.emulation.request import Request
from zc.zk.testing.engine import Client, Refusal
from zookeeper import constants, errors

if TYPE_CHECKING:
    from zookeeper.types import VoidCompletion, Watcher


class Removals(Asking):
    def remove_watches(
        self,
        h: int,
        path: str,
        kind: int = 3,
        watcher: Watcher | None = None,
        local: bool = False,
        *,
        timeout: float | None = None,
    ) -> Literal[0]:
        """Stop waiting for events at a path."""
        self._now(h, self._removal(h, path, kind, watcher, local), timeout)
        return constants.OK

    def aremove_watches(
        self,
        h: int,
        path: str,
        kind: int = 3,
        watcher: Watcher | None = None,
        local: bool = False,
        completion: VoidCompletion | None = None,
    ) -> Literal[0]:
        """Do the same as remove_watches; `completion(handle, code)`.

        Raises NoWatcherException where the registry alone can tell.
        """
        arguments.function(completion, "a completion")
        handle = self._server.find(h)
        code, _ = handle.ask(self._removal(h, path, kind, watcher, local))
        if code == constants.NOWATCHER and watcher is not None:
            raise errors.error(code, path)
        if completion is not None:
            self._server.delivery.put(partial(completion, handle.number, code))
            self._server.deliver(nested=False)
        return constants.OK

    def _removal(
        self, h: int, path: str, kind: int, watcher: Watcher | None, local: bool
    ) -> Request:
        handle, where = self._find(h, path)
        asked = arguments.watch_kind(kind, path)
        registry = handle.registry

        def perform(client: Client | None) -> tuple[Any, ...]:
            kinds: int | None = asked
            if watcher is not None:
                kinds = registry.remove(asked, path, watcher)
            if kinds is None:
                raise Refusal(constants.NOWATCHER)
            if kinds:  # and otherwise others still wait there
                self._remove(client, where, kinds, local)
                # In the queue, and not at once: events that wait there came before this.
                self._server.delivery.put(partial(registry.forget, kinds, path, watcher))
            return ()

        return Request(path, perform, offline_too=True)

    def _remove(self, client: Client | None, where: str, kinds: int, local: bool) -> None:
        if client is not None:
            self._server.engine.remove_watch(client, where, kinds)
        elif not local:
            raise Refusal(constants.CONNECTIONLOSS)
