"""The steps of a mechanism on a handle's connections, one exchange after the other.

Answers of servers are no proof: one that has no SASL, or lets strangers in, answers without a token
and without an error. Only the mechanism knows whether it is satisfied.
"""

from __future__ import annotations

from zookeeper.errors import SASLError
from zookeeper.sasl import Exchange, Mechanism


class Exchanges:
    """A mechanism, and its exchange on the connection that there is."""

    def __init__(self, mechanism: Mechanism) -> None:
        self._mechanism = mechanism
        self._exchange: Exchange | None = None

    def begin(self, host: str) -> bytes | None:
        """Begin with a server. Return the first token, or None if there is nothing to send.

        Raises what the mechanism raises, and SASLError.
        """
        self._exchange = None
        self._exchange = self._mechanism.begin(host)
        return self._step(self._exchange, b"")

    def go_on(self, challenge: bytes | None) -> bytes | None:
        """Take the server's answer to the last token, and return the next one; None at the end.

        Raises what the mechanism raises, and SASLError.
        """
        exchange = self._exchange
        if exchange is None:
            raise SASLError("the mechanism has not begun")
        if exchange.complete:
            return None  # the server has accepted the last token
        if challenge is None:
            raise SASLError(
                f"the server does not go on with {self._mechanism.name}:"
                " it has no SASL, another mechanism, or lets clients in that it refuses"
            )
        return self._step(exchange, challenge)

    def _step(self, exchange: Exchange, challenge: bytes) -> bytes | None:
        token = exchange.step(challenge)
        if token is None:
            if not exchange.complete:
                raise SASLError(f"{self._mechanism.name} ends without a result")
            return None
        if not isinstance(token, bytes):
            raise TypeError(f"a token is bytes or None, not {type(token).__name__}")
        return token

    def words(self, fault: BaseException) -> str:
        """Return what a failed step has to say."""
        reason = f"{self._mechanism.name}: "
        if isinstance(fault, SASLError):
            return reason + (str(fault) or "the mechanism gives no reason")
        return f"{reason}the mechanism raised {type(fault).__name__}: {fault}"
