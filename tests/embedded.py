"""The server of `zc.zk.testing`, for tests that need no real one.

It starts at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers import SUPERUSER
from tests.testing import words
from zc.zk.testing import Server
from zc.zk.testing.engine import digest


class EmbeddedServer(Server):
    """The server that tests share, with the interface of `tests.servers.Server`."""

    def ask(self, word: str) -> str:
        """Return the answer to a four letter word; '' when there is none."""
        return words.ask(self, word)


@contextmanager
def embedded() -> Iterator[EmbeddedServer]:
    """Run a server in this process, with the superuser of the tests.

    Real servers have the same one.
    """
    with EmbeddedServer(superuser=digest(SUPERUSER[1])) as server:
        yield server
