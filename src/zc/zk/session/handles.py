"""The handles of a logical session, one after the other; a lost session comes back here.

A handle of the binding is good for one session with the servers. When that is over, this opens
another one. Everything that a session has on the servers, ephemeral nodes and watches, is then
gone, and the session's duties restore it (`zc.zk.session.maintenance`).

Threads. The binding's event thread calls `_note`, which writes down what happened and wakes the
maintenance. That does the rest: it replaces handles and calls the duties. Both may run in any
thread at once with the program's calls; the lock of the state machine guards what they share, and
is never held while the binding is called, for that may take as long as a session's timeout, or
deliver events right there.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

import zookeeper
from zc.zk.event import Reestablished
from zc.zk.session import waiting
from zc.zk.session.announcements import Announcements
from zc.zk.session.credentials import Credentials
from zc.zk.session.handle import CONNECTED_STATES, Handle
from zc.zk.session.heldup import EventThreadWatch
from zc.zk.session.maintenance import Maintenance, Standing
from zc.zk.session.state import NO_ANSWER, NO_SESSION, State, StateMachine, Transition

if TYPE_CHECKING:
    from zookeeper.binding import Binding
    from zookeeper.sasl import Mechanism
    from zookeeper.tls import TLS
    from zookeeper.types import Credential

# The session timeout that `zookeeper.init` asks for by default.
DEFAULT_TIMEOUT_MS = 10_000


class Handles:
    """The handles of a session: the one that there is, and how to get the next one.

    `announcements` is told of the session's events. See `zc.zk.session.session.Session` for the
    other arguments.
    """

    def __init__(
        self,
        connection_string: str,
        timeout_ms: int | None,
        announcements: Announcements,
        *,
        binding: Binding,
        read_only: bool,
        tls: TLS | bool | None,
        sasl: Mechanism | None,
    ) -> None:
        self.connection_string = connection_string
        self.binding = binding
        self.timeout_ms = timeout_ms
        self.tls = tls
        self.sasl = sasl
        self._read_only = read_only
        self._timeout_seconds = (timeout_ms or DEFAULT_TIMEOUT_MS) / 1000
        self._announcements = announcements
        # A thread of these handles keeps the session alive, until the exit hook closes it.
        self.session: object = None
        self.maintenance = Maintenance(self)
        self._event_threads = EventThreadWatch(connection_string, binding)
        self.machine = StateMachine(timeout_ms, read_only=read_only)
        self.credentials = Credentials(self.machine)
        self._begin()

    def _begin(self) -> None:
        self.current = self._new_handle()
        # The numbers of sessions that have ended, whose nodes are about to vanish.
        self.former_ids: set[int] = set()
        self._restored_epoch = self.machine.epoch + 1

    def begin_again(self) -> None:
        """Make anew what belongs to a process, in a child."""
        self.maintenance.begin_again()
        self.machine.begin_again()
        self._begin()

    def open(self) -> int:
        """Open a handle. Raises what the binding's `init` raises."""
        machine = self.machine
        with machine.lock:
            machine.note_connecting()
            opened = self._new_handle(self.credentials)
            self.current = opened
        try:
            handle = opened.open(self.timeout_ms)
        except BaseException:
            with machine.lock:
                machine.note_unopened()
            raise
        if machine.state is State.CLOSED:
            opened.close()
        return handle

    def _new_handle(self, credentials: Iterable[Credential] = ()) -> Handle:
        return Handle(
            self.connection_string,
            self._note,
            credentials,
            binding=self.binding,
            read_only=self._read_only,
            tls=self.tls,
            sasl=self.sasl,
        )

    def timeout_seconds(self) -> float:
        """Return the session timeout: as agreed with the servers, if there is a session."""
        granted = self.current.timeout_ms() if self.machine.has_session else None
        if granted is not None:
            self._timeout_seconds = granted / 1000
        return self._timeout_seconds

    def is_refused(self) -> bool:
        """Whether all servers refuse the credentials of SASL, for good, and there is no session."""
        return self.current.is_refused()

    def why_there_is_none(self) -> tuple[str, str]:
        """Return what is missing, and why, in words, as far as it can be found out."""
        if told := self.current.fault():
            return NO_SESSION, told
        return NO_ANSWER, self._diagnosis()

    def _diagnosis(self) -> str:
        try:
            from zc.zk.session import diagnosis

            is_secured = self.tls is not None and self.tls is not False
            describe = partial(diagnosis.describe, self.connection_string, is_secured=is_secured)
            return waiting.apart(describe)
        except OSError as fault:  # out of descriptors: not even the module can be imported
            return fault.strerror or str(fault)
        except ImportError as fault:  # as it may then be, too
            return str(fault)

    def _tell(self, transition: Transition) -> None:
        """Log and announce what a transition has brought about."""
        for level, text in transition.lines:
            self.maintenance.tell(level, text)
        self._announcements.announce(transition.event)

    # The event thread

    def _note(self, handle: Handle, number: int, state: int) -> None:
        is_connected = state in CONNECTED_STATES
        granted_ms = handle.timeout_ms() if is_connected else None
        session_id = handle.session_id() if is_connected and self._read_only else 0
        with self.machine.lock:
            if handle is not self.current or self.machine.is_over:
                return
            transition = self._enter(handle, state, granted_ms, session_id)
        self._tell(transition)
        self._announcements.pass_on(number, state)
        self.maintenance.wake()

    def _enter(
        self, handle: Handle, state: int, granted_ms: int | None, session_id: int
    ) -> Transition:
        machine = self.machine
        was_established = handle.was_established
        if state in CONNECTED_STATES:
            self.credentials.accept(handle.credentials)
            # A handle that could only read gets another session where it can write.
            is_new = not was_established or session_id != handle.established_id
            handle.was_established, handle.established_id = True, session_id
            return machine.note_connected(
                is_new=is_new, granted_ms=granted_ms, read_only=state == zookeeper.READONLY_STATE
            )
        if state == zookeeper.EXPIRED_SESSION_STATE:
            return machine.note_lost("the session expired")
        if state == zookeeper.AUTH_FAILED_STATE:
            refused = handle.unconfirmed | self.credentials.withdraw_all()
            if was_established:
                # One that the program has just given, or the servers have changed their mind.
                return machine.note_lost("a credential was refused")
            return machine.note_refused({scheme for scheme, _ in refused})
        return machine.note_disconnected()

    # The maintenance

    def look_after_events(self) -> float | None:
        """See that the session's events are heard; in how many seconds to look again."""
        if not self.machine.has_session:
            return None
        return self._event_threads.look(self.current, self.timeout_seconds())

    @property
    def is_lost(self) -> bool:
        """Whether another handle is needed."""
        return self.machine.state is State.LOST and self.machine.refusal is None

    @property
    def standing(self) -> Standing:
        machine = self.machine
        epoch, connects = machine.epoch, machine.connects
        handle, state = self.current.handle, machine.state
        is_connected = state in (State.CONNECTED, State.READ_ONLY)
        return epoch, connects, handle if is_connected else None, state is State.READ_ONLY

    def give_up_in_time(self) -> float | None:
        """Give up a session that has had no connection for too long, or say when that will be."""
        timeout_seconds = self.timeout_seconds()
        with self.machine.lock:
            left = self.machine.seconds_left(timeout_seconds)
            if left != 0:
                return left
            transition = self.machine.note_lost("no connection for too long, the session is over")
        self._tell(transition)
        return left

    def note_lost(self, epoch: int, reason: str) -> None:
        """Take that session for over, if it is the one that there is."""
        transition = Transition()
        with self.machine.lock:
            if epoch == self.machine.epoch and self.machine.has_session:
                transition = self.machine.note_lost(reason)
        self._tell(transition)
        self.maintenance.wake()

    def note_restored(self, epoch: int) -> None:
        """Note that in that session all duties have been done."""
        self.machine.complaint = ""
        if epoch > self._restored_epoch:
            self._restored_epoch = epoch
            self._announcements.announce(Reestablished)

    def drop_handle(self) -> None:
        """Close a lost handle: it would go on to connect for a session that is over."""
        former = self.current
        # A handle that got no session has no number, and 0 is nobody's.
        self.former_ids.update({former.session_id()} - {0})
        former.close(lost=True)

    def replace_handle(self) -> None:
        """Open a new handle. Raises ZooKeeperException or OSError if that is not possible now."""
        self.drop_handle()
        self.open()
