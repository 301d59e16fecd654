# The docstrings are those of the functions themselves: help(zookeeper.get).
from collections.abc import Callable, Iterable, Iterator, Sequence
from threading import Thread
from typing import Any, Final, Literal, TypeAlias, TypedDict, overload

from zookeeper.answers import Answers as Answers
from zookeeper.constants import *  # noqa: F403
from zookeeper.errors import *  # noqa: F403
from zookeeper.errors import ZooKeeperException as ZooKeeperException
from zookeeper.log import set_log_stream as set_log_stream
from zookeeper.tls import TLS as TLS

__version__: Final[str]

class Stat(TypedDict):
    czxid: int
    mzxid: int
    ctime: int
    mtime: int
    version: int
    cversion: int
    aversion: int
    ephemeralOwner: int
    dataLength: int
    numChildren: int
    pzxid: int

class AclEntry(TypedDict):
    perms: int
    scheme: str
    id: str

Acl: TypeAlias = Sequence[AclEntry]
Data: TypeAlias = str | bytes | None
Watcher: TypeAlias = Callable[[int, int, int, str], object]
Progress: TypeAlias = Callable[[int, int | None], object]
Operation: TypeAlias = tuple[Any, ...]

def init(
    hosts: str,
    watcher: Watcher | None = None,
    recv_timeout: int = 10000,
    client_id: tuple[int, str | bytes] | None = None,
    *,
    read_only: bool = False,
    max_request: int = 1048575,
    tls: TLS | bool | None = None,
) -> int: ...
def connection_fault(h: int) -> str | None: ...
def close(h: int, *, lost: bool = False) -> Literal[0]: ...
def close_many(handles: Iterable[int]) -> Literal[0]: ...
def event_thread(h: int) -> Thread | None: ...
def state(h: int) -> int: ...
def is_unrecoverable(h: int) -> bool: ...
def client_id(h: int) -> tuple[int, str]: ...
def recv_timeout(h: int) -> int: ...
def set_watcher(h: int, watcher: Watcher | None) -> Literal[0]: ...
def set_debug_level(level: int) -> Literal[0]: ...
def deterministic_conn_order(yes: bool) -> Literal[0]: ...
def create(
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
    h: int,
    path: str,
    data: Data,
    acl: Acl,
    flags: int = 0,
    completion: Callable[[int, int, str | None], object] | None = None,
    *,
    ttl: int | None = None,
) -> Literal[0]: ...
def acreate2(
    h: int,
    path: str,
    data: Data,
    acl: Acl,
    flags: int = 0,
    completion: Callable[[int, int, str | None, Stat | None], object] | None = None,
    *,
    ttl: int | None = None,
) -> Literal[0]: ...
def delete(h: int, path: str, version: int = -1, *, timeout: float | None = None) -> Literal[0]: ...
def adelete(
    h: int,
    path: str,
    version: int = -1,
    completion: Callable[[int, int], object] | None = None,
) -> Literal[0]: ...
def set(
    h: int, path: str, data: Data, version: int = -1, *, timeout: float | None = None
) -> Literal[0]: ...
def set2(
    h: int, path: str, data: Data, version: int = -1, *, timeout: float | None = None
) -> Stat: ...
def aset(
    h: int,
    path: str,
    data: Data,
    version: int = -1,
    completion: Callable[[int, int, Stat | None], object] | None = None,
) -> Literal[0]: ...
def exists(
    h: int, path: str, watcher: Watcher | None = None, *, timeout: float | None = None
) -> Stat | None: ...
def aexists(
    h: int,
    path: str,
    watcher: Watcher | None = None,
    completion: Callable[[int, int, Stat | None], object] | None = None,
) -> Literal[0]: ...
def get(
    h: int,
    path: str,
    watcher: Watcher | None = None,
    bufferlen: int | None = None,
    *,
    timeout: float | None = None,
) -> tuple[str | None, Stat]: ...
def aget(
    h: int,
    path: str,
    watcher: Watcher | None = None,
    completion: Callable[[int, int, str | None, Stat | None], object] | None = None,
) -> Literal[0]: ...
def get_children(
    h: int, path: str, watcher: Watcher | None = None, *, timeout: float | None = None
) -> list[str]: ...
def get_children2(
    h: int, path: str, watcher: Watcher | None = None, *, timeout: float | None = None
) -> tuple[list[str], Stat]: ...
def aget_children(
    h: int,
    path: str,
    watcher: Watcher | None = None,
    completion: Callable[[int, int, list[str] | None], object] | None = None,
) -> Literal[0]: ...
def aget_children2(
    h: int,
    path: str,
    watcher: Watcher | None = None,
    completion: Callable[[int, int, list[str] | None, Stat | None], object] | None = None,
) -> Literal[0]: ...
def get_acl(h: int, path: str, *, timeout: float | None = None) -> tuple[Stat, list[AclEntry]]: ...
def aget_acl(
    h: int,
    path: str,
    completion: Callable[[int, int, list[AclEntry] | None, Stat | None], object] | None = None,
) -> Literal[0]: ...
def set_acl(
    h: int, path: str, version: int, acl: Acl, *, timeout: float | None = None
) -> Literal[0]: ...
def aset_acl(
    h: int,
    path: str,
    version: int,
    acl: Acl,
    completion: Callable[[int, int], object] | None = None,
) -> Literal[0]: ...
def add_auth(
    h: int,
    scheme: str | bytes,
    credential: str | bytes,
    completion: Callable[[int, int], object] | None = None,
) -> Literal[0]: ...
def sync(h: int, path: str, *, timeout: float | None = None) -> str: ...
def async_(
    h: int, path: str, completion: Callable[[int, int, str | None], object] | None = None
) -> Literal[0]: ...
def get_config(
    h: int, watcher: Watcher | None = None, *, timeout: float | None = None
) -> tuple[str | None, Stat]: ...
def aget_config(
    h: int,
    watcher: Watcher | None = None,
    completion: Callable[[int, int, str | None, Stat | None], object] | None = None,
) -> Literal[0]: ...
def remove_watches(
    h: int,
    path: str,
    kind: int = 3,
    watcher: Watcher | None = None,
    local: bool = False,
    *,
    timeout: float | None = None,
) -> Literal[0]: ...
def aremove_watches(
    h: int,
    path: str,
    kind: int = 3,
    watcher: Watcher | None = None,
    local: bool = False,
    completion: Callable[[int, int], object] | None = None,
) -> Literal[0]: ...
def multi(h: int, ops: Iterable[Operation], *, timeout: float | None = None) -> list[Any]: ...
def amulti(
    h: int,
    ops: Iterable[Operation],
    completion: Callable[[int, int, list[Any] | None], object] | None = None,
) -> Literal[0]: ...
def check_operations(h: int, ops: Iterable[Operation]) -> None: ...
def write_many(
    h: int,
    ops: Iterable[Operation],
    *,
    count: int | None = None,
    batch: int = 500,
    in_flight: int = 4,
    stop: bool = True,
    progress: Progress | None = None,
    timeout: float | None = None,
) -> list[Any]: ...
def get_many(
    h: int,
    paths: Iterable[str],
    *,
    progress: Progress | None = None,
    timeout: float | None = None,
) -> Answers[tuple[str | None, Stat] | ZooKeeperException]: ...
def get_children_many(
    h: int,
    paths: Iterable[str],
    *,
    progress: Progress | None = None,
    timeout: float | None = None,
) -> Answers[list[str] | ZooKeeperException]: ...
def watch_many(
    h: int,
    data: Iterable[str] = (),
    children: Iterable[str] = (),
    exists: Iterable[str] = (),
    watcher: Watcher | None = None,
    *,
    timeout: float | None = None,
) -> tuple[
    list[tuple[str | None, Stat] | ZooKeeperException],
    list[list[str] | ZooKeeperException],
    list[Stat | ZooKeeperException | None],
]: ...

class Znode:
    @property
    def path(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def depth(self) -> int: ...
    @property
    def data(self) -> str | None: ...
    @property
    def error(self) -> ZooKeeperException | None: ...
    @property
    def stat(self) -> Stat | None: ...
    @property
    def version(self) -> int: ...
    @property
    def ephemeralOwner(self) -> int: ...
    @property
    def numChildren(self) -> int: ...

class Subtree(Sequence[Znode]):
    @property
    def zxid(self) -> int: ...
    @overload
    def __getitem__(self, place: int) -> Znode: ...
    @overload
    def __getitem__(self, place: slice) -> list[Znode]: ...
    def __iter__(self) -> Iterator[Znode]: ...
    def __len__(self) -> int: ...

def read_tree(
    h: int, path: str, *, progress: Progress | None = None, timeout: float | None = None
) -> Subtree: ...
