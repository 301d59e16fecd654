"""A socket server of threads that costs its program a bounded amount.

A monitor or a page is a guest in a program that has other work to do. So `BoundedThreads`, a mix-in
for the servers of `socketserver`, keeps four bounds, whatever its clients do:

- There are at most `max_connections` at a time. A newcomer that finds none free takes the place of
  the connection that has waited longest without asking anything.
- A connection has `ask_seconds` for its whole question, so that one byte now and then keeps nothing
  open.
- Connections are accepted at a bounded rate; the kernel's queue holds the rest.
- Without a free descriptor it rests before it looks again. `serve_forever` alone would spin, as the
  connection that waits stays readable.

A handler calls `server.note_asked(connection)` when it has the whole question, and
`server.note_waiting(connection)` when it waits for another one. The answer is the handler's to
bound, by the socket's timeout.
"""

from __future__ import annotations

import errno
import logging
import resource
import socket
import threading
import time
from socketserver import ThreadingMixIn
from typing import Any

logger = logging.getLogger("zc.zk")

# The share of the process's descriptors that a server may take for connections.
DESCRIPTOR_SHARE = 8

# Connections a second, and how many may come at once. A browser opens a dozen for a page.
ACCEPT_RATE = 100.0
ACCEPT_BURST = 50.0

# How long (seconds) a newcomer waits for the place of a connection that is hung up on, and the
# server for a descriptor.
EVICTION_SECONDS = 0.5
NO_DESCRIPTOR_SECONDS = 0.25

OUT_OF_RESOURCES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class BoundedThreads(ThreadingMixIn):
    """Mix bounds into a server of `socketserver`, before its class."""

    daemon_threads = True
    block_on_close = False

    max_connections = 32
    ask_seconds = 10.0
    # Connections that wait in the kernel; with more, it has clients try again after a second.
    request_queue_size = 128

    def __init__(self, *arguments: Any) -> None:
        # Guards the two dictionaries; the values are when the question is to be there at the
        # latest. Insertion order is the order of waiting.
        self._freed = threading.Condition()
        self._asking: dict[socket.socket, float] = {}
        self._answering: set[socket.socket] = set()
        self._credit = ACCEPT_BURST
        self._credited = time.monotonic()
        self._is_out_of_descriptors = False
        self.max_connections = affordable(self.max_connections)
        super().__init__(*arguments)

    def note_waiting(self, connection: socket.socket) -> None:
        """Give the connection `ask_seconds` for its next question, from now."""
        with self._freed:
            if connection in self._answering:
                self._answering.discard(connection)
                self._asking[connection] = time.monotonic() + self.ask_seconds

    def note_asked(self, connection: socket.socket) -> None:
        """Take it that the connection's question has come."""
        with self._freed:
            if self._asking.pop(connection, None) is not None:
                self._answering.add(connection)

    # Called by socketserver, all but the last in the thread of serve_forever

    def get_request(self) -> tuple[socket.socket, Any]:
        try:
            request = super().get_request()  # type: ignore[misc]
        except OSError as fault:
            if fault.errno in OUT_OF_RESOURCES:
                if not self._is_out_of_descriptors:
                    self._is_out_of_descriptors = True
                    logger.warning("a connection waits, as the process has no descriptor left")
                time.sleep(NO_DESCRIPTOR_SECONDS)
            raise
        self._is_out_of_descriptors = False
        return request  # type: ignore[no-any-return]

    def process_request(self, request: Any, client_address: Any) -> None:
        self._keep_the_rate()
        if self._admit(request):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def service_actions(self) -> None:
        """Hang up on all whose time is over."""
        now = time.monotonic()
        with self._freed:
            late = [each for each, deadline in self._asking.items() if deadline < now]
        for connection in late:
            hang_up(connection)

    def shutdown_request(self, request: Any) -> None:
        """Close the connection, at the end of its thread or for want of one."""
        super().shutdown_request(request)  # type: ignore[misc]
        with self._freed:
            self._asking.pop(request, None)
            self._answering.discard(request)
            self._freed.notify_all()

    def _admit(self, connection: socket.socket) -> bool:
        with self._freed:
            if not self._has_place() and self._asking:
                hang_up(next(iter(self._asking)))
                self._freed.wait_for(self._has_place, EVICTION_SECONDS)
            if not self._has_place():
                return False
            self._asking[connection] = time.monotonic() + self.ask_seconds
            return True

    def _has_place(self) -> bool:
        return len(self._asking) + len(self._answering) < self.max_connections

    def _keep_the_rate(self) -> None:
        now = time.monotonic()
        earned = (now - self._credited) * ACCEPT_RATE
        self._credit = min(ACCEPT_BURST, self._credit + earned) - 1
        self._credited = now
        if self._credit < 0:
            time.sleep(-self._credit / ACCEPT_RATE)


def affordable(wanted: int) -> int:
    """Return how many of these connections the limit of descriptors allows."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return (
        wanted
        if limit == resource.RLIM_INFINITY
        else max(1, min(wanted, limit // DESCRIPTOR_SHARE))
    )


def hang_up(connection: socket.socket) -> None:
    """End a connection whose thread may be waiting for it; that thread closes it."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it has ended already
