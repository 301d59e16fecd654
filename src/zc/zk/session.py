"""One logical session over many handles: connect, lose, expire, re-establish.

A handle of the binding is good for one session with the servers. When that is over, this opens
another one, for as long as the program wants a session at all. Everything that a session has on the
servers, ephemeral nodes and watches, is then gone, and the session's duties restore it.

Threads. The binding's event thread calls `_note`, which writes down what happened and wakes the
keeper. The keeper does the rest: it opens handles and calls the duties. Both may run in any thread
at once with the program's calls; `_changed` guards what they share, and is never held while the
binding is called, for that may take as long as a session's timeout, or deliver events right there.
"""

from __future__ import annotations

import atexit
import enum
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from functools import partial

import zookeeper
from zc.zk.errors import FailedConnect
from zc.zk.event import Connected, Disconnected, Expired, Reestablished, SessionEvent
from zc.zk.keeper import SESSION_TROUBLE as SESSION_TROUBLE
from zc.zk.keeper import Duty, Keeper
from zc.zk.upkeep import CallbackQueue

logger = logging.getLogger("zc.zk")

# What `zookeeper.init` asks for when it is not told.
DEFAULT_TIMEOUT_MS = 10_000

# How long `close` waits for the threads of its session; the callbacks' one may be in the program's
# hands.
KEEPER_END_SECONDS = 5.0
CALLBACK_END_SECONDS = 1.0

# Numbers of sessions are 64 bits, which some show with a sign.
_ID_BITS = 2**64 - 1


class State(enum.Enum):
    """Where a session stands."""

    CONNECTING = "connecting"  # there is a handle, and no session yet
    CONNECTED = "connected"
    SUSPENDED = "suspended"  # no connection; the session lives until its timeout
    LOST = "lost"  # the session is over, and its handle good for nothing
    CLOSED = "closed"


class _Connection:
    """A handle, from init to close. Sessions tell a word of an old one by its identity."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.handle: int | None = None
        self.was_established = False

    def watcher(self, handle: int, type: int, state: int, path: str) -> None:
        if type == zookeeper.SESSION_EVENT:
            self._session._note(self, handle, state)


class Session:
    """A session with the servers, kept up until `close`.

    `connection_string` is a comma-separated list of host:port, with an optional /root behind it;
    `timeout_ms` the session timeout, the binding's default if None. `open` comes next.
    """

    def __init__(self, connection_string: str, timeout_ms: int | None = None) -> None:
        self.connection_string = connection_string
        self._timeout_ms = timeout_ms
        self._timeout_seconds = (timeout_ms or DEFAULT_TIMEOUT_MS) / 1000
        # Whether watches fire in the thread that makes the change, before its call returns.
        self.delivers_inline = False
        # Sessions had so far, and times that a connection was made: whoever remembers the number it
        # saw last knows whether there was a gap in which events may have been missed.
        self.epoch = 0
        self.connects = 0
        self._credentials: list[tuple[str, str | bytes]] = []
        self._program_watcher: Callable[[int, int, int, str], object] | None = None
        self._listener: Callable[[type[SessionEvent]], object] | None = None
        self._keeper = Keeper(self)
        self._begin()

    def _begin(self) -> None:
        """What belongs to a process, and is made anew in a child."""
        self._pid = os.getpid()
        self._changed = threading.Condition()
        self._state = State.CONNECTING
        self._connection = _Connection(self)
        self._reason = "no answer"
        self._former_ids: set[int] = set()
        self._restored_epoch = self.epoch + 1
        self._callbacks = CallbackQueue(f"zc.zk callbacks {self.connection_string}")

    # What a program sees

    @property
    def state(self) -> State:
        return self._state

    @property
    def handle(self) -> int | None:
        """The binding's handle; None while there is no session."""
        connection = self._connection
        if self._state in (State.CONNECTED, State.SUSPENDED):
            return connection.handle
        return None

    def require_handle(self) -> int:
        """The handle. Raises what a call on it would raise while there is none."""
        self.check_process()
        handle = self.handle
        if handle is not None:
            return handle
        if self._state is State.CLOSED:
            raise zookeeper.error(zookeeper.CLOSING, None, "this client has been closed")
        raise zookeeper.error(zookeeper.CONNECTIONLOSS, None, f"no session: {self._reason}")

    def check_process(self) -> None:
        """Raise ForkedException in a child process.

        Before any lock is taken: a thread that does not exist here may have held it at the fork.
        """
        if self.is_forked:
            raise zookeeper.ForkedException(
                f"this client of {self.connection_string} belongs to process {self._pid}, which"
                " forked this one: call its `reopen` here, or make a new one"
            )

    @property
    def is_forked(self) -> bool:
        """Whether this is a child of the process that the session belongs to."""
        return os.getpid() != self._pid

    def owns(self, stat: Mapping[str, int]) -> bool:
        """Whether a node is an ephemeral one of this session."""
        return _id_of(self.require_handle()) == stat["ephemeralOwner"] & _ID_BITS

    def owned(self, stat: Mapping[str, int]) -> bool:
        """Whether a node is one that a former session of ours made, and is about to vanish."""
        return stat["ephemeralOwner"] & _ID_BITS in self._former_ids

    def open(self) -> None:
        """Begin to connect. Raises FailedConnect if the connection string is no good."""
        try:
            handle = self._open_handle()
        except (zookeeper.ZooKeeperException, OSError, ValueError, TypeError) as fault:
            self._state = State.CLOSED
            raise FailedConnect(f"{self.connection_string!r}: {fault}") from fault
        self.delivers_inline = _delivers_inline(handle)
        _open_sessions.add(self)
        for worker in (self._keeper.worker, self._callbacks.worker):
            worker.start(inline=self.delivers_inline)

    def reopen(self) -> None:
        """In a child process begin to connect, for a session of its own.

        Raises ClosingException if this was closed before, and FailedConnect.
        """
        if self._state is State.CLOSED:
            raise zookeeper.error(zookeeper.CLOSING, None, "this client has been closed")
        self._keeper.begin_again()
        self._begin()
        self.open()

    def wait_until_connected(self, seconds: float) -> bool:
        """Whether there is a session within that time. Raises FailedConnect when it is refused."""
        with self._changed:
            self._changed.wait_for(lambda: self._state is not State.CONNECTING, seconds)
            state, reason = self._state, self._reason
        if state in (State.LOST, State.CLOSED):
            raise FailedConnect(f"{self.connection_string}: {reason}")
        return state is not State.CONNECTING

    def wait_for_connection(self, seconds: float) -> bool:
        """Whether the session has, or a new one gets, a connection within that time."""
        with self._changed:
            self._changed.wait_for(lambda: self._state in (State.CONNECTED, State.CLOSED), seconds)
            return self._state is State.CONNECTED

    def timeout_seconds(self) -> float:
        """The session timeout: as agreed with the servers, if there is a session."""
        handle = self.handle
        if handle is not None:
            try:
                self._timeout_seconds = zookeeper.recv_timeout(handle) / 1000
            except zookeeper.InvalidStateException:
                pass  # closed just now
        return self._timeout_seconds

    def close(self) -> None:
        """End the session, and with it its ephemeral nodes.

        Harmless when it is closed already, and in a child process, where it ends nothing of the
        parent's. It takes a few seconds at most, also when no server answers. No callback begins
        any more when it returns, though one may be going on: this may have been called by it, or
        it takes its time.
        """
        if self.is_forked:
            # No lock is safe here: a thread that no longer exists may hold it.
            self._state = State.CLOSED
            return
        with self._changed:
            if self._state is State.CLOSED:
                return
            self._state = State.CLOSED
            self._reason = "closed"
            self._changed.notify_all()
        _open_sessions.discard(self)
        self._callbacks.worker.stop()
        self._keeper.worker.stop()
        self._close_handle(self._connection)
        self._keeper.worker.join(KEEPER_END_SECONDS)
        self._callbacks.worker.join(CALLBACK_END_SECONDS)

    # What parts of the library use

    def add_duty(self, duty: Duty) -> None:
        """Have `duty` done by the keeper; those added first are done first."""
        self._keeper.add_duty(duty)

    def wake(self) -> None:
        """Have the duties done: there may be something to do."""
        self._keeper.worker.wake()

    def nudge(self) -> None:
        """`wake` for finalisers, which may run in the middle of anything."""
        self._keeper.worker.nudge()

    def call_soon(self, callback: Callable[[], object]) -> None:
        """Call something of the program's, after what is waiting already, one at a time."""
        self._callbacks.put(callback)

    def set_watcher(self, watcher: Callable[[int, int, int, str], object] | None) -> None:
        """Have the program told of session events."""
        self._program_watcher = watcher

    def set_listener(self, listener: Callable[[type[SessionEvent]], object]) -> None:
        """Have `listener` called, like a callback, with the kind of each session event."""
        self._listener = listener

    def remember_credential(self, scheme: str, credential: str | bytes) -> None:
        """Authenticate later sessions too."""
        with self._changed:
            if (scheme, credential) not in self._credentials:
                self._credentials.append((scheme, credential))

    # The event thread

    def _note(self, connection: _Connection, handle: int, state: int) -> None:
        happened: type[SessionEvent] | None = None
        with self._changed:
            if connection is not self._connection or self._state in (State.LOST, State.CLOSED):
                return
            connection.handle = handle
            if state == zookeeper.CONNECTED_STATE:
                happened = self._note_connected(connection)
            elif state == zookeeper.EXPIRED_SESSION_STATE:
                happened = self._note_lost("the session expired")
            elif state == zookeeper.AUTH_FAILED_STATE:
                happened = self._note_lost("authentication failed")
            elif self._state is State.CONNECTED:
                self._state = State.SUSPENDED
                self._keeper.tell(logging.INFO, "connection lost")
                happened = Disconnected
            self._changed.notify_all()
        self._announce(happened)
        watcher = self._program_watcher
        if watcher is not None:
            self.call_soon(partial(watcher, handle, zookeeper.SESSION_EVENT, state, ""))
        self.wake()

    def _note_connected(self, connection: _Connection) -> type[SessionEvent] | None:
        if self._state is State.CONNECTED:
            return None
        self._state = State.CONNECTED
        self.connects += 1
        if connection.was_established:
            self._keeper.tell(logging.INFO, "connected again")
            return Connected
        connection.was_established = True
        self.epoch += 1
        self._keeper.tell(
            logging.INFO, "connected" if self.epoch == 1 else "connected, in a new session"
        )
        return Connected

    def _note_lost(self, reason: str) -> type[SessionEvent]:
        self._state = State.LOST
        self._reason = reason
        self._keeper.tell(logging.WARNING, reason)
        return Expired

    def _announce(self, happened: type[SessionEvent] | None) -> None:
        if happened is not None and self._listener is not None:
            self.call_soon(partial(self._listener, happened))

    # The keeper

    @property
    def is_lost(self) -> bool:
        return self._state is State.LOST

    @property
    def connected_handle(self) -> int | None:
        handle = self._connection.handle
        return handle if self._state is State.CONNECTED else None

    def note_lost(self, epoch: int, reason: str) -> None:
        happened = None
        with self._changed:
            if epoch == self.epoch and self.handle is not None:
                happened = self._note_lost(reason)
                self._changed.notify_all()
        self._announce(happened)
        self.wake()

    def note_restored(self, epoch: int) -> None:
        if epoch > self._restored_epoch:
            self._restored_epoch = epoch
            self._announce(Reestablished)

    def replace_handle(self) -> None:
        former = self._connection
        self._remember_id(former)
        self._close_handle(former)
        self._open_handle()

    def _open_handle(self) -> int:
        connection = _Connection(self)
        with self._changed:
            if self._state is not State.CLOSED:
                self._state = State.CONNECTING
            self._connection = connection
        try:
            if self._timeout_ms is None:
                handle = zookeeper.init(self.connection_string, connection.watcher)
            else:
                handle = zookeeper.init(
                    self.connection_string, connection.watcher, self._timeout_ms
                )
        except BaseException:
            with self._changed:
                if self._state is not State.CLOSED:
                    self._state = State.LOST
            raise
        with self._changed:
            connection.handle = handle
            was_closed = self._state is State.CLOSED
            credentials = list(self._credentials)
        if was_closed:
            self._close_handle(connection)
        else:
            # The client keeps them and sends them first when it connects.
            for scheme, credential in credentials:
                zookeeper.add_auth(handle, scheme, credential)
        return handle

    def _remember_id(self, connection: _Connection) -> None:
        if connection.handle is None:
            return
        try:
            self._former_ids.add(_id_of(connection.handle))
        except zookeeper.ZooKeeperException as fault:
            logger.debug("%s: the session's number is unknown: %s", self.connection_string, fault)

    def _close_handle(self, connection: _Connection) -> None:
        # Only once, whoever comes first: the number may be another client's handle afterwards.
        with self._changed:
            handle, connection.handle = connection.handle, None
        if handle is None:
            return
        try:
            zookeeper.close(handle)
        except zookeeper.ZooKeeperException as fault:
            logger.debug("%s: closing handle %s: %s", self.connection_string, handle, fault)


def _delivers_inline(handle: int) -> bool:
    """Whether events come in the thread of the change that they are about."""
    try:
        return zookeeper.event_thread(handle) is None
    except zookeeper.ZooKeeperException:
        # A handle that the binding does not know: somebody put another `init` in place of its own.
        return True


def _id_of(handle: int) -> int:
    """The number by which servers know a handle's session."""
    return zookeeper.client_id(handle)[0] & _ID_BITS


_open_sessions: weakref.WeakSet[Session] = weakref.WeakSet()


@atexit.register
def _close_sessions() -> None:
    """Let ephemeral nodes go with the program that made them, and not seconds later."""
    deadline = time.monotonic() + KEEPER_END_SECONDS
    for session in list(_open_sessions):
        if time.monotonic() < deadline:
            session.close()
