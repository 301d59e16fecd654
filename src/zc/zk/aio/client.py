"""The asynchronous client: the methods of the blocking one, to be awaited.

Each is that very method, in another form (`forms.py`), so that there is one implementation. Here
stand those with results of their own: registrations, live objects, plans and walks.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal, overload

import zookeeper
from zc.zk.acl import OPEN_ACL_UNSAFE, READ_ACL_UNSAFE
from zc.zk.aio.children import Children
from zc.zk.aio.crossing import cross
from zc.zk.aio.forms import asked, at_once, awaited
from zc.zk.aio.opening import Opening
from zc.zk.aio.plan import Plan, Walk
from zc.zk.aio.properties import Properties
from zc.zk.aio.providers import Providers
from zc.zk.aio.registration import Registration, Registrations
from zc.zk.aio.tree import Tree
from zc.zk.client import ZooKeeper as Blocking
from zc.zk.watching.subscriptions import Subscriptions

if TYPE_CHECKING:
    from zc.zk.providers.strategies import Strategy
    from zc.zk.registration.address import Address
    from zc.zk.registration.registrations import Server
    from zc.zk.tree.exporting import Skip
    from zookeeper.types import Acl, Progress, Watcher


class ZooKeeper(Opening):
    """A client of a ZooKeeper service, for programs with an event loop.

        async with zc.zk.aio.ZooKeeper("zk1:2181") as zk:
            await zk.register("/prices/providers", ("10.0.0.7", 8080))

    It has the methods of `zc.zk.ZooKeeper`, with the same parameters; those that may have to wait
    are coroutine functions. The functions that take a completion, `aget` and so on, it has not, as
    all its methods are these. It belongs to the loop in which it is opened, by `async with` or
    `connect`: to use it in another loop, or another thread, is an error. Callbacks and watchers may
    be coroutine functions, and are called by the loop.

    A call that is cancelled, or whose time has run out, may be done all the same, as one whose
    connection is lost. Of a `register` that is cancelled no node is left.
    """

    # The session

    @property
    def handle(self) -> int | None:
        """The binding's handle; None while there is no session."""
        return self._inner.handle if self._is_open and self._inner is not None else None

    @property
    def state(self) -> int:
        """How things stand, one of the binding's `_STATE` constants."""
        if not self._is_open or self._inner is None:
            return zookeeper.NOTCONNECTED_STATE
        return self._inner.state

    @property
    def watches(self) -> Subscriptions:
        """The nodes that live objects depend on; its length counts them."""
        return self._ready().watches

    client_id = at_once(Blocking.client_id)
    recv_timeout = at_once(Blocking.recv_timeout)
    is_unrecoverable = at_once(Blocking.is_unrecoverable)
    is_refused = at_once(Blocking.is_refused)
    connection_fault = at_once(Blocking.connection_fault)
    event_zxid = at_once(Blocking.event_zxid)
    check_operations = at_once(Blocking.check_operations)

    def set_watcher(self, watcher: Watcher | None) -> int:
        """Have `watcher(handle, type, state, path)` called for session events, of all sessions.

        It is called like a callback of a live object, one at a time with these.
        """
        inner = self._ready()
        inner.home.watch_session(watcher)
        return inner.set_watcher(inner.home.tell_of_session)

    async def add_auth(self, scheme: str, credential: str | bytes) -> int:
        """Authenticate this session, and later ones. Raises AuthFailedException if refused."""
        inner = self._ready()
        code, _ = await inner.answers.ask(
            lambda add_auth, done: add_auth(scheme, credential, done), inner.add_auth
        )
        if code != zookeeper.OK:
            raise zookeeper.error(code)
        return code

    # Nodes

    create = asked(Blocking.create)
    create2 = asked(Blocking.create2)
    delete = asked(Blocking.delete)
    set = asked(Blocking.set)
    set2 = asked(Blocking.set2)
    exists = asked(Blocking.exists)
    get = asked(Blocking.get)
    get_children = asked(Blocking.get_children)
    get_children2 = asked(Blocking.get_children2)
    get_acl = asked(Blocking.get_acl)
    set_acl = asked(Blocking.set_acl)
    sync = asked(Blocking.sync)
    get_config = asked(Blocking.get_config)
    reconfig = asked(Blocking.reconfig)
    get_ephemerals = asked(Blocking.get_ephemerals)
    get_all_children_number = asked(Blocking.get_all_children_number)
    whoami = asked(Blocking.whoami)
    add_watch = asked(Blocking.add_watch)
    remove_watches = asked(Blocking.remove_watches)
    multi = awaited(Blocking.multi)
    write_many = awaited(Blocking.write_many)
    get_many = awaited(Blocking.get_many)
    get_acl_many = awaited(Blocking.get_acl_many)
    get_children_many = awaited(Blocking.get_children_many)
    read_tree = awaited(Blocking.read_tree)
    get_properties = awaited(Blocking.get_properties)
    is_ephemeral = awaited(Blocking.is_ephemeral)
    create_recursive = awaited(Blocking.create_recursive)
    resolve = awaited(Blocking.resolve)
    ln = awaited(Blocking.ln)

    # Registration

    async def register(
        self, path: str, address: Address, acl: Acl = READ_ACL_UNSAFE, **data: Any
    ) -> Registration:
        """Register a server that listens at `address`, as an ephemeral node at `path`.

        As `zc.zk.ZooKeeper.register`. Of one that is cancelled no node is left: it is deleted in
        the background if it was made.
        """
        inner = self._ready()
        return Registration(self, await cross(inner.register, path, address, acl, **data))

    async def register_all(
        self, servers: Iterable[Server], acl: Acl = READ_ACL_UNSAFE, **data: Any
    ) -> Registrations:
        """Register many servers like `register`, in a few requests: all of them, or none.

        As `zc.zk.ZooKeeper.register_all`. Of a call that is cancelled no node is left.
        """
        inner = self._ready()
        return Registrations(self, await cross(inner.register_all, servers, acl, **data))

    async def register_server(
        self, path: str, address: Address, acl: Acl = READ_ACL_UNSAFE, **data: Any
    ) -> None:
        """Register a server like `register`, for as long as this client lives."""
        await self.register(path, address, acl, **data)

    # Live objects

    def children(self, path: str, watch: bool = True) -> Children:
        """The names of the children of the node at `path`, kept up to date unless `watch` is false.

        To be awaited, which raises NoNodeException, or to be gone through by `async for`.
        """
        return Children(self, path, watch)

    def properties(self, path: str, watch: bool = True) -> Properties:
        """The properties of the node at `path`, kept up to date unless `watch` is false.

        To be awaited, which raises NoNodeException, or to be gone through by `async for`.
        """
        return Properties(self, path, watch)

    def providers(
        self, path: str, strategy: Strategy | None = None, *, kept_share: float = 0.5
    ) -> Providers:
        """The servers registered at `path`, kept up to date, one of which `pick` returns.

        To be awaited, which raises NoNodeException, or to be gone through by `async for`. See
        `zc.zk.providers`.
        """
        return Providers(self, path, strategy, kept_share)

    # Trees

    def tree(
        self,
        path: str = "/",
        *,
        depth: int | None = None,
        filter: Callable[[str], object] | None = None,
    ) -> Tree:
        """The node at `path` and all nodes below it, kept up to date.

        To be awaited, or to be gone through by `async for`. As `zc.zk.ZooKeeper.tree`.
        """
        return Tree(self, path, depth, filter)

    @overload
    def walk(
        self, path: str = ..., ephemeral: bool = ..., children: Literal[False] = ...
    ) -> AsyncIterator[str]: ...

    @overload
    def walk(
        self, path: str = ..., ephemeral: bool = ..., *, children: Literal[True]
    ) -> AsyncIterator[tuple[str, list[str]]]: ...

    def walk(self, path: str = "/", ephemeral: bool = True, children: bool = False) -> Any:
        """Go through the paths of a node and of all below it, by `async for`.

        As `zc.zk.ZooKeeper.walk`.
        """
        steps: Any = self._ready().walk
        return Walk(self, steps(path, ephemeral, children))

    export_tree = awaited(Blocking.export_tree)
    print_tree = awaited(Blocking.print_tree)
    import_tree = awaited(Blocking.import_tree)
    delete_recursive = awaited(Blocking.delete_recursive)

    async def plan_import(
        self,
        text: str,
        path: str = "/",
        trim: bool | None = None,
        acl: Acl = OPEN_ACL_UNSAFE,
        *,
        reset_acls: bool = False,
        ephemeral_as_permanent: bool = False,
        skip: Skip | None = None,
        progress: Progress | None = None,
    ) -> Plan:
        """Plan what `import_tree` with the same arguments would change, in order."""
        plan = await cross(
            self._ready().plan_import,
            text,
            path,
            trim,
            acl,
            reset_acls=reset_acls,
            ephemeral_as_permanent=ephemeral_as_permanent,
            skip=skip,
            progress=progress,
        )
        return Plan(self, plan)

    async def plan_delete(
        self,
        path: str,
        force: bool = False,
        ignore_if_ephemeral: bool = False,
        *,
        progress: Progress | None = None,
    ) -> Plan:
        """Plan what `delete_recursive` with the same arguments would delete, children first."""
        inner = self._ready()
        return Plan(
            self,
            await cross(inner.plan_delete, path, force, ignore_if_ephemeral, progress=progress),
        )

    async def watch_many(
        self,
        data: Any = (),
        children: Any = (),
        exists: Any = (),
        watcher: Watcher | None = None,
        *,
        packed: bool = False,
        timeout: float | None = None,
    ) -> Any:
        """Read many nodes and leave a watch at each, in a few round trips."""
        inner = self._ready()
        watcher = inner.home.on_loop(watcher)
        return await cross(
            inner.watch_many, data, children, exists, watcher, packed=packed, timeout=timeout
        )


ZK = ZooKeeper
