"""Clients prove their identity: by a credential, or by SASL.

DIGEST-MD5 is what ZooKeeper's servers do with the names and passwords of their JAAS file. The
server sends a challenge. The client answers with a proof that it knows the password, and the server
with one of its own.
"""

from __future__ import annotations

import hmac
import logging
import secrets
from collections.abc import Mapping
from typing import Final

from zc.zk.testing.engine import Client, Engine, Identity, Refusal
from zc.zk.testing.wire import jute
from zc.zk.testing.wire.jute import Malformed, Reader
from zookeeper import constants
from zookeeper.errors import SASLError

logger = logging.getLogger("zc.zk.testing")

# The name of all ZooKeeper servers in DIGEST-MD5.
REALM: Final = b"zk-sasl-md5"
URI: Final = b"zookeeper/" + REALM

# The parts of a client's answer that have to be there, once each.
_NEEDED: Final = ("username", "realm", "nonce", "cnonce", "digest-uri", "response")

NONCE_BYTES: Final = 20


def prove(engine: Engine, client: Client, reader: Reader) -> int:
    """Take a credential, and return the code of the answer."""
    reader.int32()
    scheme, credential = reader.string(), reader.buffer()
    try:
        if scheme is None or credential is None:
            raise Refusal(constants.AUTHFAILED)
        engine.prove(client, scheme, credential)
    except Refusal as refusal:
        return refusal.code
    return constants.OK


def log_in(
    engine: Engine, client: Client, login: Login | None, reader: Reader
) -> tuple[int, bytes]:
    """Take a client's token of SASL, and return the code and the body of the answer."""
    token = reader.buffer()
    if token is None:
        raise Malformed("a token of SASL is null")
    if login is None:
        # So does a server without a JAAS file, and goes on with a stranger.
        return constants.OK, jute.buffer(None)
    try:
        answer = login.step(token)
    except SASLError as fault:
        logger.warning("%s: SASL: %s", client.address, fault)
        is_required = "sasl" in engine.required
        code = constants.SESSIONCLOSEDREQUIRESASLAUTH if is_required else constants.AUTHFAILED
        return code, jute.buffer(None)
    if login.user is not None:
        client.add_identities([Identity("sasl", login.user)])
    return constants.OK, jute.buffer(answer)


def login(users: Mapping[str, str] | None) -> Login | None:
    """Begin a login for one of these users; None where nobody can log in."""
    return None if users is None else Login(users)


class Login:
    """The server's side of DIGEST-MD5, on one connection. In the end it has a `user`."""

    def __init__(self, users: Mapping[str, str], nonce: bytes | None = None) -> None:
        self.user: str | None = None
        self._users = users
        self._nonce = nonce if nonce is not None else secrets.token_hex(NONCE_BYTES).encode()
        self._steps = 0

    def step(self, token: bytes) -> bytes:
        """Take a client's token, and return what to send. Raises SASLError for a stranger."""
        self._steps += 1
        if self._steps == 1:
            # Java does not look at the first token, either.
            nonce = b'nonce="' + self._nonce
            return b'realm="' + REALM + b'",' + nonce + b'",charset=utf-8,algorithm=md5-sess'
        if self._steps == 2:
            return self._check(token)
        raise SASLError("DIGEST-MD5 is over")

    def _check(self, token: bytes) -> bytes:
        from zookeeper import sasl_digest  # for a server that never needs it starts more quickly

        given = self._values(sasl_digest.directives(token))
        try:
            user = given["username"].decode()
        except UnicodeDecodeError:
            raise SASLError("the name of the user is no UTF-8") from None
        password = self._users.get(user)
        if password is None:
            raise SASLError(f"no such user: {user!r}")
        secret = sasl_digest.secret_of(user, REALM.decode(), password)
        values = given["nonce"], given["cnonce"], given["digest-uri"]
        if not hmac.compare_digest(given["response"], sasl_digest.proof(secret, *values)):
            raise SASLError(f"a wrong password for {user!r}")
        self.user = user
        return b"rspauth=" + sasl_digest.proof(secret, *values, of_server=True)

    def _values(self, directives: Mapping[str, list[bytes]]) -> dict[str, bytes]:
        """Return the values that the proof is made of, if they belong to this connection."""
        for name in _NEEDED:
            if len(directives.get(name, ())) != 1:
                raise SASLError(f"{name} has to be there once")
        given = {name: values[0] for name, values in directives.items()}
        if given["realm"] != REALM:
            raise SASLError("it is for another realm")
        if given["nonce"] != self._nonce:
            raise SASLError("it is the answer to another challenge")
        if given["digest-uri"].lower() != URI:
            raise SASLError("it is for another service")
        if given.get("qop", b"auth") != b"auth":
            raise SASLError("it asks for more than to authenticate")
        if given.get("charset", b"utf-8") != b"utf-8":
            raise SASLError("it has another character set than UTF-8")
        return given
