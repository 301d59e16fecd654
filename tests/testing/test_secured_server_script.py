"""The command zookeeper_server with TLS and SASL, as a shell runs it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import zc.zk
import zookeeper
from tests.deadlines import scaled
from tests.testing.logins import log_in
from tests.testing.serverscript import BANNER, Start, fault
from zc.zk.testing import certificates

NAME = "python -m zc.zk server"


def errors_at_the_end(process: subprocess.Popen[str]) -> list[str]:
    """End the process, and return its lines of standard error."""
    process.terminate()
    _, errors = process.communicate(timeout=scaled(20))
    assert process.returncode == 0
    return [line.removeprefix(f"{NAME}: ") for line in errors.splitlines()]


def test_a_folder_of_certificates_is_made_and_told_of(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "certificates"
    process, where = start("--port", 0, "--tls", folder)
    tls = zc.zk.TLS(
        ca=folder / "ca.pem", certificate=folder / "client.pem", key=folder / "client.key"
    )
    with zc.zk.ZooKeeper(where, tls=tls) as zk:
        assert zk.get_children("/") == ["zookeeper"]
    assert errors_at_the_end(process) == [
        BANNER,
        f"clients need --tls-ca {folder}/ca.pem --tls-certificate {folder}/client.pem"
        f" --tls-key {folder}/client.key",
    ]


def test_a_folder_that_is_there_is_used_and_a_tree_is_imported(
    start: Start, tmp_path: Path
) -> None:
    made = certificates(tmp_path)
    before = made.server.certificate.read_bytes()
    tree = tmp_path / "tree"
    tree.write_text("/service\n  threads = 3\n")
    _, where = start("--port", 0, "--tls", tmp_path, "--tree", tree, "--tls-client-auth", "none")
    with zc.zk.ZooKeeper(where, tls=zc.zk.TLS(ca=made.ca)) as zk:
        assert zk.get_properties("/service") == {"threads": 3}
    assert made.server.certificate.read_bytes() == before


def test_files_of_ones_own_are_named_one_by_one(start: Start, tmp_path: Path) -> None:
    made = certificates(tmp_path)
    process, where = start(
        *["--port", 0, "--tls-certificate", made.server.certificate, "--tls-key", made.server.key],
        *["--tls-ca", made.ca, "--tls-minimum-version", "1.3"],
    )
    with zc.zk.ZooKeeper(where, tls=made.client_tls) as zk:
        assert zk.get_children("/") == ["zookeeper"]
    assert errors_at_the_end(process)[1:] == [
        "clients need --tls, or --tls-ca with its authority and --tls-certificate of an authority"
        f" in {made.ca}"
    ]


def test_users_of_a_file_log_in_and_others_are_turned_away(start: Start, tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text("# who may come\n\napp:sec:ret\n")
    users.chmod(0o604)
    process, where = start("--port", 0, "--sasl", users, "--require-auth", "sasl")
    port = int(where.rpartition(":")[2])
    assert log_in(port, "app", "sec:ret") == zookeeper.OK
    assert log_in(port, "app", "secret") == zookeeper.SESSIONCLOSEDREQUIRESASLAUTH
    assert errors_at_the_end(process) == [
        BANNER,
        f"{users}: everybody on this machine can read what is in it",
        "127.0.0.1: SASL: a wrong password for 'app'",
    ]


@pytest.mark.parametrize(
    ("arguments", "complaint", "status"),
    [
        (["--tls", ".", "--tls-key", "x"], "--tls has its files in a folder", 2),
        (["--tls-key", "x"], "--tls-key is of no use without --tls or --tls-certificate", 2),
        (["--tls-client-auth", "need"], "--tls-client-auth is of no use without --tls", 2),
        (["--tls-client-auth", "maybe"], "argument --tls-client-auth: invalid choice", 2),
        (["--tls-certificate", "nowhere"], "nowhere: No such file or directory", 1),
        (
            ["--tls-certificate", "x", "--tls-client-auth", "need"],
            "client_auth='need' takes a ca",
            1,
        ),
        (
            ["--tls-certificate", "x", "--tls-key-password-file", "nowhere"],
            "nowhere: it cannot be read: No such",
            1,
        ),
        (["--sasl", "nowhere"], "nowhere: No such file or directory", 1),
        (["--require-auth", "sasl"], "--require-auth sasl takes --sasl", 2),
        (["--require-auth", "x509"], "--require-auth x509 takes --tls or --tls-ca", 2),
        (["--tls", "/dev/null/folder"], "/dev/null/folder: Not a directory", 1),
    ],
)
def test_options_that_make_no_sense(
    arguments: list[str], complaint: str, status: int, tmp_path: Path
) -> None:
    assert fault("--port", "0", *arguments, status=status).startswith(complaint)


def test_a_line_of_users_that_is_none_is_told_without_its_content(tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text("app:secret\nsecret\n")
    users.chmod(0o600)
    expected = f"{users}: line 2: not of the form USER:PASSWORD"
    assert fault("--port", "0", "--sasl", users) == expected


def test_a_folder_with_files_of_others_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "server.pem").write_text("precious")
    complaint = fault("--port", "0", "--tls", tmp_path)
    assert complaint == f"{tmp_path}/server.pem: it is there, without an authority of ours"
    assert os.listdir(tmp_path) == ["server.pem"]
