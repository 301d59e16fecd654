"""Logging in to our server by SASL, with bare frames; a client that gives up soon."""

from __future__ import annotations

import zc.zk
from tests.deadlines import scaled
from tests.testing import protocol
from tests.testing.twins import RealLink
from tests.wireframes import Op
from zc.zk.testing import Server
from zookeeper.sasl_digest import DigestExchange


def log_in(port: int, user: str, password: str) -> int:
    """Return the code of the last answer to a login."""
    link = RealLink.to(port)
    try:
        link.send(protocol.framed(protocol.greeting()))
        assert link.next_frame() is not None
        exchange = DigestExchange(user, password)
        challenge = b""
        while (token := exchange.step(challenge)) is not None:
            link.send(protocol.framed(protocol.request(1, Op.SASL, protocol.buffer(token))))
            answer = protocol.Answer(link.next_frame() or b"")
            _, _, code = answer.take("iqi")
            if code:
                return int(code)
            challenge = answer.buffer() or b""
        return 0
    finally:
        link.close()


class Impatient(zc.zk.ZooKeeper):
    """A client for servers that refuse it, and say so at once."""

    initial_connection_wait = scaled(1.0)


def live_through(server: Server, day: str) -> None:
    """Have a server's clients live through "cut", "stall", "refuse", "restart" or "expire"."""
    getattr(server, day)()
    if day == "stall":
        server.resume()
    elif day == "refuse":
        server.cut()
        server.allow()
