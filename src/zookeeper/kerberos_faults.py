"""Errors of Kerberos in words, for a client of ZooKeeper, in a line each.

A code says what kind of fault it is. The library's own words come after it: they name the realm,
the principal and the file.
"""

from __future__ import annotations

# MIT's numbers of the protocol's errors and of the library's begin here; krb5.h has their names.
_KRB5 = -1765328384

_CLOCK = "the clock of this machine, of the KDC or of the server is off"
_KEY = "the KDC refuses the key, which may be an old one"
_NO_TICKET = "kinit gets one, or a keytab"
_NO_KDC = "no KDC answers"
_OF_SERVER = "the server does not prove who it is"

MEANINGS = {
    _KRB5 + 6: "the KDC does not know the client",
    _KRB5 + 7: (
        "the KDC does not know {server}; service and host say what the servers are called there"
    ),
    _KRB5 + 18: "the KDC has locked the client out",
    _KRB5 + 23: "the KDC wants a new password of the client",
    _KRB5 + 24: _KEY,
    _KRB5 + 31: _OF_SERVER,
    _KRB5 + 32: "the ticket has expired",
    _KRB5 + 33: _CLOCK,
    _KRB5 + 37: _CLOCK,
    _KRB5 + 38: "the ticket is for another address",
    _KRB5 + 41: "the servers have another key than the KDC",
    _KRB5 + 46: _OF_SERVER,
    _KRB5 + 135: "krb5.conf cannot be read",
    _KRB5 + 136: "krb5.conf cannot be read",
    _KRB5 + 141: _NO_TICKET,
    _KRB5 + 148: _CLOCK,
    _KRB5 + 154: "krb5.conf names no KDC of the realm",
    _KRB5 + 156: _NO_KDC,
    _KRB5 + 195: _NO_TICKET,
    _KRB5 + 220: _NO_KDC,
    _KRB5 + 224: "krb5.conf names no realm",
    _KRB5 + 235: "the file is spoilt",
}


# Of a principal that is not in the keytab the library only says that no cache has a ticket.
_NO_KEY = "it has no key of that principal"
OF_KEYTABS = {_KRB5 + 141: _NO_KEY, _KRB5 + 181: _NO_KEY, _KRB5 + 195: _NO_KEY}


def words(code: int, text: str, server: str = "") -> str:
    """Say what the library's error means, with its own text."""
    one_line = " ".join(text.split())
    meaning = MEANINGS.get(_signed(code))
    return f"{meaning.format(server=server)} ({one_line})" if meaning else one_line


def keytab_words(code: int, text: str) -> str:
    """Say the same of an attempt to get a ticket by a keytab."""
    return OF_KEYTABS.get(_signed(code)) or words(code, text)


def _signed(code: int) -> int:
    # GSSAPI has unsigned numbers, and the library's headers signed ones.
    return (code + (1 << 31)) % (1 << 32) - (1 << 31)
