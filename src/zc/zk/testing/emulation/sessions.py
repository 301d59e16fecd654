"""The binding's functions about handles: open, close, and tell of sessions."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Literal

from zc.zk.testing.emulation import arguments
from zc.zk.testing.emulation.handle import Handle
from zc.zk.testing.emulation.server import EmulatedServer
from zc.zk.testing.engine import NO_PASSWORD, PASSWORD_BYTES
from zookeeper import constants, errors

if TYPE_CHECKING:
    from zookeeper.sasl import Mechanism
    from zookeeper.tls import TLS
    from zookeeper.types import ClientId, VoidCompletion, Watcher


class Sessions:
    """Functions about handles. `can_reach` says whether servers can be reached."""

    def __init__(self, server: EmulatedServer, can_reach: Callable[[str], bool]) -> None:
        self._server = server
        self._can_reach = can_reach

    def init(
        self,
        hosts: str,
        watcher: Watcher | None = None,
        recv_timeout: int = 10000,
        client_id: ClientId | None = None,
        *,
        read_only: bool = False,
        max_request: int = 1048575,
        tls: TLS | bool | None = None,
        sasl: Mechanism | None = None,
    ) -> int:
        """Open a session with the emulated server.

        It can always write, also if `read_only`. It needs no `tls`, and reads its files only;
        nor `sasl`, of which it begins no exchange.
        """
        if tls is not None and tls is not False:
            from zookeeper.tls import configuration

            configuration(tls)
        if sasl is not None:
            from zookeeper.sasl import checked_mechanism

            checked_mechanism(sasl)
        arguments.function(watcher, "a watcher")
        arguments.request_limit(max_request)
        arguments.session_timeout(recv_timeout)
        servers, chroot = arguments.hosts(hosts)
        resumed = (0, NO_PASSWORD) if client_id is None else _client_id(client_id)
        with self._server.lock:
            handle = self._server.add(
                lambda number: Handle(
                    self._server,
                    number,
                    servers,
                    chroot,
                    watcher,
                    recv_timeout,
                    max_request,
                    resumed,
                )
            )
            if self._can_reach(servers):
                handle.open()
        self._server.deliver()
        return handle.number

    def close(self, h: int, *, lost: bool = False) -> Literal[0]:
        """End a session. No call is under way for which `lost` would matter."""
        handle = self._server.find(h)
        with self._server.lock:
            if not handle.is_closed:
                handle.close()
                del self._server.handles[handle.number]
        self._server.deliver()
        return constants.OK

    def aclose(
        self, h: int, completion: VoidCompletion | None = None, *, lost: bool = False
    ) -> Literal[0]:
        """Do the same as close; `completion(handle, code)`."""
        arguments.function(completion, "a completion")
        self.close(h, lost=lost)
        if completion is not None:
            self._server.delivery.put(partial(completion, h, constants.OK))
        self._server.deliver(nested=False)
        return constants.OK

    def close_many(self, handles: Iterable[int]) -> Literal[0]:
        """End several sessions; those that are closed already are passed over."""
        for h in handles:
            with contextlib.suppress(errors.InvalidStateException):
                self.close(h)
        return constants.OK

    def connection_fault(self, h: int, *, awaited: bool = False) -> None:
        """Return why TLS or SASL with a server has failed: never, here."""
        self._server.find(h)

    def is_refused(self, h: int) -> bool:
        """Return whether all servers refuse the credentials of SASL: never, here."""
        self._server.find(h)
        return False

    def event_thread(self, h: int) -> Thread | None:
        """Return None: the thread of a change calls watchers and completions."""
        self._server.find(h)
        return None

    def event_thread_busy(self, h: int) -> float:
        """Return 0.0: there is no event thread."""
        self._server.find(h)
        return 0.0

    def state(self, h: int) -> int:
        """Return the session's state."""
        return self._server.find(h).state

    def is_unrecoverable(self, h: int) -> bool:
        """Return whether the session is over."""
        return self._server.find(h).state < 0

    def client_id(self, h: int) -> tuple[int, str]:
        """Return the session's number and password, to resume it with."""
        handle = self._server.find(h)
        return handle.id, arguments.decoded(handle.password)

    def recv_timeout(self, h: int) -> int:
        """Return the session timeout in milliseconds."""
        return self._server.find(h).timeout

    def set_watcher(self, h: int, watcher: Watcher | None) -> Literal[0]:
        """Replace the function that is told of session events."""
        arguments.function(watcher, "a watcher")
        self._server.find(h).watcher = watcher
        return constants.OK

    def add_auth(
        self,
        h: int,
        scheme: str | bytes,
        credential: str | bytes,
        completion: VoidCompletion | None = None,
    ) -> Literal[0]:
        """Authenticate the session, now and after each reconnection."""
        handle = self._server.find(h)
        kind = arguments.encoded(scheme, "a scheme", None).decode("utf-8", "replace")
        secret = arguments.encoded(credential, "a credential", None)
        arguments.function(completion, "a completion")
        arguments.credential(kind, secret, handle.max_request)
        handle.require_usable(None)
        with self._server.lock:
            code = handle.prove(kind, secret)
            if completion is not None:
                self._server.delivery.put(partial(completion, handle.number, code))
        self._server.deliver(nested=False)
        return constants.OK


def _client_id(value: Sequence[object]) -> tuple[int, bytes]:
    try:
        number, password = value
    except (TypeError, ValueError):
        number = password = None
    if not isinstance(number, int) or not -(2**63) <= number < 2**63:
        kind = type(value).__name__
        raise TypeError(f"client_id must be a pair of a session id and a password, not {kind}")
    secret = arguments.encoded(password, "a session's password", None)
    if len(secret) > PASSWORD_BYTES:
        raise TypeError(f"a session's password has at most {PASSWORD_BYTES} bytes")
    return number, secret.ljust(PASSWORD_BYTES, b"\0")
