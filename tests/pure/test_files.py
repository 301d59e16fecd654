"""Files that are opened by a name from outside are never waited for."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import Authority
from tests.deadlines import scaled, wait_until
from zc.zk import SASL, TLS, testing, x509_acl
from zc.zk.testing.tls import Contexts, ServerTLS
from zookeeper import secretfiles
from zookeeper.environment import sasl_arguments, tls_arguments
from zookeeper.regularfiles import NOT_REGULAR

pytestmark = pytest.mark.quick


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    file = tmp_path / "a.fifo"
    os.mkfifo(file, 0o600)
    return file


def fault_of(call: Callable[[], object]) -> BaseException | None:
    """Return the exception of a call, which must not wait."""
    faults: list[BaseException | None] = []

    def run() -> None:
        try:
            call()
        except BaseException as fault:
            faults.append(fault)
        else:
            faults.append(None)

    threading.Thread(target=run, daemon=True).start()
    wait_until(lambda: faults, "it does not wait")
    return faults[0]


def tls(**files: Any) -> Callable[[], object]:
    return lambda: TLS(**files).configuration()


def server_tls(**files: Any) -> Callable[[], object]:
    return lambda: Contexts(ServerTLS(**files))


def readers(authority: Authority, file: Path) -> dict[str, Callable[[], object]]:
    """Return calls that read a file whole, each by another way."""
    own = authority.issue("own")
    return {
        "ca": tls(ca=file),
        "certificate": tls(ca=authority.file, certificate=file, key=own.key),
        "key": tls(ca=authority.file, certificate=own.certificate, key=file),
        "subject": lambda: x509_acl(certificate=file),
        "server's certificate": server_tls(certificate=file, key=own.key),
        "server's key": server_tls(certificate=own.certificate, key=file),
        "server's ca": server_tls(certificate=own.certificate, key=own.key, ca=file),
    }


def test_a_fifo_in_the_place_of_a_file_is_refused_at_once(authority, fifo) -> None:
    for name, read in readers(authority, fifo).items():
        fault = fault_of(read)
        assert isinstance(fault, ValueError), name
        assert re.fullmatch(rf"{re.escape(str(fifo))}: .*{NOT_REGULAR}", str(fault)), name


def test_a_fifo_that_somebody_writes_to_is_refused_as_well(authority, fifo) -> None:
    writing = os.open(fifo, os.O_RDWR)
    try:
        for name, read in readers(authority, fifo).items():
            assert isinstance(fault_of(read), ValueError), name
    finally:
        os.close(writing)


def test_a_device_in_the_place_of_a_file_is_refused_at_once(authority) -> None:
    for name, read in readers(authority, Path("/dev/zero")).items():
        fault = fault_of(read)
        assert isinstance(fault, ValueError), name
        assert str(fault).endswith(NOT_REGULAR), name


def test_a_fifo_in_the_place_of_a_keytab_is_refused_at_once(fifo) -> None:
    pytest.importorskip("gssapi")
    fault = fault_of(lambda: SASL.gssapi(keytab=fifo))
    assert str(fault) == f"{fifo}: {NOT_REGULAR}"


def test_a_fifo_in_the_place_of_an_authority_is_refused_at_once(tmp_path) -> None:
    made = testing.certificates(tmp_path)
    key = tmp_path / "ca.key"
    key.unlink()
    os.mkfifo(key)
    assert str(fault_of(lambda: made.issue("another"))) == f"{key}: {NOT_REGULAR}"


@pytest.mark.parametrize("is_written_to", [False, True])
def test_a_pipe_that_brings_no_secret_is_given_up(fifo, is_written_to, monkeypatch) -> None:
    monkeypatch.setattr(secretfiles, "MAX_PIPE_SECONDS", 0.05)
    writing = os.open(fifo, os.O_RDWR) if is_written_to else None
    if writing is not None:
        os.write(writing, b"half of ")
    for read in (
        lambda: tls_arguments({"ZC_ZK_TLS_KEY_PASSWORD_FILE": str(fifo)}),
        lambda: sasl_arguments({}, {"sasl": "digest-md5", "credentials_file": str(fifo)}),
    ):
        fault = fault_of(read)
        assert isinstance(fault, ValueError)
        assert str(fault).startswith(f"{fifo}: it cannot be read: nobody has written all of it")
        assert "half" not in str(fault)
    if writing is not None:
        os.close(writing)


def test_a_pipe_brings_a_secret_as_shells_have_it(monkeypatch) -> None:
    """`--tls-key-password-file <(pass show zk)`: no file has it."""
    monkeypatch.setattr(secretfiles, "MAX_PIPE_SECONDS", scaled(10))
    reading, writing = os.pipe()
    try:
        os.write(writing, b"alice:hid")
        thread = threading.Thread(target=lambda: (os.write(writing, b"den\n"), os.close(writing)))
        thread.start()
        arguments = sasl_arguments(
            {}, {"sasl": "digest-md5", "credentials_file": f"/dev/fd/{reading}"}
        )
        thread.join()
    finally:
        os.close(reading)
    assert arguments == ("digest-md5", {"user": "alice", "password": "hidden"})
