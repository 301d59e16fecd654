"""HTTP servers that are registered, and that fail in a way of one's choice."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.deadlines import scaled


class HttpServer(ThreadingHTTPServer):
    """Answers each request with its own address.

    `seen` has method, path, Host and body of each request; `breaks` is how many of the next
    requests are read and not answered.
    """

    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.address = f"127.0.0.1:{self.server_port}"
        self.seen: list[tuple[str, str, str | None, bytes]] = []
        self.breaks = 0
        self._connections: list[socket.socket] = []
        self._thread = threading.Thread(target=self.serve_forever, args=[0.01])
        self._thread.start()

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        self._connections.append(connection)
        return connection, address

    def end_connections(self) -> None:
        """Close the connections that are open, as a server does with idle ones."""
        while self._connections:
            with_peer = self._connections.pop()
            try:
                with_peer.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it is closed already

    def stop(self) -> None:
        """Refuse connections from now on. Harmless when done twice."""
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join(scaled(30))
            self.end_connections()
            self.server_close()


class _Request(BaseHTTPRequestHandler):
    server: HttpServer
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        server = self.server
        server.seen.append((self.command, self.path, self.headers.get("Host"), body))
        if server.breaks:
            server.breaks -= 1
            self.close_connection = True
            return
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/tea")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        answer = server.address.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = _answer

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@contextmanager
def http_servers(count: int, tls: ssl.SSLContext | None = None) -> Iterator[list[HttpServer]]:
    """Yield so many servers that run."""
    servers = [HttpServer(tls) for _ in range(count)]
    try:
        yield servers
    finally:
        for server in servers:
            server.stop()
