"""Certificates that trustme does not make: any names, in any number, and long chains.

chain = Chain(folder, length=3)
issued = chain.issue("server", [x509.DNSName("*.example.com")])
TLS(ca=chain.file)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.certificates import Issued, write_key

DAY = timedelta(days=1)

Key = ec.EllipticCurvePrivateKey


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(
    subject: str, key: Key, issuer: x509.Name, issuer_key: Key, extensions: list[x509.ExtensionType]
) -> x509.Certificate:
    now = datetime.now(timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


class Chain:
    """An authority in `file`, and so many others, each certified by the one before."""

    def __init__(self, folder: Path, length: int = 0) -> None:
        self.folder = folder
        self.file = folder / f"chain-{length}.pem"
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("root")
        is_authority: list[x509.ExtensionType] = [x509.BasicConstraints(True, None)]
        root = _certificate("root", self._key, self._name, self._key, is_authority)
        self.file.write_bytes(root.public_bytes(serialization.Encoding.PEM))
        self._between: list[x509.Certificate] = []
        for number in range(length):
            key = ec.generate_private_key(ec.SECP256R1())
            subject = f"authority {number}"
            made = _certificate(subject, key, self._name, self._key, is_authority)
            self._between.insert(0, made)
            self._key, self._name = key, _name(subject)

    def issue(
        self, name: str, names: Sequence[x509.GeneralName], common_name: str | None = None
    ) -> Issued:
        """Issue a certificate for these names, without any if there are none."""
        key = ec.generate_private_key(ec.SECP256R1())
        extensions: list[x509.ExtensionType] = [x509.BasicConstraints(False, None)]
        if names:
            extensions.append(x509.SubjectAlternativeName(names))
        leaf = _certificate(common_name or name, key, self._name, self._key, extensions)
        issued = Issued(*(self.folder / f"{name}-{part}.pem" for part in Issued._fields))
        issued.certificate.write_bytes(
            b"".join(
                each.public_bytes(serialization.Encoding.PEM) for each in (leaf, *self._between)
            )
        )
        write_key(issued, key)
        return issued
