"""The reason why there is no session: a plain connection to each server finds it.

The C client tries for ever and keeps its reasons for the log. So when a program is told that there
is no session, the reason is found out anew.
"""

from __future__ import annotations

import socket
import threading
import time
from _queue import Empty, SimpleQueue
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from zc.zk.session.runtime import new_queue
from zookeeper.hosts import parse, server_name

# Threads look up names and connect, since nothing else can be given up; all of them together get
# so long.
PROBE_SECONDS = 1.0

NO_ANSWER = "no answer"
NO_NAME = "the name service does not answer"
ACCEPTED = "connections are accepted, and no session is opened"
SECURED = "it speaks TLS, and TLS is not asked for"

# A question that every ZooKeeper server answers in plain words, if only that it must not; and the
# patience with one that does not.
QUESTION = b"ruok"
ANSWERS = (b"imok", b"ruok is not", b"This ZooKeeper")
ANSWER_SECONDS = 0.2

# A handshake is slow at first, so it may take this part of the time for all.
GREETING_PART = 0.6

# How a record of TLS begins that answers a greeting: a handshake or an alert, of version 3 point
# something.
TLS_ANSWERS = (b"\x16\x03", b"\x15\x03")

# Servers whose probe goes on, as a lookup does for half a minute: there is one of each at a time.
_probed: set[tuple[str, int]] = set()
_lock = threading.RLock()  # a finaliser may want to know, too


def describe(
    connection_string: str, seconds: float = PROBE_SECONDS, *, is_secured: bool = False
) -> str:
    """Say in words why servers give no session, such as 'Connection refused'.

    `is_secured` if they are talked to by TLS, so that no plain question makes sense. Takes no
    longer than `seconds`. Servers with which it is the same are not told apart.
    """
    try:
        servers = list(dict.fromkeys(parse(connection_string).servers))
    except ValueError as fault:
        return str(fault)
    answers: SimpleQueue[tuple[tuple[str, int], str, bool]] = new_queue()
    found = dict.fromkeys(servers, NO_NAME)
    missing = set(servers)
    for server in servers:
        _begin(server, answers, seconds, is_secured)
    deadline = time.monotonic() + seconds
    while missing:
        try:
            server, reason, is_last = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty:
            break
        found[server] = reason
        if is_last:
            missing.discard(server)
    if len(set(found.values())) == 1:
        return found[servers[0]]
    return ", ".join(f"{server_name(*server)}: {reason}" for server, reason in found.items())


def _begin(
    server: tuple[str, int],
    answers: SimpleQueue[tuple[tuple[str, int], str, bool]],
    seconds: float,
    is_secured: bool,
) -> None:
    with _lock:
        if server in _probed:
            return  # its name is still being looked up, for somebody who no longer waits
        _probed.add(server)

    def probe() -> None:
        try:
            for reason, is_last in _steps(*server, seconds, is_secured):
                answers.put((server, reason, is_last))
        finally:
            with _lock:
                _probed.discard(server)

    try:
        threading.Thread(
            target=probe, name=f"zc.zk probe of {server_name(*server)}", daemon=True
        ).start()
    except RuntimeError as fault:  # no more threads
        with _lock:
            _probed.discard(server)
        answers.put((server, str(fault), True))


def _steps(host: str, port: int, seconds: float, is_secured: bool) -> Iterator[tuple[str, bool]]:
    """Yield ever more of what is known of a server; and whether that is all."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as fault:
        yield _words(fault), True
        return
    yield NO_ANSWER, False
    reason = NO_ANSWER
    for family, kind, protocol, _, address in found:
        connect = partial(_connected, family, kind, protocol, address, seconds / len(found))
        try:
            with connect() as connection:
                yield ACCEPTED, is_secured
                reason = "" if is_secured else _manners(connection)
            if not is_secured:
                yield (
                    reason
                    or (SECURED if speaks_tls(connect, GREETING_PART * seconds) else ACCEPTED),
                    True,
                )
            return
        except TimeoutError:
            reason = NO_ANSWER
        except OSError as fault:
            reason = _words(fault)
    yield reason, True


def _connected(
    family: int, kind: int, protocol: int, address: Any, seconds: float
) -> socket.socket:
    connection = socket.socket(family, kind, protocol)
    try:
        connection.settimeout(seconds)
        connection.connect(address)
    except BaseException:
        connection.close()
        raise
    return connection


def _manners(connection: socket.socket) -> str:
    """Return what can be said of a server by its answer to a question; '' without an answer."""
    answer = _answer(connection, QUESTION)
    if answer.startswith(ANSWERS):
        return ACCEPTED
    if answer.startswith(TLS_ANSWERS):
        return SECURED
    if not answer:
        return ""
    return f"it answers {answer[:40]!r}, as no ZooKeeper server does"


def speaks_tls(connect: Callable[[], socket.socket], seconds: float) -> bool:
    """Return whether a server answers a greeting of TLS by that."""
    try:
        import ssl  # slow

        greeting = ssl.MemoryBIO()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        try:
            context.wrap_bio(ssl.MemoryBIO(), greeting).do_handshake()
        except ssl.SSLWantReadError:
            pass
        with connect() as connection:
            return _answer(connection, greeting.read(), seconds).startswith(TLS_ANSWERS)
    except (OSError, ImportError):
        return False


def _answer(connection: socket.socket, question: bytes, seconds: float = ANSWER_SECONDS) -> bytes:
    """Return the beginning of an answer, b'' if there is none in time."""
    try:
        connection.settimeout(seconds)
        connection.sendall(question)
        return connection.recv(80)
    except OSError:
        return b""


def _words(fault: Exception) -> str:
    return getattr(fault, "strerror", None) or str(fault)
