"""Certificates for tests: authorities, servers and clients, in PEM files.

    authority = Authority(folder)
    server = authority.issue("server", "localhost", "127.0.0.1")
    TLS(ca=authority.file, certificate=server.certificate, key=server.key)

They are made by trustme, with keys that are used nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes


class Issued(NamedTuple):
    """Files of a certificate and its key, and one with both for Java's servers."""

    certificate: Path
    key: Path
    both: Path


class Authority:
    """An authority of its own, with its certificate in `file`."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self.folder = folder
        self.file = folder / f"{name}.pem"
        self._ca = trustme.CA(organization_name=name)
        self._ca.cert_pem.write_to_path(self.file)

    def issue(
        self,
        name: str,
        *identities: str,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> Issued:
        """Issue a certificate for host names and addresses, in files called `name`."""
        leaf = self._ca.issue_cert(
            *(identities or (f"{name}.example.com",)),
            common_name=name,
            not_before=not_before,
            not_after=not_after,
        )
        return self._written(name, leaf.cert_chain_pems, leaf.private_key_pem)

    def self_signed(self) -> Issued:
        """Return the authority's own certificate, as a server might show it."""
        return self._written("self-signed", [self._ca.cert_pem], self._ca.private_key_pem)

    def _written(self, name: str, chain: list[trustme.Blob], private_key: trustme.Blob) -> Issued:
        issued = Issued(*(self.folder / f"{name}-{part}.pem" for part in Issued._fields))
        issued.certificate.unlink(missing_ok=True)
        for number, part in enumerate(chain):
            part.write_to_path(issued.certificate, append=number > 0)
        write_key(issued, serialization.load_pem_private_key(private_key.bytes(), None))
        return issued


def write_key(issued: Issued, key: PrivateKeyTypes) -> None:
    """Write the key of a certificate that is written, and both into one file."""
    # Java reads no other form of keys.
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    issued.key.write_bytes(text)
    issued.key.chmod(0o600)
    issued.both.write_bytes(text + issued.certificate.read_bytes())


def server_settings(
    authority: Authority, server: Issued, port: int, client_auth: str = "need"
) -> Mapping[str, object]:
    """Return lines of zoo.cfg for a port that accepts nothing but TLS."""
    return secure_port(authority.file, server.both, port, client_auth)


def secure_port(
    authority: Path, both: Path, port: int, client_auth: str = "need"
) -> Mapping[str, object]:
    """Return the same, given the files: the authority's, and one with certificate and key."""
    return {
        "serverCnxnFactory": "org.apache.zookeeper.server.NettyServerCnxnFactory",
        "secureClientPort": port,
        "ssl.keyStore.location": both,
        "ssl.keyStore.type": "PEM",
        "ssl.trustStore.location": authority,
        "ssl.trustStore.type": "PEM",
        "ssl.clientAuth": client_auth,
        "ssl.hostnameVerification": "false",
    }
