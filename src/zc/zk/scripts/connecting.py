"""Sessions with the servers, for as long as a command needs one."""

from __future__ import annotations

import logging
import os
import queue
import re
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
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
    zookeeper.AuthFailedException,
)

_REASON = re.compile(r"errno=[0-9]+\((?P<reason>[^)]+)\)")


@contextmanager
def session(options: Namespace, connection: str) -> Iterator[Session]:
    """A session with the servers that `connection` names, authenticated as `options` say.

    What goes wrong with the connection raises Failure, which names the servers.
    """
    known = credentials(options.credentials)
    with _failures_named(connection), ExitStack() as opened:
        with _quiet(options), _last_words() as last_words, ExitStack() as begun:
            own = Session(connection, int(options.timeout * 1000))
            begun.callback(own.close)
            own.open()
            if not own.wait_until_connected(options.timeout):
                raise FailedConnect(
                    f"{connection}: no answer within {options.timeout:g} seconds{last_words}"
                )
            for scheme, credential in known:
                add_auth = partial(zookeeper.add_auth, own.require_handle())
                _authenticate(add_auth, scheme, credential, options.timeout)
                own.remember_credential(scheme, credential)
            opened.push(begun.pop_all())
        yield own


@contextmanager
def client(options: Namespace, connection: str) -> Iterator[ZooKeeper]:
    """Like `session`, but all that the library can do; it takes longer to start."""
    from zc.zk.client import ZooKeeper

    class Client(ZooKeeper):
        initial_connection_wait = options.timeout

    known = credentials(options.credentials)
    with _failures_named(connection), ExitStack() as opened:
        with _quiet(options), _last_words() as last_words, ExitStack() as begun:
            try:
                zk = begun.enter_context(Client(connection, int(options.timeout * 1000)))
            except FailedConnect as fault:
                raise FailedConnect(f"{fault}{last_words}") from fault
            for scheme, credential in known:
                _authenticate(zk.add_auth, scheme, credential, options.timeout)
            opened.push(begun.pop_all())
        yield zk


def _authenticate(
    add_auth: Callable[..., int], scheme: str, credential: str, seconds: float
) -> None:
    answers: queue.SimpleQueue[int] = queue.SimpleQueue()
    add_auth(scheme, credential, lambda handle, code: answers.put(code))
    try:
        code = answers.get(timeout=seconds)
    except queue.Empty:
        code = zookeeper.OPERATIONTIMEOUT
    if code != zookeeper.OK:
        raise zookeeper.error(code, None, f"by the scheme {scheme!r}")


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
def _quiet(options: Namespace) -> Iterator[None]:
    """Leave it to the one line about the failure to say why there is no session."""
    logger = logging.getLogger("zc.zk")
    level = logger.level
    if not options.debug:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


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
