"""DIGEST-MD5 (RFC 2831), as ZooKeeper's servers speak it: to authenticate, and nothing more.

The password does not travel. The client proves that it knows it, and so does the server, last.
Challenges come from a peer that is not yet known: `directives` takes what the RFC's grammar allows,
and nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

from zookeeper.errors import SASLError

NAME = "DIGEST-MD5"

# The name that all ZooKeeper servers go by in this mechanism, wherever they are.
URI = b"zookeeper/zk-sasl-md5"

# The RFC's limit for a challenge.
MAX_CHALLENGE = 2048

NONCE_BYTES = 32

_TOKEN = rb"[!#$%&'*+\-.0-9A-Z^_`a-z|~]+"
_SPACE = rb"[ \t\r\n]*"
_DIRECTIVE = re.compile(
    rb"(" + _TOKEN + rb")" + _SPACE + rb"=" + _SPACE
    # Text without control characters, in which a backslash quotes the next character; or a token.
    + rb'(?:"((?:[^"\\\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\\[\x00-\x7f])*)"|(' + _TOKEN + rb"))"
    + _SPACE + rb"(?:,|\Z)"
)  # fmt: skip
_BETWEEN = re.compile(rb"[ \t\r\n,]*")
_QUOTED = re.compile(rb"\\(.)", re.DOTALL)

# Directives of a challenge that come once at most.
_SINGLE = ("nonce", "qop", "stale", "maxbuf", "charset", "algorithm", "cipher", "rspauth")


class DigestMD5:
    """A user and the password."""

    __slots__ = ("_password", "user")

    name = NAME
    refusal_is_final = True

    def __init__(self, user: str, password: str) -> None:
        for what, value in (("user", user), ("password", password)):
            if not isinstance(value, str):
                raise TypeError(f"{what} must be str, not {type(value).__name__}")
            try:
                value.encode()
            except UnicodeEncodeError:
                # Without the exception, which has the value in it.
                raise ValueError(f"{what} cannot be written in UTF-8") from None
            if "\0" in value:
                raise ValueError(f"{what} must not hold a null character")
        if not user:
            raise ValueError("user is empty")
        self.user = user
        self._password = password

    def __repr__(self) -> str:
        return f"SASL.digest_md5({self.user!r}, ...)"

    def begin(self, host: str) -> DigestExchange:
        """Begin with a server; its name does not matter to the mechanism."""
        return DigestExchange(self.user, self._password)


class DigestExchange:
    """The steps on one connection: ask for a challenge, answer it, check what the server knows."""

    __slots__ = ("_asked", "_cnonce", "_expected", "_password", "_user", "complete")

    def __init__(self, user: str, password: str, cnonce: bytes | None = None) -> None:
        self._user = user
        self._password = password
        self._cnonce = cnonce if cnonce is not None else secrets.token_hex(NONCE_BYTES).encode()
        self._asked = False
        self._expected = b""
        self.complete = False

    def step(self, challenge: bytes) -> bytes | None:
        """Take a challenge, and return the token to send."""
        if self.complete:
            raise SASLError("the server goes on after the end of DIGEST-MD5")
        if not self._asked:
            self._asked = True
            return b""  # servers speak first in this mechanism, and have to be asked to
        given = directives(challenge)
        if self._expected:
            self._check(given)
            return None
        return self._answer(given)

    def _answer(self, given: dict[str, list[bytes]]) -> bytes:
        nonce = _single(given, "nonce")
        if not nonce:
            raise SASLError("the server's challenge has no nonce")
        if _single(given, "algorithm", b"").lower() != b"md5-sess":
            raise SASLError("the server wants another algorithm than md5-sess")
        charset = _single(given, "charset", b"").lower()
        if charset not in (b"", b"utf-8"):
            raise SASLError("the server wants another character set than UTF-8")
        ways = [way.strip().lower() for way in _single(given, "qop", b"auth").split(b",")]
        if b"auth" not in ways:
            raise SASLError("the server insists on integrity or encryption by SASL; TLS has both")
        encoding = "utf-8" if charset else "iso-8859-1"
        try:
            # Servers that name several realms leave the choice to the client.
            realm = given.get("realm", [b""])[0].decode(encoding)
            user = self._user.encode(encoding)
            self._password.encode(encoding)
        except UnicodeError:
            # Without the exception, which may have the password in it.
            raise SASLError(f"user, password or realm cannot be written in {encoding}") from None
        secret = secret_of(self._user, realm, self._password)
        nonces = nonce, self._cnonce
        self._expected = proof(secret, *nonces, URI, of_server=True)
        token = [
            b"charset=utf-8" if charset else b"",
            b"username=" + quoted(user),
            b"realm=" + quoted(realm.encode(encoding)) if "realm" in given else b"",
            b"nonce=" + quoted(nonce),
            b"nc=" + COUNT,
            b"cnonce=" + quoted(self._cnonce),
            b"digest-uri=" + quoted(URI),
            b"response=" + proof(secret, *nonces, URI),
            b"qop=auth",
        ]
        return b",".join(filter(None, token))

    def _check(self, given: dict[str, list[bytes]]) -> None:
        if not hmac.compare_digest(_single(given, "rspauth", b""), self._expected):
            raise SASLError("the server does not prove that it knows the password")
        self.complete = True


# Each connection has nonces of its own, so its first answer is its last.
COUNT = b"00000001"


def secret_of(user: str, realm: str, password: str) -> bytes:
    """Return what client and server know of a user: the hash of name, realm and password."""
    return _md5(b":".join(_narrow(part) for part in (user, realm, password)))


def proof(
    secret: bytes, nonce: bytes, cnonce: bytes, uri: bytes, *, of_server: bool = False
) -> bytes:
    """Return the proof that the client knows the secret, or that the server does."""
    session = _md5(b":".join((secret, nonce, cnonce))).hex().encode()
    purpose = _md5((b":" if of_server else b"AUTHENTICATE:") + uri).hex().encode()
    parts = session, nonce, COUNT, cnonce, b"auth", purpose
    return _md5(b":".join(parts)).hex().encode()


def directives(message: bytes) -> dict[str, list[bytes]]:
    """Take a challenge or an answer apart: the values of each name, without their quotes.

    Raises SASLError for what the grammar does not allow.
    """
    if len(message) >= MAX_CHALLENGE:
        raise SASLError(f"{len(message)} bytes are too many for a message of DIGEST-MD5")
    found: dict[str, list[bytes]] = {}
    at = _after_separators(message, 0)
    while at < len(message):
        match = _DIRECTIVE.match(message, at)
        if match is None:
            raise SASLError(f"byte {at} is no part of a message of DIGEST-MD5")
        name, text, token = match.groups()
        value = token if text is None else _QUOTED.sub(rb"\1", text)
        found.setdefault(name.decode("ascii").lower(), []).append(value)
        at = _after_separators(message, match.end())
    for name in _SINGLE:
        _single(found, name, b"")
    return found


def quoted(value: bytes) -> bytes:
    """Return the value as a quoted string."""
    return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _after_separators(message: bytes, at: int) -> int:
    match = _BETWEEN.match(message, at)
    return match.end() if match else at


def _single(given: dict[str, list[bytes]], name: str, default: bytes | None = None) -> bytes:
    values = given.get(name, [])
    if len(values) > 1:
        raise SASLError(f"{name} comes twice in a message of DIGEST-MD5")
    if values:
        return values[0]
    if default is None:
        raise SASLError(f"{name} is missing in a message of DIGEST-MD5")
    return default


def _narrow(text: str) -> bytes:
    """Write it in ISO 8859-1 where that can be, or else in UTF-8, as the RFC has it hashed."""
    try:
        return text.encode("iso-8859-1")
    except UnicodeEncodeError:
        return text.encode()


def _md5(data: bytes) -> bytes:
    try:
        return hashlib.md5(data).digest()
    except ValueError as fault:  # a system that is set up so (FIPS)
        raise SASLError(f"this machine refuses to compute MD5: {fault}") from None
