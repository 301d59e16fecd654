"""Asking our server four letter words."""

from __future__ import annotations

import socket

from tests.deadlines import scaled
from zc.zk.testing import Server


def ask(server: Server, word: str) -> str:
    """Return the answer to a four letter word, '' when there is none."""
    with socket.create_connection((server.host, server.port), scaled(10)) as connection:
        connection.sendall(word.encode())
        with connection.makefile() as answer:
            return answer.read()
