"""A small server of one-line questions, as zc.monitor has been for Zope.

It is for people with netcat, and for programs that watch over other programs:

    $ echo servers /shop/providers | nc 127.0.0.1 9001
    127.0.0.1:40123

A connection sends a line, a command and its arguments with blanks between them, gets the answer,
and is closed. After the line `interactive` it stays open, and each line is answered, until `quit`.

A command is a function of a connection, whose `write` takes text, and of the arguments. Its
docstring is what `help` tells. Besides those given to the server there are those that are
registered with zope.component, if that is in use, as named utilities for
`zc.zk.interfaces.IMonitorPlugin`.
"""

from __future__ import annotations

import inspect
import logging
import os
import socket
import stat
import sys
import threading
from collections.abc import Callable, Mapping
from socketserver import StreamRequestHandler, TCPServer
from typing import Any

from zc.zk.boundedserver import BoundedThreads
from zc.zk.registration.address import format_addr, parse_addr

logger = logging.getLogger("zc.zk")

LOOPBACK = "127.0.0.1"

Command = Callable[..., object]

# Questions are short, and asked at once.
MAX_LINE = 4096
MAX_PORT = 65_535
PATIENCE_SECONDS = 30.0


class LineServer:
    """A server at `address` that answers lines by `commands` until `close`.

    The address is a port, of this machine only, 'host:port', or the path of a Unix socket, which
    has a slash in it. A blank host is all addresses of this machine. Port 0 takes one that is free;
    `address` tells which. Raises OSError when the address cannot be had, ValueError if it is none.
    """

    def __init__(self, address: int | str, commands: Mapping[str, Command]) -> None:
        self.commands = commands
        self._path = address if isinstance(address, str) and "/" in address else None
        if self._path is not None:
            _remove_dead_socket(self._path)
        self._server = _Server(where(address), self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="zc.zk line server", daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """Where it listens, 'host:port' or a path."""
        if self._path is not None:
            return self._path
        host, port = self._server.server_address[:2]
        return format_addr(str(host), port)

    def close(self) -> None:
        """Take no more connections. Those that are open are left to themselves.

        In a child process, whose parent goes on answering, this ends nothing of the parent's.
        """
        if self._thread is threading.current_thread():
            # In a finaliser: the loop, which it is in the middle of, would be waited for by itself.
            threading.Thread(target=self.close, name="zc.zk line server's end", daemon=True).start()
            return
        is_ours = self._thread.is_alive()  # a child has not got it, and would wait for it for ever
        if is_ours:
            self._server.shutdown()
            self._thread.join(PATIENCE_SECONDS)
        self._server.server_close()
        if is_ours and self._path is not None:
            try:
                os.unlink(self._path)
            except FileNotFoundError:
                pass

    def __enter__(self) -> LineServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def answer(self, connection: Connection, line: str) -> None:
        """Have the command that a line names write its answer."""
        name, *arguments = line.split() or ["help"]
        commands = {**_plugins(), **self.commands}
        if name == "help":
            _help(connection, commands, *arguments)
            return
        command = commands.get(name)
        if command is None:
            connection.write(f"no such command: {name}; help lists them\n")
            return
        try:
            inspect.signature(command).bind(connection, *arguments)
        except TypeError as fault:
            connection.write(f"{name}: {fault}\n")
            return
        try:
            command(connection, *arguments)
        except OSError:
            raise
        except Exception as fault:
            logger.exception("the command %r failed", line)
            connection.write(f"{name} failed: {fault!r}\n")


class Connection(StreamRequestHandler):
    """A connection, to which a command writes its answer."""

    server: _Server
    timeout = PATIENCE_SECONDS

    def write(self, text: str) -> None:
        self.wfile.write(text.encode("utf-8", "backslashreplace"))

    def handle(self) -> None:
        is_interactive = False
        while line := self.rfile.readline(MAX_LINE):
            self.server.note_asked(self.connection)
            text = line.decode("utf-8", "replace").strip()
            if text == "quit":
                return
            if text == "interactive":
                is_interactive = True
            else:
                self.server.owner.answer(self, text)
            if not is_interactive:
                return
            self.server.note_waiting(self.connection)


def ask(address: int | str, line: str, seconds: float) -> str:
    """Ask the server at `address` a line. Raise OSError, as TimeoutError.

    A blank host is this machine.
    """
    family, target = where(address)
    if family == socket.AF_INET and not target[0]:
        target = LOOPBACK, target[1]
    with socket.socket(family) as connection:
        connection.settimeout(seconds)
        connection.connect(target)
        connection.sendall(f"{line}\n".encode())
        with connection.makefile("rb") as answer:
            return answer.read().decode("utf-8", "replace")


def where(address: int | str) -> tuple[socket.AddressFamily, Any]:
    """Return the family and the address of a socket. Raise ValueError."""
    if isinstance(address, int) or address.isdecimal():
        if not 0 <= int(address) <= MAX_PORT:
            raise ValueError(f"no port: {address}")
        return socket.AF_INET, (LOOPBACK, int(address))
    if "/" in address:
        return socket.AF_UNIX, address
    host, port = parse_addr(address)
    return socket.AF_INET6 if ":" in host else socket.AF_INET, (host, port)


class _Server(BoundedThreads, TCPServer):
    ask_seconds = PATIENCE_SECONDS
    allow_reuse_address = True

    def __init__(self, place: tuple[socket.AddressFamily, Any], owner: LineServer) -> None:
        self.owner = owner
        self.address_family, address = place
        super().__init__(address, Connection)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        # That of a Unix socket's other end is blank, which looks like no address at all.
        return connection, address or ("local", 0)

    def handle_error(self, request: object, client_address: object) -> None:
        fault = sys.exc_info()[1]
        if not isinstance(fault, OSError):
            logger.error("the line server: %r", fault, exc_info=fault)


def _help(connection: Connection, commands: Mapping[str, Command], *names: str) -> None:
    for name in names or sorted(commands):
        command = commands.get(name)
        text = inspect.getdoc(command) if command is not None else "no such command"
        lines = (text or "").split("\n")
        connection.write(f"{name}\n" if names else f"{name}: {lines[0]}\n")
        for line in lines if names else ():
            connection.write(f"  {line}\n" if line else "\n")
    if not names:
        connection.write("help [COMMAND]: this, or all about a command\n")


def _plugins() -> dict[str, Command]:
    """Return commands that were registered by ZCML, if the process uses it."""
    component = sys.modules.get("zope.component")
    if component is None:
        return {}
    from zc.zk.interfaces import IMonitorPlugin

    return dict(component.getUtilitiesFor(IMonitorPlugin))


def _remove_dead_socket(path: str) -> None:
    """Remove the socket of a server that ended without doing it itself."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(1)
            probe.connect(path)
    except ConnectionRefusedError:
        os.unlink(path)
    except OSError:
        pass
