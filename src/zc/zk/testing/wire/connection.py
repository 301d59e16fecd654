"""One client's connection, without the network: bytes in, bytes out.

First comes a four letter word, or a request to open or resume a session; then numbered requests,
each answered in turn. Bytes that are no frame end the connection. A frame that cannot be read is
answered with an error.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from zc.zk.testing.engine import NO_PASSWORD, Client, Identity, Refusal, Session
from zc.zk.testing.wire import authentication, records, words
from zc.zk.testing.wire.answers import Body, answer
from zc.zk.testing.wire.jute import INT, Malformed, Reader
from zc.zk.testing.wire.ops import EVENT_XID, PING_XID, Op
from zc.zk.testing.wire.service import Service
from zookeeper import constants

_REQUEST: Final = struct.Struct(">ii")  # xid, operation
_ANSWER: Final = struct.Struct(">iiqi")  # length, xid, zxid, error code
_ANSWER_HEADER_BYTES: Final = _ANSWER.size - INT.size

# Answers are collected up to about this size before they are sent, and long ones are sent in parts
# of about this size, as the client takes them: a short MultiRead can ask for gigabytes.
_SEND_BYTES: Final = 64 * 1024

# The length of a frame is a number of 32 bits with a sign.
_MAX_ANSWER_BYTES: Final = 2**31 - 1

# Backpressure has its end: a client that does not read loses its connection when so many bytes of
# events wait.
_MAX_UNSENT_BYTES: Final = 64 * 1024 * 1024


class Network(Protocol):
    """A socket, as a connection needs it."""

    def send(self, data: bytes) -> None: ...

    def hang_up(self) -> None:
        """Send what is left to send, then close."""
        ...

    def unsent(self) -> int:
        """Count the bytes that wait until the client takes them."""
        ...


class Connection:
    """The server's end of a connection from `address`."""

    def __init__(self, service: Service, address: tuple[str, int], network: Network) -> None:
        self.address = address
        self.client = Client(address[0], self._notify)
        self.since = service.engine.clock()
        self.received = self.sent = 0
        self.last_op: int | None = None
        self.last_xid = 0
        self._service = service
        self._network = network
        self._input = bytearray()
        self._taken = 0  # of the input's bytes
        self._output: deque[bytes] = deque()
        self._output_bytes = 0
        self._event_bytes = 0  # of the output, at most
        self._take: Callable[[bytes], None] = self._greet
        self._working = False
        self._open = True
        self._login = authentication.login(service.users)
        # Requests are left alone: the client does not take its answers, or the server is stalled.
        self._held = False
        service.opened(self)

    @property
    def session(self) -> Session | None:
        return self.client.session

    def certify(self, name: str) -> None:
        """Take note of the name in the client's certificate, which TLS has checked."""
        self.client.add_identities([Identity("x509", name)])

    # From the network

    def receive(self, data: bytes) -> None:
        """Take some of the client's bytes, in whatever pieces they come."""
        if self._open:
            self._input += data
            self._work()

    def hold(self) -> None:
        """Answer nothing until `go_on`."""
        self._held = True

    def go_on(self) -> None:
        self._held = False
        self._flush()
        self._work()

    def lost(self) -> None:
        """Take note that the connection is gone."""
        self._open = False
        self._service.closed(self)

    def hang_up(self) -> None:
        """End the connection after the answers, as far as the client takes them."""
        if self._open:
            self._open = False
            self._flush()
            self._network.hang_up()

    # Frames

    def _work(self) -> None:
        if self._working:
            return  # the network resumes in the middle of a send
        self._working = True
        try:
            while self._open and not self._held and (frame := self._next_frame()) is not None:
                self.received += 1
                self._take(frame)
                if self._output_bytes > _SEND_BYTES:
                    self._flush()
        except Malformed:
            self.hang_up()
        finally:
            self._working = False
            del self._input[: self._taken]
            self._taken = 0
        self._flush()

    def _next_frame(self) -> bytes | None:
        """Return the next whole frame, None until it is there."""
        start = self._taken + INT.size
        if len(self._input) < start:
            return None
        (length,) = INT.unpack_from(self._input, self._taken)
        if not 0 <= length <= self._service.max_request:
            self._answer_word(bytes(self._input[self._taken : start]))
            return None
        end = start + length
        if len(self._input) < end:
            return None
        self._taken = end
        return bytes(self._input[start:end])

    def _answer_word(self, word: bytes) -> None:
        """Answer a word in the place of a length: nothing comes behind it."""
        if self.client.session is None:
            text = words.answer(self._service, self, word)
            if text is not None:
                self._put(text.encode("utf-8"))
        self.hang_up()

    def _greet(self, frame: bytes) -> None:
        greeting = records.connect(frame)
        engine, client = self._service.engine, self.client
        if greeting.last_zxid > engine.zxid:
            # It has seen a future that we do not know; going on would take it back in time.
            self.hang_up()
            return
        if greeting.session:
            session = engine.resume_session(
                client, greeting.session, greeting.password, greeting.timeout
            )
        else:
            session = engine.open_session(client, greeting.timeout)
        if session is None:
            body = records.connected(0, 0, NO_PASSWORD, greeting.knows_read_only)
        else:
            password = engine.sessions.password(session.id)
            body = records.connected(
                session.timeout, session.id, password, greeting.knows_read_only
            )
            self._service.greeted(self, session)
            self._take = self._request
        self._put(INT.pack(len(body)) + body)
        if session is None:
            self.hang_up()

    def _request(self, frame: bytes) -> None:
        if len(frame) < _REQUEST.size:
            raise Malformed("a request without a header")
        xid, op = _REQUEST.unpack_from(frame)
        self.last_xid, self.last_op = xid, op
        engine, client = self._service.engine, self.client
        assert client.session is not None
        engine.sessions.touch(client.session)
        reader = Reader(frame, _REQUEST.size)
        if op == Op.AUTH:
            self._grant(xid, authentication.prove(engine, client, reader))
            return
        if op == Op.SASL:
            self._grant(xid, *authentication.log_in(engine, client, self._login, reader))
            return
        if engine.required and not engine.admits(client):
            self._grant(xid, constants.SESSIONCLOSEDREQUIRESASLAUTH)
            return
        if op == Op.CLOSE_SESSION:
            engine.close_session(client.session.id)
            self._answer(xid, constants.OK)
            self.hang_up()
            return
        try:
            body = answer(engine, client, op, reader)
        except Refusal as refusal:
            self._answer(xid, refusal.code)
        else:
            self._answer(PING_XID if op == Op.PING else xid, constants.OK, body)

    def _grant(self, xid: int, code: int, body: bytes = b"") -> None:
        """Answer a client that authenticates, without a zxid; hang up if it fails to."""
        self._put(_ANSWER.pack(_ANSWER_HEADER_BYTES + len(body), xid, 0, code) + body)
        if code != constants.OK:
            self.hang_up()

    # To the network

    def _answer(self, xid: int, code: int, body: Body = b"") -> None:
        zxid = self._service.engine.zxid
        if isinstance(body, bytes):
            self._put(_ANSWER.pack(_ANSWER_HEADER_BYTES + len(body), xid, zxid, code) + body)
        else:
            length = _ANSWER_HEADER_BYTES + sum(map(len, body))
            if length > _MAX_ANSWER_BYTES:
                raise Malformed(f"an answer of {length} bytes has no frame")
            self._put(_ANSWER.pack(length, xid, zxid, code), *body)

    def _notify(self, event_type: int, path: str) -> None:
        if not self._open:
            return
        body = records.event(event_type, path)
        self._put(_ANSWER.pack(_ANSWER_HEADER_BYTES + len(body), EVENT_XID, -1, 0) + body)
        self._event_bytes += len(body)
        if not self._working:
            if self._network.unsent() + self._event_bytes > _MAX_UNSENT_BYTES:
                self.hang_up()  # it watches and does not read
            else:
                self._flush()

    def _put(self, *parts: bytes) -> None:
        """Queue a frame, which may come in parts."""
        self.sent += 1
        self._output.extend(parts)
        self._output_bytes += sum(map(len, parts))

    def _flush(self) -> None:
        """Send the queued frames, or as much as the network takes."""
        while self._output and not self._held:
            parts = [self._output.popleft()]
            size = len(parts[0])
            while self._output and size < _SEND_BYTES:
                parts.append(self._output.popleft())
                size += len(parts[-1])
            self._output_bytes -= size
            # This may call `hold`.
            self._network.send(parts[0] if len(parts) == 1 else b"".join(parts))
        if not self._output:
            self._event_bytes = 0
