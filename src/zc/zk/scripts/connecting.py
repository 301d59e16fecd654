"""Sessions with the servers, for as long as a command needs one."""

from __future__ import annotations

import logging
import os
import re
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import zookeeper
from zc.zk.errors import FailedConnect
from zc.zk.scripts.arguments import CREDENTIAL_VARIABLE
from zc.zk.scripts.failures import Failure
from zc.zk.scripts.input import read_text
from zc.zk.session import Session

if TYPE_CHECKING:
    from zc.zk import ZooKeeper

# What is wrong is not the node concerned, so the servers are named too.
_CONNECTION_TROUBLE = (
    zookeeper.ConnectionLossException,
    zookeeper.OperationTimeoutException,
    zookeeper.SessionExpiredException,
    zookeeper.SessionMovedException,
    zookeeper.InvalidStateException,
    zookeeper.ClosingException,
)

_REASON = re.compile(r"errno=[0-9]+\((?P<reason>[^)]+)\)")


@contextmanager
def session(options: Namespace, connection: str) -> Iterator[Session]:
    """A session with the servers that `connection` names, authenticated as `options` say.

    What goes wrong with the connection raises Failure, which names the servers.
    """
    own = Session(connection, int(options.timeout * 1000))
    for scheme, credential in credentials(options.credentials):
        own.remember_credential(scheme, credential)
    with _failures_named(connection), _last_words() as last_words:
        own.open()
        try:
            if not own.wait_until_connected(options.timeout):
                raise Failure(
                    f"{connection}: no answer within {options.timeout:g} seconds{last_words}"
                )
            yield own
        finally:
            own.close()


@contextmanager
def client(options: Namespace, connection: str) -> Iterator[ZooKeeper]:
    """Like `session`, but all that the library can do; it takes longer to start."""
    from zc.zk.client import ZooKeeper

    class Client(ZooKeeper):
        initial_connection_wait = options.timeout

    with _failures_named(connection), _last_words() as last_words:
        try:
            zk = Client(connection, int(options.timeout * 1000))
        except FailedConnect as fault:
            raise Failure(f"{fault}{last_words}") from fault
        with zk:
            for scheme, credential in credentials(options.credentials):
                zk.add_auth(scheme, credential)
            yield zk


def credentials(file: str | None) -> list[tuple[str, str]]:
    """The pairs (scheme, credential) in a file, or else those in the environment."""
    if file is not None:
        text, where = read_text(file)
    else:
        text, where = os.environ.get(CREDENTIAL_VARIABLE, ""), CREDENTIAL_VARIABLE
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        scheme, colon, credential = line.strip().partition(":")
        if not (scheme and colon):
            # The line itself stays secret.
            raise Failure(f"{where}: line {number}: not of the form SCHEME:CREDENTIAL")
        found.append((scheme, credential))
    return found


@contextmanager
def _failures_named(connection: str) -> Iterator[None]:
    try:
        yield
    except _CONNECTION_TROUBLE as trouble:
        raise Failure(f"{connection}: {trouble}") from trouble
    except zookeeper.NoNodeException as missing:
        root = connection.partition("/")[2]
        if missing.path == "/" and root:
            raise Failure(f"{connection}: there is no node /{root}") from missing
        raise


class _LastWords(logging.Handler):
    """Remembers why connecting failed last, of what the C client says on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.reason: str | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if match := _REASON.search(record.getMessage()):
            self.reason = match["reason"]

    def __str__(self) -> str:
        return f" ({self.reason})" if self.reason else ""


@contextmanager
def _last_words() -> Iterator[_LastWords]:
    handler = _LastWords()
    logger = logging.getLogger("ZooKeeper")
    logger.addHandler(handler)
    try:
        yield handler
    finally:
        logger.removeHandler(handler)
