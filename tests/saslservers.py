"""Real servers whose clients log in by SASL: a JAAS file, and what servers need to read it.

jaas = Jaas(folder, digest_login({"app": "secret"}))
with standalone(settings=SETTINGS, java_options=jaas.java_options) as server:
    connect_to(server.connection_string, sasl=SASL.digest_md5("app", "secret"))
    jaas.write(digest_login({"app": "changed"}))
    server.restart()
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.servers import QUICK_START

# Lines of zoo.cfg. Without a provider servers know no ACL of the scheme `sasl`; the other line is
# in many guides, and means nothing to servers of 3.8.
SETTINGS: Mapping[str, object] = {
    "authProvider.sasl": "org.apache.zookeeper.server.auth.SASLAuthenticationProvider",
    "requireClientAuthScheme": "sasl",
}

# Servers hang up on clients that have not logged in.
REQUIRED = {"sessionRequireClientSASLAuth": "true"}
ENFORCED = {"enforce.auth.enabled": "true", "enforce.auth.schemes": "sasl"}
# Servers go on with clients whose login fails, as with strangers.
FAILURES_ALLOWED = {"allowSaslFailedClients": "true"}


class Jaas:
    """The JAAS file of servers, which read it when they start."""

    def __init__(self, folder: Path, login: str) -> None:
        self.path = folder / "jaas.conf"
        self.write(login)

    def write(self, login: str) -> None:
        """Have servers that start from now on accept other clients."""
        self.path.write_text(f"Server {{\n{login};\n}};\n", encoding="utf-8")

    @property
    def java_options(self) -> tuple[str, ...]:
        """The options of a server that starts quickly and reads the file."""
        return (*QUICK_START, f"-Djava.security.auth.login.config={self.path}")


def digest_login(users: Mapping[str, str]) -> str:
    """Return the login by name and password (DIGEST-MD5)."""
    return login_module(
        "org.apache.zookeeper.server.auth.DigestLoginModule",
        {f"user_{user}": password for user, password in users.items()},
    )


def kerberos_login(principal: str, keytab: Path) -> str:
    """Return the login by Kerberos (GSSAPI) of a server with that principal.

    It takes no ticket for itself, so that it starts without a KDC.
    """
    return login_module(
        "com.sun.security.auth.module.Krb5LoginModule",
        {
            "useKeyTab": "true",
            "keyTab": str(keytab),
            "storeKey": "true",
            "useTicketCache": "false",
            "isInitiator": "false",
            "principal": principal,
        },
    )


def login_module(name: str, options: Mapping[str, str]) -> str:
    """Return one login of a JAAS file."""
    lines = [f"{key}={_quoted(value)}" for key, value in options.items()]
    return "\n    ".join([f"  {name} required", *lines])


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
