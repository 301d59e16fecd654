"""GSSAPI (RFC 4752): Kerberos, as ZooKeeper's servers speak it.

Client and server prove who they are by tickets of a KDC, both of them, and agree on no security
layer: that is for TLS. Words and tickets are MIT Kerberos's, by the package `gssapi`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from zookeeper.errors import SASLError
from zookeeper.kerberos import KeytabTickets, UserTickets, library, reason
from zookeeper.kerberos_turns import PerProcess, Turns
from zookeeper.regularfiles import StrPath

NAME = "GSSAPI"

# The only security layer that is taken, of those in the server's offer (RFC 4752, 3.3).
NO_LAYER = 1

# The layers in one byte, and the longest message in three.
OFFER_BYTES = 4

# A server that has got a new key cannot read tickets for the former one, which may be good for
# hours: after so many that it has not answered new ones are fetched.
MAX_REFUSED = 2

# They end a part of a principal, or cannot be in a host's name.
_FORBIDDEN = frozenset("/@\0 \t\r\n")


class GSSAPI:
    """A principal, its tickets, and what the servers are called."""

    __slots__ = ("_refused", "_tickets", "_turns", "host", "keytab", "principal", "service")

    name = NAME

    def __init__(
        self,
        service: str = "zookeeper",
        principal: str | None = None,
        keytab: StrPath | None = None,
        host: str | None = None,
    ) -> None:
        _check_name("service", service)
        if host is not None:
            _check_name("host", host)
        if principal is not None and not principal:
            raise ValueError("principal is empty")
        library()
        self.service = service
        self.principal = principal
        self.keytab = keytab
        self.host = host
        self._tickets: KeytabTickets | UserTickets = (
            UserTickets(principal) if keytab is None else KeytabTickets(keytab, principal)
        )
        self._turns = PerProcess(Turns)
        # By server: how many tickets in a row have not led to an end.
        self._refused: dict[str, int] = {}

    def __repr__(self) -> str:
        given = {"service": self.service} if self.service != "zookeeper" else {}
        optional = {"principal": self.principal, "keytab": self.keytab, "host": self.host}
        given |= {name: os.fspath(value) for name, value in optional.items() if value is not None}
        return f"SASL.gssapi({', '.join(f'{name}={value!r}' for name, value in given.items())})"

    def begin(self, host: str) -> GSSAPIExchange:
        """Begin with a server; wait for a ticket if there is none that is valid.

        Raises SASLError.
        """
        name = self.host if self.host is not None else host.strip("[]")
        credentials = self._tickets.credentials()
        if self._refused.get(name, 0) >= MAX_REFUSED:
            self._refused.pop(name, None)
            self._tickets.renew()
        return GSSAPIExchange(f"{self.service}@{name}", credentials, self._turns.get(), self.note)

    def note(self, server: str, is_refused: bool) -> None:
        """Note how an exchange has ended. Any thread may call it, and takes no lock."""
        name = server.partition("@")[2]
        if is_refused:
            self._refused[name] = self._refused.get(name, 0) + 1
        else:
            self._refused.pop(name, None)


class GSSAPIExchange:
    """The steps on one connection: a ticket each way, then the server's offer of layers."""

    __slots__ = ("_context", "_credentials", "_note", "_proved", "_server", "_turns", "complete")

    def __init__(
        self, server: str, credentials: Any, turns: Turns, note: Callable[[str, bool], None]
    ) -> None:
        self._server = server
        self._note = note
        self._credentials = credentials
        self._turns = turns
        self._context: Any = None
        self._proved = False
        self.complete = False

    def __del__(self) -> None:
        # A server that refuses a ticket hangs up, and no step hears of it.
        if self._context is not None and not self.complete:
            self._note(self._server, True)

    def step(self, challenge: bytes) -> bytes | None:
        """Take a challenge, and return the token to send. The first step may ask the KDC."""
        if self.complete:
            if challenge:
                raise SASLError("the server goes on after the end of GSSAPI")
            return None
        if self._context is None:
            return self._turns.take(self._server, lambda: self._prove(b""))
        if not challenge:
            raise SASLError("the server does not accept the ticket; its log says why")
        return self._answer(challenge) if self._proved else self._prove(challenge)

    def _reason(self, fault: Any) -> SASLError:
        return SASLError(reason(fault, self._server.replace("@", "/", 1)))

    def _prove(self, challenge: bytes) -> bytes:
        """Send the ticket, and take the proof that the server could read it."""
        gssapi = library()
        flag = gssapi.RequirementFlag
        try:
            result = gssapi.raw.init_sec_context(
                gssapi.Name(self._server, gssapi.NameType.hostbased_service),
                self._credentials,
                self._context,
                gssapi.MechType.kerberos,
                flag.mutual_authentication | flag.integrity,
                input_token=challenge or None,
            )
        except gssapi.exceptions.GSSError as fault:
            raise self._reason(fault) from None
        self._context = result.context
        if not result.more_steps:
            if flag.mutual_authentication not in result.flags:
                raise SASLError("the server does not prove who it is")
            self._proved = True
        # An empty token asks the server to go on.
        return result.token or b""

    def _answer(self, challenge: bytes) -> bytes:
        """Choose no security layer, as the principal of the ticket and nobody else."""
        gssapi = library()
        try:
            offer = gssapi.raw.unwrap(self._context, challenge).message
            token: bytes = gssapi.raw.wrap(self._context, chosen_layer(offer), False).message
        except gssapi.exceptions.GSSError as fault:
            raise self._reason(fault) from None
        self.complete = True
        self._note(self._server, False)
        return token


def chosen_layer(offer: bytes) -> bytes:
    """Return the answer to a server's offer of security layers: none of them."""
    if len(offer) != OFFER_BYTES:
        raise SASLError(
            f"the server offers security layers in {len(offer)} bytes instead of {OFFER_BYTES}"
        )
    if not offer[0] & NO_LAYER:
        raise SASLError("the server insists on integrity or encryption by SASL; TLS has both")
    return bytes((NO_LAYER, 0, 0, 0))


def _check_name(what: str, name: str) -> None:
    if not name or not _FORBIDDEN.isdisjoint(name):
        raise ValueError(f"{what} is one part of a principal, not {name!r}")
