"""A handle's watchers, and the watches that stay: what the C core of the binding does about them.

The server has one watch for a path. So one-time watches are not asked for at the path of one that
stays, and the latter goes when nobody needs it any more.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Protocol

from zc.zk.testing.engine import Client, Engine, Mode, Refusal, Rewatch
from zookeeper import constants
from zookeeper.constants import CONNECTED_STATE

if TYPE_CHECKING:
    from zookeeper.types import Watcher
    from zookeeper.watchers import WatcherRegistry

logger = logging.getLogger("ZooKeeper")

MODES: Final = {
    constants.PERSISTENT: Mode.PERSISTENT,
    constants.PERSISTENT_RECURSIVE: Mode.RECURSIVE,
}


class Handle(Protocol):
    """A handle, as its watchers need it."""

    is_closed: bool

    @property
    def number(self) -> int: ...

    @property
    def registry(self) -> WatcherRegistry: ...

    def server_path(self, path: str) -> str: ...

    def client_path(self, path: str) -> str: ...

    def sweep(self, path: str) -> None: ...


def call(
    handle: Handle, watchers: Sequence[Watcher], event_type: int, state: int, path: str
) -> None:
    """Call watchers, each whatever the others raise."""
    for watcher in watchers:
        if handle.is_closed:
            return
        try:
            watcher(handle.number, event_type, state, path)
        except KeyboardInterrupt:
            raise  # no mistake of the watcher's
        except BaseException:
            logger.exception("a watcher of handle %d raised at %s", handle.number, path)


def tell(handle: Handle, event_type: int, path: str, is_outside: bool) -> None:
    """Tell the watchers of an event. A node outside is not below the root of all paths."""
    registry = handle.registry
    call(handle, registry.take(event_type, path, is_outside), event_type, CONNECTED_STATE, path)
    if not is_outside:
        watchers, parent = registry.of_parent(event_type, path)
        call(handle, watchers, constants.CHILD_EVENT, CONNECTED_STATE, parent)
    handle.sweep(path)


def stay(engine: Engine, client: Client, handle: Handle, path: str, mode: int) -> None:
    """Have the server watch a path for good, and its children as before."""
    where = handle.server_path(path)
    children_too = handle.registry.present(path) & constants.WATCH_CHILDREN
    handle.registry.at_server[path] = mode
    engine.add_watch(client, where, MODES[mode])
    if mode == constants.PERSISTENT_RECURSIVE and children_too:
        engine.rewatch(client, engine.zxid, Rewatch(children=[where]))


def sweep(engine: Engine, client: Client | None, handle: Handle, path: str) -> None:
    """Have the server keep no watch that stays when nobody at a path needs one."""
    registry = handle.registry
    if path in registry.at_server and not registry.present(path):
        del registry.at_server[path]
        if client is not None:
            with contextlib.suppress(Refusal):
                engine.remove_watch(client, handle.server_path(path), constants.WATCH_ANY)


def remembered(engine: Engine, handle: Handle, one_time: Rewatch) -> Rewatch:
    """Return all watches of a connection that is lost, given those of one time."""
    registry = handle.registry
    data, exists, children = [list(paths) for paths in one_time[:3]]
    for path in registry.at_server:
        where = handle.server_path(path)
        present = registry.present(path) & registry.left_out(path)
        if present & constants.WATCH_DATA:
            (data if where in engine.tree.nodes else exists).append(where)
        if present & constants.WATCH_CHILDREN:
            children.append(where)
    return Rewatch(data, exists, children)


def _still_wanted(handle: Handle, one_time: Rewatch) -> Rewatch:
    """Leave out what was removed since, or that a watch which stays has outlived."""

    def wanted(paths: Sequence[str], kind: int) -> list[str]:
        present = handle.registry.present
        return [path for path in paths if present(handle.client_path(path)) & kind]

    return Rewatch(
        wanted(one_time.data, constants.WATCH_DATA),
        wanted(one_time.exists, constants.WATCH_DATA),
        wanted(one_time.children, constants.WATCH_CHILDREN),
    )


def watch_again(
    engine: Engine, client: Client, handle: Handle, seen: int, one_time: Rewatch
) -> None:
    """Set all watches on a new connection, in the order in which the binding does."""
    registry = handle.registry
    one_time = _still_wanted(handle, one_time)
    for path in [path for path in registry.at_server if registry.mode(path) < 0]:
        del registry.at_server[path]
    by_mode: dict[int, list[str]] = {mode: [] for mode in MODES}
    for path, mode in registry.at_server.items():
        by_mode[mode].append(handle.server_path(path))
    recursive = by_mode[constants.PERSISTENT_RECURSIVE]
    engine.rewatch(client, seen, one_time)
    engine.rewatch(
        client, seen, Rewatch(persistent=by_mode[constants.PERSISTENT], recursive=recursive)
    )
    again = [path for path in one_time.children if path in recursive]
    engine.rewatch(client, seen, Rewatch(children=again))
