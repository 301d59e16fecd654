"""TLS of a server for tests: its settings, and Python's `ssl` set up by them."""

from __future__ import annotations

import logging
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from zookeeper.regularfiles import StrPath, open_regular
from zookeeper.secretfiles import warn_of_readers

logger = logging.getLogger("zc.zk.testing")

_VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}

# The demands on clients, in the words of ZooKeeper's `ssl.clientAuth`.
_CLIENT_AUTH: Final = {
    "need": ssl.CERT_REQUIRED,
    "want": ssl.CERT_OPTIONAL,
    "none": ssl.CERT_NONE,
}


@dataclass(frozen=True, kw_only=True)
class ServerTLS:
    """The TLS settings of a `Server`, in the words of `zc.zk.TLS`.

    certificate: a PEM file with the server's certificate, and those between it and an authority.
    key: a PEM file with its key; by default the key is in `certificate`.
    key_password: the password that the key is encrypted with.
    ca: a PEM file, or a folder of hashed names, with the authorities of clients' certificates.
    client_auth: 'need' turns clients without a certificate away, 'want' lets them in, 'none' asks
        for none. By default it is 'need' where there is a `ca`.
    minimum_version: '1.2' or '1.3'.

    The files are read when the server is made, and again for new connections when they have
    changed. If changed ones cannot be used, the former ones stay in use, and the log says why.
    """

    certificate: StrPath
    key: StrPath | None = None
    key_password: str | bytes | None = field(default=None, repr=False)
    ca: StrPath | None = None
    client_auth: str | None = None
    minimum_version: str = "1.2"

    def __post_init__(self) -> None:
        if self.client_auth not in (None, *_CLIENT_AUTH):
            raise ValueError(f"client_auth is 'need', 'want' or 'none', not {self.client_auth!r}")
        if self.client_auth in ("need", "want") and self.ca is None:
            raise ValueError(f"client_auth={self.client_auth!r} takes a ca to check them with")
        if self.minimum_version not in _VERSIONS:
            raise ValueError(f"minimum_version is '1.2' or '1.3', not {self.minimum_version!r}")

    @property
    def asks_for_certificates(self) -> bool:
        """Whether clients are asked for a certificate."""
        return self.ca is not None and self.client_auth != "none"


class Contexts:
    """The context for new connections. Raises ValueError for a file that cannot be used."""

    def __init__(self, settings: ServerTLS) -> None:
        self._settings = settings
        self._seen = self._stamps()
        self._context = _context(settings)
        warn_of_readers(settings.key or settings.certificate, "the key")

    def current(self) -> ssl.SSLContext:
        """Return it, made anew if the files have changed."""
        stamps = self._stamps()
        if stamps != self._seen:
            self._seen = stamps
            try:
                self._context = _context(self._settings)
            except ValueError as fault:
                logger.warning("%s; the former files stay in use", fault)
        return self._context

    def _stamps(self) -> list[tuple[int, ...] | None]:
        settings = self._settings
        return [_stamp(path) for path in (settings.certificate, settings.key, settings.ca)]


def _stamp(path: StrPath | None) -> tuple[int, ...] | None:
    try:
        status = os.stat(path) if path is not None else None
    except OSError:
        return None  # the error comes when the file is read
    return status and (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _context(settings: ServerTLS) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[settings.minimum_version]
    # It costs the server more than the client, and nobody has a use for it.
    context.options |= ssl.OP_NO_RENEGOTIATION
    _load_certificate(context, settings)
    if settings.ca is not None:
        context.verify_mode = _CLIENT_AUTH[settings.client_auth or "need"]
        _load_authorities(context, settings.ca)
    return context


def _load_certificate(context: ssl.SSLContext, settings: ServerTLS) -> None:
    certificate = settings.certificate
    key = settings.key if settings.key is not None else certificate
    for path in (certificate, key):
        _require_readable(path)
    is_asked: list[bool] = []

    def password() -> str | bytes:
        # Without it OpenSSL asks at the terminal, for as long as it takes.
        is_asked.append(True)
        return settings.key_password or b""

    try:
        context.load_cert_chain(certificate, key, password)
    except ssl.SSLError as fault:
        if is_asked and settings.key_password is None:
            reason = "the key is encrypted, and there is no key_password"
        elif is_asked:
            reason = "the key_password is wrong"
        elif fault.reason == "KEY_VALUES_MISMATCH":
            reason = f"the key does not belong to the certificate in {os.fspath(certificate)}"
        else:
            _require_certificate(certificate)
            reason = f"no key in PEM ({fault.reason or 'PEM'})"
        raise ValueError(f"{os.fspath(key)}: {reason}") from None


def _load_authorities(context: ssl.SSLContext, ca: StrPath) -> None:
    if os.path.isdir(ca):
        context.load_verify_locations(capath=ca)
        return
    _require_readable(ca)
    _require(lambda: context.load_verify_locations(ca), ca)


def _require_certificate(path: StrPath) -> None:
    _require(lambda: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path), path)


def _require(load: Callable[[], None], path: StrPath) -> None:
    try:
        load()
    except ssl.SSLError as fault:
        raise ValueError(f"{os.fspath(path)}: no certificate in PEM ({fault.reason})") from None


def _require_readable(path: StrPath) -> None:
    try:
        with open_regular(path):
            pass
    except OSError as fault:
        raise ValueError(f"{os.fspath(path)}: {fault.strerror}") from None
