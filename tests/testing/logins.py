"""Logging in to our server by SASL, with bare frames."""

from __future__ import annotations

from tests.testing import protocol
from tests.testing.twins import RealLink
from tests.wireframes import Op
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
