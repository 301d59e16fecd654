"""Commands log in by Kerberos, and say what is wrong when they cannot."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import PATIENCE_SECONDS, Outcome
from tests.cli.test_mistakes import the_line
from tests.deadlines import scaled
from tests.kdc import REALM, Kdc
from tests.kerberos.test_real_servers import hosts_of, secured
from tests.servers import Server

TREE = "/a\n  b = 1\n"

Command = Callable[..., Outcome]


@pytest.fixture(scope="module")
def server(
    own_servers_only: None, shared_realm: Kdc, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Yield a server that hangs up on strangers."""
    with secured(shared_realm, tmp_path_factory.mktemp("commands")) as running:
        yield running


@pytest.fixture
def command(realm: Kdc, tmp_path: Path) -> Command:
    """Return a function that runs a command, as the user of this process."""

    def command(name: str, *arguments: object, given: str = "") -> Outcome:
        done = subprocess.run(
            [sys.executable, "-m", "zc.zk", name, *map(str, arguments)],
            input=given,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=scaled(PATIENCE_SECONDS),
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return command


def test_commands_log_in_by_a_keytab_or_a_ticket(command, server, realm, monkeypatch) -> None:
    place = hosts_of(server)
    keytab = realm.keytab("app", "other", name="commands")
    own = ["--sasl", "gssapi", "--sasl-keytab", keytab, "--sasl-principal", "app"]
    acl = ["--acl", f"sasl:app@{REALM}:cdrwa"]
    assert command("import", *own, *acl, place, given=TREE) == Outcome(0, "", "")
    other = [*own[:-1], "other"]
    line = the_line(command("export", *other, place, "/a"), "export")
    assert line.startswith("not authenticated: /a")
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{realm.kinit('app')}")
    monkeypatch.setenv("ZC_ZK_SASL", "gssapi")
    outcome = command("export", place)
    assert (outcome.status, outcome.output) == (0, TREE)
    assert "not in what is written: ACLs of 1 node (--acls writes them): /a" in outcome.messages
    monkeypatch.setenv("ZC_ZK_SASL_KEYTAB", str(keytab))
    monkeypatch.setenv("ZC_ZK_SASL_PRINCIPAL", "other")
    assert command("export", place, "/a").status == 1
    assert command("delete", "-y", "--sasl-principal", "app", place, "/a") == Outcome(0, "", "")


def test_no_ticket_is_told_in_one_line(command, server) -> None:
    place = hosts_of(server)
    line = the_line(command("export", "--sasl", "gssapi", "--timeout", "2", place), "export")
    assert line.startswith(f"{place}: no session within 2 seconds (")
    assert "there is no ticket: kinit gets one, or a keytab" in line


def test_a_keytab_that_is_not_there_is_told_before_any_connection(command, tmp_path) -> None:
    missing = tmp_path / "missing.keytab"
    line = the_line(
        command("export", "--sasl", "gssapi", "--sasl-keytab", missing, "h:1"), "export"
    )
    assert str(missing) in line
    assert "within" not in line
