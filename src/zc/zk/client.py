"""The client: what a program talks to.

Its methods are thin; each says where the work is done. Most of them are in `zc.zk.methods`, by
subject. The session with the servers is in `zc.zk.session`, ephemeral nodes are in
`zc.zk.registration`, live objects in `zc.zk.watching`, and work on trees is in `zc.zk.operations`,
whose modules are imported when there is some.
"""

from __future__ import annotations

import logging
import os
import time
from types import TracebackType
from typing import TYPE_CHECKING

import zookeeper
from zc.zk import event
from zc.zk.imports import importing
from zc.zk.methods.choosing import Choosing
from zc.zk.methods.nodes import Nodes
from zc.zk.methods.passing import tells_of_root
from zc.zk.methods.reading import Reading
from zc.zk.methods.registering import Registering
from zc.zk.methods.transactions import Transactions
from zc.zk.methods.trees import Trees
from zc.zk.registration.ephemerals import Ephemerals
from zc.zk.session.announcements import MakeEvent
from zc.zk.session.pace import MAX_SPREAD, MIN_INTERVAL, Pace
from zc.zk.session.session import Session
from zc.zk.session.state import STATES_OF_THE_BINDING
from zc.zk.watching.subscriptions import Subscriptions

if TYPE_CHECKING:
    from typing import TypeVar

    from zc.zk.session.worker import Calls
    from zc.zk.watching.children import Children
    from zc.zk.watching.properties import Properties
    from zookeeper.binding import Binding
    from zookeeper.sasl import Mechanism
    from zookeeper.tls import TLS

    Self = TypeVar("Self", bound="ZooKeeper")

logger = logging.getLogger("zc.zk")

DEFAULT_CONNECTION_STRING = "127.0.0.1:2181"
CONNECTION_STRING_VARIABLE = "ZC_ZK_CONNECTION_STRING"


def connection_string_of(given: str | None) -> str:
    """Return where the servers are, given or by default."""
    if given is not None:
        return given
    return os.getenv(CONNECTION_STRING_VARIABLE) or DEFAULT_CONNECTION_STRING


class ZooKeeper(Reading, Transactions, Nodes, Trees, Registering, Choosing):
    """A client of a ZooKeeper service.

    `connection_string` is a comma-separated list of host:port, with an optional /root behind it
    that becomes the root of all paths; by default what the environment variable
    ZC_ZK_CONNECTION_STRING says, or else 127.0.0.1:2181. An IPv6 address is in brackets; blanks
    around servers mean nothing. `session_timeout` is in milliseconds; by default the binding's, 10
    seconds, within the limits of the servers. TypeError or ValueError tells of one that is none.

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
    encrypted, and servers have to be what they say. `sasl` is a mechanism, such as
    `zc.zk.SASL.digest_md5(user, password)`: on each connection the client first proves who it is.

    A node that keeps changing is read once in `min_interval` seconds. While servers answer late,
    reads that can wait are spread over up to `spread` seconds; see `zc.zk.session.pace`.

    `binding` has the functions to use in the place of those of the module `zookeeper`, such as
    those of an emulation; see `zookeeper.binding.Binding`.

    It also has the functions of `zookeeper` that take a handle, without it. Any thread may use it.
    """

    initial_connection_wait = 9.0
    _calls: Calls | None = None  # what calls functions of the program, if not a thread

    def __init__(
        self,
        connection_string: str | None = None,
        session_timeout: int | None = None,
        wait: bool = False,
        *,
        keep_callbacks: bool = False,
        read_only: bool = False,
        min_interval: float = MIN_INTERVAL,
        spread: float = MAX_SPREAD,
        tls: TLS | bool | None = None,
        sasl: Mechanism | None = None,
        binding: Binding | None = None,
    ) -> None:
        self._session = Session(
            connection_string_of(connection_string),
            session_timeout,
            read_only=read_only,
            tls=tls,
            sasl=sasl,
            binding=binding,
            calls=self._calls,
            pace=Pace(min_interval, spread),
        )
        self.watches = Subscriptions(self._session)
        self.watches.keep_callbacks = keep_callbacks
        self._ephemerals = Ephemerals(self._session, self.watches)
        # In this order, so that those who watch for our servers see them back at the first look.
        self._session.maintenance.add_stepped_duty(self._ephemerals.keep, writes=True)
        self.watches.add_duties()
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
        while not self._session.wait_until_connected(
            max(0.0, deadline - time.monotonic()), patient=wait
        ):
            if not wait:
                raise self._session.not_connected_within(seconds)
            lack, reason = self._session.why_there_is_none()
            deadline = time.monotonic() + seconds
            if reason != known:
                logger.warning("%s: %s yet, waiting (%s)", name, lack, reason)
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
        return STATES_OF_THE_BINDING.get(self._session.state, zookeeper.CONNECTING_STATE)

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

    # Live objects

    @tells_of_root
    def children(self, path: str, watch: bool = True) -> Children:
        """The names of the children of the node at `path`, kept up to date unless `watch` is false.

        `path` may have links in it. Raises NoNodeException and LinkLoop. See
        `zc.zk.watching.children`.
        """
        with importing:
            from zc.zk.watching.children import Children

        return Children(self.watches, path, watch)

    @tells_of_root
    def properties(self, path: str, watch: bool = True) -> Properties:
        """The properties of the node at `path`, kept up to date unless `watch` is false.

        `path` may have links in it. Raises NoNodeException and LinkLoop. See
        `zc.zk.watching.properties`.
        """
        with importing:
            from zc.zk.watching.properties import Properties

        return Properties(self.watches, path, watch)


ZK = ZooKeeper
