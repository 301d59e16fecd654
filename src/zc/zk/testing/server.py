"""A server on a TCP port, for tests and for development."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Collection, Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from zc.zk.testing.clock import Clock
from zc.zk.testing.engine import Engine, SessionLimits, is_principal
from zc.zk.testing.snapshot import EPOCH, Snapshots
from zc.zk.testing.wire.listener import ClientEnd, Listener, MakeEnd
from zc.zk.testing.wire.service import Service

if TYPE_CHECKING:
    from zc.zk.testing.tls import ServerTLS

    Self = TypeVar("Self", bound="Server")

T = TypeVar("T")

LOOPBACK: Final = "127.0.0.1"

# Sessions of tests may be short. A ZooKeeper allows 4 to 40 seconds by default.
SESSION_LIMITS: Final = SessionLimits(shortest=200, longest=300_000)

# The beginning of 2020: the seconds since then are the number of a server's first epoch, which is
# later than those of all servers before it.
FIRST_EPOCH_MILLISECONDS: Final = 1_577_836_800_000

# No request to the server's thread takes that long.
PATIENCE_SECONDS: Final = 30.0


class Server:
    """A server that speaks ZooKeeper's protocol, in a thread of this process.

        with Server() as server:
            zk = zc.zk.ZooKeeper(server.connection_string)
            server.cut()

    port: 0 for one that is free; `start` writes down here which it is.
    host: where to listen; clients on other machines need another address than loopback.
    data: a file to keep nodes and sessions in: read when the object is made, if it is there, and
        written by `start`, every few seconds, and by `stop`. SnapshotError if it cannot be used.
        It is a regular file, or a symbolic link to one.
    superuser: the `name:digest` that no ACL stops (see `zc.zk.testing.engine.digest`).
    limits: of the session timeouts that clients may choose, in milliseconds.
    tls: the server speaks nothing but TLS, with these settings: `certificates(folder).server_tls`.
        A client's certificate proves its name, for ACLs of the scheme `x509`. ValueError for files
        that cannot be used.
    sasl: the passwords of users who can log in by SASL (DIGEST-MD5), for ACLs of the scheme `sasl`.
        They are looked up at each login, so a change of the dictionary is one of the server.
    require_auth: schemes, such as `sasl`: clients have to prove an identity of one of them, or lose
        their connection (`enforce.auth.schemes` in zoo.cfg).

    Nodes and sessions live as long as the object: `stop` and `start` are a restart that clients
    live through.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = LOOPBACK,
        data: str | os.PathLike[str] | None = None,
        superuser: str | None = None,
        limits: SessionLimits | tuple[int, int] = SESSION_LIMITS,
        tls: ServerTLS | None = None,
        sasl: Mapping[str, str] | None = None,
        require_auth: Collection[str] = (),
    ) -> None:
        self.host: Final = host
        self.port = port
        self._make_end = ClientEnd if tls is None else _secured(tls)
        self._users = _checked_users(sasl)
        clock = Clock()
        schemes = [*(["x509"] if tls is not None else []), *(["sasl"] if sasl is not None else [])]
        self.engine: Final = Engine(
            clock,
            os.urandom(16),
            limits=limits,
            superuser=superuser,
            schemes=schemes,
            required=_checked_schemes(require_auth, schemes),
        )
        self.engine.zxid = (clock() - FIRST_EPOCH_MILLISECONDS) // 1000 * EPOCH
        self._snapshots = None if data is None else Snapshots(self.engine, Path(data))
        self._running: _Running | None = None

    def __repr__(self) -> str:
        return f"<Server {self.connection_string}>"

    def __enter__(self: Self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def connection_string(self) -> str:
        """Where clients find the server."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def start(self) -> None:
        """Listen. Without effect on a server that runs.

        Raises OSError, which names the address, if the port is taken, and SnapshotError if the
        data file cannot be written.
        """
        if self._running is None:
            service = Service(self.engine, users=self._users)
            listener = Listener(service, self.host, self.port, self._make_end)
            self._running = _Running(listener, self._snapshots)
            self.port = self._running.listener.port

    def stop(self) -> None:
        """Drop all connections and give the port back, if the server runs.

        Raises SnapshotError if the data file cannot be written.
        """
        running, self._running = self._running, None
        if running is not None:
            running.stop()

    def restart(self) -> None:
        """Stop, and start again on the same port with the same nodes and sessions."""
        self.stop()
        self.start()

    # Bad days

    def cut(self) -> None:
        """Break all connections; their sessions go on, and clients come back."""
        self._do(lambda listener: listener.cut())

    def refuse(self) -> None:
        """Let connection attempts fail at once; connections that there are stay."""
        self._do(lambda listener: listener.refuse())

    def allow(self) -> None:
        """Take connections again."""
        self._require_running().wait_for(lambda listener: listener.allow())

    def stall(self) -> None:
        """Answer nothing; connections stay open, and new ones wait."""
        self._do(lambda listener: listener.stall())

    def resume(self) -> None:
        """Answer again. Sessions whose timeout has passed meanwhile expire."""
        self._do(lambda listener: listener.resume())

    def expire(self, session: int | None = None) -> None:
        """End a session, or all, as if its client had been silent for too long."""
        self._do(lambda listener: listener.expire(session))

    def sessions(self) -> list[int]:
        """Return the numbers of all sessions."""
        return self._do(lambda listener: listener.sessions())

    def _do(self, action: Callable[[Listener], T]) -> T:
        return self._require_running().do(action)

    def _require_running(self) -> _Running:
        if self._running is None:
            raise RuntimeError(f"{self} is not running")
        return self._running


class _Running:
    """A server from start to stop: a thread, its event loop and the listener."""

    def __init__(self, listener: Listener, snapshots: Snapshots | None) -> None:
        self.listener: Final = listener
        self._snapshots = snapshots
        self._process = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._run, name=f"zookeeper server {self.listener.port}", daemon=True
        )
        self._thread.start()
        try:
            self.wait_for(lambda listener: listener.start())
            if snapshots is not None:
                self.do(lambda listener: snapshots.begin())
        except BaseException:
            self.do(lambda listener: listener.close())
            self._end()
            raise

    def do(self, action: Callable[[Listener], T]) -> T:
        """Call `action` in the server's thread."""

        async def in_the_loop(listener: Listener) -> T:
            return action(listener)

        return self.wait_for(in_the_loop)

    def wait_for(self, action: Callable[[Listener], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine in the server's thread, and wait for it."""
        future = asyncio.run_coroutine_threadsafe(action(self.listener), self._loop)
        return future.result(PATIENCE_SECONDS)

    def stop(self) -> None:
        if os.getpid() != self._process:
            return  # a child of a fork has the sockets, and not the thread
        snapshots = self._snapshots
        try:
            self.do(lambda listener: listener.close())
            if snapshots is not None:
                self.do(lambda listener: snapshots.finish())
        finally:
            self._end()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_SECONDS)

    def _run(self) -> None:
        try:
            self._loop.run_forever()
            # The closed transports hear of it.
            self._loop.run_until_complete(asyncio.sleep(0))
        finally:
            self._loop.close()


def _secured(settings: ServerTLS) -> MakeEnd:
    """Return what makes connections over TLS."""
    # Imported here, as it takes long, and most servers do without.
    from zc.zk.testing.tls import Contexts, ServerTLS
    from zc.zk.testing.wire.secured import SecuredEnd

    if not isinstance(settings, ServerTLS):
        raise TypeError(f"tls must be None or a ServerTLS, not {type(settings).__name__}")
    contexts = Contexts(settings)
    return lambda service, ends, is_stalled: SecuredEnd(
        contexts.current(), service, ends, is_stalled
    )


def _checked_users(sasl: Mapping[str, str] | None) -> Mapping[str, str] | None:
    if sasl is not None and not isinstance(sasl, Mapping):
        raise TypeError(f"sasl maps names to passwords, and is no {type(sasl).__name__}")
    for user, password in (sasl or {}).items():
        if not isinstance(user, str) or not isinstance(password, str):
            raise TypeError(f"sasl maps names to passwords, both str: {user!r}")
        if not is_principal(user):
            raise ValueError(f"servers take no user of that name: {user!r}")
    return sasl


def _checked_schemes(required: Collection[str], own: Collection[str]) -> Collection[str]:
    """Check the schemes that are required, as a server does before it starts."""
    known = {"ip", "digest", *own}
    if isinstance(required, str) or not known.issuperset(required):
        raise ValueError(f"require_auth takes some of {sorted(known)}, not {required!r}")
    return required
