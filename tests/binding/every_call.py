"""Every call of the binding that takes a handle, in its simplest form."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from tests.sessions import OPEN


def calls_with_a_path(zookeeper: ModuleType) -> dict[str, Callable[[Any, Any], object]]:
    """Return each call that takes a path, as a function of handle and path."""
    z: Any = zookeeper
    return {
        "create": lambda h, p: z.create(h, p, "", OPEN),
        "create2": lambda h, p: z.create2(h, p, "", OPEN),
        "acreate": lambda h, p: z.acreate(h, p, "", OPEN),
        "acreate2": lambda h, p: z.acreate2(h, p, "", OPEN),
        "delete": z.delete,
        "adelete": z.adelete,
        "set": lambda h, p: z.set(h, p, ""),
        "set2": lambda h, p: z.set2(h, p, ""),
        "aset": lambda h, p: z.aset(h, p, ""),
        "exists": z.exists,
        "aexists": z.aexists,
        "get": z.get,
        "aget": z.aget,
        "get_children": z.get_children,
        "aget_children": z.aget_children,
        "get_children2": z.get_children2,
        "aget_children2": z.aget_children2,
        "get_acl": z.get_acl,
        "aget_acl": z.aget_acl,
        "set_acl": lambda h, p: z.set_acl(h, p, -1, OPEN),
        "aset_acl": lambda h, p: z.aset_acl(h, p, -1, OPEN),
        "sync": z.sync,
        "async_": z.async_,
        "get_ephemerals": z.get_ephemerals,
        "aget_ephemerals": z.aget_ephemerals,
        "get_all_children_number": z.get_all_children_number,
        "aget_all_children_number": z.aget_all_children_number,
        "add_watch": lambda h, p: z.add_watch(h, p, z.PERSISTENT, print),
        "aadd_watch": lambda h, p: z.aadd_watch(h, p, z.PERSISTENT_RECURSIVE, print),
        "remove_watches": z.remove_watches,
        "aremove_watches": z.aremove_watches,
        "multi create": lambda h, p: z.multi(h, [("create", p, "", OPEN)]),
        "multi set": lambda h, p: z.multi(h, [("set", p, "")]),
        "multi delete": lambda h, p: z.multi(h, [("delete", p)]),
        "multi check": lambda h, p: z.multi(h, [("check", p)]),
        "amulti": lambda h, p: z.amulti(h, [("check", p)]),
        "write_many": lambda h, p: z.write_many(h, [("create", p, "", OPEN)]),
        "awrite_many": lambda h, p: z.awrite_many(h, [("create", p, "", OPEN)]),
        "get_many": lambda h, p: z.get_many(h, [p]),
        "aget_many": lambda h, p: z.aget_many(h, [p]),
        "get_acl_many": lambda h, p: z.get_acl_many(h, [p]),
        "aget_acl_many": lambda h, p: z.aget_acl_many(h, [p]),
        "get_children_many": lambda h, p: z.get_children_many(h, [p]),
        "aget_children_many": lambda h, p: z.aget_children_many(h, [p]),
        "read_tree": z.read_tree,
        "aread_tree": z.aread_tree,
        "awatch_many": lambda h, p: z.awatch_many(h, data=[p], watcher=print),
        "watch_many data": lambda h, p: z.watch_many(h, data=[p], watcher=print),
        "watch_many children": lambda h, p: z.watch_many(h, children=[p], watcher=print),
        "watch_many exists": lambda h, p: z.watch_many(h, exists=[p], watcher=print),
    }


def calls_without_a_path(zookeeper: ModuleType) -> dict[str, Callable[[Any], object]]:
    """Return the other calls that take a handle."""
    z: Any = zookeeper
    return {
        "close": z.close,
        "aclose": z.aclose,
        "state": z.state,
        "client_id": z.client_id,
        "recv_timeout": z.recv_timeout,
        "is_unrecoverable": z.is_unrecoverable,
        "event_thread": z.event_thread,
        "event_thread_busy": z.event_thread_busy,
        "event_zxid": z.event_zxid,
        "set_watcher": lambda h: z.set_watcher(h, None),
        "add_auth": lambda h: z.add_auth(h, "digest", "a:b"),
        "get_config": z.get_config,
        "aget_config": z.aget_config,
        "whoami": z.whoami,
        "awhoami": z.awhoami,
        "reconfig": lambda h: z.reconfig(h, leaving="9"),
        "areconfig": lambda h: z.areconfig(h, leaving="9"),
        "multi of nothing": lambda h: z.multi(h, []),
        "amulti of nothing": lambda h: z.amulti(h, []),
        "write_many of nothing": lambda h: z.write_many(h, []),
        "check_operations of nothing": lambda h: z.check_operations(h, []),
        "awrite_many of nothing": lambda h: z.awrite_many(h, []),
        "get_many of nothing": lambda h: z.get_many(h, []),
        "aget_many of nothing": lambda h: z.aget_many(h, []),
        "awatch_many of nothing": lambda h: z.awatch_many(h, watcher=print),
        "get_acl_many of nothing": lambda h: z.get_acl_many(h, []),
        "get_children_many of nothing": lambda h: z.get_children_many(h, []),
        "watch_many of nothing": lambda h: z.watch_many(h, watcher=print),
    }
