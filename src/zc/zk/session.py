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
from typing import NamedTuple

import zookeeper
from zc.zk.connection import Connection, Credential, delivers_inline, id_of, owner_of
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


NO_ANSWER = "no answer"


class State(enum.Enum):
    """Where a session stands."""

    CONNECTING = "connecting"  # there is a handle, and no session yet
    CONNECTED = "connected"
    SUSPENDED = "suspended"  # no connection; the session lives until its timeout
    LOST = "lost"  # the session is over, and its handle good for nothing
    CLOSED = "closed"


class Moment(NamedTuple):
    """How many sessions there had been, and how many connections."""

    epoch: int
    connects: int


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
        self._credentials: list[Credential] = []
        self._program_watcher: Callable[[int, int, int, str], object] | None = None
        self._listener: Callable[[type[SessionEvent]], object] | None = None
        self._keeper = Keeper(self)
        self._begin()

    def _begin(self) -> None:
        """What belongs to a process, and is made anew in a child."""
        self._pid = os.getpid()
        self._changed = threading.Condition()
        self._state = State.CONNECTING
        self._connection = Connection(self.connection_string, self._note)
        # Why there is no session, and, when none is to be had at all, why that is so.
        self._reason = NO_ANSWER
        self._refusal: str | None = None
        self._granted_ms: int | None = None
        self._former_ids: set[int] = set()
        self._first_epoch = self._restored_epoch = self.epoch + 1
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

    @property
    def lives_in(self) -> int | None:
        """The epoch of the session that there is; None while there is none."""
        epoch = self.epoch
        return None if self.handle is None else epoch

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
        return id_of(self.require_handle()) == owner_of(stat)

    def owned(self, stat: Mapping[str, int]) -> bool:
        """Whether a node is one that a former session of ours made, and is about to vanish."""
        return owner_of(stat) in self._former_ids

    def open(self) -> None:
        """Begin to connect. Raises FailedConnect if the connection string is no good."""
        try:
            handle = self._open_connection()
        except (zookeeper.ZooKeeperException, OSError, ValueError, TypeError) as fault:
            self._state = State.CLOSED
            raise FailedConnect(f"{self.connection_string!r}: {fault}") from fault
        self.delivers_inline = delivers_inline(handle)
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

        def is_decided() -> bool:
            return self.handle is not None or self._state is State.CLOSED or bool(self._refusal)

        with self._changed:
            decided = self._changed.wait_for(is_decided, seconds)
            handle, reason = self.handle, self._refusal or self._reason
        if decided and handle is None:
            raise FailedConnect(f"{self.connection_string}: {reason}")
        return decided

    @property
    def moment(self) -> Moment:
        """Now, for `wait_for_gap`."""
        return Moment(self.epoch, self.connects)

    def wait_for_gap(self, since: Moment, seconds: float) -> bool:
        """Whether the connection of that moment has broken, or does within that time."""

        def is_broken() -> bool:
            return self._state is not State.CONNECTED or self.connects != since.connects

        with self._changed:
            return self._changed.wait_for(is_broken, seconds)

    def wait_for_connection(self, seconds: float) -> bool:
        """Whether the session has, or a new one gets, a connection within that time."""
        with self._changed:
            self._changed.wait_for(lambda: self._state in (State.CONNECTED, State.CLOSED), seconds)
            return self._state is State.CONNECTED

    def timeout_seconds(self) -> float:
        """The session timeout: as agreed with the servers, if there is a session."""
        granted = self._connection.timeout_ms() if self.handle is not None else None
        if granted is not None:
            self._timeout_seconds = granted / 1000
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
        self._connection.close()
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

    def _note(self, connection: Connection, handle: int, state: int) -> None:
        happened: type[SessionEvent] | None = None
        granted_ms = connection.timeout_ms() if state == zookeeper.CONNECTED_STATE else None
        with self._changed:
            if connection is not self._connection or self._state in (State.LOST, State.CLOSED):
                return
            if state == zookeeper.CONNECTED_STATE:
                happened = self._note_connected(connection)
                self._note_granted(granted_ms)
            elif state == zookeeper.EXPIRED_SESSION_STATE:
                happened = self._note_lost("the session expired")
            elif state == zookeeper.AUTH_FAILED_STATE:
                happened = self._note_refused(connection)
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

    def _note_connected(self, connection: Connection) -> type[SessionEvent] | None:
        if self._state is State.CONNECTED:
            return None
        self._state = State.CONNECTED
        self._reason = NO_ANSWER
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

    def _note_granted(self, granted_ms: int | None) -> None:
        if granted_ms in (None, self._granted_ms):
            return
        self._granted_ms = granted_ms
        if self._timeout_ms not in (None, granted_ms):
            self._keeper.tell(
                logging.WARNING,
                f"the session timeout is {granted_ms} milliseconds, as the servers do not grant"
                f" the {self._timeout_ms} that were asked for",
            )

    def _note_lost(self, reason: str) -> type[SessionEvent] | None:
        is_news = reason != self._reason
        self._state = State.LOST
        self._reason = reason
        self._keeper.tell(logging.WARNING if is_news else logging.DEBUG, reason)
        return Expired if self._connection.was_established else None

    def _note_refused(self, connection: Connection) -> type[SessionEvent] | None:
        if connection.was_established:
            # One that the program has just given, or the servers have changed their mind.
            return self._note_lost("a credential was refused")
        schemes = ", ".join(sorted({repr(scheme) for scheme, _ in connection.unconfirmed}))
        reason = f"the servers refuse the credential of the scheme {schemes}"
        if self.epoch < self._first_epoch:
            self._refusal = reason
        return self._note_lost(reason)

    def _announce(self, happened: type[SessionEvent] | None) -> None:
        if happened is not None and self._listener is not None:
            self.call_soon(partial(self._listener, happened))

    # The keeper

    @property
    def is_lost(self) -> bool:
        """Whether another handle is needed."""
        return self._state is State.LOST and self._refusal is None

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
        self._former_ids.add(former.session_id())
        former.close()
        self._open_connection()

    def _open_connection(self) -> int:
        with self._changed:
            connection = Connection(self.connection_string, self._note, self._credentials)
            if self._state is not State.CLOSED:
                self._state = State.CONNECTING
            self._connection = connection
        try:
            handle = connection.open(self._timeout_ms)
        except BaseException:
            with self._changed:
                if self._state is not State.CLOSED:
                    self._state = State.LOST
            raise
        if self._state is State.CLOSED:
            connection.close()
        return handle


_open_sessions: weakref.WeakSet[Session] = weakref.WeakSet()


@atexit.register
def _close_sessions() -> None:
    """Let ephemeral nodes go with the program that made them, and not seconds later."""
    deadline = time.monotonic() + KEEPER_END_SECONDS
    for session in list(_open_sessions):
        if time.monotonic() < deadline:
            session.close()
