"""Commands log in by SASL, and say what is wrong when they cannot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import zc.zk
from tests import saslservers
from tests.cli.conftest import Outcome
from tests.cli.test_mistakes import the_line
from tests.conftest import SESSION_TIMEOUT_MILLISECONDS as TIMEOUT
from tests.saslservers import Jaas, digest_login
from tests.servers import Server, standalone

TREE = "/a\n  b = 1\n"


@pytest.fixture(scope="module")
def guarded(own_servers_only: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield a real server that hangs up on strangers."""
    folder = tmp_path_factory.mktemp("jaas")
    jaas = Jaas(folder, digest_login({"alice": "wonder:land", "bob": "builder"}))
    settings = {**saslservers.SETTINGS, **saslservers.REQUIRED}
    with standalone(settings=settings, java_options=jaas.java_options) as server:
        yield server


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    file = tmp_path / "alice.txt"
    file.touch(0o600)
    file.write_text("# who I am\nalice:wonder:land\n")
    return file


@pytest.fixture
def options(credentials: Path) -> list[str]:
    return ["--sasl", "digest-md5", "--sasl-credentials-file", str(credentials)]


@pytest.fixture
def alice(guarded: Server) -> Iterator[zc.zk.ZooKeeper]:
    """Yield a client that is a user; the tree is empty afterwards."""
    mechanism = zc.zk.SASL.digest_md5("alice", "wonder:land")
    with zc.zk.ZooKeeper(guarded.connection_string, TIMEOUT, sasl=mechanism) as zk:
        yield zk
        zk.delete_recursive("/a")


@pytest.fixture
def as_bob() -> dict[str, str]:
    return {"ZC_ZK_SASL": "digest-md5", "ZC_ZK_SASL_CREDENTIAL": "bob:builder"}


def test_commands_log_in_by_options_and_by_variables(
    command, start, guarded, alice, options, credentials, as_bob
) -> None:
    place = guarded.connection_string
    assert command("import", *options, place, given=TREE) == Outcome(0, "", "")
    assert command("diff", *options, place, place) == Outcome(0, "", "")
    watch = start("watch", "--no-time", *options, place, "/a")
    assert watch.stdout.readline() == b"/a add property b = 1\n"
    assert command("export", place, variables=as_bob) == Outcome(0, TREE, "")
    by_file = {"ZC_ZK_SASL": "DIGEST-MD5", "ZC_ZK_SASL_CREDENTIALS_FILE": str(credentials)}
    assert command("export", place, variables=by_file) == Outcome(0, TREE, "")


@pytest.mark.not_over_tls("its user would be known by a certificate too")
def test_new_nodes_can_be_the_users_own(command, guarded, alice, options, as_bob) -> None:
    place = guarded.connection_string
    for entry in ("auth::cdrwa", "sasl:alice:cdrwa"):
        assert command("import", *options, "--acl", entry, place, given=TREE).status == 0
        assert alice.get_acl("/a")[1] == [zc.zk.sasl_acl("alice")]
        assert command("export", *options, place).output == TREE
        line = the_line(command("export", place, "/a", variables=as_bob), "export")
        assert line.startswith("not authenticated: /a")
        # An option comes before its variable.
        assert command("export", *options, place, variables=as_bob).output == TREE
        alice.delete_recursive("/a")
    alice.import_tree(TREE, acl=[zc.zk.sasl_acl("bob", "r"), zc.zk.sasl_acl("alice", "cdwa")])
    assert command("export", place, variables=as_bob).output == TREE
    line = the_line(command("export", *options, place, "/a"), "export")
    assert line.startswith("not authenticated: /a")
    alice.set_acl("/a", -1, [zc.zk.sasl_acl("alice")])


def test_a_login_that_fails_says_why_in_one_line(
    command, guarded, connection_string, options, credentials
) -> None:
    place = guarded.connection_string
    wrong = {"ZC_ZK_SASL": "digest-md5", "ZC_ZK_SASL_CREDENTIAL": "alice:hidden"}
    for name, *words in [("export", place), ("watch", place, "/")]:
        line = the_line(command(name, "--timeout", "2", *words, variables=wrong), name)
        assert line.startswith(f"{place}: all servers refuse (")
        assert "the server refuses the credentials (DIGEST-MD5)" in line
    line = the_line(command("export", *options, "--timeout", "2", connection_string), "export")
    assert line.startswith(f"{connection_string}: all servers refuse (")
    assert "SASL" in line


def test_a_stranger_is_told_what_a_server_wants(command, guarded) -> None:
    place = guarded.connection_string
    outcome = command("export", "--timeout", "2", place)
    assert (outcome.status, outcome.output) == (1, "")
    # A server that wants SASL hangs up, of which there may be a line before.
    *before, line = outcome.messages.splitlines()
    assert before in ([], [f"python -m zc.zk export: {place}: connection lost"])
    assert line.startswith(f"python -m zc.zk export: {place}: ")
    assert "SASL" in line
