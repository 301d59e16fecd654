"""The login (SASL) of clients and of the run's own sessions, with a password that is changed.

Servers read their JAAS file when they start. While the file is spoilt, a server that starts lets
none of the clients in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests import saslservers
from tests.saslservers import Jaas, digest_login

USER = "app"
PASSWORD = "secret"


class Logins:
    """A user and the password, and the JAAS file of all servers."""

    # Servers hang up on strangers.
    settings: Mapping[str, object] = {**saslservers.SETTINGS, **saslservers.ENFORCED}

    def __init__(self, folder: Path) -> None:
        self._jaas = Jaas(folder, digest_login({USER: PASSWORD}))

    @property
    def java_options(self) -> Sequence[str]:
        return self._jaas.java_options

    def spoil(self) -> None:
        """Have servers that start from here on want another password."""
        self._jaas.write(digest_login({USER: "another"}))

    def heal(self) -> None:
        """Have servers that start from here on want the right one."""
        self._jaas.write(digest_login({USER: PASSWORD}))

    def credentials(self) -> tuple[str, str]:
        """Return user and password, as the client process is told them."""
        return USER, PASSWORD


def for_kazoo(login: Sequence[str] | None) -> dict[str, Any]:
    """Return the arguments that make a client of kazoo log in."""
    if login is None:
        return {}
    user, password = login
    return {
        "sasl_options": {"mechanism": "DIGEST-MD5", "username": user, "password": password},
    }
