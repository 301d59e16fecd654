"""The clients of a fault run, made of zc.zk."""

from __future__ import annotations

from functools import partial
from typing import Any

import zc.zk
import zookeeper
from tests.faults.beliefs import BROKEN
from tests.faults.library import Told
from zc.zk.watching.treechanges import Changes
from zc.zk.watching.treenode import TreeNode


class Registered:
    def __init__(self, registration: zc.zk.Registration, acl: list[dict[str, Any]]) -> None:
        self._registration = registration
        self.acl = acl

    @property
    def path(self) -> str:
        return self._registration.paths[0]

    @property
    def properties(self) -> dict[str, Any]:
        return self._registration.properties

    def is_registered(self) -> bool:
        return self._registration.state == "registered"

    def update(self, n: int) -> None:
        self._registration.update(n=n)

    def unregister(self) -> None:
        self._registration.unregister()


class Children:
    def __init__(self, zk: zc.zk.ZooKeeper, path: str) -> None:
        self.live = zk.children(path)

    def value(self) -> list[str] | None:
        return self.show(self.live)

    @staticmethod
    def show(live: zc.zk.Children) -> list[str] | None:
        names = sorted(live)
        return None if live.deleted else names


class Properties:
    def __init__(self, zk: zc.zk.ZooKeeper, path: str) -> None:
        self.live = zk.properties(path)

    def value(self) -> dict[str, Any] | None:
        return self.show(self.live)

    @classmethod
    def show(cls, live: zc.zk.Properties) -> dict[str, Any] | None:
        values = {name: cls._read(live, name) for name in live}
        return None if live.deleted else values

    @staticmethod
    def _read(live: zc.zk.Properties, name: str) -> Any:
        try:
            return live[name]
        except zc.zk.BadPropertyLink:
            return BROKEN
        except KeyError:
            # Another thread has made the object look again, and the property is not in it any more.
            return None


class Providers:
    def __init__(self, zk: zc.zk.ZooKeeper, path: str) -> None:
        self.live = zk.providers(path)

    def value(self) -> dict[str, Any] | None:
        return self.show(self.live)

    @staticmethod
    def show(live: Any) -> dict[str, Any] | None:
        registered = {address: dict(properties) for address, properties in live.items()}
        return None if live.deleted else registered


# The objects that follow a node, by kind; trees are told of otherwise.
FOLLOWED = {"children": Children, "properties": Properties, "providers": Providers}


class Tree:
    """A live tree. Its callback is told of what it knows by the changes that it was told."""

    def __init__(self, zk: zc.zk.ZooKeeper, path: str, told: Told | None) -> None:
        self.live = zk.tree(path)
        if told is not None:
            self.live(partial(self._tell, told, {}))

    def value(self) -> dict[str, Any] | None:
        return {node.path: self._shown(node) for node in self.live.values()} or None

    @staticmethod
    def _shown(node: TreeNode) -> list[Any]:
        return [node.data or "", node.ephemeralOwner & (2**64 - 1)]

    @classmethod
    def _tell(cls, told: Told, known: dict[str, Any], tree: zc.zk.Tree, changes: Changes) -> None:
        for path in changes.removed:
            known.pop(path)
        for path in (*changes.added, *changes.changed):
            node = tree.get(path)
            # One that is gone already is told of next.
            known[path] = None if node is None else cls._shown(node)
        told(dict(known) or None)


class Library:
    trouble = (zookeeper.SessionError,)
    conflicts = (
        zookeeper.NoNodeException,
        zookeeper.NodeExistsException,
        zookeeper.BadVersionException,
        zookeeper.NotEmptyException,
    )
    has_links = True
    has_trees = True
    has_providers = True
    revives_nodes = True
    callbacks_may_block = True

    def __init__(
        self,
        hosts: str,
        session_milliseconds: int,
        tls: dict[str, str] | None,
        login: list[str] | None = None,
        **limits: Any,
    ) -> None:
        by_tls = zc.zk.TLS(ca=tls["ca"], certificate=tls["certificate"]) if tls else None
        sasl = zc.zk.SASL.digest_md5(*login) if login else None
        self.zk = zc.zk.ZooKeeper(
            hosts, session_milliseconds, wait=True, tls=by_tls, sasl=sasl, **limits
        )

    def session(self) -> tuple[int, str]:
        handle = self.zk.handle
        if handle is None:
            return 0, ""
        try:
            number, password = zookeeper.client_id(handle)
        except zookeeper.InvalidStateException:
            return 0, ""
        return number & (2**64 - 1), password

    def register(self, parent: str, name: str, properties: dict[str, Any]) -> Registered:
        acl = zc.zk.READ_ACL_UNSAFE
        entries = [{**entry} for entry in acl]
        return Registered(self.zk.register(parent, name, acl, **properties), entries)

    def follow(self, kind: str, path: str, told: Told | None) -> Any:
        if kind == "tree":
            return Tree(self.zk, path, told)
        live: Any = FOLLOWED[kind](self.zk, path)
        if told is not None:
            # The callback does not refer to the object, which is gone when the client drops it.
            show = type(live).show
            live.live(lambda seen=None: told(None if seen is None else show(seen)))
        return live

    def create(self, path: str, data: str, ephemeral: bool = False) -> None:
        flags = zookeeper.EPHEMERAL if ephemeral else 0
        self.zk.create(path, data, zc.zk.OPEN_ACL_UNSAFE, flags)

    def get(self, path: str) -> str:
        return self.zk.get(path)[0] or ""

    def set(self, path: str, data: str) -> None:
        self.zk.set(path, data)

    def delete(self, path: str) -> None:
        self.zk.delete(path)

    def children(self, path: str) -> list[str]:
        return self.zk.get_children(path)

    def update(self, path: str, n: int) -> None:
        self.zk.properties(path, watch=False).update(lambda now: {**now, "n": n})

    def export(self, path: str) -> str:
        return self.zk.export_tree(path)

    def import_(self, path: str, text: str) -> None:
        self.zk.import_tree(text, path, trim=True)

    def sync(self, path: str) -> None:
        self.zk.sync(path)

    def newest(self, path: str) -> int:
        stats = [node.stat for node in self.zk.read_tree(path) if node.stat]
        return max(max(stat["mzxid"], stat["pzxid"]) for stat in stats)

    def delete_tree(self, path: str) -> None:
        self.zk.delete_recursive(path)

    def walk(self, path: str) -> list[str]:
        return list(self.zk.walk(path))

    def close(self) -> None:
        self.zk.close()
