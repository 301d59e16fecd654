"""TLS with servers that misbehave, and with files that cannot be used."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import shutil
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

import zookeeper
from tests.certificates import Authority, Issued
from tests.deadlines import scaled, wait_until
from tests.ports import LOOPBACK
from tests.sessions import wait_until_connected
from tests.tcpproxy import TcpProxy
from tests.tlsfront import tls_front
from zc.zk.testing import Server
from zookeeper import TLS

SESSION_TIMEOUT = int(scaled(6_000))


@pytest.fixture(scope="module")
def client(authority: Authority) -> Issued:
    return authority.issue("client")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Yield a stream of the C core's lines."""
    stream = io.StringIO()
    zookeeper.set_log_stream(stream)
    yield stream
    zookeeper.set_log_stream(None)


def fault_of(handle: int) -> str:
    return wait_until(lambda: zookeeper.connection_fault(handle) or "", "there is a fault")


NOW = datetime.now(timezone.utc)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda a: a.issue("n", "zk1.example.com", "10.1.2.3"),
            "the certificate of {} is not for 127.0.0.1, but for: zk1.example.com, 10.1.2.3",
        ),
        (lambda a: a.issue("n", "127.0.0.1.example.com"), "is not for 127.0.0.1, but for:"),
        (
            lambda a: a.issue("e", LOOPBACK, not_before=NOW - 3 * DAY, not_after=NOW - DAY),
            f"the certificate of {{}} has expired at {NOW - DAY:%Y-%m-%d}",
        ),
        (
            lambda a: a.issue("f", LOOPBACK, not_before=NOW + DAY, not_after=NOW + 3 * DAY),
            f"is not valid before {NOW + DAY:%Y-%m-%d}",
        ),
        (
            lambda a: Authority(a.folder, "unknown").self_signed(),
            "the certificate of {} is not accepted: self-signed certificate",
        ),
        (
            lambda a: Authority(a.folder, "others").issue("o", LOOPBACK),
            "the certificate of {} is not of an authority that is trusted here",
        ),
    ],
    ids=["other names", "a longer name", "expired", "not yet valid", "self-signed", "unknown"],
)
def test_a_certificate_that_is_refused_is_told_with_the_reason(
    authority, tmp_path, opened, make, words
) -> None:
    wrong: Issued = make(authority)
    with tls_front(wrong.certificate, wrong.key) as front:
        hosts = front.connection_string
        opened.append(zookeeper.init(hosts, None, SESSION_TIMEOUT, tls=TLS(ca=authority.file)))
        assert words.format(hosts) in fault_of(opened[0])
        assert zookeeper.state(opened[0]) != zookeeper.CONNECTED_STATE


def test_checks_can_be_turned_off_which_is_logged(authority, opened, caplog) -> None:
    other = authority.issue("elsewhere", "zk1.example.com")
    with Server() as server:
        with tls_front(other.certificate, other.key, target=server.connection_string) as front:
            ways = [
                TLS(ca=authority.file, server_hostname="zk1.example.com"),
                TLS(ca=authority.file, check_hostname=False),
                TLS(verify=False),
            ]
            for tls, lines in zip(ways, [0, 1, 2], strict=True):
                opened.append(
                    zookeeper.init(front.connection_string, None, SESSION_TIMEOUT, tls=tls)
                )
                wait_until_connected(zookeeper, opened[-1])
                assert caplog.text.count("is taken for the server") == lines


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_connect_and_resume(authority, issued, opened, version) -> None:
    tls = TLS(ca=authority.file)
    with ExitStack() as stack:
        server = stack.enter_context(Server())
        where = server.connection_string
        front = stack.enter_context(
            tls_front(issued.certificate, issued.key, target=where, version=version)
        )
        proxy = stack.enter_context(TcpProxy(front.connection_string, is_opaque=True))
        # The server is given by name, so with SNI.
        hosts = f"localhost:{proxy.port}"
        opened.append(zookeeper.init(hosts, None, SESSION_TIMEOUT, tls=tls))
        for count in (1, 2, 3):
            wait_until(lambda count=count: proxy.connections == count, "it has connected")
            wait_until_connected(zookeeper, opened[0])
            assert zookeeper.exists(opened[0], "/")
            proxy.cut()
        assert tls.configuration().counts()[1] >= 2
        zookeeper.close(opened.pop())


def test_a_version_that_is_too_old_is_refused(authority, issued, opened) -> None:
    tls = TLS(ca=authority.file, minimum_version="1.3")
    old = ssl.TLSVersion.TLSv1_2
    with tls_front(issued.certificate, issued.key, version=old) as front:
        hosts = front.connection_string
        opened.append(zookeeper.init(hosts, None, SESSION_TIMEOUT, tls=tls))
        assert "speaks no version of TLS that is accepted here" in fault_of(opened[0])


def test_a_server_that_never_shakes_hands_keeps_nobody(authority, issued, opened) -> None:
    """Other servers are tried, close is prompt, and the log says what is wrong."""
    with ExitStack() as stack:
        silent = stack.enter_context(socket.create_server((LOOPBACK, 0)))
        hosts = f"{LOOPBACK}:{silent.getsockname()[1]}"
        server = stack.enter_context(Server())
        front = stack.enter_context(
            tls_front(issued.certificate, issued.key, target=server.connection_string)
        )
        tls = TLS(ca=authority.file)
        for both in (f"{hosts},{front.connection_string}", f"{front.connection_string},{hosts}"):
            opened.append(zookeeper.init(both, None, SESSION_TIMEOUT, tls=tls))
        for handle in opened:
            wait_until_connected(zookeeper, handle)
        alone = zookeeper.init(hosts, None, 2000, tls=tls)
        try:
            assert fault_of(alone) == (
                f"{hosts} accepts connections, and does not answer the TLS handshake"
            )
        finally:
            started = time.monotonic()
            zookeeper.close(alone)
        assert time.monotonic() - started < scaled(1)


GARBAGE = {
    "nothing": b"",
    "zeros": bytes(1000),
    "HTTP": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "an alert": bytes([21, 3, 3, 0, 2, 2, 40]),
    "a record too long": bytes([22, 3, 3, 0xFF, 0xFF]) + bytes(70_000),
    "a hello of nothing": bytes([22, 3, 3, 0, 4, 2, 0, 0, 0]),
    "data before the handshake": bytes([23, 3, 3, 0, 5]) + b"hello",
}


@pytest.mark.parametrize("what", GARBAGE)
def test_garbage_in_the_handshake_is_an_error_and_no_storm(authority, opened, what) -> None:
    with socket.create_server((LOOPBACK, 0)) as listener:
        listener.settimeout(scaled(10))
        hosts = f"{LOOPBACK}:{listener.getsockname()[1]}"
        opened.append(zookeeper.init(hosts, None, SESSION_TIMEOUT, tls=TLS(ca=authority.file)))
        for _ in range(2):
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(scaled(10))
                connection.recv(1)
                # The client may hang up before it has all.
                with contextlib.suppress(OSError):
                    connection.sendall(GARBAGE[what])
                    connection.shutdown(socket.SHUT_WR)
        assert hosts in fault_of(opened[0])
        assert zookeeper.state(opened[0]) != zookeeper.CONNECTED_STATE


def test_files_are_read_again_and_bad_ones_are_not_used(
    authority, issued, client, opened, log, tmp_path
) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"

    def rotate(to: Issued) -> None:
        shutil.copy(to.key, key)
        shutil.copy(to.certificate, certificate)

    def reconnect(count: int) -> None:
        proxy.cut()
        wait_until(lambda: len(front.clients) > count, "it connects again")
        wait_until_connected(zookeeper, opened[0])
        assert zookeeper.exists(opened[0], "/")

    rotate(client)
    tls = TLS(ca=authority.file, certificate=certificate, key=key)
    with ExitStack() as stack:
        server = stack.enter_context(Server())
        where = server.connection_string
        front = stack.enter_context(
            tls_front(issued.certificate, issued.key, authority.file, target=where)
        )
        proxy = stack.enter_context(TcpProxy(front.connection_string, is_opaque=True))
        opened.append(zookeeper.init(proxy.connection_string, None, SESSION_TIMEOUT, tls=tls))
        wait_until_connected(zookeeper, opened[0])
        rotate(authority.issue("second"))
        assert zookeeper.exists(opened[0], "/"), "the connection that there is goes on"
        reconnect(1)
        assert front.clients == ["client", "second"]
        certificate.write_text("half a fi")
        complaint = f"{certificate}: there is no certificate in PEM form"
        reconnect(2)
        wait_until(lambda: complaint in log.getvalue(), "it is told at once")
        reconnect(3)
        assert front.clients[2:] == ["second", "second"]
        assert log.getvalue().count(complaint) == 1
        rotate(authority.issue("third"))
        reconnect(4)
        assert front.clients[4:] == ["third"]
        zookeeper.close(opened.pop())


def encrypted(key: Path, password: bytes) -> bytes:
    loaded = serialization.load_pem_private_key(key.read_bytes(), None)
    return loaded.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password),
    )


@pytest.fixture
def files(authority: Authority, client: Issued, tmp_path: Path) -> dict[str, Path]:
    contents = {
        "text": b"no certificate\n",
        "cut": client.certificate.read_bytes()[:300],
        "locked": encrypted(client.key, b"secret"),
        "other": authority.issue("another").key.read_bytes(),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(0o600)
    paths = {name: tmp_path / name for name in (*contents, "missing")}
    return {**paths, "good": client.certificate, "key": client.key, "ca": authority.file}


BAD_FILES: list[tuple[dict[str, str], str, str]] = [
    ({"ca": "missing"}, "missing", "cannot be read: No such file or directory"),
    ({"ca": "text"}, "text", "there is no certificate of an authority in PEM form"),
    ({"certificate": "missing", "key": "key"}, "missing", "cannot be read"),
    ({"certificate": "text", "key": "key"}, "text", "there is no certificate in PEM form"),
    ({"certificate": "cut", "key": "key"}, "cut", "certificate"),
    ({"certificate": "good"}, "good", "there is no private key in PEM form"),
    ({"certificate": "good", "key": "missing"}, "missing", "cannot be read"),
    ({"certificate": "good", "key": "text"}, "text", "there is no private key in PEM form"),
    ({"certificate": "good", "key": "other"}, "other", "the key does not belong to the"),
    ({"certificate": "good", "key": "locked"}, "locked", "there is no password for it"),
    ({"certificate": "good", "key": "locked", "key_password": "no"}, "locked", "password of the"),
]


@pytest.mark.parametrize(("given", "named", "words"), BAD_FILES)
def test_a_file_that_cannot_be_used_is_an_error_before_any_connection(
    files, given, named, words
) -> None:
    arguments: dict[str, Any] = {name: files.get(value, value) for name, value in given.items()}
    with pytest.raises(ValueError, match=re.escape(str(files[named]))) as caught:
        zookeeper.init(f"{LOOPBACK}:1", None, tls=TLS(**arguments))
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        {"key": "key.pem"},
        {"key_password": "secret"},
        {"minimum_version": "1.1"},
        {"server_hostname": ""},
        {"server_hostname": ".example.com"},
        {"ca": "a\0b"},
        {"server_hostname": "a\0b"},
    ],
)
def test_bad_settings_are_errors(given) -> None:
    with pytest.raises(ValueError, match=next(iter(given)).split("_")[0] + "|path"):
        zookeeper.init(f"{LOOPBACK}:1", None, tls=TLS(**given))


@pytest.mark.parametrize(
    "given",
    [
        {"ca": 1},
        {"certificate": b"c.pem"},
        {"certificate": "c.pem", "key": ["k"]},
        {"certificate": "c.pem", "key_password": 5},
        {"server_hostname": 1},
    ],
)
def test_settings_of_another_type_are_refused_by_name(given) -> None:
    name, value = list(given.items())[-1]
    with pytest.raises(TypeError, match=f"{name} must be .*, not {type(value).__name__}"):
        TLS(**given)


def test_an_argument_that_is_no_tls_is_an_error() -> None:
    with pytest.raises(TypeError, match="tls must be"):
        zookeeper.init(f"{LOOPBACK}:1", tls="yes")  # type: ignore[arg-type]


def test_keys_can_be_locked_and_passwords_are_not_shown(files) -> None:
    tls = TLS(certificate=files["good"], key=files["locked"], key_password="secret")
    tls.configuration()
    assert "secret" not in repr(tls)
    assert str(files["locked"]) in repr(tls)


def test_a_key_that_everybody_can_read_is_warned_of(files, caplog) -> None:
    TLS(certificate=files["good"], key=files["key"]).configuration()
    assert not caplog.records
    files["other"].write_bytes(files["key"].read_bytes())
    files["other"].chmod(0o644)
    with caplog.at_level(logging.WARNING):
        TLS(certificate=files["good"], key=files["other"]).configuration()
    assert f"{files['other']}: everybody" in caplog.text
