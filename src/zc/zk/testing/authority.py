"""Certificates for tests and development: an authority of one's own, in a folder.

They are made by trustme, of the extra `zc.zk[certificates]`, and good for nothing else: everybody
who can read the folder can be a server and any client.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
import os
import tempfile
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from zc.zk.testing.tls import ServerTLS
from zookeeper.regularfiles import StrPath, open_regular
from zookeeper.tls import TLS

if TYPE_CHECKING:
    import trustme

# Where servers for tests are found.
HOSTS = ("localhost", "127.0.0.1", "::1")

# Of all names in these certificates: `CN=client,OU=clients,O=zc.zk.testing`.
ORGANISATION = "zc.zk.testing"


class Issued(NamedTuple):
    """The files of a certificate and of its key."""

    certificate: Path
    key: Path


def certificates(folder: StrPath, *hosts: str) -> "Certificates":
    """Return the certificates in a folder; make them first if they are not there.

    The server's is for `hosts`, names and addresses, by default those of this machine's loopback.
    Raises ValueError if the folder has other files of these names, which stay as they are, and
    ImportError without `trustme`.
    """
    return Certificates(Path(folder), hosts or HOSTS)


class Certificates:
    """An authority, and what it has issued, as files of `folder`.

    ca: the file with the authority's certificate; beside it is `ca.key`, with the authority's key.
    server: the files of the server's certificate.
    client: the files of a client's.
    """

    def __init__(self, folder: Path, hosts: tuple[str, ...]) -> None:
        self.folder = folder
        self.ca = folder / "ca.pem"
        self.server = self._files("server")
        self.client = self._files("client")
        self._hosts = hosts
        self._key = folder / "ca.key"
        if not all(path.exists() for path in (self.ca, *self.server, *self.client)):
            self._make()

    def __repr__(self) -> str:
        return f"<Certificates in {self.folder}>"

    @property
    def server_tls(self) -> ServerTLS:
        """Settings for a `Server`, which then needs certificates of its clients."""
        return ServerTLS(certificate=self.server.certificate, key=self.server.key, ca=self.ca)

    @property
    def client_tls(self) -> TLS:
        """Settings for a `ZooKeeper`."""
        return TLS(ca=self.ca, certificate=self.client.certificate, key=self.client.key)

    def issue(self, name: str, *hosts: str, not_after: datetime | None = None) -> Issued:
        """Issue a certificate called `name`, in files of that name, which are replaced.

        It is for `hosts`, names and addresses; without any, 'server' is for those of before, and
        others are for clients. `not_after` is when it expires, which may be in the past.
        """
        if not name or name[0] == "." or "/" in name or "\0" in name or name == "ca":
            raise ValueError(f"not a name for a certificate: {name!r}")
        _require_trustme()
        is_server = bool(hosts) or name == "server"
        leaf = self._authority().issue_cert(
            *(hosts or (self._hosts if is_server else (f"{name}.example.com",))),
            common_name=name,
            organization_name=ORGANISATION,
            organization_unit_name="servers" if is_server else "clients",
            not_after=not_after,
        )
        issued = self._files(name)
        # The key first: a server that looks in between keeps what it has.
        _write(issued.key, _pkcs8(leaf.private_key_pem.bytes()), 0o600)
        chain = b"".join(part.bytes() for part in leaf.cert_chain_pems)
        _write(issued.certificate, chain, 0o644)
        return issued

    def _files(self, name: str) -> Issued:
        return Issued(self.folder / f"{name}.pem", self.folder / f"{name}.key")

    def _authority(self) -> "trustme.CA":
        import trustme

        try:
            return trustme.CA.from_pem(_read(self.ca), _read(self._key))
        except OSError as fault:
            raise ValueError(f"{fault.filename}: {fault.strerror}") from None
        except ValueError as fault:
            raise ValueError(
                f"{self.folder}: ca.pem and ca.key are no authority: {fault}"
            ) from None

    def _make(self) -> None:
        """Make what is missing. Nothing that is there is replaced."""
        _require_trustme()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (self.ca.exists() and self._key.exists()):
            for path in (self.ca, self._key, *self.server, *self.client):
                if path.exists():
                    raise ValueError(f"{path}: it is there, without an authority of ours")
            self._make_authority()
        for name, files in (("server", self.server), ("client", self.client)):
            if not all(path.exists() for path in files):
                self.issue(name)

    def _make_authority(self) -> None:
        import trustme

        authority = trustme.CA(organization_name=ORGANISATION, organization_unit_name="authority")
        _write(self._key, _pkcs8(authority.private_key_pem.bytes()), 0o600)
        _write(self.ca, authority.cert_pem.bytes(), 0o644)


def _require_trustme() -> None:
    if find_spec("trustme") is None:
        raise ImportError(
            "trustme makes certificates, and is not there: pip install 'zc.zk[certificates]'"
        )


def _pkcs8(key: bytes) -> bytes:
    """Write a key in the one form that Java reads, too."""
    from cryptography.hazmat.primitives import serialization

    return serialization.load_pem_private_key(key, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _read(path: Path) -> bytes:
    with open_regular(path) as file:
        return file.read()


def _write(path: Path, content: bytes, mode: int) -> None:
    """Replace a file in one step."""
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(number, "wb") as file:
            os.fchmod(number, mode)
            file.write(content)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
