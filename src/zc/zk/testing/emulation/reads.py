"""The binding's functions that read one node, synchronous and asynchronous."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from zc.zk.testing.emulation import arguments, values
from zc.zk.testing.emulation.asking import Asking, first_only
from zc.zk.testing.emulation.handle import Handle
from zc.zk.testing.emulation.request import Request, Watch
from zc.zk.testing.engine import Client
from zookeeper import constants, errors

if TYPE_CHECKING:
    from zookeeper.types import (
        AclCompletion,
        AclEntry,
        DataCompletion,
        Stat,
        StatCompletion,
        StringCompletion,
        StringsCompletion,
        StringsStatCompletion,
        Watcher,
    )

CONFIG_NODE: Final = "/zookeeper/config"


class Reads(Asking):
    def exists(
        self, h: int, path: str, watcher: Watcher | None = None, *, timeout: float | None = None
    ) -> Stat | None:
        """Return a node's stat, None if there is no node."""
        handle = self._server.find(h)
        request = self._exists(h, path, watcher)
        arguments.timeout(timeout)
        code, (stat,) = handle.ask(request)
        if code not in (constants.OK, constants.NONODE):
            raise errors.error(code, path)
        found: Stat | None = stat
        return found

    def aexists(
        self, h: int, path: str, watcher: Watcher | None = None,
        completion: StatCompletion | None = None,
    ) -> Literal[0]:  # fmt: skip
        """Do the same as exists; `completion(handle, code, stat)`."""
        return self._later(h, self._exists(h, path, watcher), completion)

    def _exists(self, h: int, path: str, watcher: Watcher | None) -> Request:
        handle, where = self._find(h, path)
        watch = _watch(constants.WATCH_DATA, path, watcher, missing_too=True)

        def perform(client: Client) -> tuple[Any, ...]:
            is_asked_for = handle.asks_for(watch)
            return (values.stat(self._server.engine.exists(client, where, is_asked_for)),)

        return Request(path, perform, (None,), watch)

    def get(
        self, h: int, path: str, watcher: Watcher | None = None, bufferlen: int | None = None, *,
        timeout: float | None = None,
    ) -> tuple[str | None, Stat]:  # fmt: skip
        """Return a node's data and stat."""
        data, stat = self._now(h, self._get(h, path, watcher), timeout)
        return data, stat

    def aget(
        self, h: int, path: str, watcher: Watcher | None = None,
        completion: DataCompletion | None = None,
    ) -> Literal[0]:  # fmt: skip
        """Do the same as get; `completion(handle, code, data, stat)`."""
        return self._later(h, self._get(h, path, watcher), completion)

    def _get(self, h: int, path: str, watcher: Watcher | None) -> Request:
        handle, where = self._find(h, path)
        return self._reading_data(handle, path, where, watcher)

    def _reading_data(
        self, handle: Handle, path: str, where: str, watcher: Watcher | None
    ) -> Request:
        watch = _watch(constants.WATCH_DATA, path, watcher)

        def perform(client: Client) -> tuple[Any, ...]:
            data, stat = self._server.engine.get_data(client, where, handle.asks_for(watch))
            return values.text(data), values.stat(stat)

        return Request(path, perform, (None, None), watch)

    def get_children(
        self, h: int, path: str, watcher: Watcher | None = None, *, timeout: float | None = None
    ) -> list[str]:
        """Return the names of a node's children."""
        return self.get_children2(h, path, watcher, timeout=timeout)[0]

    def get_children2(
        self, h: int, path: str, watcher: Watcher | None = None, *, timeout: float | None = None
    ) -> tuple[list[str], Stat]:
        """Return the names of a node's children, and its stat."""
        names, stat = self._now(h, self._get_children(h, path, watcher), timeout)
        return names, stat

    def aget_children(
        self, h: int, path: str, watcher: Watcher | None = None,
        completion: StringsCompletion | None = None,
    ) -> Literal[0]:  # fmt: skip
        """Do the same as get_children; `completion(handle, code, names)`."""
        return self._later(h, first_only(self._get_children(h, path, watcher)), completion)

    def aget_children2(
        self, h: int, path: str, watcher: Watcher | None = None,
        completion: StringsStatCompletion | None = None,
    ) -> Literal[0]:  # fmt: skip
        """Do the same as get_children2; `completion(handle, code, names, stat)`."""
        return self._later(h, self._get_children(h, path, watcher), completion)

    def _get_children(self, h: int, path: str, watcher: Watcher | None) -> Request:
        handle, where = self._find(h, path)
        watch = _watch(constants.WATCH_CHILDREN, path, watcher)

        def perform(client: Client) -> tuple[Any, ...]:
            names, stat = self._server.engine.get_children(client, where, handle.asks_for(watch))
            return names, values.stat(stat)

        return Request(path, perform, (None, None), watch)

    def get_acl(
        self, h: int, path: str, *, timeout: float | None = None
    ) -> tuple[Stat, list[AclEntry]]:
        """Return a node's stat and access control list."""
        acl, stat = self._now(h, self._get_acl(h, path), timeout)
        return stat, acl

    def aget_acl(self, h: int, path: str, completion: AclCompletion | None = None) -> Literal[0]:
        """Do the same as get_acl; `completion(handle, code, acl, stat)`."""
        return self._later(h, self._get_acl(h, path), completion)

    def _get_acl(self, h: int, path: str) -> Request:
        _, where = self._find(h, path)

        def perform(client: Client) -> tuple[Any, ...]:
            acl, stat = self._server.engine.get_acl(client, where)
            return values.acl(acl), values.stat(stat)

        return Request(path, perform, failed=(None, None))

    def sync(self, h: int, path: str, *, timeout: float | None = None) -> str:
        """Wait until the server has seen every change made before; returns the path."""
        seen: str = self._now(h, self._sync(h, path), timeout)[0]
        return seen

    def async_(self, h: int, path: str, completion: StringCompletion | None = None) -> Literal[0]:
        """Do the same as sync; `completion(handle, code, path)`.

        It is there under zkpython's name `async` as well.
        """
        return self._later(h, self._sync(h, path), completion)

    def _sync(self, h: int, path: str) -> Request:
        self._find(h, path)
        return Request(path, lambda client: (path,), failed=(None,))

    def get_config(
        self, h: int, watcher: Watcher | None = None, *, timeout: float | None = None
    ) -> tuple[str | None, Stat]:
        """Return the ensemble's configuration, blank for one server, and its stat."""
        request = self._get_config(h, watcher)
        data, stat = self._now(h, request, timeout)
        return data, stat

    def aget_config(
        self, h: int, watcher: Watcher | None = None, completion: DataCompletion | None = None
    ) -> Literal[0]:
        """Do the same as get_config; `completion(handle, code, data, stat)`."""
        return self._later(h, self._get_config(h, watcher), completion)

    def _get_config(self, h: int, watcher: Watcher | None) -> Request:
        return self._reading_data(self._server.find(h), CONFIG_NODE, CONFIG_NODE, watcher)


def _watch(
    kind: int, path: str, watcher: Watcher | None, missing_too: bool = False
) -> Watch | None:
    if watcher is None:
        return None
    arguments.watcher(watcher)
    return Watch(kind, path, watcher, missing_too)
