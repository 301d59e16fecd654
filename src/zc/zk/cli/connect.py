"""Sessions with the servers, for as long as a command needs one."""

from __future__ import annotations

import logging
import os
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import zookeeper
from zc.zk.cli import security
from zc.zk.cli.arguments import CREDENTIAL_VARIABLE, VARIABLES
from zc.zk.cli.failures import Failure, Misuse, in_words
from zc.zk.cli.input import read_text
from zc.zk.cli.output import tell
from zc.zk.errors import Error

if TYPE_CHECKING:
    from zc.zk.client import ZooKeeper
    from zc.zk.session.session import Session
    from zookeeper.tls import TLS

# A user who has waited for so long wants to know what for.
SILENCE_SECONDS = 1.0

# Servers grant session timeouts (seconds) within these limits if nobody changed them, and we say so
# when they do not grant what was asked for.
_MIN_SESSION, _MAX_SESSION = 4.0, 40.0


@contextmanager
def session(options: Namespace, connection: str, *, alone: bool = True) -> Iterator[Session]:
    """Open a session with the servers of `connection`, with its credentials.

    Trouble with the connection raises Failure, which names the servers. Unless it is `alone`, the
    caller does the naming of later trouble: it may be that of another session. With a session that
    is lent for a line of the shell, it is that one, which stays open.
    """
    if (lent := _lent(options, connection)) is not None:
        with _all_told(lent) if alone else nullcontext():
            yield lent
        return
    from zc.zk.session.session import Session  # --help needs none

    known, secured = _identity(options)
    with ExitStack() as opened:
        with _failures_named(connection), quiet(options), ExitStack() as begun:
            own = Session(connection, _session_timeout(options), **secured)
            begun.callback(own.close)
            deadline = time.monotonic() + options.timeout
            own.open()
            _tell_of_waiting(options, own, deadline)
            if not own.wait_until_connected(max(0.0, deadline - time.monotonic())):
                raise own.not_connected_within(options.timeout)
            for scheme, credential in known:
                add_auth = partial(own.binding.add_auth, own.require_handle())
                _authenticate(add_auth, scheme, credential, options.timeout)
                own.credentials.accept([(scheme, credential)])
            opened.push(begun.pop_all())
        with _all_told(own) if alone else nullcontext():
            yield own


@contextmanager
def client(options: Namespace, connection: str) -> Iterator[ZooKeeper]:
    """Open a client, with all that the library can do; it starts more slowly."""
    from zc.zk.client import ZooKeeper

    class Client(ZooKeeper):
        initial_connection_wait = options.timeout

        def _wait_for_session(self, wait: bool, deadline: float) -> None:
            _tell_of_waiting(options, self._session, deadline)
            super()._wait_for_session(wait, deadline)

    known, secured = _identity(options)
    with _failures_named(connection), ExitStack() as opened:
        with quiet(options), ExitStack() as begun:
            zk = begun.enter_context(Client(connection, _session_timeout(options), **secured))
            for scheme, credential in known:
                _authenticate(zk.add_auth, scheme, credential, options.timeout)
            opened.push(begun.pop_all())
        with _root_told(zk._session):
            yield zk


@contextmanager
def naming(connection: str) -> Iterator[None]:
    """Have each failure name the servers, where a command asks those of several connections."""
    try:
        yield
    except (zookeeper.ZooKeeperException, Error, Failure) as fault:
        text = in_words(fault)
        if isinstance(fault, Misuse) or text.startswith(f"{connection}: "):
            raise
        raise Failure(f"{connection}: {text}") from fault


def servers(connection: str) -> list[tuple[str, int]]:
    """Return the servers of a connection string, each once. Raises Failure."""
    from zookeeper.hosts import parse

    try:
        return list(dict.fromkeys(parse(connection).servers))
    except ValueError as fault:
        raise Failure(f"{connection!r}: {fault}") from fault


def tls(options: Namespace) -> TLS | None:
    """Return the settings for TLS of connections that are no sessions."""
    settings: TLS | None = _identity(options)[1].get("tls")
    return settings


def session_with(options: Namespace, server: str, deadline: float) -> Session:
    """Return a new session with one server, which may be cut off from the others.

    Raises FailedConnect if there is none at the deadline, on the steady clock. The caller closes
    it.
    """
    from zc.zk.session.session import Session

    _, secured = _identity(options)
    own = Session(server, _session_timeout(options), read_only=True, **secured)
    try:
        own.open()
        left = max(0.0, deadline - time.monotonic())
        if not own.wait_until_connected(left):
            raise own.not_connected_within(options.timeout)
    except BaseException:
        own.close()
        raise
    return own


def _lent(options: Namespace, connection: str) -> Session | None:
    """Return the session that is there for a command, unless it needs another one."""
    lent: Session | None = getattr(options, "lent", None)
    if lent is None or lent.connection_string != connection or "session_timeout" in options:
        return None
    return lent


def require_identity(options: Namespace, where: str = "argument --acl") -> None:
    """Raise Misuse if a session has no identity to put into an ACL in the place of `auth`."""
    known, secured = _identity(options)
    certificate = secured["tls"].certificate if "tls" in secured else None
    if not (known or "sasl" in secured or certificate is not None):
        raise Misuse(
            f"{where}: auth is who you have authenticated as, and there is none of"
            " --credentials, --sasl and --tls-certificate"
        )


def _identity(options: Namespace) -> tuple[list[tuple[str, str]], dict[str, Any]]:
    """Return credentials, and a session's arguments that secure it.

    They are made once for each command: a file may be standard input, or be warned of.
    """
    if "identity" not in options:
        security.require_known_variables(VARIABLES)
        secured = {"tls": security.tls(options), "sasl": security.sasl(options)}
        options.identity = (
            credentials(options.credentials),
            {name: value for name, value in secured.items() if value is not None},
        )
    identity: tuple[list[tuple[str, str]], dict[str, Any]] = options.identity
    return identity


def _tell_of_waiting(options: Namespace, session: Session, deadline: float) -> None:
    """Wait a moment for a connection, and say why it takes longer, if it does."""
    left = deadline - time.monotonic()
    if left <= 2 * SILENCE_SECONDS or session.wait_until_connected(SILENCE_SECONDS):
        return
    _, reason = session.why_there_is_none()
    left = deadline - time.monotonic()
    if not session.wait_until_connected(0) and left > 0:
        tell(options.name, f"{session.connection_string}: {reason}; trying for {left:.0f} s more")


def _session_timeout(options: Namespace) -> int:
    """Return how many milliseconds a request may go without an answer."""
    if "session_timeout" in options:
        return int(1000 * options.session_timeout)
    return int(1000 * min(max(options.timeout, _MIN_SESSION), _MAX_SESSION))


def _authenticate(
    add_auth: Callable[..., int], scheme: str, credential: str, seconds: float
) -> None:
    import queue  # most sessions have no credentials

    answers: queue.SimpleQueue[int] = queue.SimpleQueue()
    add_auth(scheme, credential, lambda handle, code: answers.put(code))
    try:
        code = answers.get(timeout=seconds)
    except queue.Empty:
        code = zookeeper.OPERATIONTIMEOUT
    if code != zookeeper.OK:
        raise zookeeper.error(code, None, f"by the scheme {scheme!r}")


def credentials(file: str | None) -> list[tuple[str, str]]:
    """Return pairs (scheme, credential) of a file, or else the environment."""
    if file is None and not os.environ.get(CREDENTIAL_VARIABLE):
        return []
    from zookeeper.secretfiles import credential_lines, warn_of_readers

    if file is not None:
        text, where = read_text(file)
        warn_of_readers(file, "the credentials")
    else:
        text, where = os.environ[CREDENTIAL_VARIABLE], CREDENTIAL_VARIABLE
    found = []
    for number, line in credential_lines(text, where):
        scheme, colon, credential = line.partition(":")
        if not (scheme and colon):
            # The line itself stays secret.
            raise Failure(f"{where}: line {number}: not of the form SCHEME:CREDENTIAL")
        if scheme == "sasl":
            raise Failure(f"{where}: line {number}: servers take no credential for it: see --sasl")
        found.append((scheme, credential))
    return found


@contextmanager
def quiet(options: Namespace) -> Iterator[None]:
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
def _all_told(session: Session) -> Iterator[None]:
    with _failures_named(session.connection_string), _root_told(session):
        yield


@contextmanager
def _root_told(session: Session) -> Iterator[None]:
    """Say so if a node is missing because the root of the connection string is."""
    try:
        yield
    except zookeeper.NoNodeException as missing:
        from zc.zk.operations import root

        told = root.named(session, missing)
        if told is missing:
            raise
        raise told from None


@contextmanager
def _failures_named(connection: str) -> Iterator[None]:
    try:
        yield
    except zookeeper.SessionError as trouble:
        # The node concerned is well, so the servers are named too.
        raise Failure(f"{connection}: {trouble}") from trouble
    except zookeeper.NoNodeException as missing:
        root = connection.partition("/")[2]
        if missing.path == "/" and root:
            raise Failure(f"{connection}: there is no node /{root}") from missing
        raise
