"""Entries of ACLs, as `zc.zk` makes them, let the right one in and keep others out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import zookeeper
from tests import saslservers
from tests.certificates import Authority, server_settings
from tests.deadlines import scaled
from tests.ports import LOOPBACK, free_ports
from tests.pure.test_acl import DAY, SUBJECTS
from tests.saslservers import Jaas, digest_login
from tests.servers import standalone
from tests.sessions import wait_until_connected
from zc.zk import digest_acl, sasl_acl, x509_acl
from zookeeper.types import AclEntry

pytestmark = [
    pytest.mark.real_only("only a real server knows certificates"),
    pytest.mark.not_over_tls("its servers and clients have keys of their own"),
]

SESSION_TIMEOUT = int(scaled(10_000))


class Clients:
    """A server that wants client certificates, and the authority that makes any."""

    def __init__(self, hosts: str, authority: Authority) -> None:
        self.hosts = hosts
        self.authority = authority

    def certificate(self, subject: x509.Name, file: Path) -> Path:
        """Write a certificate of that subject, and its key, into a file."""
        # The authority's key, which the class keeps to itself.
        ca: trustme.CA = self.authority._ca
        own = serialization.load_pem_private_key(ca.private_key_pem.bytes(), None)
        assert isinstance(own, ec.EllipticCurvePrivateKey)
        issuer = x509.load_pem_x509_certificate(ca.cert_pem.bytes()).subject
        key = ec.generate_private_key(ec.SECP256R1())
        made = (
            x509.CertificateBuilder(issuer, subject, key.public_key(), 7)
            .not_valid_before(DAY.replace(year=2000))
            .not_valid_after(DAY.replace(year=2100))
            .sign(own, hashes.SHA256())
        )
        text = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        file.touch(0o600)
        file.write_bytes(text + made.public_bytes(serialization.Encoding.PEM))
        return file

    def connect(self, certificate: Path) -> int:
        tls = zookeeper.TLS(ca=self.authority.file, certificate=certificate)
        handle = zookeeper.init(self.hosts, None, SESSION_TIMEOUT, tls=tls)
        wait_until_connected(zookeeper, handle)
        return handle


@pytest.fixture(scope="module")
def clients(own_servers_only: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    authority = Authority(tmp_path_factory.mktemp("certificates"))
    issued = authority.issue("server", LOOPBACK)
    (port,) = free_ports(1)
    settings = {
        **server_settings(authority, issued, port),
        "secureClientPortAddress": LOOPBACK,
    }
    with standalone(settings=settings):
        yield Clients(f"{LOOPBACK}:{port}", authority)


@pytest.fixture
def opened() -> Iterator[list[int]]:
    handles: list[int] = []
    yield handles
    for handle in handles:
        zookeeper.close(handle)


def makes(handle: int, path: str, entry: AclEntry) -> None:
    """See that a client can make a node for itself, and read what it wrote."""
    zookeeper.create(handle, path, "mine", [entry])
    assert zookeeper.get(handle, path)[0] == "mine"


def is_kept_out(handle: int, path: str) -> None:
    with pytest.raises(zookeeper.NoAuthException):
        zookeeper.get(handle, path)
    with pytest.raises(zookeeper.NoAuthException):
        zookeeper.get_children(handle, path)
    with pytest.raises(zookeeper.NoAuthException):
        zookeeper.set(handle, path, "")


@pytest.mark.parametrize("number", range(len(SUBJECTS)))
def test_a_subject_is_the_one_that_the_server_knows(clients, opened, tmp_path, number) -> None:
    expected, subject = list(SUBJECTS.items())[number]
    file = clients.certificate(subject, tmp_path / "client.pem")
    opened.append(clients.connect(file))
    mine, others = f"/mine-{number}", f"/others-{number}"
    zookeeper.create(opened[0], mine, "", [{"scheme": "auth", "id": "", "perms": 31}])
    assert zookeeper.get_acl(opened[0], mine)[1] == [x509_acl(certificate=file)]
    assert zookeeper.get_acl(opened[0], mine)[1] == [x509_acl(expected)]
    makes(opened[0], f"{mine}/of-file", x509_acl(certificate=file))
    zookeeper.create(opened[0], others, "", [x509_acl("CN=somebody else")])
    is_kept_out(opened[0], others)


def test_a_certificate_of_another_subject_is_kept_out(clients, opened, tmp_path) -> None:
    for number in (0, 3):
        subject = list(SUBJECTS.values())[number]
        opened.append(clients.connect(clients.certificate(subject, tmp_path / f"{number}.pem")))
    makes(opened[0], "/own", x509_acl(certificate=tmp_path / "0.pem"))
    is_kept_out(opened[1], "/own")


@pytest.mark.parametrize("password", ["secret", "with:colon", "größe"])
def test_a_digest_lets_its_user_in_and_no_other(clients, opened, tmp_path, password) -> None:
    file = clients.certificate(SUBJECTS["CN=app,O=Shop"], tmp_path / "client.pem")
    opened += [clients.connect(file), clients.connect(file)]
    for handle, own in ((opened[0], password), (opened[1], "another")):
        zookeeper.add_auth(handle, "digest", f"alice:{own}", None)
    path = f"/digest-{len(password)}"
    makes(opened[0], path, digest_acl("alice", password))
    is_kept_out(opened[1], path)
    acl = zookeeper.get_acl(opened[0], path)[1]
    assert acl == [digest_acl("alice", password, "cdrwa")]


def test_a_principal_lets_its_user_in_and_no_other(own_servers_only, opened, tmp_path) -> None:
    jaas = Jaas(tmp_path, digest_login({"alice": "secret", "bob": "other"}))
    with standalone(settings=saslservers.SETTINGS, java_options=jaas.java_options) as server:
        for user, password in (("alice", "secret"), ("bob", "other")):
            sasl = zookeeper.SASL.digest_md5(user, password)
            handle = zookeeper.init(server.connection_string, None, SESSION_TIMEOUT, sasl=sasl)
            opened.append(handle)
            wait_until_connected(zookeeper, handle)
        for mine, other, user in ((*opened, "alice"), (*reversed(opened), "bob")):
            makes(mine, f"/{user}", sasl_acl(user))
            is_kept_out(other, f"/{user}")
            zookeeper.create(mine, f"/{user}/auth", "", [{"scheme": "auth", "id": "", "perms": 31}])
            assert zookeeper.get_acl(mine, f"/{user}/auth")[1] == [sasl_acl(user)]
        while opened:
            zookeeper.close(opened.pop())
