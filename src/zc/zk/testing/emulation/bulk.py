"""The binding's functions that read or watch many nodes at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from zc.zk.testing.emulation import arguments, values
from zc.zk.testing.emulation.asking import Asking, Done
from zc.zk.testing.emulation.handle import Handle
from zc.zk.testing.emulation.request import Request, Watch
from zc.zk.testing.emulation.subtrees import Subtree, packed_stat, walk
from zc.zk.testing.engine import Client, Refusal
from zookeeper import constants, errors
from zookeeper.answers import Answers

if TYPE_CHECKING:
    from zookeeper.types import BulkCompletion, Progress, TakesNodes, Watcher

# Reads a node, at its path on the server, with or without leaving a watch there.
Read = Callable[[Client, str, bool], Any]


def _told_all(
    progress: Progress | None, total_is_known: bool = True, nodes: TakesNodes | None = None
) -> Callable[[Sequence[Any]], object]:
    """Return a function that tells a progress that all results are there, and hands them out."""

    def tell(results: Sequence[Any]) -> None:
        if nodes is not None:
            nodes.take(results)
        if progress is not None:
            progress(len(results), len(results) if total_is_known else None)

    return tell


class Bulk(Asking):
    def get_many(
        self,
        h: int,
        paths: Iterable[str],
        *,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> Answers[Any]:
        """Read many nodes: `(data, stat)` for each path, or its exception."""
        return self._read_many(h, paths, self._data_and_stat, progress, timeout)

    def get_children_many(
        self,
        h: int,
        paths: Iterable[str],
        *,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> Answers[Any]:
        """Read the names of many nodes' children, or each one's exception."""
        return self._read_many(h, paths, self._names, progress, timeout)

    def get_acl_many(
        self,
        h: int,
        paths: Iterable[str],
        *,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> Answers[Any]:
        """Read the ACLs of many nodes: `(stat, acl)` for each path, or its exception."""
        return self._read_many(h, paths, self._stat_and_acl, progress, timeout)

    def aget_many(
        self,
        h: int,
        paths: Iterable[str],
        completion: BulkCompletion[Any] | None = None,
        *,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> Done:
        """Do the same as get_many; `completion(handle, code, answers)`."""
        return self._read_later(h, paths, self._data_and_stat, completion, progress, timeout)

    def aget_children_many(
        self,
        h: int,
        paths: Iterable[str],
        completion: BulkCompletion[Any] | None = None,
        *,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> Done:
        """Do the same as get_children_many; `completion(handle, code, answers)`."""
        return self._read_later(h, paths, self._names, completion, progress, timeout)

    def aget_acl_many(
        self,
        h: int,
        paths: Iterable[str],
        completion: BulkCompletion[Any] | None = None,
        *,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> Done:
        """Do the same as get_acl_many; `completion(handle, code, answers)`."""
        return self._read_later(h, paths, self._stat_and_acl, completion, progress, timeout)

    def read_tree(
        self,
        h: int,
        path: str,
        *,
        progress: Progress | None = None,
        timeout: float | None = None,
        nested: bool = False,
        nodes: TakesNodes | None = None,
    ) -> Subtree:
        """Read a node and everything below it."""
        arguments.taker(nodes)
        (tree,) = self._now(h, self._tree(h, path, progress), timeout)
        _told_all(progress, total_is_known=False, nodes=nodes)(tree)
        return cast(Subtree, tree)

    def aread_tree(
        self,
        h: int,
        path: str,
        completion: BulkCompletion[Any] | None = None,
        *,
        progress: Progress | None = None,
        timeout: float | None = None,
        nested: bool = False,
        nodes: TakesNodes | None = None,
    ) -> Done:
        """Do the same as read_tree; `completion(handle, code, tree)`."""
        arguments.taker(nodes)
        told = _told_all(progress, total_is_known=False, nodes=nodes)
        return self._bulk_later(h, self._tree(h, path, progress), completion, timeout, told)

    def _tree(self, h: int, path: str, progress: Progress | None) -> Request:
        _, where = self._find(h, path)
        arguments.function(progress, "progress")

        def perform(client: Client) -> tuple[Any, ...]:
            engine = self._server.engine
            return (Subtree(list(walk(engine, client, where, path)), engine.zxid),)

        return Request(path, perform)

    def watch_many(
        self,
        h: int,
        data: Iterable[str] = (),
        children: Iterable[str] = (),
        exists: Iterable[str] = (),
        watcher: Watcher | None = None,
        *,
        packed: bool = False,
        timeout: float | None = None,
    ) -> tuple[list[Any], list[Any], list[Any]]:
        """Read many nodes and leave a watch at each."""
        request = self._watching(h, data, children, exists, watcher, packed)
        (found,) = self._now(h, request, timeout)
        return cast(tuple[list[Any], list[Any], list[Any]], found)

    def awatch_many(
        self,
        h: int,
        data: Iterable[str] = (),
        children: Iterable[str] = (),
        exists: Iterable[str] = (),
        watcher: Watcher | None = None,
        completion: BulkCompletion[Any] | None = None,
        *,
        packed: bool = False,
        timeout: float | None = None,
    ) -> Done:
        """Do the same as watch_many; `completion(handle, code, results)`."""
        request = self._watching(h, data, children, exists, watcher, packed)
        return self._bulk_later(h, request, completion, timeout)

    def _watching(
        self,
        h: int,
        data: Iterable[str],
        children: Iterable[str],
        exists: Iterable[str],
        watcher: Watcher | None,
        packed: bool,
    ) -> Request:
        handle = self._server.find(h)
        if watcher is None:
            raise TypeError("a watcher is needed")
        arguments.watcher(watcher)
        # In the binding's order: the first fault counts.
        nodes, missing, parents = [self._paths(handle, paths) for paths in (data, exists, children)]
        wanted = [
            (constants.WATCH_CHILDREN, self._names, parents),
            (constants.WATCH_DATA, self._data_and_packed if packed else self._data_and_stat, nodes),
            (constants.WATCH_DATA, self._stat_or_none, missing),
        ]

        def perform(client: Client) -> tuple[Any, ...]:
            found_children, found_data, found_stats = [
                [self._read_and_watch(handle, client, kind, read, path, watcher) for path in paths]
                for kind, read, paths in wanted
            ]
            return ((found_data, found_children, found_stats),)

        return Request(None, perform)

    def _read_many(
        self,
        h: int,
        paths: Iterable[str],
        read: Read,
        progress: Progress | None,
        timeout: float | None,
    ) -> Answers[Any]:
        (answers,) = self._now(h, self._reading(h, paths, read, progress), timeout)
        _told_all(progress)(answers)
        return cast("Answers[Any]", answers)

    def _read_later(
        self,
        h: int,
        paths: Iterable[str],
        read: Read,
        completion: BulkCompletion[Any] | None,
        progress: Progress | None,
        timeout: float | None,
    ) -> Done:
        request = self._reading(h, paths, read, progress)
        return self._bulk_later(h, request, completion, timeout, _told_all(progress))

    def _reading(
        self, h: int, paths: Iterable[str], read: Read, progress: Progress | None
    ) -> Request:
        handle = self._server.find(h)
        checked = self._paths(handle, paths)
        arguments.function(progress, "progress")

        def perform(client: Client) -> tuple[Any, ...]:
            answers = Answers(self._read(handle, client, read, path, False) for path in checked)
            answers.zxid = self._server.engine.zxid if checked else 0
            return (answers,)

        return Request(None, perform)

    def _paths(self, handle: Handle, paths: Iterable[str]) -> list[str]:
        checked = arguments.paths(paths)
        for path in checked:
            arguments.path(path)
            handle.check_size(path)
        return checked

    # One of many, with the server's lock

    def _read(self, handle: Handle, client: Client, read: Read, path: str, watch: bool) -> Any:
        try:
            return read(client, handle.server_path(arguments.path(path)), watch)
        except Refusal as refusal:
            return self._refusal(handle, refusal.code, path)

    def _read_and_watch(
        self, handle: Handle, client: Client, kind: int, read: Read, path: str, watcher: Watcher
    ) -> Any:
        registry = handle.registry
        registry.expect(kind, (path,), watcher)
        is_asked_for = handle.asks_for(Watch(kind, path, watcher))
        result = self._read(handle, client, read, path, is_asked_for)
        is_set = not isinstance(result, errors.ZooKeeperException)
        self._server.delivery.put(partial(registry.settle, kind, (path,), watcher, is_set))
        return result

    def _data_and_stat(self, client: Client, where: str, watch: bool) -> Any:
        data, stat = self._server.engine.get_data(client, where, watch)
        return values.text(data), values.stat(stat)

    def _data_and_packed(self, client: Client, where: str, watch: bool) -> Any:
        data, stat = self._data_and_stat(client, where, watch)
        return data, packed_stat(stat)

    def _stat_and_acl(self, client: Client, where: str, watch: bool) -> Any:
        acl, stat = self._server.engine.get_acl(client, where)
        return values.stat(stat), values.acl(acl)

    def _names(self, client: Client, where: str, watch: bool) -> Any:
        return self._server.engine.get_children(client, where, watch)[0]

    def _stat_or_none(self, client: Client, where: str, watch: bool) -> Any:
        """Read a stat; a missing node is watched even if it may not be read."""
        engine = self._server.engine
        try:
            _, stat = engine.get_data(client, where, watch)
        except Refusal as refusal:
            if refusal.code != constants.NONODE:
                raise
            if watch:
                engine.watches.data.add(where, client)
            return None
        return values.stat(stat)
