"""A client's connection over TLS: what is decrypted goes the way of a plain connection.

Python's own transports would do the handshake out of sight, where nobody can end it; this one
begins as a connection like any other, which is cut, stalled and given up after the same time.
Nothing waits for a handshake, and a peer that does not go on with it costs a socket for ten
seconds.
"""

from __future__ import annotations

import logging
import ssl
from typing import Final

from zc.zk.testing.engine import x509
from zc.zk.testing.wire.listener import ClientEnd
from zc.zk.testing.wire.service import Service

logger = logging.getLogger("zc.zk.testing")

# TLS has records of 16 KB.
_READ_BYTES: Final = 64 * 1024


class Channel:
    """The server's end of TLS, without a network: bytes in, bytes out.

    `receive` and `send` raise SSLError for a peer that does it wrong; what is `pending` says so.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.is_open = False  # the handshake is over
        self.has_ended = False  # the peer has said that nothing more comes

    def receive(self, data: bytes) -> None:
        """Take bytes from the network, and go on with the handshake."""
        self._incoming.write(data)
        if not self.is_open:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                return
            self.is_open = True

    def received(self) -> bytes:
        """Return what has been decrypted."""
        parts: list[bytes] = []
        try:
            while self.is_open and (part := self._tls.read(_READ_BYTES)):
                parts.append(part)
            self.has_ended = self.is_open
        except ssl.SSLWantReadError:
            pass
        return b"".join(parts)

    def certificate(self) -> bytes | None:
        """Return the client's certificate, which has been verified, if it has one."""
        return self._tls.getpeercert(binary_form=True)

    def send(self, data: bytes) -> None:
        """Encrypt bytes for the network."""
        self._tls.write(data)

    def end(self) -> None:
        """Say that nothing more comes."""
        try:
            self._tls.unwrap()
        except ssl.SSLError:
            pass  # the peer does not say the same, or there was no handshake

    def pending(self) -> bytes:
        """Return the bytes for the network."""
        return self._outgoing.read()


class SecuredEnd(ClientEnd):
    """The network of one connection over TLS."""

    def __init__(
        self,
        context: ssl.SSLContext,
        service: Service,
        ends: dict[ClientEnd, None],
        is_stalled: bool,
    ) -> None:
        super().__init__(service, ends, is_stalled)
        self._channel = Channel(context)

    def data_received(self, data: bytes) -> None:
        channel = self._channel
        was_open = channel.is_open
        try:
            channel.receive(data)
            if channel.is_open and not was_open:
                self._certify()
            clear = channel.received()
        except (ssl.SSLError, x509.Unreadable) as fault:
            self._refuse(fault)
            return
        # Of a handshake, or because the peer wants other keys.
        self._transport.write(channel.pending())
        if clear:
            super().data_received(clear)
        if channel.has_ended:
            self._connection.hang_up()

    def send(self, data: bytes) -> None:
        try:
            self._channel.send(data)
        except ssl.SSLError as fault:
            self._refuse(fault)
        else:
            self._transport.write(self._channel.pending())

    def hang_up(self) -> None:
        self._channel.end()
        self._transport.write(self._channel.pending())
        super().hang_up()

    def _certify(self) -> None:
        certificate = self._channel.certificate()
        if certificate is not None:
            self._connection.certify(x509.subject(certificate))

    def _refuse(self, fault: Exception) -> None:
        """Say what is wrong to the peer, as far as TLS has words for it, and hang up."""
        if self._transport.is_closing():
            return  # events for a client that has been refused
        host, port = self._connection.address
        logger.warning("%s:%d: TLS has failed: %s", host, port, _words(fault))
        self._transport.write(self._channel.pending())
        ClientEnd.hang_up(self)


def _words(fault: Exception) -> str:
    if isinstance(fault, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {fault.verify_message}"
    if isinstance(fault, ssl.SSLError) and fault.reason:
        return fault.reason.lower().replace("_", " ")
    return str(fault)
