"""A handle of the emulation: one client of the emulated server."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from zc.zk.testing.emulation import arguments, watching
from zc.zk.testing.emulation.delivery import Delivery
from zc.zk.testing.emulation.request import Request, Watch
from zc.zk.testing.engine import NO_PASSWORD, Client, Engine, Refusal, Rewatch
from zookeeper import constants, errors
from zookeeper.constants import (
    AUTH_FAILED_STATE,
    CONNECTED_STATE,
    CONNECTING_STATE,
    EXPIRED_SESSION_STATE,
    SESSION_EVENT,
)
from zookeeper.watchers import WatcherRegistry

if TYPE_CHECKING:
    from zookeeper.types import Watcher

# Where the C client says that it is.
LOOPBACK: Final = "127.0.0.1"


class Server(Protocol):
    """The emulated server, as a handle needs it."""

    handles: dict[int, Handle]

    @property
    def engine(self) -> Engine: ...

    @property
    def delivery(self) -> Delivery: ...

    @property
    def lock(self) -> AbstractContextManager[bool]: ...

    def keep_time(self) -> None: ...

    def deliver(self, *, nested: bool = True) -> None: ...


class Handle:
    """A program's handle, with verbs for its connection and session."""

    def __init__(
        self,
        server: Server,
        number: int,
        hosts: str,
        chroot: str,
        watcher: Watcher | None,
        timeout: int,
        max_request: int,
        resumed: tuple[int, bytes] = (0, NO_PASSWORD),
    ) -> None:
        self.number: Final = number
        self.hosts: Final = hosts
        self.chroot: Final = chroot
        self.process: Final = os.getpid()
        self.max_request: Final = max_request
        self.watcher = watcher
        self.registry: Final = WatcherRegistry()
        self.timeout = timeout
        self.state = CONNECTING_STATE
        self.id, self.password = resumed
        self.is_closed = False
        self._server: Final = server
        self._client: Client | None = None
        # Another handle has resumed the session, and this one wants it back.
        self._is_ousted = False
        self._credentials: list[tuple[str, bytes]] = []
        # When the connection was lost: the latest change that was seen, and what was watched.
        self._seen = 0
        self._watched = Rewatch()

    def __repr__(self) -> str:
        return f"<handle {self.number} of the emulation, session {self.id:#x}>"

    # For tests

    def disconnect(self) -> None:
        """Cut the connection; the session waits for another, or expires."""
        with self._server.lock:
            self._drop_connection()
        self._server.deliver()

    def connect(self) -> None:
        """Connect again: missed events come, or the news of an expiry."""
        with self._server.lock:
            if self.state == CONNECTING_STATE:
                self._open_connection()
        self._server.deliver()

    def expire(self) -> None:
        """End the session as a server does that has not heard of its client."""
        with self._server.lock:
            if self.state in (CONNECTED_STATE, CONNECTING_STATE) and not self.is_closed:
                self._drop_connection()
                if self._server.engine.sessions.get(self.id):
                    self._end_session()
                self._enter(EXPIRED_SESSION_STATE)
        self._server.deliver()

    # For the binding's functions

    def open(self) -> None:
        """Connect for the first time. With the server's lock."""
        self._open_connection()

    def close(self) -> None:
        """End the session. With the server's lock."""
        self.is_closed = True
        if self._client is not None:
            self._server.engine.disconnect(self._client)
            self._client = None
            self._end_session()

    def ask(
        self, request: Request, completion: Callable[..., object] | None = None
    ) -> tuple[int, tuple[Any, ...]]:
        """Ask the server, and return error code and results, for a completion too.

        Callbacks that are due because of it have been called, unless another thread is busy
        calling. Raises only what the binding raises before it sends anything.
        """
        self.require_usable(request.path)
        with self._server.lock:
            watch = request.watch
            if watch is not None:
                self.registry.expect(watch.kind, (watch.path,), watch.watcher)
            code, results = self._perform(request)
            # In the queue, and not at once: events that wait there are older than this watch.
            if watch is not None:
                self._server.delivery.put(partial(self._settle, watch, code))
            if completion is not None:
                self._server.delivery.put(partial(completion, self.number, code, *results))
        self._server.deliver(nested=completion is None)
        return code, results

    def asks_for(self, watch: Watch | None) -> bool:
        """Tell whether a read is to ask the server for a watch; one that stays is enough."""
        return watch is not None and not watch.kind & self.registry.left_out(watch.path)

    def prove(self, scheme: str, credential: bytes) -> int:
        """Authenticate, now and after reconnections; an error code. With the lock."""
        self._credentials.append((scheme, credential))
        if self._client is None:
            return constants.OK  # when there is a connection
        try:
            self._server.engine.prove(self._client, scheme, credential)
        except Refusal as refusal:
            self._close_connection()
            self._enter(AUTH_FAILED_STATE)
            return refusal.code
        return constants.OK

    def require_usable(self, path: str | None) -> None:
        """Raise what every call raises once the session is over."""
        if self.state < 0:
            raise errors.error(constants.INVALIDSTATE, path)

    def require_own_process(self) -> None:
        """Raise what every call raises in a child process."""
        if self.process != os.getpid():
            raise errors.with_context(
                errors.ForkedException,
                constants.INVALIDSTATE,
                None,
                f"handle {self.number} belongs to process {self.process}, which forked this one:"
                " open a new one here",
            )

    def is_connected(self) -> bool:
        return self._client is not None

    def sweep(self, path: str) -> None:
        """Have the server keep no watch that stays when nobody at a path needs one."""
        if path in self.registry.at_server:
            with self._server.lock:
                watching.sweep(self._server.engine, self._client, self, path)

    def server_path(self, path: str) -> str:
        """Put the chroot in front of a path."""
        if not self.chroot:
            return path
        return self.chroot if path == "/" else self.chroot + path

    def client_path(self, path: str) -> str:
        """Take the chroot off, by its length, as the C client does."""
        return path.removeprefix(self.chroot) or "/"

    def check_size(self, path: str, size: int = 0) -> None:
        """Raise what the binding raises for a request with so much beside the path."""
        arguments.request_size(self.max_request, path, size + len(self.chroot))

    def touch(self) -> None:
        """Tell the server that the client is there, as a ping does."""
        session = self._client.session if self._client is not None else None
        if session is not None:
            self._server.engine.sessions.touch(session)

    def _perform(self, request: Request) -> tuple[int, tuple[Any, ...]]:
        self._server.keep_time()
        if self._client is None and not request.offline_too:
            return constants.CONNECTIONLOSS, request.failed
        try:
            return constants.OK, request.perform(self._client)
        except Refusal as refusal:
            return refusal.code, request.failed

    def _settle(self, watch: Watch, code: int) -> None:
        is_set = code == constants.OK or (code == constants.NONODE and watch.missing_too)
        self.registry.settle(watch.kind, (watch.path,), watch.watcher, is_set)
        self.sweep(watch.path)

    # Connections

    def _open_connection(self) -> None:
        engine = self._server.engine
        client = Client(LOOPBACK, self._note_event)
        if not self.id:
            session = engine.open_session(client, self.timeout)
        else:
            resumed = engine.resume_session(client, self.id, self.password, self.timeout)
            if resumed is None:
                self._enter(EXPIRED_SESSION_STATE)
                return
            session = resumed
            for other in self._sharing_the_session():
                other._drop_connection()
                other._is_ousted = True
        self._is_ousted = False
        self.id, self.timeout = session.id, session.timeout
        self.password = engine.sessions.password(session.id)
        self._client = client
        self._enter(CONNECTED_STATE)
        try:
            for scheme, credential in self._credentials:
                engine.prove(client, scheme, credential)
        except Refusal:
            self._close_connection()
            self._enter(AUTH_FAILED_STATE)
            return
        watching.watch_again(engine, client, self, self._seen, self._watched)

    def _end_session(self) -> None:
        self._server.engine.close_session(self.id)
        for other in self._sharing_the_session():
            if other._is_ousted:
                other._enter(EXPIRED_SESSION_STATE)

    def _sharing_the_session(self) -> list[Handle]:
        handles = self._server.handles.values()
        return [other for other in handles if other is not self and other.id == self.id]

    def _drop_connection(self) -> None:
        if self._client is not None:
            self._close_connection()
            self._enter(CONNECTING_STATE)

    def _close_connection(self) -> None:
        if self._client is not None:
            self._seen = self._server.engine.zxid
            former = self._server.engine.disconnect(self._client)
            self._watched = watching.remembered(self._server.engine, self, former)
            self._client = None

    # Events

    def _enter(self, state: int) -> None:
        self.state = state
        self._server.delivery.put(partial(self._deliver_session_event, state))

    def _note_event(self, event_type: int, path: str) -> None:
        is_outside = bool(self.chroot) and not path.startswith(self.chroot)
        shown = self.client_path(path)
        self._server.delivery.put(partial(watching.tell, self, event_type, shown, is_outside))

    def _deliver_session_event(self, state: int) -> None:
        watchers = self.registry.all()
        if self.watcher is not None and self.watcher not in watchers:
            watchers.insert(0, self.watcher)
        watching.call(self, watchers, SESSION_EVENT, state, "")
