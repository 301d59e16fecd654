"""TLS settings: whom a session trusts, and how the client proves itself.

    zookeeper.init("zk1:2281", tls=True)                        # the system's authorities
    zookeeper.init("zk1:2281", tls=TLS(ca="/etc/zk/ca.pem"))    # an own one

Files are read when a session is opened, and for each new connection if they have changed. If
changed files cannot be used, the former ones stay in use.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any, Final

from zookeeper.regularfiles import StrPath
from zookeeper.secretfiles import warn_of_readers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zookeeper._tls import Configuration

logger = logging.getLogger("zookeeper")

VERSIONS: Final = {"1.2": 0x0303, "1.3": 0x0304}

# OpenSSL has room for so long a password of a key, and TLS for so long a name of a server.
MAX_KEY_PASSWORD_BYTES = 1024
MAX_SERVER_HOSTNAME_BYTES = 255


class TLS:
    """The TLS settings of a session. They do not change, and can be shared.

    ca: a PEM file, or a folder of hashed names, with the certificates of the trusted authorities;
        by default the system's.
    certificate: a PEM file with the client's certificate, and those between it and an authority.
    key: a PEM file with the client's key; by default the key is in `certificate`.
    key_password: the password that the key is encrypted with.
    check_hostname: whether a server's certificate has to name the host of the connection string.
    server_hostname: the name that it has to have instead, also sent to the server (SNI).
    minimum_version: '1.2' or '1.3'.
    verify: whether a server's certificate has to come from a trusted authority. Otherwise any
        machine can be the server; a warning is logged.
    """

    __slots__ = (
        "_configuration", "ca", "certificate", "check_hostname", "key", "key_password",
        "minimum_version", "server_hostname", "verify",
    )  # fmt: skip

    def __init__(
        self,
        *,
        ca: StrPath | None = None,
        certificate: StrPath | None = None,
        key: StrPath | None = None,
        key_password: str | bytes | None = None,
        check_hostname: bool = True,
        server_hostname: str | None = None,
        minimum_version: str = "1.2",
        verify: bool = True,
    ) -> None:
        if key is not None and certificate is None:
            raise ValueError("a key is of no use without its certificate")
        if key_password is not None and certificate is None:
            raise ValueError("a password is of no use without a key")
        for name, path in (("ca", ca), ("certificate", certificate), ("key", key)):
            if path is not None and not isinstance(path, (str, os.PathLike)):
                raise TypeError(f"{name} must be the path of a file, not {type(path).__name__}")
        if key_password is not None and not isinstance(key_password, (str, bytes)):
            raise TypeError(f"key_password must be text, not {type(key_password).__name__}")
        if server_hostname is not None and not isinstance(server_hostname, str):
            raise TypeError(f"server_hostname must be str, not {type(server_hostname).__name__}")
        if server_hostname is not None and not server_hostname:
            raise ValueError("server_hostname is empty")
        if server_hostname is not None and server_hostname.startswith("."):
            # OpenSSL would take the certificate of any host below it.
            raise ValueError(f"server_hostname begins with a dot: {server_hostname!r}")
        for name, value, most in (
            ("key_password", key_password, MAX_KEY_PASSWORD_BYTES),
            ("server_hostname", server_hostname, MAX_SERVER_HOSTNAME_BYTES),
        ):
            if len(_bytes(name, value) or b"") > most:
                raise ValueError(f"{name} has more than {most} bytes")
        if minimum_version not in VERSIONS:
            raise ValueError(f"minimum_version is '1.2' or '1.3', not {minimum_version!r}")
        self.ca = ca
        self.certificate = certificate
        self.key = key
        self.key_password = key_password
        self.check_hostname = check_hostname
        self.server_hostname = server_hostname
        self.minimum_version = minimum_version
        self.verify = verify
        self._configuration: tuple[int, Configuration] | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> TLS | None:
        """Make the settings of the variables `ZC_ZK_TLS...`, or None where there are none.

        `ZC_ZK_TLS` is 1 or 0; `ZC_ZK_TLS_CA` and so on are the arguments, in capitals, and
        `ZC_ZK_TLS_KEY_PASSWORD_FILE` a file with the password. `environ` is the environment of the
        process by default. Raises ValueError for settings that make no sense.
        """
        from zookeeper.environment import TLS_PREFIX, tls_arguments

        arguments = tls_arguments(os.environ if environ is None else environ)
        if arguments is None:
            return None
        try:
            return cls(**arguments)
        except ValueError as fault:
            raise ValueError(f"{TLS_PREFIX}: {fault}") from fault

    def __repr__(self) -> str:
        """Show all settings but the password."""
        default: dict[str, Any] = TLS.__init__.__kwdefaults__ or {}
        shown = [
            f"{name}={'...' if name == 'key_password' else repr(getattr(self, name))}"
            for name in default
            if getattr(self, name) != default[name]
        ]
        return f"TLS({', '.join(shown)})"

    def configuration(self) -> Configuration:
        """Read the files, the first time.

        Raises ValueError for a file that cannot be used.
        """
        # Not in a child process: a lock in it may have been held at the fork.
        if self._configuration is None or self._configuration[0] != os.getpid():
            self._configuration = os.getpid(), self._configure()
        return self._configuration[1]

    def _configure(self) -> Configuration:
        from zookeeper._tls import Configuration

        file, folder = self._authorities()
        if not self.verify:
            logger.warning("%r: any machine that answers is taken for the server", self)
        elif not self.check_hostname:
            logger.warning("%r: any holder of a certificate is taken for the server", self)
        configuration = Configuration(
            file,
            folder,
            _path(self.certificate),
            _path(self.key),
            _bytes("key_password", self.key_password),
            _bytes("server_hostname", self.server_hostname),
            self.check_hostname,
            self.verify,
            VERSIONS[self.minimum_version],
        )
        key = self.key if self.key is not None else self.certificate
        if key is not None:
            warn_of_readers(key, "the key")
        return configuration

    def _authorities(self) -> tuple[bytes | None, bytes | None]:
        """Return the file and the folder of the authorities' certificates."""
        if self.ca is not None:
            path = _path(self.ca)
            return (None, path) if os.path.isdir(self.ca) else (path, None)
        if not self.verify:
            return None, None
        import ssl  # slow

        # The built-in OpenSSL does not know where this system has them; Python's does.
        paths = ssl.get_default_verify_paths()
        return _path(paths.cafile), _path(paths.capath)


def configuration(tls: Any) -> Configuration | None:
    """Make the configuration for the argument `tls` of `init`.

    It is True, False, None or a `TLS`.
    """
    if tls is None or tls is False:
        return None
    if tls is True:
        return TLS().configuration()
    if isinstance(tls, TLS):
        return tls.configuration()
    raise TypeError(f"tls must be True, False, None or a TLS, not {type(tls).__name__}")


def _path(path: StrPath | None) -> bytes | None:
    if path is None:
        return None
    try:
        encoded = os.fsencode(path)
    except UnicodeEncodeError:
        raise ValueError(f"a file cannot have this path: {path!r}") from None
    if b"\0" in encoded:
        raise ValueError(f"a path must not hold a null character: {path!r}")
    return encoded


def _bytes(name: str, value: str | bytes | None) -> bytes | None:
    if value is None:
        return None
    try:
        encoded = value.encode() if isinstance(value, str) else value
    except UnicodeEncodeError:
        # Without the exception, which has the value in it.
        raise ValueError(f"{name} cannot be written in UTF-8") from None
    if b"\0" in encoded:
        raise ValueError(f"{name} must not hold a null character")
    return encoded
