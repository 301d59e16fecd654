"""Programs as users write them, for mypy --strict; they are never run.

Where a comment makes a type checker ignore an error, the error has to be there: mypy reports
ignores that are not needed.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import assert_type

import zc.zk
import zc.zk.event
import zookeeper

# A server


def serve(handler: type[BaseHTTPRequestHandler]) -> None:
    with zc.zk.ZooKeeper(session_timeout=4000) as zk:
        with ThreadingHTTPServer(("", 0), handler) as server:
            registration = zk.register("/prices/providers", server.server_address, weight=2)
            assert_type(registration, zc.zk.Registration)
            registration.update(weight=3)
            server.serve_forever()


def register_in_all_forms(zk: zc.zk.ZooKeeper, listening: socket.socket) -> list[str]:
    zk.register_server("/providers", "192.168.0.42:8080")
    zk.register_server("/providers", ("192.168.0.42", 8080))
    zk.register_server("/providers", ("192.168.0.42", "8080"))
    zk.register_server("/providers", ("::1", 8080, 0, 0))
    zk.register_server("/providers", listening.getsockname())
    zk.register("/providers", ":8080", acl=zc.zk.OPEN_ACL_UNSAFE, version="1.4")
    zk.register_server("/providers", 8080)  # type: ignore[arg-type]
    with zk.register("/providers", ("", 8080)) as registration:
        if registration.state == "registered":
            return registration.paths
    return []


def add_version(event: object) -> None:
    if isinstance(event, zc.zk.RegisteringServer):
        event.properties["version"] = "1.4"


zc.zk.event.notify = add_version


# A program that uses it


class Pool:
    """Follows the servers of a service."""

    def __init__(self, zk: zc.zk.ZooKeeper, path: str) -> None:
        self.addresses: set[tuple[str, int]] = set()
        self.names = zk.children(path)(self.changed)
        assert_type(self.names, zc.zk.Children)

    def changed(self, names: Iterable[str] = ()) -> None:
        self.addresses = {zc.zk.parse_addr(name) for name in names}

    def first(self) -> str | None:
        return min(self.names) if len(self.names) else None


def decorate(zk: zc.zk.ZooKeeper) -> None:
    @zk.children("/prices/providers")
    def servers(names: zc.zk.Children) -> None:
        print(*names)

    @zk.properties("/shop")
    def settings(properties: zc.zk.Properties) -> None:
        if properties.get("closed"):
            raise zc.zk.CancelWatch

    assert_type(servers, zc.zk.Children)
    assert_type(settings, zc.zk.Properties)
    assert_type(list(servers), list[str])
    assert_type(settings["item"], Any)
    assert_type(servers.deleted, bool)
    takes_a_mapping(settings)


def takes_a_mapping(mapping: Mapping[str, Any]) -> None:
    print(dict(mapping))


def change(settings: zc.zk.Properties) -> None:
    settings["item"] = "tea"
    settings.set({"item": "tea"}, size="small")
    settings.set([("item", "tea")])
    settings.update(item="coffee")
    settings.update({"item": "coffee"})
    settings.update(lambda now: {"sold": now.get("sold", 0) + 1})
    settings.update(one_more, checked=True)
    settings.update(7)  # type: ignore[arg-type]
    del settings["item"]
    settings.rewrite(lambda now: {"bought": now.pop("sold"), **now})
    settings.rewrite({})  # type: ignore[arg-type]
    version: int = settings.meta_data["version"]
    print(version, settings.copy())


def one_more(now: dict[str, Any]) -> dict[str, Any]:
    return {"sold": now.get("sold", 0) + 1}


# Trees


def deploy(zk: zc.zk.ZooKeeper, text: str) -> int:
    def progress(done: int, total: int | None) -> None:
        print(f"{done} of {total or 'many'}")

    try:
        plan = zk.plan_import(text, trim=True)
    except ValueError as fault:
        print(fault)
        return 2
    for step in plan:
        print(step.path, str(step))
    plan.apply(progress)
    zk.import_tree(text, "/copy", trim=False, acl=zc.zk.READ_ACL_UNSAFE, progress=progress)
    zk.delete_recursive("/copy", force=True)
    assert_type(zk.export_tree(ephemeral=True, name="all"), str)
    return 0


def walk(zk: zc.zk.ZooKeeper) -> None:
    assert_type(zk.walk(), Iterator[str])
    assert_type(zk.walk("/shop", children=True), Iterator[tuple[str, list[str]]])
    tree = zk.tree("/shop", depth=2, filter=lambda path: not path.endswith("/old"))
    assert_type(tree["/shop"].properties, Mapping[str, Any])
    tree(lambda tree, changes: print(len(tree), changes.added))
    for path, names in zk.walk(ephemeral=False, children=True):
        names.remove("lost+found")
        print(path)


class Host(zc.zk.ParseNode):
    """A node of parsed text, with methods of the program's own."""

    def rack(self) -> str:
        return str(self.properties["rack"])


def draw(text: str) -> list[str]:
    assert_type(zc.zk.parse_tree(text), zc.zk.ParseNode)
    hosts = zc.zk.parse_tree(text, Host)
    assert_type(hosts, Host)
    return [host.rack() for depth, host in hosts.walk() if depth]


# Single nodes, and faults


def use_single_nodes(zk: zc.zk.ZooKeeper) -> None:
    path = zk.create("/job-", b"\xff", zc.zk.OPEN_ACL_UNSAFE, zookeeper.SEQUENCE)
    assert_type(path, str)
    data, stat = zk.get(path)
    assert_type(data, str | None)
    zk.set(path, "new", stat["version"])
    zk.delete(path)
    assert_type(zk.exists(path), zookeeper.Stat | None)
    assert_type(zk.get_children("/"), list[str])
    assert_type(zk.get_properties("/shop"), dict[str, Any])
    zk.get(1)  # type: ignore[arg-type]

    def arrived(handle: int, code: int, data: str | None, stat: zookeeper.Stat | None) -> None:
        print(handle, zookeeper.zerror(code), data, stat)

    zk.aget(path, None, arrived)
    zk.create("/mine", "", [zc.zk.world_permission(zookeeper.PERM_READ)], zookeeper.EPHEMERAL)
    zk.multi([("check", "/shop", 3), ("delete", "/mine")])
    for node in zk.read_tree("/shop"):
        print("  " * node.depth + node.name, node.error or node.data)


def repeat_until_connected(zk: zc.zk.ZooKeeper, work: Callable[[zc.zk.ZooKeeper], None]) -> None:
    while zk.state != zookeeper.NOTCONNECTED_STATE:
        try:
            return work(zk)
        except zookeeper.ConnectionLossException as fault:
            print(fault.code, fault.path)
        except zc.zk.LinkLoop as fault_of_links:
            print(fault_of_links.paths)
            raise


def connect_at_last(hosts: str) -> zc.zk.ZooKeeper:
    try:
        return zc.zk.ZooKeeper(hosts)
    except zc.zk.FailedConnect:
        return zc.zk.ZK(hosts, 10_000, wait=True)


def use_the_binding(hosts: str) -> None:
    def watcher(handle: int, type: int, state: int, path: str) -> None:
        print(handle, type, state, path)

    handle = zookeeper.init(hosts, watcher, 10_000)
    assert_type(handle, int)
    try:
        data, _ = zookeeper.get(handle, "/", timeout=2.5)
        assert_type(data, str | None)
        zookeeper.set_log_stream(None)
    finally:
        zookeeper.close(handle)
