"""The server of `zc.zk.testing` where tests do not need a real one: it starts at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers import SUPERUSER
from tests.testing import words
from zc.zk.testing import Server
from zc.zk.testing.engine import digest


class EmbeddedServer(Server):
    """The server that tests share, by the same names as `tests.servers.Server`."""

    def ask(self, word: str) -> str:
        """The answer to a four letter word; '' when there is none."""
        return words.ask(self, word)


@contextmanager
def embedded() -> Iterator[EmbeddedServer]:
    """A server in this process, with the superuser that real ones have in the tests."""
    with EmbeddedServer(superuser=digest(SUPERUSER[1])) as server:
        yield server
