"""TLS and SASL of `zookeeper_server`, in the words of the clients' options."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zc.zk.cli.failures import Failure, Misuse
from zc.zk.cli.input import read_text

if TYPE_CHECKING:
    from zc.zk.testing.authority import Certificates
    from zc.zk.testing.tls import ServerTLS

CLIENT_AUTH = ("need", "want", "none")
SCHEMES = ("sasl", "x509", "digest")
VERSIONS = ("1.2", "1.3")

# An address that is none: a server there is found by the names of its machine.
WILDCARDS = ("", "0.0.0.0", "::")


def add_security_arguments(parser: ArgumentParser) -> None:
    """Add arguments that say what clients have to do before they are served."""
    group = parser.add_argument_group("TLS and SASL")

    def add(option: str, help: str, **kwargs: Any) -> None:
        group.add_argument(option, help=help, **kwargs)

    add(
        "--tls",
        "speak nothing but TLS, with ca.pem, server.pem and server.key of this folder; what is not"
        " there is made, and client.pem and client.key too",
        metavar="FOLDER",
    )
    add("--tls-certificate", "the server's certificate, in place of --tls", metavar="FILE")
    add("--tls-key", "its key (default: it is in the same file)", metavar="FILE")
    add("--tls-key-password-file", "the password of the key is in this file", metavar="FILE")
    add("--tls-ca", "accept client certificates of authorities in this PEM file", metavar="FILE")
    add(
        "--tls-client-auth",
        "whether clients need a certificate (default: need, where there are authorities for them)",
        choices=CLIENT_AUTH,
    )
    add("--tls-minimum-version", "refuse older versions (default: 1.2)", choices=VERSIONS)
    add(
        "--sasl",
        "let the users in this file log in by digest-md5; each line is USER:PASSWORD",
        metavar="FILE",
    )
    add(
        "--require-auth",
        "hang up on clients that have not proved who they are by this scheme; may be given again",
        choices=SCHEMES,
        action="append",
        default=[],
    )


def require_sense(options: Namespace) -> None:
    """Raise Misuse for schemes that no client could prove an identity of."""
    if "sasl" in options.require_auth and options.sasl is None:
        raise Misuse("--require-auth sasl takes --sasl")
    if "x509" in options.require_auth and options.tls is None and options.tls_ca is None:
        raise Misuse("--require-auth x509 takes --tls or --tls-ca")


def tls(options: Namespace) -> ServerTLS | None:
    """Return the settings for TLS, None for a plain server. Raises Failure."""
    own = options.tls_certificate, options.tls_key, options.tls_key_password_file, options.tls_ca
    if options.tls is not None and any(each is not None for each in own):
        raise Misuse("--tls has its files in a folder: leave out the options that name files")
    if options.tls is None and options.tls_certificate is None:
        for name in ("key", "key_password_file", "ca", "client_auth", "minimum_version"):
            if getattr(options, f"tls_{name}") is not None:
                option = name.replace("_", "-")
                raise Misuse(f"--tls-{option} is of no use without --tls or --tls-certificate")
        return None
    from zc.zk.testing.tls import ServerTLS

    try:
        files = _in_folder(options) if options.tls is not None else _named(options)
        return ServerTLS(
            **files,
            client_auth=options.tls_client_auth,
            minimum_version=options.tls_minimum_version or "1.2",
        )
    except ValueError as fault:
        raise Failure(str(fault)) from fault


def _named(options: Namespace) -> dict[str, Any]:
    from zookeeper.secretfiles import password_in

    password = options.tls_key_password_file
    return {
        "certificate": options.tls_certificate,
        "key": options.tls_key,
        "key_password": None if password is None else password_in(password),
        "ca": options.tls_ca,
    }


def _in_folder(options: Namespace) -> dict[str, Any]:
    folder = Path(options.tls)
    files = {
        "ca": folder / "ca.pem",
        "certificate": folder / "server.pem",
        "key": folder / "server.key",
    }
    if not all(path.exists() for path in files.values()):
        _make(folder, options.host)
    return files


def _make(folder: Path, host: str) -> Certificates:
    import socket

    from zc.zk.testing.authority import HOSTS, certificates

    own = (socket.gethostname(), socket.getfqdn()) if host in WILDCARDS else (host,)
    try:
        return certificates(folder, *dict.fromkeys([*HOSTS, *own]))
    except ImportError as fault:
        raise Failure(str(fault)) from fault
    except OSError as fault:
        raise Failure(f"{fault.filename or folder}: {fault.strerror}") from fault


def needs(settings: ServerTLS, folder: str | None) -> str:
    """Return what clients need, as they type it."""
    options = []
    if folder is not None:
        options.append(f"--tls-ca {os.path.join(folder, 'ca.pem')}")
    else:
        options.append("--tls, or --tls-ca with its authority")
    if settings.asks_for_certificates:
        own = [os.path.join(folder, f"client.{end}") for end in ("pem", "key")] if folder else []
        if own and all(map(os.path.exists, own)):
            options.append(f"--tls-certificate {own[0]} --tls-key {own[1]}")
        else:
            options.append(f"and --tls-certificate of an authority in {settings.ca}")
    return " ".join(options)


def users(file: str) -> dict[str, str]:
    """Return the passwords in a file by name. Raises Failure, without what is in it."""
    from zookeeper.secretfiles import warn_of_readers

    text, where = read_text(file)
    warn_of_readers(file, "what is in it")
    return dict(_users(text, where))


def _users(text: str, where: str) -> Iterator[tuple[str, str]]:
    from zookeeper.secretfiles import credential_lines

    for number, line in credential_lines(text, where):
        user, colon, password = line.partition(":")
        if not (user and colon):
            raise Failure(f"{where}: line {number}: not of the form USER:PASSWORD")
        yield user, password
