"""Our server over TLS and with SASL: its settings, its bad days, its files."""

from __future__ import annotations

import logging
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import zc.zk
import zookeeper
from tests.deadlines import scaled, wait_until
from tests.ports import LOOPBACK
from tests.testing import protocol
from tests.testing.logins import Impatient, live_through, log_in
from tests.testing.twins import RealLink
from tests.wireframes import Op
from zc.zk.testing import Certificates, Server, ServerTLS, certificates
from zc.zk.testing.wire.service import GREETING_MILLISECONDS
from zookeeper.types import AclEntry


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Return certificates that no test changes."""
    return certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def own(made: Certificates) -> Iterator[Server]:
    """Yield a server that speaks nothing but TLS, and needs certificates of its clients."""
    with Server(tls=made.server_tls) as server:
        yield server


@pytest.fixture
def zk(own: Server, made: Certificates) -> Iterator[zc.zk.ZooKeeper]:
    """Yield a client."""
    timeout = int(scaled(10_000))
    with zc.zk.ZooKeeper(own.connection_string, timeout, tls=made.client_tls) as client:
        yield client


def context_of(made: Certificates) -> ssl.SSLContext:
    """Return Python's settings for a client."""
    context = ssl.create_default_context(cafile=str(made.ca))
    context.load_cert_chain(made.client.certificate, made.client.key)
    return context


def handshake(server: Server, context: ssl.SSLContext) -> ssl.SSLSocket:
    """Connect, and let the server speak: of TLS 1.3 its refusal comes as its first words."""
    plain = socket.create_connection((server.host, server.port), scaled(30))
    try:
        secured = context.wrap_socket(plain, server_hostname=LOOPBACK)
    except BaseException:
        plain.close()
        raise
    try:
        secured.sendall(b"ruok")
        assert secured.recv(4) == b"imok"
    except BaseException:
        secured.close()
        raise
    return secured


def serial_number(server: Server, context: ssl.SSLContext) -> str:
    """Return the number of the certificate that the server shows."""
    with handshake(server, context) as secured:
        shown = secured.getpeercert()
    assert shown is not None
    return str(shown["serialNumber"])


def wait_until_served(zk: zc.zk.ZooKeeper) -> None:
    """Wait until requests are answered again."""

    def is_served() -> bool:
        try:
            return zk.exists("/") is not None
        except zookeeper.SessionError:
            return False

    wait_until(is_served, "it is served again", 30)


# Settings


def test_a_client_registers_over_tls_and_large_data_pass(own: Server, zk: zc.zk.ZooKeeper) -> None:
    zk.create("/providers", "", zc.zk.OPEN_ACL_UNSAFE)
    zk.register("/providers", "192.168.0.42:8080")
    assert zk.get_children("/providers") == ["192.168.0.42:8080"]
    large = "x" * 1_000_000
    zk.set("/providers", large)
    assert zk.get("/providers")[0] == large


def test_a_version_that_is_too_old_is_refused(made: Certificates) -> None:
    tls = ServerTLS(certificate=made.server.certificate, key=made.server.key, minimum_version="1.3")
    context = context_of(made)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with Server(tls=tls) as server:
        with pytest.raises(ssl.SSLError):
            handshake(server, context)
        handshake(server, context_of(made)).close()


@pytest.mark.parametrize(
    ("client_auth", "has_certificate", "is_let_in"),
    [
        ("need", True, True),
        ("need", False, False),
        ("want", True, True),
        ("want", False, True),
        ("none", True, True),
        ("none", False, True),
        (None, False, False),
    ],
)
def test_a_certificate_is_asked_for_as_the_settings_say(
    made: Certificates, client_auth: str | None, has_certificate: bool, is_let_in: bool
) -> None:
    files = made.server
    tls = ServerTLS(
        certificate=files.certificate, key=files.key, ca=made.ca, client_auth=client_auth
    )
    settings = made.client_tls if has_certificate else zc.zk.TLS(ca=made.ca)
    with Server(tls=tls) as server:
        if not is_let_in:
            with pytest.raises(zc.zk.FailedConnect, match="wants a client certificate"):
                Impatient(server.connection_string, tls=settings)
            return
        with zc.zk.ZooKeeper(server.connection_string, tls=settings) as zk:
            acl: list[AclEntry] = [{"perms": zookeeper.PERM_ALL, "scheme": "auth", "id": ""}]
            if has_certificate and client_auth != "none":
                zk.create("/mine", "", acl)
                assert zk.get_acl("/mine")[1][0]["id"] == "CN=client,OU=clients,O=zc.zk.testing"
            else:
                with pytest.raises(zookeeper.InvalidACLException):
                    zk.create("/mine", "", acl)


def test_a_server_without_authorities_asks_for_no_certificate(made: Certificates) -> None:
    tls = ServerTLS(certificate=made.server.certificate, key=made.server.key)
    with Server(tls=tls) as server:
        with zc.zk.ZooKeeper(server.connection_string, tls=zc.zk.TLS(ca=made.ca)) as zk:
            assert zk.get_children("/") == ["zookeeper"]


@pytest.mark.parametrize("name", ["client_tls", "ca"])
def test_settings_of_a_client_are_none_of_a_server(made: Certificates, name: str) -> None:
    with pytest.raises(TypeError, match="tls must be None or a ServerTLS, not "):
        Server(tls=getattr(made, name))


@pytest.mark.parametrize("users", [1, "x", ["x"]])
def test_users_that_are_no_mapping_are_refused(users: Any) -> None:
    with pytest.raises(TypeError, match=f"sasl maps .*, and is no {type(users).__name__}"):
        Server(sasl=users)


def test_settings_show_no_password(made: Certificates) -> None:
    tls = ServerTLS(certificate="a.pem", key_password="secret")
    assert "secret" not in repr(tls)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"client_auth": "maybe"}, "client_auth is 'need', 'want' or 'none', not 'maybe'"),
        ({"client_auth": "need"}, "client_auth='need' takes a ca to check them with"),
        ({"minimum_version": "1.1"}, "minimum_version is '1.2' or '1.3', not '1.1'"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        ServerTLS(certificate="a.pem", **settings)


def encrypted(key: Path, password: bytes) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return serialization.load_pem_private_key(key.read_bytes(), None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password),
    )


def test_a_key_may_be_encrypted(made: Certificates, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(encrypted(made.server.key, b"secret"))
    tls = ServerTLS(certificate=made.server.certificate, key=key, key_password="secret", ca=made.ca)
    with Server(tls=tls) as server:
        handshake(server, context_of(made)).close()


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda files: files["certificate"].unlink(), "certificate: No such file or directory"),
        (lambda files: files["key"].unlink(), "key: No such file or directory"),
        (lambda files: files["ca"].unlink(), "ca: No such file or directory"),
        (lambda files: files["certificate"].write_text("x"), "certificate: no certificate in PEM"),
        (lambda files: files["key"].write_text("x"), "key: no key in PEM"),
        (lambda files: files["key"].write_text(""), "key: no key in PEM"),
        (lambda files: files["ca"].write_text("x"), "ca: no certificate in PEM"),
        (
            lambda files: files["key"].write_bytes(files["other"].read_bytes()),
            "key: the key does not belong to the certificate in .*certificate",
        ),
        (
            lambda files: files["key"].write_bytes(encrypted(files["key"], b"secret")),
            "key: the key is encrypted, and there is no key_password",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    made: Certificates,
    tmp_path: Path,
    spoil: Callable[[dict[str, Path]], object],
    complaint: str,
) -> None:
    contents = {
        "certificate": made.server.certificate,
        "key": made.server.key,
        "ca": made.ca,
        "other": made.client.key,
    }
    files = {name: tmp_path / name for name in contents}
    for name, path in contents.items():
        files[name].write_bytes(path.read_bytes())
    spoil(files)
    tls = ServerTLS(certificate=files["certificate"], key=files["key"], ca=files["ca"])
    with pytest.raises(ValueError, match=f"^{tmp_path}/{complaint}"):
        Server(tls=tls)


def test_a_wrong_password_of_the_key_is_told(made: Certificates, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(encrypted(made.server.key, b"secret"))
    tls = ServerTLS(certificate=made.server.certificate, key=key, key_password="wrong")
    with pytest.raises(ValueError, match=f"^{key}: the key_password is wrong"):
        Server(tls=tls)


def test_a_plain_server_imports_nothing_for_tls_or_sasl() -> None:
    program = """
import sys
from zc.zk.testing import Server
with Server():
    names = ("testing.tls", "secured", "authority", "sasl_digest", "trustme", "cryptography")
    print([name for name in sys.modules if name.endswith(names) and not name.startswith("tests.")])
"""
    output = subprocess.check_output([sys.executable, "-c", program], timeout=scaled(60))
    assert output == b"[]\n"


# Bad days


@pytest.mark.parametrize("day", ["cut", "stall", "refuse", "restart", "expire"])
def test_a_registration_lives_through_a_bad_day(own: Server, zk: zc.zk.ZooKeeper, day: str) -> None:
    zk.create("/providers", "", zc.zk.OPEN_ACL_UNSAFE)
    zk.register("/providers", "192.168.0.42:8080")
    before = zk.exists("/providers/192.168.0.42:8080")
    live_through(own, day)
    wait_until_served(zk)

    def is_registered_as_expected() -> bool:
        try:
            now = zk.exists("/providers/192.168.0.42:8080")
        except zookeeper.SessionError:
            return False
        assert before is not None
        return now is not None and (now["czxid"] != before["czxid"]) == (day == "expire")

    wait_until(is_registered_as_expected, "it is registered", 30)


def begin_handshake(server: Server, context: ssl.SSLContext) -> socket.socket:
    """Send the first half of a handshake's first message."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=LOOPBACK)
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    hello = outgoing.read()
    half = socket.create_connection((server.host, server.port), scaled(30))
    half.sendall(hello[: len(hello) // 2])
    return half


def test_a_handshake_that_does_not_end_is_given_up(
    own: Server, made: Certificates, zk: zc.zk.ZooKeeper
) -> None:
    with begin_handshake(own, context_of(made)) as half:
        wait_until(lambda: words_over_tls(own, made, "stat").count("\n /127"), "it is there")
        assert zk.get_children("/") == ["zookeeper"]
        own.engine.clock.advance(GREETING_MILLISECONDS / 1000 + 1)  # type: ignore[attr-defined]
        assert half.recv(1) == b""
    wait_until_served(zk)


def words_over_tls(server: Server, made: Certificates, word: str) -> str:
    plain = socket.create_connection((server.host, server.port), scaled(10))
    with context_of(made).wrap_socket(plain, server_hostname=LOOPBACK) as secured:
        secured.sendall(word.encode())
        with secured.makefile() as answer:
            return answer.read()


@pytest.mark.parametrize("end", ["cut", "stop"])
def test_a_handshake_that_does_not_end_is_cut_too(
    own: Server, made: Certificates, end: str
) -> None:
    with begin_handshake(own, context_of(made)) as half:
        words_over_tls(own, made, "ruok")  # the server has taken the connection before
        getattr(own, end)()
        try:
            assert half.recv(1) == b""
        except ConnectionResetError:
            pass


@pytest.mark.parametrize(
    "data", [b"ruok", b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01\x00\x05hello", bytes(100)]
)
def test_bytes_that_are_no_tls_end_the_connection_and_are_logged(
    own: Server, zk: zc.zk.ZooKeeper, caplog: pytest.LogCaptureFixture, data: bytes
) -> None:
    with socket.create_connection((own.host, own.port), scaled(30)) as link:
        link.sendall(data)
        if data == b"ruok":
            link.shutdown(socket.SHUT_WR)  # too short for the server to see that it is no TLS
        try:
            while link.recv(4096):
                pass
        except ConnectionResetError:
            pass
    if data != b"ruok":
        wait_until(lambda: "TLS has failed" in caplog.text, lambda: caplog.text)
    assert zk.get_children("/") == ["zookeeper"]


def test_a_handshake_may_come_one_byte_at_a_time(own: Server, made: Certificates) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context_of(made).wrap_bio(incoming, outgoing, server_hostname=LOOPBACK)
    with socket.create_connection((own.host, own.port), scaled(30)) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def step(action: Callable[[], Any]) -> Any:
            while True:
                try:
                    return action()
                except ssl.SSLWantReadError:
                    send()
                    data = link.recv(4096)
                    assert data
                    incoming.write(data)

        def send() -> None:
            for byte in outgoing.read():
                link.sendall(bytes([byte]))

        step(tls.do_handshake)
        tls.write(b"ruok")
        send()
        assert step(lambda: tls.read(4)) == b"imok"


def test_a_client_that_says_goodbye_is_let_go(own: Server, made: Certificates) -> None:
    with handshake_open(own, made) as secured:
        secured.unwrap().close()
    wait_until(lambda: words_over_tls(own, made, "stat").count("\n /127") == 1, "it has gone")


def handshake_open(server: Server, made: Certificates) -> ssl.SSLSocket:
    plain = socket.create_connection((server.host, server.port), scaled(10))
    return context_of(made).wrap_socket(plain, server_hostname=LOOPBACK)


def test_a_name_is_proved_again_by_each_connection_also_one_that_resumes_tls(
    own: Server, made: Certificates, zk: zc.zk.ZooKeeper
) -> None:
    zk.create("/mine", "", [{"perms": zookeeper.PERM_ALL, "scheme": "auth", "id": ""}])
    for _ in range(3):
        own.cut()
        wait_until_served(zk)
        assert zk.get("/mine")[0] == ""
    # Python's client tells whether it has resumed.
    context = context_of(made)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with handshake(own, context) as first:
        session = first.session
    plain = socket.create_connection((own.host, own.port), scaled(10))
    with context.wrap_socket(plain, server_hostname=LOOPBACK, session=session) as second:
        assert second.session_reused
        link = RealLink(second)
        link.send(protocol.framed(protocol.greeting()))
        assert link.next_frame() is not None
        read = protocol.text("/mine") + protocol.boolean(False)
        link.send(protocol.framed(protocol.request(1, Op.GET_DATA, read)))
        assert protocol.Answer(link.next_frame() or b"").take("iqi")[2] == zookeeper.OK
        link.close()


def test_a_client_that_takes_no_answers_disturbs_nobody(
    own: Server, made: Certificates, zk: zc.zk.ZooKeeper
) -> None:
    large = b"x" * 1_000_000
    zk.create("/big", large, zc.zk.OPEN_ACL_UNSAFE)
    greedy = RealLink.to(own.port, context_of(made))
    greedy.send(protocol.framed(protocol.greeting()))
    assert greedy.next_frame() is not None
    read = protocol.text("/big") + protocol.boolean(False)
    asked = 50
    greedy.send(protocol.framed(protocol.request(1, Op.GET_DATA, read)) * asked)
    assert len(zk.get("/big")[0] or "") == len(large)
    for _ in range(asked):
        frame = greedy.next_frame()
        assert frame is not None
        assert large in frame
    greedy.close()


# Rotation


def test_new_certificates_are_for_new_connections(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = certificates(tmp_path)
    context = context_of(made)
    with Server(tls=made.server_tls) as server:
        with zc.zk.ZooKeeper(server.connection_string, tls=made.client_tls) as zk:
            before = serial_number(server, context)
            made.issue("server")
            assert serial_number(server, context) != before
            assert zk.get_children("/") == ["zookeeper"]
            server.cut()
            wait_until_served(zk)
    assert "former files" not in caplog.text


def test_new_certificates_that_cannot_be_used_are_told_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = certificates(tmp_path)
    context = context_of(made)
    with Server(tls=made.server_tls) as server:
        before = serial_number(server, context)
        good = made.server.key.read_bytes()
        made.server.key.write_bytes(made.client.key.read_bytes())
        assert [serial_number(server, context) for _ in range(3)] == [before] * 3
        lines = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
        expected = f"{made.server.key}: the key does not belong to the certificate in"
        assert [line for line in lines if line.startswith(expected)] == [
            f"{expected} {made.server.certificate}; the former files stay in use"
        ]
        made.server.key.write_bytes(good)
        assert serial_number(server, context) == before


def test_an_expired_client_certificate_is_refused_by_name(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = certificates(tmp_path)
    past = datetime.now(timezone.utc) - timedelta(days=1)
    made.issue("client", not_after=past)
    with Server(tls=made.server_tls) as server:
        with pytest.raises(ssl.SSLError):
            handshake(server, context_of(made))
    assert "its certificate is not accepted: certificate has expired" in caplog.text


# Certificates


def test_certificates_are_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    made = certificates(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert sorted(before) == [
        "ca.key", "ca.pem", "client.key", "client.pem", "server.key", "server.pem"
    ]  # fmt: skip
    again = certificates(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert repr(again) == repr(made) == f"<Certificates in {folder}>"
    assert oct(folder.stat().st_mode)[-3:] == "700"
    assert {oct(path.stat().st_mode)[-3:] for path in folder.glob("*.key")} == {"600"}


def test_a_certificate_that_is_missing_is_made_by_the_same_authority(tmp_path: Path) -> None:
    made = certificates(tmp_path)
    before = made.ca.read_bytes(), made.client.key.read_bytes()
    made.server.key.unlink()
    again = certificates(tmp_path)
    assert (made.ca.read_bytes(), made.client.key.read_bytes()) == before
    with Server(tls=again.server_tls) as server:
        handshake(server, context_of(again)).close()


@pytest.mark.parametrize("name", ["ca.pem", "server.pem", "client.key"])
def test_files_of_others_are_left_alone(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("precious")
    with pytest.raises(ValueError, match=f"^{path}: it is there, without an authority of ours"):
        certificates(tmp_path)
    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]


def test_an_authority_whose_files_are_spoilt_issues_nothing(tmp_path: Path) -> None:
    made = certificates(tmp_path)
    (tmp_path / "ca.key").write_text("spoilt")
    with pytest.raises(ValueError, match=r"ca\.pem and ca\.key are no authority"):
        made.issue("alice")
    (tmp_path / "ca.key").unlink()
    with pytest.raises(ValueError, match=r"ca\.key: No such file or directory"):
        made.issue("alice")


@pytest.mark.parametrize("name", ["", "ca", ".", "..", "a/b", "a\0b"])
def test_a_name_that_is_no_file_is_no_certificate(made: Certificates, name: str) -> None:
    with pytest.raises(ValueError, match="not a name for a certificate"):
        made.issue(name)


def test_the_extra_is_named_when_trustme_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)
    with pytest.raises(ImportError, match=r"pip install 'zc\.zk\[certificates\]'"):
        certificates(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_clients_with_certificates_of_their_own_have_names_of_their_own(tmp_path: Path) -> None:
    made = certificates(tmp_path)
    alice = made.issue("alice")
    tls = zc.zk.TLS(ca=made.ca, certificate=alice.certificate, key=alice.key)
    entry: AclEntry = {
        "perms": zookeeper.PERM_ALL,
        "scheme": "x509",
        "id": "CN=alice,OU=clients,O=zc.zk.testing",
    }
    with Server(tls=made.server_tls) as server:
        with zc.zk.ZooKeeper(server.connection_string, tls=tls) as zk:
            zk.create("/alice", "hers", [entry])
            assert zk.get("/alice")[0] == "hers"
        with zc.zk.ZooKeeper(server.connection_string, tls=made.client_tls) as zk:
            with pytest.raises(zookeeper.NoAuthException):
                zk.get("/alice")


# SASL


def test_a_password_that_is_changed_counts_from_the_next_login_on() -> None:
    users = {"app": "secret"}
    with Server(sasl=users) as server:
        assert log_in(server.port, "app", "secret") == 0
        users["app"] = "changed"
        assert log_in(server.port, "app", "secret") == zookeeper.AUTHFAILED
        assert log_in(server.port, "app", "changed") == 0
        del users["app"]
        assert log_in(server.port, "app", "changed") == zookeeper.AUTHFAILED


def test_a_refused_login_is_logged_without_the_password(caplog: pytest.LogCaptureFixture) -> None:
    with Server(sasl={"app": "secret"}) as server:
        log_in(server.port, "app", "wr0ng")
    assert "127.0.0.1: SASL: a wrong password for 'app'" in caplog.text
    assert "secret" not in caplog.text
    assert "wr0ng" not in caplog.text


@pytest.mark.parametrize(
    ("users", "error"),
    [({"app": 1}, TypeError), ({b"app": "x"}, TypeError), ({"a@b@c": "x"}, ValueError)],
)
def test_users_that_servers_do_not_take(users: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        Server(sasl=users)


@pytest.mark.parametrize("schemes", ["sasl", ["sasl"], ["x509"], ["world"], ["sasl", "nonsense"]])
def test_a_scheme_that_the_server_lacks_cannot_be_required(schemes: Any) -> None:
    with pytest.raises(ValueError, match="require_auth takes some of"):
        Server(require_auth=schemes)


def test_a_credential_is_enough_where_a_credential_is_required() -> None:
    with Server(require_auth=["digest"]) as server:
        link = RealLink.to(server.port)
        link.send(protocol.framed(protocol.greeting()))
        assert link.next_frame() is not None
        proof = protocol.number(0) + protocol.text("digest") + protocol.buffer(b"app:secret")
        for op, body in ((Op.AUTH, proof), (Op.PING, b"")):
            link.send(protocol.framed(protocol.request(1, op, body)))
            assert protocol.Answer(link.next_frame() or b"").take("iqi")[2] == 0
        link.close()


# Kazoo, which shares no code with us


def test_kazoo_comes_by_tls_and_logs_in(made: Certificates) -> None:
    kazoo_client = pytest.importorskip("kazoo.client")
    pytest.importorskip("puresasl")
    logging.getLogger("kazoo").setLevel(logging.ERROR)
    with Server(tls=made.server_tls, sasl={"app": "secret"}, require_auth=["sasl"]) as server:
        client = kazoo_client.KazooClient(
            server.connection_string,
            use_ssl=True,
            ca=str(made.ca),
            certfile=str(made.client.certificate),
            keyfile=str(made.client.key),
            sasl_options={"mechanism": "DIGEST-MD5", "username": "app", "password": "secret"},
        )
        client.start(scaled(20))
        try:
            client.create("/a", b"data")
            assert client.get("/a")[0] == b"data"
            assert "srvr" not in words_over_tls(server, made, "ruok")
        finally:
            client.stop()
            client.close()
