"""One logical session over many handles: what the library, and through it a program, uses.

A handle of the binding is good for one session with the servers. When that is over, there is
another one (`zc.zk.session.handles`), for as long as the program wants a session at all.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import zookeeper
from zc.zk.errors import FailedConnect, WrongArgument
from zc.zk.session import ending, processes, waiting
from zc.zk.session.announcements import Announcements
from zc.zk.session.backoff import NEVER
from zc.zk.session.calling import Calling, closed
from zc.zk.session.handle import delivers_inline
from zc.zk.session.handles import Handles
from zc.zk.session.pace import Pace
from zc.zk.session.runtime import runtime_binding
from zc.zk.session.state import Moment, checked_timeout, doubt_about_timeout
from zc.zk.session.state import State as State
from zc.zk.session.worker import CallbackQueue

if TYPE_CHECKING:
    from collections.abc import Callable

    from zc.zk.session.credentials import Credentials
    from zc.zk.session.worker import Calls
    from zookeeper.binding import Binding
    from zookeeper.sasl import Mechanism
    from zookeeper.tls import TLS

logger = logging.getLogger("zc.zk")

# How long `close` waits for the threads of its session; that of the callbacks may be in the
# program's hands.
MAINTENANCE_END_SECONDS = 5.0
CALLBACK_END_SECONDS = 1.0

# How often a caller that waits for a session looks whether its login is refused, of which there is
# no event.
REFUSAL_SECONDS = 0.05


class Session(Calling):
    """A session with the servers, kept up until `close`.

    `connection_string` is a comma-separated list of host:port, with an optional /root behind it;
    `timeout_ms` the session timeout, the binding's default if None. If `read_only`, a server that
    is cut off from the others will do for reading. `tls` and `sasl` are the binding's. `binding` is
    what the session uses in the place of the module `zookeeper`, `calls` what calls functions of
    the program, if not a thread, and `pace` says when to read what has changed. `open` comes next.
    """

    def __init__(
        self,
        connection_string: str,
        timeout_ms: int | None = None,
        *,
        read_only: bool = False,
        tls: TLS | bool | None = None,
        sasl: Mechanism | None = None,
        binding: Binding | None = None,
        calls: Calls | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.connection_string = connection_string
        self.pace = pace or Pace()
        # The module's functions are looked up at each call: a test may patch them.
        self.binding: Binding = runtime_binding() if binding is None else binding
        timeout_ms = checked_timeout(timeout_ms)
        doubt = doubt_about_timeout(timeout_ms)
        if doubt:
            logger.warning("%s: %s", connection_string, doubt)
        # Whether watches fire in the thread that makes the change, before its call returns.
        self.delivers_inline = False
        calls = calls or CallbackQueue(f"zc.zk callbacks {connection_string}")
        self.announcements = Announcements(calls)
        self._handles = Handles(
            connection_string,
            timeout_ms,
            self.announcements,
            binding=self.binding,
            read_only=read_only,
            tls=tls,
            sasl=sasl,
        )
        self._handles.session = self
        self._machine = self._handles.machine
        self.counts = self._machine.counts
        self._pid = processes.current
        # The rest of the library calls these, without a call in between.
        self.maintenance = self._handles.maintenance
        self.add_duty = self.maintenance.add_duty
        self.wake = self.maintenance.wake
        self.nudge = self.maintenance.nudge
        calls = self.announcements.callbacks
        self.call_soon, self.call_all_soon = calls.put, calls.put_all
        self.announce = self.announcements.announce
        self.timeout_seconds = self._handles.timeout_seconds
        self.why_there_is_none = self._handles.why_there_is_none
        self._can_be_refused = bool(getattr(sasl, "refusal_is_final", False))

    def open(self, wait: bool = False) -> None:
        """Begin to connect. Raises FailedConnect if the connection string is no good.

        So it does when none of the names is known; if `wait`, that may change. Whatever it raises,
        nothing is left open.
        """
        try:
            ending.close_at_end(self)
            self._begin_to_connect(wait)
        except BaseException:
            self.close()
            raise

    def _begin_to_connect(self, wait: bool) -> None:
        try:
            handle = self._handles.open()
        except (zookeeper.ZooKeeperException, OSError, ValueError, TypeError) as fault:
            if not (wait and isinstance(fault, zookeeper.SystemErrorException)):
                kind = WrongArgument if isinstance(fault, TypeError) else FailedConnect
                raise kind(f"{self.connection_string!r}: {fault}") from fault
            # The maintenance, which opens all later handles, goes on.
            inline = False
            self.wake()
        else:
            inline = delivers_inline(self.binding, handle)
        self.delivers_inline = self.pace.is_inline = inline
        for worker in (self.maintenance.worker, self.announcements.callbacks.worker):
            try:
                worker.start(inline=inline)
            except RuntimeError as fault:  # no more threads
                raise FailedConnect(f"{self.connection_string!r}: {fault}") from fault

    def reopen(self, wait: bool = False) -> None:
        """In a child process begin to connect, for a session of its own; `wait` is as in `open`.

        Raises ClosingException if this was closed before, and FailedConnect.
        """
        if self.state is State.CLOSED:
            raise closed()
        self._handles.begin_again()
        self.announcements.begin_again()
        self._pid = processes.current
        self.open(wait)

    def wait_until_connected(self, seconds: float, *, patient: bool = False) -> bool:
        """Say whether there is a session within that time. Raises FailedConnect if refused.

        If `patient`, a login (SASL) that all servers refuse is waited for: it may be put right.
        """

        machine = self._machine

        def is_decided() -> bool:
            return (
                machine.has_session or machine.state is State.CLOSED or machine.refusal is not None
            )

        if self._can_be_refused and not patient:
            decided = self._wait_unless_refused(is_decided, seconds)
        else:
            decided = machine.wait(is_decided, seconds)
        if decided and not machine.has_session:
            raise FailedConnect(f"{self.connection_string}: {machine.refusal or machine.reason}")
        return decided

    def _wait_unless_refused(self, is_decided: Callable[[], bool], seconds: float) -> bool:
        """Wait as the state machine does, and raise FailedConnect once all servers refuse."""
        deadline = time.monotonic() + seconds
        while not self._machine.wait(is_decided, min(seconds, REFUSAL_SECONDS)):
            if self._handles.is_refused():
                _, reason = self.why_there_is_none()
                raise FailedConnect(f"{self.connection_string}: all servers refuse ({reason})")
            seconds = deadline - time.monotonic()
            if seconds <= 0:
                return False
        return True

    def not_connected_within(self, seconds: float) -> FailedConnect:
        """Make the exception that says why there is still no session."""
        lack, reason = self.why_there_is_none()
        return FailedConnect(
            f"{self.connection_string}: {lack} within {seconds:g} seconds ({reason})"
        )

    @property
    def moment(self) -> Moment:
        """Now, for `wait_for_gap`."""
        return self._machine.moment

    def wait_for_gap(self, since: Moment, seconds: float) -> bool:
        """Say whether the connection of that moment has broken, or does within that time."""
        return self._machine.wait(
            lambda: not self._machine.is_connected or self.connects != since.connects, seconds
        )

    def wait_for(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Say whether a condition holds within that time.

        It is looked at when the state of the session changes, and after `note_news`.
        """
        return self._machine.wait(condition, seconds)

    def note_news(self) -> None:
        """Have those that are in `wait_for` look again."""
        with self._machine.lock:
            self._machine.tell()

    def silence(self) -> float:
        """Return for how many seconds there has been no connection; 0.0 while there is one."""
        if self.is_forked:
            return NEVER
        connected_until = self._machine.connected_until
        return 0.0 if self._machine.is_connected else time.monotonic() - connected_until

    def wait_for_connection(self, seconds: float) -> bool:
        """Say whether the session has, or a new one gets, a connection within that time."""
        machine = self._machine
        machine.wait(lambda: machine.is_connected or machine.state is State.CLOSED, seconds)
        return machine.is_connected

    def close(self) -> None:
        """End the session, and with it its ephemeral nodes.

        Harmless when it is closed already, and in a child process, where it ends nothing of the
        parent's. A second call, or the end of the program, finishes one that an exception out of a
        signal handler has interrupted, as Ctrl-C does. It takes a few seconds at most, also when no
        server answers. No callback begins any more when it returns, though one may be going on:
        this may have been called by it, or it takes its time.
        """
        if self.begin_closing():
            waiting.apart(self._finish_closing)

    def _finish_closing(self) -> None:
        self._handles.current.close()
        self.end(MAINTENANCE_END_SECONDS, CALLBACK_END_SECONDS)

    def begin_closing(self) -> bool:
        """Have its threads end; say whether anything is left to do, by `end`.

        Idempotent, as all of closing: an interrupted `close` is done again.
        """
        if self.is_forked:
            # No lock is safe here: a thread that no longer exists may hold it.
            self._machine.state = State.CLOSED
            return False
        with self._machine.lock:
            self._machine.note_closed()
        if self not in ending.open_sessions:
            return False
        self.announcements.callbacks.worker.stop()
        self.maintenance.worker.stop()
        return True

    def end(self, maintenance_seconds: float, callback_seconds: float) -> None:
        """Wait for its threads; with that all is done."""
        self.maintenance.worker.join(maintenance_seconds)
        self.announcements.callbacks.worker.join(callback_seconds)
        ending.open_sessions.discard(self)

    # For parts of the library

    def tell(self, level: int, text: str) -> None:
        """Have something logged soon. Safe in finalisers, which may run in the middle of that."""
        self.maintenance.tell(level, text)
        self.nudge()

    def note_lost(self, epoch: int, reason: str) -> None:
        """Take the session of that epoch for over."""
        if not self.is_forked:
            self._handles.note_lost(epoch, reason)

    @property
    def root(self) -> str:
        """The path behind the servers that is the root of all paths, or ''."""
        _, slash, path = self.connection_string.strip().partition("/")
        return slash + path if path else ""

    def elsewhere(self, connection_string: str) -> Session:
        """Return another session, with the same credentials, for the caller to open and close."""
        own = self._handles
        other = Session(
            connection_string, own.timeout_ms, tls=own.tls, sasl=own.sasl, binding=own.binding
        )
        other.credentials.accept(own.credentials)
        return other

    def release(self) -> tuple[Binding, int] | None:
        """Give up the handle, for the caller to close, with the binding that it is of."""
        handle = self._handles.current.release()
        # Not the session's own binding, of which each client that is measured has another one.
        return None if handle is None else (self._handles.binding, handle)

    @property
    def credentials(self) -> Credentials:
        """Those that this session and later ones are authenticated with."""
        return self._handles.credentials
