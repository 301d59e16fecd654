"""The service: an engine, and all connections of a server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from zc.zk.testing.engine import MAX_REQUEST, Client, Engine, Session

# A new connection has so much time for its first request.
GREETING_MILLISECONDS: Final = 10_000


class Connection(Protocol):
    """A connection, as the server knows it."""

    address: tuple[str, int]
    client: Client
    since: int
    received: int
    sent: int
    last_op: int | None
    last_xid: int

    @property
    def session(self) -> Session | None:
        """The session that it serves; None until the first request."""
        ...

    def hang_up(self) -> None:
        """End the connection after what has been answered."""
        ...


class Service:
    """An engine, and its connections. `max_request` is in bytes.

    `users` are the passwords of those who can log in by SASL. The service looks them up when
    clients do; None where it knows no SASL.
    """

    def __init__(
        self,
        engine: Engine,
        max_request: int = MAX_REQUEST,
        users: Mapping[str, str] | None = None,
    ) -> None:
        self.engine: Final = engine
        self.max_request: Final = max_request
        self.users: Final = users
        self.started: Final = engine.clock()
        self.port = 0
        self.connections: dict[Connection, None] = {}
        self._of_session: dict[int, Connection] = {}
        # By connections that are gone.
        self._received = self._sent = 0

    def opened(self, connection: Connection) -> None:
        """Note a connection, which has sent nothing yet."""
        self.connections[connection] = None

    def greeted(self, connection: Connection, session: Session) -> None:
        """Note the connection of a session, and end the session's former one."""
        former = self._of_session.get(session.id)
        self._of_session[session.id] = connection
        if former is not None and former is not connection:
            former.hang_up()

    def closed(self, connection: Connection) -> None:
        """Forget a connection; its session waits for another, or expires."""
        if connection not in self.connections:
            return
        del self.connections[connection]
        self._received += connection.received
        self._sent += connection.sent
        self.engine.disconnect(connection.client)
        session = connection.session
        if session is not None and self._of_session.get(session.id) is connection:
            del self._of_session[session.id]

    def expire(self, session: int) -> None:
        """End a session as if its time were over."""
        self.engine.close_session(session)
        self._hang_up(session)

    def keep_time(self) -> None:
        """Do what is due as time goes by."""
        for session in self.engine.expire_sessions():
            self._hang_up(session.id)
        for connection in [c for c in self.connections if c.session is None]:
            if self.engine.clock() - connection.since > GREETING_MILLISECONDS:
                connection.hang_up()
        self.engine.remove_abandoned()

    def requests_received(self) -> int:
        return self._received + sum(connection.received for connection in self.connections)

    def frames_sent(self) -> int:
        return self._sent + sum(connection.sent for connection in self.connections)

    def _hang_up(self, session: int) -> None:
        connection = self._of_session.get(session)
        if connection is not None:
            connection.hang_up()
