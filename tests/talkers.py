"""Servers of the test that answer a four-letter word in some way of their own."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

from tests.ports import LOOPBACK

# Gets a connection, and the word that came by it.
Behaviour = Callable[[socket.socket, bytes], object]


@contextlib.contextmanager
def talker(behaviour: Behaviour) -> Iterator[str]:
    """Run a server until the end of the block; yield where it is.

    Connections are closed after the behaviour has ended, and at the end of the block.
    """
    taken: list[socket.socket] = []
    threads: list[threading.Thread] = []
    listening = socket.create_server((LOOPBACK, 0))

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            behaviour(connection, connection.recv(4))

    def listen() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                taken.append(connection)
                threads.append(threading.Thread(target=serve, args=(connection,)))
                threads[-1].start()

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield f"{LOOPBACK}:{listening.getsockname()[1]}"
    finally:
        for end in (listening, *taken):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        thread.join()
        for each in threads:
            each.join()


def answering(**answers: str) -> Behaviour:
    """Return a behaviour that has answers by word, and refuses the other words as servers do."""

    def answer(connection: socket.socket, word: bytes) -> None:
        name = word.decode()
        refusal = f"{name} is not executed because it is not in the whitelist.\n"
        connection.sendall(answers.get(name, refusal).encode())

    return answer


def silent(connection: socket.socket, word: bytes) -> None:
    """Say nothing until the other end hangs up."""
    connection.recv(1)


def endless(connection: socket.socket, word: bytes) -> None:
    """Say something now and then, and never end."""
    stopped = threading.Event()
    while not stopped.wait(0.05):
        connection.sendall(b"x\n")


def hanging_up(connection: socket.socket, word: bytes) -> None:
    """End the connection without a word."""


def not_serving(connection: socket.socket, word: bytes) -> None:
    """Say that there is no leader, and forget to hang up."""
    connection.sendall(b"This ZooKeeper instance is not currently serving requests\n")
    connection.recv(1)
