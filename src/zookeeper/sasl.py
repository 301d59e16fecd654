"""SASL: how a client proves to the servers which user it is.

    zookeeper.init("zk1:2181", sasl=SASL.digest_md5("app", password))
    zookeeper.init("zk1:2181", sasl=SASL.gssapi())              # Kerberos

A *mechanism* has the credentials. For each connection anew it begins an *exchange*: the client
sends a token, the server answers with a challenge, until both are satisfied. Any object with these
methods will do. They run on a thread of the handle's own, which nothing else waits for: a step may
block, and is given up with the connection that it is for.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Protocol

from zookeeper.regularfiles import StrPath

if TYPE_CHECKING:
    from collections.abc import Mapping


class Exchange(Protocol):
    """The steps of a mechanism on one connection."""

    @property
    def complete(self) -> bool:
        """Whether the mechanism is satisfied, also with the server where it can tell."""
        ...

    def step(self, challenge: bytes) -> bytes | None:
        """Take the server's challenge, and return the token to send; None for no more of them.

        The first call has the empty challenge. Raises SASLError, with the reason in words.
        """
        ...


class Mechanism(Protocol):
    """Credentials, which handles and threads may share; no secret is in the representation.

    It may have an attribute `refusal_is_final`. Where that is true, a server that refuses has
    looked at nothing but the credentials, as at a password: a program that opens a `ZooKeeper` is
    told at once when all servers refuse, and not after `initial_connection_wait`. Kerberos, where
    a clock or a ticket may be put right meanwhile, has none.
    """

    @property
    def name(self) -> str:
        """The mechanism's name, such as 'DIGEST-MD5'."""
        ...

    def begin(self, host: str) -> Exchange:
        """Begin with a server, of that name or address in the connection string, without port.

        Raises SASLError, with the reason in words.
        """
        ...


class SASL:
    """The mechanisms that ZooKeeper's servers know."""

    @staticmethod
    def digest_md5(user: str, password: str) -> Mechanism:
        """Log in by a password that the servers have in their JAAS file (DIGEST-MD5)."""
        from zookeeper.sasl_digest import DigestMD5

        return DigestMD5(user, password)

    @staticmethod
    def gssapi(
        service: str = "zookeeper",
        principal: str | None = None,
        keytab: StrPath | None = None,
        host: str | None = None,
    ) -> Mechanism:
        """Log in by Kerberos (GSSAPI), which takes the extra `zc.zk[kerberos]`.

        service: the first part of the servers' principals, `zookeeper/zk1.example.com`.
        principal: who logs in; by default the keytab's first one, or that of the user's ticket.
        keytab: the file with the principal's key. Tickets are fetched by it, kept in memory and
            renewed in time. Without one they are the user's: those of `kinit`.
        host: the host name in the servers' principals, where it is not that of the connection
            string.

        Raises ValueError for a keytab that cannot be used, and ImportError without the extra.
        """
        from zookeeper.sasl_gssapi import GSSAPI

        return GSSAPI(service, principal, keytab, host)

    @staticmethod
    def from_environment(environ: Mapping[str, str] | None = None) -> Mechanism | None:
        """Make the mechanism of the variables `ZC_ZK_SASL...`, or None where there is none.

        `ZC_ZK_SASL` is `digest-md5`, with user and password in `ZC_ZK_SASL_CREDENTIAL`,
        `USER:PASSWORD`, or in the file `ZC_ZK_SASL_CREDENTIALS_FILE`; or `gssapi`, whose arguments
        are in `ZC_ZK_SASL_SERVICE` and so on; or `none`. `environ` is by default the environment of
        the process. Raises ValueError for settings that make no sense.
        """
        from zookeeper.environment import sasl_arguments

        chosen = sasl_arguments(os.environ if environ is None else environ)
        return None if chosen is None else mechanism_of(*chosen)


def mechanism_of(name: str, arguments: dict[str, Any]) -> Mechanism:
    """Make the mechanism that `zookeeper.environment.sasl_arguments` chooses."""
    from zookeeper.environment import GSSAPI

    try:
        if name == GSSAPI:
            return SASL.gssapi(**arguments)
        return SASL.digest_md5(**arguments)
    except ValueError as fault:
        raise ValueError(f"SASL by {name}: {fault}") from fault


def checked_mechanism(sasl: Any) -> Mechanism | None:
    """Return the argument `sasl` of `init`, if it is one.

    Raises TypeError for anything else, and ValueError for a name that messages cannot have.
    """
    if sasl is None:
        return None
    if isinstance(getattr(sasl, "name", None), str) and callable(getattr(sasl, "begin", None)):
        mechanism: Mechanism = sasl
        if not (mechanism.name and mechanism.name.isprintable()):
            raise ValueError(f"a mechanism's name is printable, and not empty: {mechanism.name!r}")
        return mechanism
    raise TypeError(
        "sasl must be None or a mechanism, such as SASL.digest_md5(user, password),"
        f" not {type(sasl).__name__}"
    )
