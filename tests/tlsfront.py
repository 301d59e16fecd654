"""TLS in front of a server that has none, by Python's `ssl`.

It serves any certificates and versions:

    with tls_front(issued.certificate, issued.key, target=server.connection_string) as front:
        connect_to(front.connection_string)

Each connection has a thread.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.deadlines import scaled
from tests.ports import LOOPBACK

PATIENCE_SECONDS = 30


@dataclass
class Front:
    """The address, and the names of the client certificates that it has seen."""

    connection_string: str
    clients: list[str] = field(default_factory=list)


@contextmanager
def tls_front(
    certificate: Path,
    key: Path,
    client_authority: Path | None = None,
    target: str | None = None,
    version: ssl.TLSVersion | None = None,
) -> Iterator[Front]:
    """Accept TLS connections and carry them to `target`, or end them.

    They end after the handshake. With a `client_authority` clients need certificates of it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    if client_authority is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_authority)
    with socket.create_server((LOOPBACK, 0)) as listener:
        front = Front(f"{LOOPBACK}:{listener.getsockname()[1]}")
        sockets: list[socket.socket] = []
        threads: list[threading.Thread] = []

        def serve(accepted: socket.socket, whole: socket.socket) -> None:
            # A refused handshake and a connection that breaks are the subject of some tests.
            with ExitStack() as stack:
                stack.enter_context(whole)
                stack.callback(_shut, whole)
                stack.enter_context(accepted)
                try:
                    secured = stack.enter_context(context.wrap_socket(accepted, server_side=True))
                    _note_client(front, secured)
                    if target is not None:
                        _carry(secured, target)
                except OSError:
                    pass

        def accept() -> None:
            while True:
                try:
                    accepted, _ = listener.accept()
                except OSError:
                    return
                accepted.settimeout(scaled(PATIENCE_SECONDS))
                sockets.append(accepted.dup())
                arguments = accepted, sockets[-1]
                threads.append(threading.Thread(target=serve, args=arguments, daemon=True))
                threads[-1].start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield front
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for each in sockets:
                _shut(each)
            for thread in threads:
                thread.join()


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # the connection has ended already


def _note_client(front: Front, secured: ssl.SSLSocket) -> None:
    shown = secured.getpeercert()
    if shown:
        names = dict(pair for group in shown["subject"] for pair in group)
        front.clients.append(str(names["commonName"]))


def _carry(secured: ssl.SSLSocket, target: str) -> None:
    host, _, port = target.rpartition(":")
    with socket.create_connection((host, int(port)), scaled(PATIENCE_SECONDS)) as plain:
        while True:
            ready = [secured] if secured.pending() else select.select([secured, plain], [], [])[0]
            for source in ready:
                data = source.recv(65536)
                if not data:
                    return
                (plain if source is secured else secured).sendall(data)
