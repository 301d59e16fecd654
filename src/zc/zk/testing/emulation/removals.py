"""The binding's functions that remove watches."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from zc.zk.testing.emulation import arguments, watching
from zc.zk.testing.emulation.asking import Asking
from zc.zk.testing.emulation.handle import Handle
from zc.zk.testing.emulation.request import Request
from zc.zk.testing.engine import Client, Refusal
from zookeeper import constants, errors
from zookeeper.watchers import kinds_of

if TYPE_CHECKING:
    from zookeeper.types import VoidCompletion, Watcher


_PERSISTENT = kinds_of(constants.WATCH_PERSISTENT)
_RECURSIVE = kinds_of(constants.WATCH_PERSISTENT_RECURSIVE)


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
        request = self._removal(h, path, kind, watcher, local)
        nothing_here = not handle.registry.removable(path, kinds_of(kind))
        code, _ = handle.ask(request)
        if code == constants.NOWATCHER and (nothing_here or watcher is not None):
            raise errors.error(code, path)
        if completion is not None:
            self._server.delivery.put(partial(completion, handle.number, code))
            self._server.deliver(nested=False)
        return constants.OK

    def _removal(
        self, h: int, path: str, kind: int, watcher: Watcher | None, local: bool
    ) -> Request:
        handle, _ = self._find(h, path)
        asked = kinds_of(arguments.watch_kind(kind, path))
        registry = handle.registry

        def perform(client: Client | None) -> tuple[Any, ...]:
            kinds: int | None = asked
            if watcher is not None:
                kinds = registry.remove(asked, path, watcher)
                if kinds == 0:
                    return ()  # others still wait there
            kinds = registry.removable(path, kinds or 0)
            if not kinds:
                raise Refusal(constants.NOWATCHER)
            if client is not None:
                self._remove(client, handle, path, kinds)
            elif not local:
                raise Refusal(constants.CONNECTIONLOSS)
            # In the queue, and not at once: events that wait there came before this.
            self._server.delivery.put(partial(registry.forget, kinds, path, watcher))
            self._server.delivery.put(partial(handle.sweep, path))
            return ()

        return Request(path, perform, offline_too=True)

    def _remove(self, client: Client, handle: Handle, path: str, kinds: int) -> None:
        """Have the server forget kinds of watch; it has one for all that one which stays is for."""
        engine, registry = self._server.engine, handle.registry
        where = handle.server_path(path)
        if path not in registry.at_server:
            engine.remove_watch(client, where, kinds)
            return
        left = registry.present(path) & ~kinds
        if kinds & _RECURSIVE and left & _PERSISTENT:
            watching.stay(engine, client, handle, path, constants.PERSISTENT)
        elif not left:
            engine.remove_watch(client, where, constants.WATCH_ANY)
