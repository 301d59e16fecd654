"""Four-letter words: questions that a server answers in plain text, and then hangs up.

They need no session, and are not about nodes: how a server is doing, and which connections it has.
Which of them it answers is a setting of the server (4lw.commands.whitelist); only `srvr` is on by
itself. On a secure port the word travels by TLS.

Nothing is believed of the other end: all takes until a deadline, and an answer has an end.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
import socket
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from zc.zk.session.diagnosis import NO_ANSWER, SECURED, TLS_ANSWERS, speaks_tls

if TYPE_CHECKING:
    import ssl

    from zookeeper.tls import TLS

# Those that look and change nothing, without parameters.
KNOWN = (
    "conf", "cons", "dump", "envi", "isro", "mntr", "ruok", "srvr", "stat", "wchc", "wchp", "wchs",
)  # fmt: skip

# The connections of a hundred thousand clients are told in so many bytes.
MAX_ANSWER_BYTES = 1 << 26
PART_BYTES = 1 << 16

# A server that has no leader says so, and may forget to hang up.
NOT_SERVING = "This ZooKeeper instance is not currently serving requests"
_WHITELIST = "is not executed because it is not in the whitelist"


# A secure port is silent when it is asked in plain text. Then it is greeted by TLS, to tell why, in
# this part of the time.
GREETING_PART = 0.3


class Unanswered(Exception):
    """There is no answer; the text says why."""


class Refused(Unanswered):
    """The server does not answer this word."""


class Address(NamedTuple):
    """One address of a server, and the name that it goes by."""

    host: str
    family: int
    sockaddr: Any


class Answer(NamedTuple):
    """The text that a server has sent, how long that took, and how it was secured.

    `tls` is the version, and `expires` when the server's certificate does, in seconds since 1970.
    """

    text: str
    seconds: float
    tls: str | None = None
    expires: float | None = None


def ask(address: Address, word: str, tls: "TLS | None", deadline: float) -> Answer:
    """Ask a server, until `deadline` on the steady clock. Raises Unanswered."""
    began = time.monotonic()
    # Until then an answer may begin.
    patience = deadline if tls else deadline - GREETING_PART * (deadline - began)
    try:
        with connected(address, deadline) as plain:
            if tls is None:
                text = _answer(plain, word, patience, deadline)
                return Answer(text, time.monotonic() - began)
            with _secured(plain, address.host, tls, deadline) as connection:
                text = _answer(connection, word, patience, deadline)
                version, expires = connection.version(), _expiry(connection)
            return Answer(text, time.monotonic() - began, version, expires)
    except TimeoutError:
        left = deadline - time.monotonic()
        if tls is None and left > 0 and speaks_tls(lambda: connected(address, deadline), left):
            raise Unanswered(SECURED) from None
        raise Unanswered(NO_ANSWER) from None
    except OSError as fault:
        raise Unanswered(in_words(fault)) from fault


def connected(address: Address, deadline: float) -> socket.socket:
    """Return a connection, for the caller to close. Raises OSError."""
    connection = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        _limit(connection, deadline)
        connection.connect(address.sockaddr)
    except BaseException:
        connection.close()
        raise
    return connection


def converse(
    connection: socket.socket, question: bytes, patience: float, deadline: float
) -> bytearray:
    """Send a question, and return all that comes until the other end hangs up.

    The first bytes have to come while there is `patience`. Raises Unanswered, and OSError.
    """
    _limit(connection, deadline)
    connection.sendall(question)
    content = bytearray()
    while True:
        _limit(connection, deadline if content else patience)
        part = connection.recv(PART_BYTES)
        content += part
        if not part or _is_not_serving(content):
            break
        if len(content) > MAX_ANSWER_BYTES:
            raise Unanswered(f"its answer has more than {MAX_ANSWER_BYTES} bytes")
    if content.startswith(TLS_ANSWERS):
        raise Unanswered(SECURED)
    if not content:
        raise Unanswered("it hangs up without an answer")
    return content


def _is_not_serving(content: bytearray) -> bool:
    """Say whether these are the words of a server that has no leader, and nothing else."""
    return len(content) < 2 * len(NOT_SERVING) and content.strip() == NOT_SERVING.encode()


def _answer(connection: socket.socket, word: str, patience: float, deadline: float) -> str:
    content = converse(connection, word.encode(), patience, deadline)
    text = content.decode("utf-8", "replace")
    if _WHITELIST in text[:200]:
        raise Refused(f"it does not answer {word} (its 4lw.commands.whitelist)")
    return text


def _limit(connection: socket.socket, deadline: float) -> None:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    connection.settimeout(left)


def _secured(plain: socket.socket, host: str, tls: "TLS", deadline: float) -> "ssl.SSLSocket":
    from zc.zk.ensemble.tlscontext import context

    _limit(plain, deadline)
    return context(tls).wrap_socket(plain, server_hostname=tls.server_hostname or host)


def _expiry(connection: "ssl.SSLSocket") -> float | None:
    import ssl

    certificate = connection.getpeercert() or {}
    try:
        return float(ssl.cert_time_to_seconds(str(certificate["notAfter"])))
    except (KeyError, ValueError):
        return None  # it was not asked to prove itself


def in_words(fault: OSError) -> str:
    """Say what went wrong, by OpenSSL's words where it was TLS."""
    verdict = getattr(fault, "verify_message", None)
    if verdict:
        return f"TLS: its certificate is refused: {verdict}"
    reason = getattr(fault, "reason", None)
    if isinstance(reason, str):
        return f"TLS: {reason.lower().replace('_', ' ')}"
    return fault.strerror or str(fault) or type(fault).__name__
