"""The names by which a browser may ask for the page.

Pure. Somebody who has the name of a site of his lead to this machine could otherwise read the page
by a script of that site. Numbers lead nowhere else than where they say, and a name without a dot
is nobody's on the Internet.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.(?!-)[a-z0-9_-]{1,63})*", re.ASCII)


class HostNames:
    """Names that are known, apart from numbers."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = {_plain(name) for name in names}

    def know(self, host: str | None) -> bool:
        """Return whether a request to `host`, perhaps with a port, is meant for us."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return _plain(name) in self._names or is_number(name)


def names_of_machine(hostname: str) -> list[str]:
    """Return the names that a machine goes by: its own, and that without its domain."""
    return [hostname, hostname.partition(".")[0]]


def checked(name: str) -> str:
    """Return a name as browsers send it. Raise ValueError if it is no name of a host."""
    try:
        plain = _plain(name if name.isascii() else name.encode("idna").decode())
    except UnicodeError:
        plain = ""
    if len(plain) > 253 or not (_NAME.fullmatch(plain) or is_number(plain)):
        raise ValueError(f"not the name of a host, without a port: {name!r}")
    return plain


def is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _plain(name: str) -> str:
    return name.lower().removesuffix(".")
