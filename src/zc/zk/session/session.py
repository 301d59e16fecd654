"""One logical session over many handles: connect, lose, expire, re-establish.

A handle of the binding is good for one session with the servers. When that is over, this opens
another one, for as long as the program wants a session at all. Everything that a session has on the
servers, ephemeral nodes and watches, is then gone, and the session's duties restore it.

Threads. The binding's event thread calls `_note`, which writes down what happened and wakes the
keeper. The keeper does the rest: it opens handles and calls the duties. Both may run in any thread
at once with the program's calls; the lock of the lifecycle guards what they share, and is never
held while the binding is called, for that may take as long as a session's timeout, or deliver
events right there.
"""

from __future__ import annotations

import atexit
import logging
import os
import time
import weakref
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import zookeeper
from zc.zk.errors import FailedConnect
from zc.zk.event import ClientEvent, Reestablished
from zc.zk.session.handle import (
    CONNECTED_STATES,
    Connection,
    delivers_inline,
    id_of,
    owner_of,
)
from zc.zk.session.maintenance import Duty, Keeper, Standing
from zc.zk.session.state import Lifecycle, Moment, checked_timeout, doubt_about_timeout
from zc.zk.session.state import State as State
from zc.zk.session.worker import CallbackQueue

if TYPE_CHECKING:
    from zookeeper.binding import Binding
    from zookeeper.tls import TLS
    from zookeeper.types import Credential, Stat

logger = logging.getLogger("zc.zk")

# What `zookeeper.init` asks for when it is not told.
DEFAULT_TIMEOUT_MS = 10_000

# How long `close` waits for the threads of its session; the callbacks' one may be in the program's
# hands.
KEEPER_END_SECONDS = 5.0
CALLBACK_END_SECONDS = 1.0


P = ParamSpec("P")
R = TypeVar("R")

# What makes an event of a client: the class of a session event, for one.
MakeEvent = Callable[[Any], ClientEvent]
Listener = Callable[[MakeEvent], object]


class Session:
    """A session with the servers, kept up until `close`.

    `connection_string` is a comma-separated list of host:port, with an optional /root behind it;
    `timeout_ms` the session timeout, the binding's default if None. If `read_only`, a server that
    is cut off from the others will do for reading. `tls` is the binding's. `binding` is what the
    session uses in the place of the module `zookeeper`. `open` comes next.
    """

    def __init__(
        self,
        connection_string: str,
        timeout_ms: int | None = None,
        *,
        read_only: bool = False,
        tls: TLS | bool | None = None,
        binding: Binding | None = None,
    ) -> None:
        self.connection_string = connection_string
        # The module's functions are looked up at each call: a test may patch them.
        self.binding: Binding = zookeeper if binding is None else binding
        timeout_ms = checked_timeout(timeout_ms)
        doubt = doubt_about_timeout(timeout_ms)
        if doubt:
            logger.warning("%s: %s", connection_string, doubt)
        self._timeout_ms = timeout_ms
        self._read_only = read_only
        self._tls = tls
        self._timeout_seconds = (timeout_ms or DEFAULT_TIMEOUT_MS) / 1000
        # Whether watches fire in the thread that makes the change, before its call returns.
        self.delivers_inline = False
        self._credentials: list[Credential] = []
        self._program_watcher: Callable[[int, int, int, str], object] | None = None
        self._listener: Listener | None = None
        self._keeper = Keeper(self)
        self._life = Lifecycle(timeout_ms, self._keeper.tell, read_only=read_only)
        self._begin()

    def _begin(self) -> None:
        """What belongs to a process, and is made anew in a child."""
        self._pid = os.getpid()
        self._connection = self._new_connection()
        self._former_ids: set[int] = set()
        self._restored_epoch = self.epoch + 1
        self._callbacks = CallbackQueue(f"zc.zk callbacks {self.connection_string}")

    # What a program sees

    @property
    def state(self) -> State:
        state = self._life.state
        return State.FORKED if self.is_forked and state is not State.CLOSED else state

    @property
    def epoch(self) -> int:
        """How many sessions there have been, the one that there is included."""
        return self._life.epoch

    @property
    def connects(self) -> int:
        """How many times a connection was made: between two numbers lies a gap without events."""
        return self._life.connects

    @property
    def handle(self) -> int | None:
        """The binding's handle; None while there is no session."""
        return None if self.is_forked else self._handle

    @property
    def _handle(self) -> int | None:
        """The same, in the process that the session belongs to."""
        connection = self._connection
        return connection.handle if self._life.has_session else None

    @property
    def lives_in(self) -> int | None:
        """The epoch of the session that there is; None while there is none."""
        epoch = self.epoch
        return None if self.handle is None else epoch

    def require_handle(self) -> int:
        """The handle. Raises what a call on it would raise while there is none."""
        self.check_process()
        handle = self._handle
        if handle is not None:
            return handle
        if self.state is State.CLOSED:
            raise _closed()
        raise zookeeper.error(
            zookeeper.CONNECTIONLOSS,
            None,
            f"no session: {self._life.reason}",
            may_have_happened=False,
        )

    def call(
        self, function: Callable[Concatenate[int, P], R], /, *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Call a function of the binding with the handle in front.

        The keeper may replace the handle just then: the call that comes too late for the old one
        raises what those do that are under way in it.
        """
        handle = self.require_handle()
        try:
            return function(handle, *args, **kwargs)
        except zookeeper.InvalidStateException as fault:
            raise self.as_lost(fault) from fault

    def as_lost(self, fault: zookeeper.InvalidStateException) -> zookeeper.ZooKeeperException:
        """What a call raises that found the handle closed."""
        if isinstance(fault, zookeeper.ForkedException):
            return fault
        if self.state is State.CLOSED:
            return _closed()
        return zookeeper.error(
            zookeeper.CONNECTIONLOSS,
            fault.path,
            "the session has just been lost",
            may_have_happened=False,
        )

    def credentials_handle(self) -> int:
        """The handle, also of a session that is being opened; raises as `require_handle` does."""
        self.check_process()
        handle = self._connection.handle
        if handle is None or self._life.is_over:
            return self.require_handle()
        return handle

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

    @property
    def is_kept_up(self) -> bool:
        """Whether this process keeps the session up, or tries to."""
        return self.state not in (State.CLOSED, State.FORKED)

    def is_ours(self, stat: Stat) -> bool:
        """Whether a node is an ephemeral one of this session."""
        return self.call(partial(id_of, self.binding)) == owner_of(stat)

    def was_ours(self, stat: Stat) -> bool:
        """Whether a node is one that a former session of ours made, and is about to vanish."""
        return owner_of(stat) in self._former_ids

    def open(self, wait: bool = False) -> None:
        """Begin to connect. Raises FailedConnect if the connection string is no good.

        So it does when none of the names is known; if `wait`, that may change. Whatever it raises,
        nothing is left open.
        """
        try:
            _open_sessions.add(self)
            self._begin_to_connect(wait)
        except BaseException:
            self.close()
            raise

    def _begin_to_connect(self, wait: bool) -> None:
        try:
            handle = self._open_connection()
        except (zookeeper.ZooKeeperException, OSError, ValueError, TypeError) as fault:
            if not (wait and isinstance(fault, zookeeper.SystemErrorException)):
                raise FailedConnect(f"{self.connection_string!r}: {fault}") from fault
            # The keeper, who opens all later handles, goes on.
            self._begin_work(inline=False)
            self.wake()
        else:
            self._begin_work(inline=delivers_inline(self.binding, handle))

    def _begin_work(self, *, inline: bool) -> None:
        self.delivers_inline = inline
        for worker in (self._keeper.worker, self._callbacks.worker):
            worker.start(inline=inline)

    def reopen(self, wait: bool = False) -> None:
        """In a child process begin to connect, for a session of its own; `wait` is as in `open`.

        Raises ClosingException if this was closed before, and FailedConnect.
        """
        if self.state is State.CLOSED:
            raise _closed()
        self._keeper.begin_again()
        self._life.begin_again()
        self._begin()
        self.open(wait)

    def wait_until_connected(self, seconds: float) -> bool:
        """Whether there is a session within that time. Raises FailedConnect when it is refused."""

        life = self._life

        def is_decided() -> bool:
            return life.has_session or life.state is State.CLOSED or life.refusal is not None

        decided = life.wait(is_decided, seconds)
        if decided and not life.has_session:
            raise FailedConnect(f"{self.connection_string}: {life.refusal or life.reason}")
        return decided

    @property
    def moment(self) -> Moment:
        """Now, for `wait_for_gap`."""
        return self._life.moment

    def wait_for_gap(self, since: Moment, seconds: float) -> bool:
        """Whether the connection of that moment has broken, or does within that time."""
        return self._life.wait(
            lambda: not self._life.is_connected or self.connects != since.connects, seconds
        )

    def wait_for_connection(self, seconds: float) -> bool:
        """Whether the session has, or a new one gets, a connection within that time."""
        life = self._life
        life.wait(lambda: life.is_connected or life.state is State.CLOSED, seconds)
        return life.is_connected

    def timeout_seconds(self) -> float:
        """The session timeout: as agreed with the servers, if there is a session."""
        granted = self._connection.timeout_ms() if self.handle is not None else None
        if granted is not None:
            self._timeout_seconds = granted / 1000
        return self._timeout_seconds

    def close(self) -> None:
        """End the session, and with it its ephemeral nodes.

        Harmless when it is closed already, and in a child process, where it ends nothing of the
        parent's. What an exception out of a signal handler interrupts, as Ctrl-C does, a second
        call finishes, or the end of the program. It takes a few seconds at most, also when no
        server answers. No callback begins any more when it returns, though one may be going on:
        this may have been called by it, or it takes its time.
        """
        if self._begin_closing():
            self._connection.close()
            self._end(KEEPER_END_SECONDS, CALLBACK_END_SECONDS)

    def _begin_closing(self) -> bool:
        """Have its threads end. Whether anything is left to do, so that `_end` is to be called.

        Idempotent, as all of closing: an interrupted `close` is done again.
        """
        if self.is_forked:
            # No lock is safe here: a thread that no longer exists may hold it.
            self._life.state = State.CLOSED
            return False
        with self._life.lock:
            self._life.note_closed()
        if self not in _open_sessions:
            return False
        self._callbacks.worker.stop()
        self._keeper.worker.stop()
        return True

    def _end(self, keeper_seconds: float, callback_seconds: float) -> None:
        """Wait for its threads; with that all is done."""
        self._keeper.worker.join(keeper_seconds)
        self._callbacks.worker.join(callback_seconds)
        _open_sessions.discard(self)

    # What parts of the library use

    def add_duty(self, duty: Duty, *, writes: bool = False) -> None:
        """Have `duty` done by the keeper; those added first are done first.

        If it `writes`, only where that is possible.
        """
        self._keeper.add_duty(duty, writes=writes)

    def wake(self, duty: Duty | None = None) -> None:
        """Have `duty`, or by default all of them, done: there may be something to do."""
        self._keeper.wake(duty)

    def nudge(self, duty: Duty | None = None) -> None:
        """`wake` for finalisers, which may run in the middle of anything."""
        self._keeper.nudge(duty)

    def call_soon(self, callback: Callable[[], object], delay: float = 0.0) -> None:
        """Call something of the program's, after what is waiting already, one at a time.

        After a `delay` in seconds; where callbacks are called inline, no sooner than with others.
        """
        self._callbacks.put(callback, delay)

    def set_watcher(self, watcher: Callable[[int, int, int, str], object] | None) -> None:
        """Have the program told of session events."""
        self._program_watcher = watcher

    def set_listener(self, listener: Listener) -> None:
        """Have `listener` called, like a callback, with what makes an event of the client."""
        self._listener = listener

    def announce(self, happened: MakeEvent | None) -> None:
        """Have the listener called with `happened`, if anything has."""
        if happened is not None and self._listener is not None:
            self.call_soon(partial(self._listener, happened))

    def tell(self, level: int, text: str) -> None:
        """Have something logged soon. Safe in finalisers, which may run in the middle of that."""
        self._keeper.tell(level, text)
        self.nudge()

    @property
    def root(self) -> str:
        """The path behind the servers that is the root of all paths, or ''."""
        _, slash, path = self.connection_string.strip().partition("/")
        return slash + path if path else ""

    def elsewhere(self, connection_string: str) -> Session:
        """Another session, with the same credentials, to be opened and closed by the caller."""
        other = Session(connection_string, self._timeout_ms, tls=self._tls, binding=self.binding)
        other._credentials = list(self._credentials)
        return other

    def remember_credential(self, scheme: str, credential: str | bytes) -> None:
        """Authenticate later sessions too."""
        with self._life.lock:
            if (scheme, credential) not in self._credentials:
                self._credentials.append((scheme, credential))

    # The event thread

    def _note(self, connection: Connection, handle: int, state: int) -> None:
        life = self._life
        happened: MakeEvent | None = None
        is_connected = state in CONNECTED_STATES
        granted_ms = connection.timeout_ms() if is_connected else None
        session_id = connection.session_id() if is_connected and self._read_only else 0
        with life.lock:
            if connection is not self._connection or life.is_over:
                return
            was_established = connection.was_established
            if is_connected:
                # A handle that could only read gets another session where it can write.
                is_new = not was_established or session_id != connection.established_id
                connection.was_established, connection.established_id = True, session_id
                happened = life.note_connected(
                    is_new=is_new,
                    granted_ms=granted_ms,
                    read_only=state == zookeeper.READONLY_STATE,
                )
            elif state == zookeeper.EXPIRED_SESSION_STATE:
                happened = life.note_lost("the session expired")
            elif state == zookeeper.AUTH_FAILED_STATE and was_established:
                # One that the program has just given, or the servers have changed their mind.
                happened = life.note_lost("a credential was refused")
            elif state == zookeeper.AUTH_FAILED_STATE:
                happened = life.note_refused({scheme for scheme, _ in connection.unconfirmed})
            else:
                happened = life.note_disconnected()
        self.announce(happened)
        watcher = self._program_watcher
        if watcher is not None:
            self.call_soon(partial(watcher, handle, zookeeper.SESSION_EVENT, state, ""))
        self.wake()

    # The keeper

    @property
    def is_lost(self) -> bool:
        """Whether another handle is needed."""
        return self.state is State.LOST and self._life.refusal is None

    @property
    def standing(self) -> Standing:
        life = self._life
        epoch, connects = life.epoch, life.connects
        handle, state = self._connection.handle, life.state
        is_connected = state in (State.CONNECTED, State.READ_ONLY)
        return epoch, connects, handle if is_connected else None, state is State.READ_ONLY

    def give_up_in_time(self) -> float | None:
        """Give up a session that has had no connection for too long, or say when that will be."""
        timeout_seconds = self.timeout_seconds()
        happened = None
        with self._life.lock:
            left = self._life.seconds_left(timeout_seconds)
            if left == 0:
                happened = self._life.note_lost("no connection for too long, the session is over")
        self.announce(happened)
        return left

    def note_lost(self, epoch: int, reason: str) -> None:
        happened = None
        with self._life.lock:
            if epoch == self.epoch and self.handle is not None:
                happened = self._life.note_lost(reason)
        self.announce(happened)
        self.wake()

    def note_restored(self, epoch: int) -> None:
        self._life.complaint = ""
        if epoch > self._restored_epoch:
            self._restored_epoch = epoch
            self.announce(Reestablished)

    def drop_handle(self) -> None:
        former = self._connection
        # A connection that got no session has no number, and 0 is nobody's.
        self._former_ids.update({former.session_id()} - {0})
        former.close(lost=True)

    def why_there_is_none(self) -> str:
        """The reason for having no connection, in words, as far as it can be found out."""
        return self._connection.fault() or why_there_is_none(self.connection_string)

    def replace_handle(self) -> None:
        self.drop_handle()
        self._open_connection()

    def _new_connection(self, credentials: Iterable[Credential] = ()) -> Connection:
        return Connection(
            self.connection_string,
            self._note,
            credentials,
            binding=self.binding,
            read_only=self._read_only,
            tls=self._tls,
        )

    def _open_connection(self) -> int:
        life = self._life
        with life.lock:
            life.note_connecting()
            connection = self._new_connection(self._credentials)
            self._connection = connection
        try:
            handle = connection.open(self._timeout_ms)
        except BaseException:
            with life.lock:
                life.note_unopened()
            raise
        if life.state is State.CLOSED:
            connection.close()
        return handle


def _closed() -> zookeeper.ZooKeeperException:
    fault = zookeeper.error(
        zookeeper.CLOSING, None, "this client has been closed", may_have_happened=False
    )
    fault.is_retriable = False  # this client has no other session
    return fault


def why_there_is_none(connection_string: str) -> str:
    """What a plain connection to the servers comes to, in words."""
    try:
        from zc.zk.session import diagnosis

        return diagnosis.describe(connection_string)
    except OSError as fault:  # out of descriptors: not even the module can be imported
        return fault.strerror or str(fault)
    except ImportError as fault:  # as it may then be, too
        return str(fault)


_open_sessions: weakref.WeakSet[Session] = weakref.WeakSet()


@atexit.register
def _close_sessions() -> None:
    """Let ephemeral nodes go with the program that made them, and not seconds later.

    All side by side: with servers that do not answer, many take as long as one.
    """
    closing = [session for session in list(_open_sessions) if session._begin_closing()]
    handles: dict[int, tuple[Binding, list[int]]] = {}
    for session in closing:
        handle = session._connection.release()
        if handle is not None:
            handles.setdefault(id(session.binding), (session.binding, []))[1].append(handle)
    for binding, its_handles in handles.values():
        binding.close_many(its_handles)
    deadline = time.monotonic() + CALLBACK_END_SECONDS
    for session in closing:
        left = max(0.0, deadline - time.monotonic())
        session._end(left, left)
