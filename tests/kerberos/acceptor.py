"""The server's side of GSSAPI (RFC 4752), made of the package `gssapi`, for one connection."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zookeeper.sasl import Exchange, Mechanism

NO_LAYER_ONLY = b"\x01\x00\x00\x00"


class Acceptor:
    """A server that has the keys in a keytab, and offers security layers."""

    def __init__(self, keytab: Path, offer: bytes = NO_LAYER_ONLY) -> None:
        import gssapi

        self._offer = offer
        self._offered = False
        self._context: Any = gssapi.SecurityContext(
            creds=gssapi.Credentials(usage="accept", store={"keytab": f"FILE:{keytab}"}),
            usage="accept",
        )
        # The choice of the client at the end.
        self.answer: bytes | None = None

    @property
    def client(self) -> str:
        """The principal that has logged in."""
        return str(self._context.initiator_name)

    @property
    def may_impersonate(self) -> bool:
        """Whether the client has handed over a ticket for anything."""
        return self._context.delegated_creds is not None

    def step(self, token: bytes) -> bytes:
        """Take a client's token, and return the challenge that follows."""
        if not self._context.complete:
            challenge: bytes = self._context.step(token)
            assert self._context.complete
            assert challenge, "the client wants no proof of the server"
            return challenge
        if not self._offered:
            assert token == b""
            self._offered = True
            return self.wrapped(self._offer)
        self.answer = self._context.unwrap(token).message
        return b""

    def wrapped(self, message: bytes) -> bytes:
        wrapped: bytes = self._context.wrap(message, False).message
        return wrapped


def log_in(mechanism: Mechanism, acceptor: Acceptor, host: str = "localhost") -> Exchange:
    """Do a whole exchange, as a connection does it."""
    exchange = mechanism.begin(host)
    challenge = b""
    while True:
        token = exchange.step(challenge)
        if token is None:
            return exchange
        challenge = acceptor.step(token)
        if exchange.complete:
            return exchange
