"""One handle of the binding, from `init` to `close`."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import zookeeper

if TYPE_CHECKING:
    from zookeeper.binding import Binding
    from zookeeper.sasl import Mechanism
    from zookeeper.tls import TLS
    from zookeeper.types import Credential, Stat

logger = logging.getLogger("zc.zk")

# Numbers of sessions are 64 bits, which some show with a sign.
ID_BITS = 2**64 - 1

CONNECTED_STATES = (zookeeper.CONNECTED_STATE, zookeeper.READONLY_STATE)


class Handle:
    """A handle, good for one session.

    `note(self, handle, state)` is called for session events, in the event thread, which may
    be before `open` returns. Of a connection it is told when the servers have accepted the
    `credentials`: until then nothing else is done for those who need them. `unconfirmed` are those
    that have not been accepted.

    One thread at a time closes the handle, and nobody does it again: its number may be another
    client's handle by then. An exception out of a signal handler may come between any two steps, so
    the number is kept until the handle is closed: a `close` that was interrupted is done again.
    """

    def __init__(
        self,
        hosts: str,
        note: Callable[[Handle, int, int], object],
        credentials: Iterable[Credential] = (),
        *,
        binding: Binding,
        read_only: bool = False,
        tls: TLS | bool | None = None,
        sasl: Mechanism | None = None,
    ) -> None:
        self._hosts = hosts
        self._note = note
        self._binding = binding
        self.credentials = list(credentials)
        self.unconfirmed = set(self.credentials)
        # Arguments only where they are needed, for those who patch the function.
        self._options: dict[str, Any] = {"read_only": True} if read_only else {}
        if tls is not None and tls is not False:
            self._options["tls"] = tls
        if sasl is not None:
            self._options["sasl"] = sasl
        self._state = 0
        self._lock = threading.RLock()
        self._is_closed = False
        # The handle that is to be closed, until it is; who is at it; and, once that was tried, the
        # thread of its events, by which it is told from a later one of the same number.
        self._unclosed: int | None = None
        self._closer: object = None
        self._was_tried = False
        self._events: threading.Thread | None = None
        self._had_handle = False
        self.handle: int | None = None
        # Whether there has been a session, and, where that may change, the number of the last one.
        self.was_established = False
        self.established_id = 0

    def open(self, timeout_ms: int | None) -> int:
        """Begin to connect. Raises what the binding's `init` raises."""
        if timeout_ms is None:
            handle = self._binding.init(self._hosts, self._watcher, **self._options)
        else:
            handle = self._binding.init(self._hosts, self._watcher, timeout_ms, **self._options)
        self._take(handle)
        if self._is_closed:
            self.close()
            return handle
        for credential in self.credentials:
            self._authenticate(handle, credential)
        return handle

    def _authenticate(self, handle: int, credential: Credential) -> None:
        # The C client keeps it, and sends it first whenever it connects.
        self._binding.add_auth(handle, *credential, partial(self._note_answer, credential))

    def close(self, *, lost: bool = False) -> None:
        """End the session; also one whose handle is still being opened.

        If it is `lost`, calls under way raise ConnectionLossException: nobody has closed anything.
        A thread that finds another one closing it returns.
        """
        closer = object()
        try:
            handle = self._claim(closer)
            if handle is None:
                return
            if self._is_ours(handle):
                self._events = event_thread(self._binding, handle)
                self._was_tried = True
                # The argument only where it is needed, for those who patch the function.
                self._binding.close(handle, **({"lost": True} if lost else {}))
            self._unclosed = None
        except zookeeper.ZooKeeperException as fault:
            logger.debug("%s: closing the handle: %s", self._hosts, fault)
            self._unclosed = None
        finally:
            if self._closer is closer:
                self._closer = None

    def release(self) -> int | None:
        """Take it as closed, and return the handle, if any, which the caller has to close."""
        handle = self._retire()
        return handle if handle is not None and self._is_ours(handle) else None

    def _claim(self, closer: object) -> int | None:
        """The handle that is to be closed, by `closer` and nobody else; None if there is none."""
        with self._lock:
            handle = self._retire()
            if handle is None or self._closer is not None:
                return None
            self._closer = closer
            return handle

    def _retire(self) -> int | None:
        """Take it as closed; the handle that is still to be closed."""
        with self._lock:
            self._is_closed = True
            if self.handle is not None:
                self._unclosed = self.handle
                self.handle = None
            return self._unclosed

    def _is_ours(self, handle: int) -> bool:
        """Say whether the number is still this handle's, after an interrupted attempt to close it.

        A handle without a thread, an emulation's, is taken as closed by such an attempt.
        """
        if not self._was_tried:
            return True
        return self._events is not None and event_thread(self._binding, handle) is self._events

    def take_in(self, handle: int, state: int) -> None:
        """Take in a state of which the event thread has not told yet."""
        if state != self._state:
            self._watcher(handle, zookeeper.SESSION_EVENT, state, "")

    def session_id(self) -> int:
        """The number by which servers know the session; 0 when there is none."""
        handle = self.handle
        if handle is None:
            return 0
        try:
            return id_of(self._binding, handle)
        except zookeeper.ZooKeeperException as fault:
            logger.debug("%s: the session's number is unknown: %s", self._hosts, fault)
            return 0

    def timeout_ms(self) -> int | None:
        """The session timeout, as agreed with the servers."""
        handle = self.handle
        try:
            return None if handle is None else self._binding.recv_timeout(handle)
        except zookeeper.InvalidStateException:
            return None  # closed just now

    def fault(self) -> str | None:
        """Why TLS or SASL fails, or what it waits for, in words; None if all is well."""
        handle = self.handle
        if handle is None or not self._options.keys() & {"tls", "sasl"}:
            return None
        try:
            return self._binding.connection_fault(handle, awaited=True)
        except zookeeper.ZooKeeperException:
            return None  # closed just now

    def is_refused(self) -> bool:
        """Whether all servers have refused the credentials of SASL, for good."""
        handle = self.handle
        if handle is None or not getattr(self._options.get("sasl"), "refusal_is_final", False):
            return False
        try:
            return self._binding.is_refused(handle)
        except zookeeper.ZooKeeperException:
            return False  # closed just now

    def _take(self, handle: int) -> None:
        with self._lock:
            if not self._had_handle:
                self.handle = handle
                self._had_handle = True

    def _watcher(self, handle: int, type: int, state: int, path: str) -> None:
        if type == zookeeper.SESSION_EVENT:
            self._take(handle)
            if self._is_closed:
                # `open` was interrupted before it had the handle, or `close` before it was done.
                self.close()
                return
            self._state = state
            if not (state in CONNECTED_STATES and self.unconfirmed):
                self._note(self, handle, state)

    def _note_answer(self, credential: Credential, handle: int, code: int) -> None:
        if code in (zookeeper.CONNECTIONLOSS, zookeeper.OPERATIONTIMEOUT):
            # It is sent again by itself, and that we hear of it takes another one.
            try:
                self._authenticate(handle, credential)
            except zookeeper.ZooKeeperException as fault:
                # The handle is over, of which there is an event, or has been closed.
                logger.debug("%s: no credential any more: %s", self._hosts, fault)
        elif code == zookeeper.OK:
            self.unconfirmed.discard(credential)
            if self._state in CONNECTED_STATES and not self.unconfirmed:
                self._note(self, handle, self._state)


def id_of(binding: Binding, handle: int) -> int:
    """The number by which servers know a handle's session."""
    return binding.client_id(handle)[0] & ID_BITS


def owner_of(stat: Stat) -> int:
    """The number of the session that an ephemeral node belongs to, 0 for any other node."""
    return stat["ephemeralOwner"] & ID_BITS


def event_thread(binding: Binding, handle: int) -> threading.Thread | None:
    """The thread of a handle's events; None for one that has none, or is closed."""
    try:
        return binding.event_thread(handle)
    except zookeeper.ZooKeeperException:
        return None


def delivers_inline(binding: Binding, handle: int) -> bool:
    """Say whether events come in the thread of the change that they are about."""
    try:
        return binding.event_thread(handle) is None
    except zookeeper.ZooKeeperException:
        # A handle that the binding does not know: somebody put another `init` in place of its own.
        return True
