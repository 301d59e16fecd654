"""The client: what a program talks to.

Its methods are thin; each says where the work is done. The session with the servers is in
`zc.zk.session`, ephemeral nodes are in `zc.zk.registration`, live objects in `zc.zk.watching`, and
work on trees is in `zc.zk.operations`, whose modules are imported when there is some.
"""

from __future__ import annotations

import functools
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, overload

import zookeeper
from zc.zk import event
from zc.zk.acl import OPEN_ACL_UNSAFE, READ_ACL_UNSAFE
from zc.zk.errors import FailedConnect, printable
from zc.zk.links import LINK, as_told
from zc.zk.lowlevel import LowLevel
from zc.zk.registration.address import Address
from zc.zk.registration.registration import Registration, register
from zc.zk.registration.registry import Registry
from zc.zk.session.announcements import MakeEvent
from zc.zk.session.session import Session, State
from zc.zk.watching.children import Children
from zc.zk.watching.properties import Properties
from zc.zk.watching.readers import resolve
from zc.zk.watching.subscriptions import Subscriptions

if TYPE_CHECKING:
    from zc.zk.operations.plan import Plan
    from zookeeper.binding import Binding
    from zookeeper.tls import TLS
    from zookeeper.types import Acl, Data, Progress

logger = logging.getLogger("zc.zk")

DEFAULT_CONNECTION_STRING = "127.0.0.1:2181"
CONNECTION_STRING_VARIABLE = "ZC_ZK_CONNECTION_STRING"

_STATES = {
    State.CONNECTED: zookeeper.CONNECTED_STATE,
    State.READ_ONLY: zookeeper.READONLY_STATE,
    State.CLOSED: zookeeper.NOTCONNECTED_STATE,
    State.FORKED: zookeeper.NOTCONNECTED_STATE,
}

Self = TypeVar("Self", bound="ZooKeeper")
Method = TypeVar("Method", bound=Callable[..., Any])


def tells_of_root(method: Method) -> Method:
    """Have a method say so if a node is missing because the root of all paths is."""

    @functools.wraps(method)
    def telling(self: ZooKeeper, /, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except zookeeper.NoNodeException as missing:
            from zc.zk.operations import root

            told = root.named(self._session, missing)
            if told is missing:
                raise
            raise told from None

    return cast(Method, telling)


class ZooKeeper(LowLevel):
    """A client of a ZooKeeper service.

    `connection_string` is a comma-separated list of host:port, with an optional /root behind it
    that becomes the root of all paths; by default what the environment variable
    ZC_ZK_CONNECTION_STRING says, or else 127.0.0.1:2181. `session_timeout` is in milliseconds; by
    default the binding's, 10 seconds, within the limits of the servers.

    Waits for a connection, and raises `FailedConnect` when there is none after
    `initial_connection_wait` seconds; if `wait`, it waits for as long as it takes. From then on the
    session is kept up until `close`, whatever happens to connections: when it has expired there is
    a new one, with the same registrations and watches.

    If `keep_callbacks`, callbacks of live objects that raise an exception are logged and called
    again, and not dropped; see `zc.zk.watching.liveobject`.

    If `read_only`, a server that is cut off from the others, and serves readers all the same, will
    do while there is no better one. Live objects then go on there, `state` is READONLY_STATE,
    writes raise NotReadOnlyException, and registrations are pending. When servers can write again
    there is a new session, with all that was registered.

    `tls` is a `zc.zk.TLS`, or True for one with the system's authorities: connections are
    encrypted, and servers have to be what they say.

    `binding` has the functions to use in the place of those of the module `zookeeper`, such as
    those of an emulation; see `zookeeper.binding.Binding`.

    Besides the methods here it has the functions of `zookeeper` that take a handle, without it.
    They may be used from any thread.
    """

    initial_connection_wait = 9.0

    def __init__(
        self,
        connection_string: str | None = None,
        session_timeout: int | None = None,
        wait: bool = False,
        *,
        keep_callbacks: bool = False,
        read_only: bool = False,
        tls: TLS | bool | None = None,
        binding: Binding | None = None,
    ) -> None:
        if connection_string is None:
            connection_string = os.environ.get(
                CONNECTION_STRING_VARIABLE, DEFAULT_CONNECTION_STRING
            )
        self._session = Session(
            connection_string, session_timeout, read_only=read_only, tls=tls, binding=binding
        )
        self.watches = Subscriptions(self._session)
        self.watches.keep_callbacks = keep_callbacks
        self._ephemerals = Registry(self._session, self.watches)
        # In this order, so that those who watch for our servers see them back at the first look.
        self._session.add_duty(self._ephemerals.keep, writes=True)
        self._session.add_duty(self.watches.cache.keep)
        self._session.announcements.listener = self._announce
        deadline = time.monotonic() + self.initial_connection_wait
        # Here and in no function of its own, from whose end to that of this an interrupt would find
        # nobody to close the session.
        try:
            self._session.open(wait)
            self._wait_for_session(wait, deadline)
        except BaseException:
            self._session.close()
            raise

    def _announce(self, happened: MakeEvent) -> None:
        event.tell(happened(self))

    def _wait_for_session(self, wait: bool, deadline: float) -> None:
        seconds = self.initial_connection_wait
        name = self._session.connection_string
        known = ""
        while not self._session.wait_until_connected(max(0.0, deadline - time.monotonic())):
            reason = self._session.why_there_is_none()
            deadline = time.monotonic() + seconds
            if not wait:
                raise FailedConnect(f"{name}: no answer within {seconds:g} seconds ({reason})")
            if reason != known:
                logger.warning("%s: no answer yet, waiting (%s)", name, reason)
                known = reason

    # The session

    @property
    def handle(self) -> int | None:
        """The binding's handle; None while there is no session."""
        return self._session.handle

    @property
    def connection_string(self) -> str:
        """Where the servers are."""
        return self._session.connection_string

    @property
    def state(self) -> int:
        """How things stand, one of the binding's `_STATE` constants.

        CONNECTED_STATE; READONLY_STATE, if `read_only` was asked for; CONNECTING_STATE while there
        is no connection, whether the session goes on or a new one is needed; NOTCONNECTED_STATE
        when this is closed, or is the parent's after a fork and `reopen` has not been called.
        """
        return _STATES.get(self._session.state, zookeeper.CONNECTING_STATE)

    def reopen(self, wait: bool = False) -> None:
        """In a child process, after a fork: have a session of its own.

        Live objects go on in it, with the same callbacks, as after the loss of a session.
        Registrations and other ephemeral nodes do not: they are the parent's. To be called before
        anything else is done with the client, when there is one thread only; `wait` is as in the
        constructor. In the process that has opened the client it does nothing, so that it can be
        called in any case.

        Raises FailedConnect, and ClosingException when the client was closed before.
        """
        if not self._session.is_forked:
            return
        self._ephemerals.after_fork()
        self.watches.after_fork()
        deadline = time.monotonic() + self.initial_connection_wait
        try:
            self._session.reopen(wait)
            self._wait_for_session(wait, deadline)
        except BaseException:
            self._session.close()
            raise

    def close(self) -> None:
        """End the session; ephemeral nodes, and so registrations, go at once.

        It takes a few seconds at most, also when no server answers. A second call is harmless, and
        finishes what Ctrl-C has interrupted. So is a call in a child process after a fork, where
        the parent's session is left alone.
        """
        self._session.close()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.connection_string}: {self._session.state.value}>"

    # Registration

    @tells_of_root
    def register(
        self, path: str, address: Address, acl: Acl = READ_ACL_UNSAFE, **data: Any
    ) -> Registration:
        """Register a server that listens at `address`, as an ephemeral node at `path`.

        `address` is a (host, port) pair or an IPv6 socket's 4-tuple, for a node 'host:port', or any
        text that can be a node's name. For a host that means all interfaces, '', '0.0.0.0' or '::',
        there is a node for each of this machine's IPv4 addresses, loopback only if there is nothing
        else, if the `netifaces` module is installed; and otherwise one with the fully qualified
        host name. `path` may have links in it. `data` are the node's properties, `pid` among them
        unless it is given; subscribers to `RegisteringServer` events may add to them.

        The node is kept in being until `Registration.unregister`. When another session's ephemeral
        node has the name, such as that of a process that just crashed, it is registered as soon as
        that one is gone; without a connection, as soon as there is one. `Registration.state` tells.

        Raises NoNodeException when there is no node at `path`, NodeExistsException when this client
        has registered the address already or the node there is not ephemeral, ValueError for a bad
        address, port 0 among them, and for data that JSON cannot hold. See `zc.zk.registration`.
        """
        return register(self._ephemerals, path, address, acl, data)

    @tells_of_root
    def register_server(
        self, path: str, address: Address, acl: Acl = READ_ACL_UNSAFE, **data: Any
    ) -> None:
        """Register a server like `register`, for as long as this client lives.

        Returns None, as it always has: doctests show nothing.
        """
        self.register(path, address, acl, **data)

    # Live objects

    @tells_of_root
    def children(self, path: str, watch: bool = True) -> Children:
        """The names of the children of the node at `path`, kept up to date unless `watch` is false.

        `path` may have links in it. Raises NoNodeException. See `zc.zk.watching.children`.
        """
        return Children(self.watches, path, watch)

    @tells_of_root
    def properties(self, path: str, watch: bool = True) -> Properties:
        """The properties of the node at `path`, kept up to date unless `watch` is false.

        `path` may have links in it. Raises NoNodeException. See `zc.zk.watching.properties`.
        """
        return Properties(self.watches, path, watch)

    # Single nodes

    @tells_of_root
    def get_properties(self, path: str) -> dict[str, Any]:
        """The properties of the node at `path` now, as they are stored: links are not followed.

        They are what a live object shows, also when the data have become bad JSON.
        """
        data, _ = self._session.call(self._session.binding.get, path)
        return self.watches.decode(data, path)

    @tells_of_root
    def is_ephemeral(self, path: str) -> bool:
        """Whether the node at `path` is an ephemeral one. Raises NoNodeException."""
        _, stat = self._session.call(self._session.binding.get, path)
        return bool(stat["ephemeralOwner"])

    def create_recursive(self, path: str, data: Data = "", acl: Acl = OPEN_ACL_UNSAFE) -> None:
        """Create a node, not ephemeral, and the nodes above it that are missing, which are blank.

        These may be the root of the connection string, and what is above that.

        Raises NodeExistsException when there is a node at `path`.
        """
        try:
            self._session.call(self._session.binding.create, path, data, acl, 0)
        except zookeeper.NoNodeException:
            from zc.zk.operations import root, subtree

            if root.is_missing(self._session):
                root.make(self._session, acl)
                if path == "/":
                    self._session.call(self._session.binding.set, path, data)
                    return
            subtree.create_ancestors(self._session, path, acl)
            self._session.call(self._session.binding.create, path, data, acl, 0)

    @tells_of_root
    def resolve(self, path: str) -> str:
        """The real path of the node that `path` leads to, links followed.

        Raises NoNodeException with the path asked for, and LinkLoop. See `zc.zk.links`.
        """
        return resolve(self._session, path, self.watches.decode)

    @tells_of_root
    def ln(self, source: str, destination: str) -> None:
        """Create a symbolic link at `destination` that leads to `source`.

        When `destination` ends with a slash, the link in it has the name of the source. A source
        that does not begin with a slash is relative to the node that the link is in.
        """
        base, _, name = destination.rpartition("/")
        if not name:
            name = source.rstrip("/").rpartition("/")[2]
        if not name:
            raise ValueError(f"the link needs a name: {destination!r} -> {source!r}")
        self.properties(base or "/", watch=False).update({name + LINK: source})

    # Trees

    @overload
    def walk(
        self, path: str = ..., ephemeral: bool = ..., children: Literal[False] = ...
    ) -> Iterator[str]: ...

    @overload
    def walk(
        self, path: str = ..., ephemeral: bool = ..., *, children: Literal[True]
    ) -> Iterator[tuple[str, list[str]]]: ...

    def walk(self, path: str = "/", ephemeral: bool = True, children: bool = False) -> Any:
        """Yield the path of the node at `path` and of all nodes below it, each before its children.

        Children come sorted by name; ephemeral nodes only if `ephemeral`. Changes made on the way
        are seen, and nodes that vanish are left out. If `children`, yields pairs of a path and the
        list of its children's names, and does not go to those that are removed from the list.

        Raises NoNodeException when there is no node at `path`. See `zc.zk.operations.walk`.
        """
        from zc.zk.operations import walk

        return walk.walk(self._session, path, ephemeral=ephemeral, children=children)

    @tells_of_root
    def export_tree(
        self,
        path: str = "/",
        ephemeral: bool = False,
        name: str | None = None,
        *,
        progress: Progress | None = None,
    ) -> str:
        """The node at `path` and all below it as text, which `import_tree` reads.

        Ephemeral nodes only if `ephemeral`. The top node gets the name `name` if that is given; the
        root is left out if it is not. ZooKeeper's own node /zookeeper is left out.
        `progress(done, None)` is called a few times a second. See `zc.zk.tree.render`.

        Raises NoNodeException, NoAuthException for a node that may not be read, and ValueError
        when no node can have that name.
        """
        from zc.zk.operations import export

        return export.export_tree(
            self._session, _trimmed(path), ephemeral=ephemeral, name=name, progress=progress
        )

    def print_tree(self, path: str = "/") -> None:
        """Print the node at `path` and all below it, ephemeral nodes too."""
        _print(self.export_tree(path, ephemeral=True).split("\n")[:-1])

    def plan_import(
        self,
        text: str,
        path: str = "/",
        trim: bool | None = None,
        acl: Acl = OPEN_ACL_UNSAFE,
        *,
        progress: Progress | None = None,
    ) -> Plan:
        """What `import_tree` with the same arguments would change, in order.

        `str()` of the plan is what a dry run prints, and `apply()` makes the changes. See
        `zc.zk.operations.import_`.
        """
        from zc.zk.operations import import_
        from zc.zk.tree.parse import parse_tree

        return import_.make_plan(
            self._session, parse_tree(text), _trimmed(path), trim=trim, acl=acl, progress=progress
        )

    def import_tree(
        self,
        text: str,
        path: str = "/",
        trim: bool | None = None,
        acl: Acl = OPEN_ACL_UNSAFE,
        dry_run: bool = False,
        *,
        verbose: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """Make the nodes below `path` what `text` says; see `zc.zk.tree.syntax` for its form.

        Nodes that the text does not mention, below those that it does, are reported; deleted if
        `trim`, unless they are ephemeral or have ephemeral ones below them; and passed over in
        silence if it is False. Nodes that are created get the ACL `acl`; those that are there keep
        theirs. Only what differs is written; all at once when it is no more than 500 nodes and
        500 KB, in order otherwise. If others change the same nodes meanwhile, the rest is planned
        again.

        If `dry_run`, only prints what would be done; `verbose` then tells all about new nodes.
        `progress(done, total or None)` is called a few times a second, and may raise to give up.

        Raises ValueError with the number of a line that cannot be read, before anything is written.
        """
        from zc.zk.operations import import_
        from zc.zk.tree.parse import parse_tree

        tree = parse_tree(text)
        path = _trimmed(path)
        if dry_run:
            plan = import_.make_plan(
                self._session, tree, path, trim=trim, acl=acl, progress=progress
            )
            _print(plan.lines(verbose=verbose))
        else:
            plan = import_.import_tree(
                self._session, tree, path, trim=trim, acl=acl, progress=progress
            )
            _print(plan.notices())

    def plan_delete(
        self,
        path: str,
        force: bool = False,
        ignore_if_ephemeral: bool = False,
        *,
        progress: Progress | None = None,
    ) -> Plan:
        """Plan what `delete_recursive` with the same arguments would delete, children first.

        `str()` of the plan is what a dry run prints, `deletions` are the paths that go, and
        `apply()` deletes just these. See `zc.zk.operations.plan`.
        """
        from zc.zk.operations import delete

        return delete.make_plan(
            self._session,
            _trimmed(path),
            force=force,
            ignore_if_ephemeral=ignore_if_ephemeral,
            ephemerals=self._ephemerals,
            progress=progress,
        )

    def delete_recursive(
        self,
        path: str,
        dry_run: bool = False,
        force: bool = False,
        ignore_if_ephemeral: bool = False,
        *,
        progress: Progress | None = None,
    ) -> None:
        """Delete the node at `path` and all below it.

        Ephemeral nodes and those above them stay, and are reported, unless `force`. If
        `ignore_if_ephemeral`, nothing is said when the node at `path` itself is ephemeral. If
        `dry_run`, only prints what would be done. `progress(done, total or None)` is called a few
        times a second, and may raise to give up.

        Raises NoNodeException, and NotEmptyException when others create nodes faster than they can
        be deleted.
        """
        from zc.zk.operations import delete

        if dry_run:
            plan = self.plan_delete(path, force, ignore_if_ephemeral, progress=progress)
            _print(plan.lines())
            return
        plan = delete.delete_tree(
            self._session,
            self._ephemerals,
            _trimmed(path),
            force=force,
            ignore_if_ephemeral=ignore_if_ephemeral,
            progress=progress,
        )
        _print(plan.notices())


ZK = ZooKeeper


def _trimmed(path: str) -> str:
    return as_told(path).rstrip("/") or "/"


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(printable(line))
