"""The border to C: what the library asks of a binding, as one `Protocol`.

The extension behind the module `zookeeper` is one implementation, the emulation of
`zc.zk.testing` another; mypy holds both to the protocol (`tests/typing/bindings.py`), and
`tests/test_binding_protocol.py` compares their signatures with it at run time. The stub takes its
functions from here, and `zc.zk.ZooKeeper(..., binding=...)` any object that has them.

`help(zookeeper.get)` and so on says what the functions do. Exceptions and constants are no part of
a binding: all bindings share those of `zookeeper`.
"""

from __future__ import annotations

from collections.abc import Iterable
from threading import Thread
from typing import Any, Literal, Protocol

from zookeeper.answers import Answers
from zookeeper.errors import ZooKeeperException
from zookeeper.sasl import Mechanism
from zookeeper.tls import TLS
from zookeeper.types import (
    Acl,
    AclCompletion,
    AclEntry,
    BulkCompletion,
    Cancellable,
    ClientId,
    Data,
    DataCompletion,
    IdentitiesCompletion,
    MultiCompletion,
    NumberCompletion,
    Operation,
    Progress,
    ProvenIdentity,
    Stat,
    StatCompletion,
    StringCompletion,
    StringsCompletion,
    StringsStatCompletion,
    StringStatCompletion,
    Subtree,
    TakesNodes,
    VoidCompletion,
    WatchedNodes,
    Watcher,
)


class Binding(Protocol):
    """The functions that open a handle or take one; `h` is its number."""

    def init(
        self,
        hosts: str,
        watcher: Watcher | None = None,
        recv_timeout: int = 10000,
        client_id: ClientId | None = None,
        *,
        read_only: bool = False,
        max_request: int = 1048575,
        tls: TLS | bool | None = None,
        sasl: Mechanism | None = None,
    ) -> int: ...
    def connection_fault(self, h: int, *, awaited: bool = False) -> str | None: ...
    def is_refused(self, h: int) -> bool: ...
    def close(self, h: int, *, lost: bool = False) -> Literal[0]: ...
    def aclose(
        self, h: int, completion: VoidCompletion | None = None, *, lost: bool = False
    ) -> Literal[0]: ...
    def close_many(self, handles: Iterable[int]) -> Literal[0]: ...
    def event_thread(self, h: int) -> Thread | None: ...
    def event_thread_busy(self, h: int) -> float: ...
    def state(self, h: int) -> int: ...
    def is_unrecoverable(self, h: int) -> bool: ...
    def client_id(self, h: int) -> tuple[int, str]: ...
    def recv_timeout(self, h: int) -> int: ...
    def set_watcher(self, h: int, watcher: Watcher | None) -> Literal[0]: ...
    def create(
        self,
        h: int,
        path: str,
        data: Data,
        acl: Acl,
        flags: int = 0,
        *,
        ttl: int | None = None,
        timeout: float | None = None,
    ) -> str: ...
    def create2(
        self,
        h: int,
        path: str,
        data: Data,
        acl: Acl,
        flags: int = 0,
        *,
        ttl: int | None = None,
        timeout: float | None = None,
    ) -> tuple[str, Stat]: ...
    def acreate(
        self,
        h: int,
        path: str,
        data: Data,
        acl: Acl,
        flags: int = 0,
        completion: StringCompletion | None = None,
        *,
        ttl: int | None = None,
    ) -> Literal[0]: ...
    def acreate2(
        self,
        h: int,
        path: str,
        data: Data,
        acl: Acl,
        flags: int = 0,
        completion: StringStatCompletion | None = None,
        *,
        ttl: int | None = None,
    ) -> Literal[0]: ...
    def delete(
        self, h: int, path: str, version: int = -1, *, timeout: float | None = None
    ) -> Literal[0]: ...
    def adelete(
        self, h: int, path: str, version: int = -1, completion: VoidCompletion | None = None
    ) -> Literal[0]: ...
    def set(
        self, h: int, path: str, data: Data, version: int = -1, *, timeout: float | None = None
    ) -> Literal[0]: ...
    def set2(
        self, h: int, path: str, data: Data, version: int = -1, *, timeout: float | None = None
    ) -> Stat: ...
    def aset(
        self,
        h: int,
        path: str,
        data: Data,
        version: int = -1,
        completion: StatCompletion | None = None,
    ) -> Literal[0]: ...
    def exists(
        self, h: int, path: str, watcher: Watcher | None = None, *, timeout: float | None = None
    ) -> Stat | None: ...
    def aexists(
        self,
        h: int,
        path: str,
        watcher: Watcher | None = None,
        completion: StatCompletion | None = None,
    ) -> Literal[0]: ...
    def get(
        self,
        h: int,
        path: str,
        watcher: Watcher | None = None,
        bufferlen: int | None = None,
        *,
        timeout: float | None = None,
    ) -> tuple[str | None, Stat]: ...
    def aget(
        self,
        h: int,
        path: str,
        watcher: Watcher | None = None,
        completion: DataCompletion | None = None,
    ) -> Literal[0]: ...
    def get_children(
        self, h: int, path: str, watcher: Watcher | None = None, *, timeout: float | None = None
    ) -> list[str]: ...
    def get_children2(
        self, h: int, path: str, watcher: Watcher | None = None, *, timeout: float | None = None
    ) -> tuple[list[str], Stat]: ...
    def aget_children(
        self,
        h: int,
        path: str,
        watcher: Watcher | None = None,
        completion: StringsCompletion | None = None,
    ) -> Literal[0]: ...
    def aget_children2(
        self,
        h: int,
        path: str,
        watcher: Watcher | None = None,
        completion: StringsStatCompletion | None = None,
    ) -> Literal[0]: ...
    def get_acl(
        self, h: int, path: str, *, timeout: float | None = None
    ) -> tuple[Stat, list[AclEntry]]: ...
    def aget_acl(
        self, h: int, path: str, completion: AclCompletion | None = None
    ) -> Literal[0]: ...
    def set_acl(
        self, h: int, path: str, version: int, acl: Acl, *, timeout: float | None = None
    ) -> Literal[0]: ...
    def aset_acl(
        self, h: int, path: str, version: int, acl: Acl, completion: VoidCompletion | None = None
    ) -> Literal[0]: ...
    def add_auth(
        self,
        h: int,
        scheme: str | bytes,
        credential: str | bytes,
        completion: VoidCompletion | None = None,
    ) -> Literal[0]: ...
    def sync(self, h: int, path: str, *, timeout: float | None = None) -> str: ...
    def async_(
        self, h: int, path: str, completion: StringCompletion | None = None
    ) -> Literal[0]: ...
    def get_config(
        self, h: int, watcher: Watcher | None = None, *, timeout: float | None = None
    ) -> tuple[str | None, Stat]: ...
    def aget_config(
        self, h: int, watcher: Watcher | None = None, completion: DataCompletion | None = None
    ) -> Literal[0]: ...
    def reconfig(
        self,
        h: int,
        joining: str | None = None,
        leaving: str | None = None,
        members: str | None = None,
        version: int = -1,
        *,
        timeout: float | None = None,
    ) -> tuple[str | None, Stat]: ...
    def areconfig(
        self,
        h: int,
        joining: str | None = None,
        leaving: str | None = None,
        members: str | None = None,
        version: int = -1,
        completion: DataCompletion | None = None,
    ) -> Literal[0]: ...
    def get_ephemerals(
        self, h: int, path: str = "/", *, timeout: float | None = None
    ) -> list[str]: ...
    def aget_ephemerals(
        self, h: int, path: str = "/", completion: StringsCompletion | None = None
    ) -> Literal[0]: ...
    def get_all_children_number(
        self, h: int, path: str, *, timeout: float | None = None
    ) -> int: ...
    def aget_all_children_number(
        self, h: int, path: str, completion: NumberCompletion | None = None
    ) -> Literal[0]: ...
    def whoami(self, h: int, *, timeout: float | None = None) -> list[ProvenIdentity]: ...
    def awhoami(self, h: int, completion: IdentitiesCompletion | None = None) -> Literal[0]: ...
    def add_watch(
        self, h: int, path: str, mode: int, watcher: Watcher, *, timeout: float | None = None
    ) -> Literal[0]: ...
    def aadd_watch(
        self,
        h: int,
        path: str,
        mode: int,
        watcher: Watcher,
        completion: VoidCompletion | None = None,
    ) -> Literal[0]: ...
    def event_zxid(self, h: int) -> int | None: ...
    def remove_watches(
        self,
        h: int,
        path: str,
        kind: int = 3,
        watcher: Watcher | None = None,
        local: bool = False,
        *,
        timeout: float | None = None,
    ) -> Literal[0]: ...
    def aremove_watches(
        self,
        h: int,
        path: str,
        kind: int = 3,
        watcher: Watcher | None = None,
        local: bool = False,
        completion: VoidCompletion | None = None,
    ) -> Literal[0]: ...
    def multi(
        self, h: int, ops: Iterable[Operation], *, timeout: float | None = None
    ) -> list[Any]: ...
    def amulti(
        self, h: int, ops: Iterable[Operation], completion: MultiCompletion | None = None
    ) -> Literal[0]: ...
    def check_operations(self, h: int, ops: Iterable[Operation]) -> None: ...
    def awrite_many(
        self,
        h: int,
        ops: Iterable[Operation],
        completion: BulkCompletion[list[Any]] | None = None,
        *,
        batch: int = 500,
        in_flight: int = 4,
        serial: int = 0,
        stop: bool = True,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> Cancellable: ...
    def write_many(
        self,
        h: int,
        ops: Iterable[Operation],
        *,
        count: int | None = None,
        batch: int = 500,
        in_flight: int = 4,
        serial: int = 0,
        stop: bool = True,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> list[Any]: ...
    def get_many(
        self,
        h: int,
        paths: Iterable[str],
        *,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> Answers[tuple[str | None, Stat] | ZooKeeperException]: ...
    def aget_many(
        self,
        h: int,
        paths: Iterable[str],
        completion: BulkCompletion[Answers[tuple[str | None, Stat] | ZooKeeperException]]
        | None = None,
        *,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> Cancellable: ...
    def get_acl_many(
        self,
        h: int,
        paths: Iterable[str],
        *,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> Answers[tuple[Stat, list[AclEntry]] | ZooKeeperException]: ...
    def aget_acl_many(
        self,
        h: int,
        paths: Iterable[str],
        completion: BulkCompletion[Answers[tuple[Stat, list[AclEntry]] | ZooKeeperException]]
        | None = None,
        *,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> Cancellable: ...
    def get_children_many(
        self,
        h: int,
        paths: Iterable[str],
        *,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> Answers[list[str] | ZooKeeperException]: ...
    def aget_children_many(
        self,
        h: int,
        paths: Iterable[str],
        completion: BulkCompletion[Answers[list[str] | ZooKeeperException]] | None = None,
        *,
        progress: Progress | None = None,
        timeout: float | None = None,
    ) -> Cancellable: ...
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
    ) -> WatchedNodes: ...
    def awatch_many(
        self,
        h: int,
        data: Iterable[str] = (),
        children: Iterable[str] = (),
        exists: Iterable[str] = (),
        watcher: Watcher | None = None,
        completion: BulkCompletion[WatchedNodes] | None = None,
        *,
        packed: bool = False,
        timeout: float | None = None,
    ) -> Cancellable: ...
    def read_tree(
        self,
        h: int,
        path: str,
        *,
        progress: Progress | None = None,
        timeout: float | None = None,
        nested: bool = False,
        nodes: TakesNodes | None = None,
    ) -> Subtree: ...
    def aread_tree(
        self,
        h: int,
        path: str,
        completion: BulkCompletion[Subtree] | None = None,
        *,
        progress: Progress | None = None,
        timeout: float | None = None,
        nested: bool = False,
        nodes: TakesNodes | None = None,
    ) -> Cancellable: ...
