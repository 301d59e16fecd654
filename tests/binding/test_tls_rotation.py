"""Files that are replaced while a session uses them, in good ways and bad ones."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import zookeeper
from tests.certificates import Authority, Issued
from tests.deadlines import scaled, wait_until
from tests.ports import LOOPBACK
from tests.sessions import wait_until_connected
from tests.tcpproxy import TcpProxy
from tests.tlsfront import Front, tls_front
from zc.zk.testing import Server
from zookeeper import TLS

SESSION_TIMEOUT = int(scaled(6_000))
COMPLAINT = "a changed file cannot be used, and what was there before goes on"


class Rotated:
    """A session whose files lie in a folder, to be changed, and its way to a server."""

    def __init__(self, folder: Path, authority: Authority, first: Issued) -> None:
        self.ca = folder / "ca.pem"
        self.certificate = folder / "certificate.pem"
        self.key = folder / "key.pem"
        shutil.copy(authority.file, self.ca)
        shutil.copy(first.certificate, self.certificate)
        shutil.copy(first.key, self.key)
        self.log = io.StringIO()

    def open(self, front: Front, proxy: TcpProxy) -> None:
        self.front, self.proxy = front, proxy
        self.tls = TLS(ca=self.ca, certificate=self.certificate, key=self.key)
        hosts = proxy.connection_string
        self.handle = zookeeper.init(hosts, None, SESSION_TIMEOUT, tls=self.tls)
        wait_until_connected(zookeeper, self.handle)

    def reconnect(self) -> str:
        """Return the name of the client certificate of another connection."""
        count = len(self.front.clients)
        self.proxy.cut()
        wait_until(lambda: len(self.front.clients) > count, "it connects again")
        wait_until_connected(zookeeper, self.handle)
        assert zookeeper.exists(self.handle, "/")
        return self.front.clients[-1]


@pytest.fixture
def rotated(authority: Authority, tmp_path: Path) -> Iterator[Rotated]:
    issued = authority.issue("server", LOOPBACK)
    session = Rotated(tmp_path, authority, authority.issue("first"))
    zookeeper.set_log_stream(session.log)
    with ExitStack() as stack:
        stack.callback(zookeeper.set_log_stream, None)
        where = stack.enter_context(Server()).connection_string
        front = stack.enter_context(
            tls_front(issued.certificate, issued.key, authority.file, target=where)
        )
        proxy = stack.enter_context(TcpProxy(front.connection_string, is_opaque=True))
        session.open(front, proxy)
        stack.callback(zookeeper.close, session.handle)
        yield session


def half_written(session: Rotated, new: Issued) -> None:
    whole = new.certificate.read_bytes()
    session.certificate.write_bytes(whole[: len(whole) // 2])


def emptied(session: Rotated, new: Issued) -> None:
    session.certificate.write_bytes(b"")


def without_its_key(session: Rotated, new: Issued) -> None:
    shutil.copy(new.certificate, session.certificate)


def with_half_a_key(session: Rotated, new: Issued) -> None:
    shutil.copy(new.certificate, session.certificate)
    session.key.write_bytes(new.key.read_bytes()[:100])


def with_no_certificate(session: Rotated, new: Issued) -> None:
    shutil.copy(new.key, session.key)


def removed(session: Rotated, new: Issued) -> None:
    session.certificate.unlink()


def a_folder(session: Rotated, new: Issued) -> None:
    session.key.unlink()
    session.key.mkdir()


def a_fifo(session: Rotated, new: Issued) -> None:
    """To open it would wait for ever, on the thread that keeps the session."""
    session.key.unlink()
    os.mkfifo(session.key)


def without_an_authority(session: Rotated, new: Issued) -> None:
    session.ca.write_text("soon\n")


BAD = [
    (half_written, "certificate.pem"),
    (emptied, "certificate.pem: there is no certificate in PEM form"),
    (without_its_key, "key.pem: the key does not belong to the certificate in"),
    (with_half_a_key, "key.pem: there is no private key in PEM form"),
    (with_no_certificate, "key.pem: the key does not belong to the certificate in"),
    (removed, "certificate.pem: certificate cannot be read: No such file or directory"),
    (a_folder, "key.pem: private key cannot be read: Is a directory"),
    (a_fifo, "key.pem: private key cannot be read: it is no regular file"),
    (without_an_authority, "ca.pem: there is no certificate of an authority in PEM form"),
]


@pytest.mark.parametrize(("break_files", "words"), BAD)
def test_files_that_cannot_be_used_are_logged_once_until_they_can(
    authority, rotated: Rotated, break_files: Callable[[Rotated, Issued], None], words
) -> None:
    new = authority.issue("second")
    break_files(rotated, new)
    assert zookeeper.exists(rotated.handle, "/"), "the connection that there is goes on"
    assert [rotated.reconnect() for _ in range(3)] == ["first"] * 3
    log = rotated.log.getvalue()
    assert log.count(COMPLAINT) == 1
    assert words in log
    if rotated.key.is_dir():
        rotated.key.rmdir()
    elif rotated.key.is_fifo():
        rotated.key.unlink()
    shutil.copy(authority.file, rotated.ca)
    shutil.copy(new.key, rotated.key)
    shutil.copy(new.certificate, rotated.certificate)
    assert [rotated.reconnect() for _ in range(2)] == ["second"] * 2
    assert rotated.log.getvalue().count(COMPLAINT) == 1


def test_another_fault_of_the_files_is_another_line(authority, rotated: Rotated) -> None:
    new = authority.issue("second")
    half_written(rotated, new)
    assert rotated.reconnect() == "first"
    without_its_key(rotated, new)
    assert [rotated.reconnect() for _ in range(2)] == ["first"] * 2
    assert rotated.log.getvalue().count(COMPLAINT) == 2


def test_a_file_that_is_replaced_by_one_of_the_same_age_and_size_is_read(
    authority, rotated: Rotated
) -> None:
    """Tools of deployment set the times of files; another file has another inode."""
    new = authority.issue("second")
    times = rotated.certificate.stat()
    for source, target in ((new.key, rotated.key), (new.certificate, rotated.certificate)):
        beside = target.with_suffix(".new")
        shutil.copy(source, beside)
        os.utime(beside, ns=(times.st_atime_ns, times.st_mtime_ns))
        beside.rename(target)
    assert rotated.reconnect() == "second"


def test_a_link_that_is_moved_to_other_files_is_followed(authority, tmp_path, rotated) -> None:
    """Secrets in Kubernetes are such links."""
    new = authority.issue("second")
    for source, target in ((new.key, rotated.key), (new.certificate, rotated.certificate)):
        target.unlink()
        target.symlink_to(source)
    assert rotated.reconnect() == "second"


def test_an_authority_that_is_no_longer_trusted_ends_resumption(
    authority, tmp_path, rotated: Rotated
) -> None:
    """The session of TLS was begun under the former one, and is worth nothing now."""
    assert rotated.reconnect() == "first"
    shutil.copy(Authority(tmp_path, "others").file, rotated.ca)
    count = len(rotated.front.clients)
    rotated.proxy.cut()
    why = wait_until(lambda: zookeeper.connection_fault(rotated.handle) or "", "it is refused")
    assert "is not of an authority that is trusted here" in why
    assert len(rotated.front.clients) == count
    shutil.copy(authority.file, rotated.ca)
    wait_until_connected(zookeeper, rotated.handle)
    assert zookeeper.exists(rotated.handle, "/")


def test_a_fifo_among_the_authorities_of_a_folder_is_none(authority, tmp_path, rotated) -> None:
    """OpenSSL itself opens these files, on the thread that keeps the session."""
    folder = tmp_path / "authorities"
    folder.mkdir()
    # A file of such a folder is named by the hash of its subject.
    sought = folder / f"{hash_of_subject(authority.file)}.0"
    os.mkfifo(sought)
    handle = zookeeper.init(
        rotated.proxy.connection_string,
        None,
        SESSION_TIMEOUT,
        tls=TLS(ca=folder, certificate=rotated.certificate, key=rotated.key),
    )
    try:
        why = wait_until(lambda: zookeeper.connection_fault(handle) or "", "it is refused")
        assert "is not of an authority that is trusted here" in why
        sought.unlink()
        shutil.copy(authority.file, sought)
        wait_until_connected(zookeeper, handle)
    finally:
        zookeeper.close(handle)


def hash_of_subject(file: Path) -> str:
    return subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", file],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
