"""Commands reach servers that are secured by TLS, and say what is wrong when they do not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from tests.certificates import Authority, Issued
from tests.cli.conftest import Outcome
from tests.cli.test_mistakes import the_line
from tests.deadlines import scaled
from tests.ports import LOOPBACK, free_ports
from tests.tlsfront import Front, tls_front

pytestmark = pytest.mark.not_over_tls("TLS is in front of a server in the clear")

TREE = "/a\n  b = 1\n  /c\n"


@pytest.fixture(scope="module")
def served(authority: Authority) -> Issued:
    return authority.issue("server", LOOPBACK)


@pytest.fixture(scope="module")
def client(authority: Authority) -> Issued:
    return authority.issue("client")


@pytest.fixture(scope="module")
def encrypted(client: Issued) -> Path:
    """Return the client's key, encrypted with the password `opensesame`."""
    key = serialization.load_pem_private_key(client.key.read_bytes(), None)
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"opensesame"),
    )
    file = client.key.with_name("encrypted.pem")
    file.write_bytes(text)
    file.chmod(0o600)
    return file


@pytest.fixture
def front(served: Issued, authority: Authority, connection_string: str) -> Iterator[Front]:
    """Yield TLS in front of the shared server, which wants client certificates."""
    with tls_front(served.certificate, served.key, authority.file, connection_string) as front:
        yield front


@pytest.fixture
def secured(front: Front, root: str) -> str:
    """Return the test's own place, by TLS."""
    return front.connection_string + root


@pytest.fixture
def options(authority: Authority, client: Issued) -> list[str]:
    return [
        f"--tls-ca={authority.file}",
        f"--tls-certificate={client.certificate}",
        f"--tls-key={client.key}",
    ]


@pytest.fixture
def variables(authority: Authority, client: Issued) -> dict[str, str]:
    return {
        "ZC_ZK_TLS_CA": str(authority.file),
        "ZC_ZK_TLS_CERTIFICATE": str(client.certificate),
        "ZC_ZK_TLS_KEY": str(client.key),
    }


def test_every_command_goes_by_tls(
    command, start, secured, options, front, place, zk, tmp_path
) -> None:
    assert command("import", *options, secured, given=TREE) == Outcome(0, "", "")
    assert command("export", *options, secured) == Outcome(0, TREE, "")
    (tmp_path / "tree.txt").write_text(TREE)
    assert command("diff", *options, secured, "tree.txt") == Outcome(0, "", "")
    assert command("diff", *options, secured, secured) == Outcome(0, "", "")
    assert command("set_property", *options, secured, "/a", "b=2") == Outcome(0, "", "")
    assert zk.get_properties("/a") == {"b": 2}
    assert command("graph", *options, secured).status == 0
    lines = "cd a\nget --property b\nls\nset_property /a b=2\nwrite off\n"
    shell = command("shell", "--write", *options, secured, given=lines)
    assert shell == Outcome(0, "2\nc\n", "")
    watch = start("watch", "--no-time", *options, secured, "/a")
    assert watch.stdout.readline() == b"/a add property b = 2\n"
    browse = start("browse", "--port", "0", *options, secured)
    assert browse.stdout.readline().startswith(b"http://127.0.0.1:")
    assert command("delete", "-y", *options, secured, "/a") == Outcome(0, "", "")
    assert not zk.exists("/a")
    assert set(front.clients) == {"client"}
    assert len(front.clients) >= 10


def test_variables_secure_every_command(command, secured, variables) -> None:
    assert command("import", secured, given=TREE, variables=variables).status == 0
    assert command("export", secured, variables=variables).output == TREE
    off = {**variables, "ZC_ZK_TLS": "0"}
    assert command("export", "--timeout", "1", secured, variables=off).status == 1
    assert command("export", "--tls", secured, variables=off).status == 0


def test_an_option_comes_before_its_variable(
    command, secured, place, options, variables, tmp_path, client
) -> None:
    others = Authority(tmp_path, "others")
    stranger = others.issue("stranger")
    wrong = {
        "ZC_ZK_TLS_CA": str(others.file),
        "ZC_ZK_TLS_CERTIFICATE": str(stranger.certificate),
        "ZC_ZK_TLS_KEY": str(stranger.key),
        "ZC_ZK_TLS_SERVER_HOSTNAME": "elsewhere.example.com",
    }
    assert command("export", *options, secured, variables=wrong).status == 1
    right = [*options, "--tls-server-hostname", LOOPBACK]
    assert command("export", *right, secured, variables=wrong).status == 0
    # The key of the variable belongs to another certificate.
    right[1:3] = [f"--tls-certificate={client.both}"]
    assert command("export", *right, secured, variables=wrong).status == 0
    assert command("export", "--no-tls", place, variables=variables).status == 0


def test_the_password_of_a_key_comes_from_a_file_or_a_variable(
    command, secured, options, encrypted, tmp_path
) -> None:
    password = tmp_path / "password"
    password.write_text("opensesame\n")
    password.chmod(0o600)
    options = [*options[:2], f"--tls-key={encrypted}"]
    in_file = command("export", *options, "--tls-key-password-file", password, secured)
    assert (in_file.status, in_file.messages) == (0, "")
    for variables in (
        {"ZC_ZK_TLS_KEY_PASSWORD": "opensesame"},
        {"ZC_ZK_TLS_KEY_PASSWORD_FILE": str(password)},
    ):
        assert command("export", *options, secured, variables=variables).messages == ""
    line = the_line(command("export", *options, secured), "export")
    assert line == f"{encrypted}: the key is encrypted, and there is no password for it"
    wrong = {"ZC_ZK_TLS_KEY_PASSWORD": "hidden"}
    line = the_line(command("export", *options, secured, variables=wrong), "export")
    assert line == f"{encrypted}: the password of the key is wrong"


def test_a_check_that_is_off_is_said(command, front, root, options, tmp_path) -> None:
    others = Authority(tmp_path, "others")
    place = front.connection_string.replace(LOOPBACK, "localhost") + root
    known = ["export", "--timeout", "2", *options[1:], place]
    assert command(*known, "--tls-ca", others.file).status == 1
    for switch, words in [
        ("--no-tls-verify", "any machine that answers is taken for the server\n"),
        ("--no-tls-check-hostname", "any holder of a certificate is taken for the server\n"),
    ]:
        outcome = command(*known, options[0], switch)
        assert outcome.status == 0, outcome
        assert outcome.messages.startswith("python -m zc.zk export: TLS(")
        assert outcome.messages.endswith(words)
        assert outcome.messages.count("\n") == 1
    off = {"ZC_ZK_TLS_VERIFY": "0", "ZC_ZK_TLS_CHECK_HOSTNAME": "no"}
    assert command(*known, options[0], variables=off).status == 0
    back = ["--tls-verify", "--tls-check-hostname"]
    assert command(*known, *back, options[0], variables=off).status == 1


def test_a_secret_that_all_can_read_is_warned_of(command, secured, options, client) -> None:
    client.key.chmod(0o644)
    try:
        outcome = command("diff", *options, secured, secured)
    finally:
        client.key.chmod(0o600)
    assert outcome.status == 0
    assert outcome.messages == (
        f"python -m zc.zk diff: {client.key}: everybody on this machine can read the key\n"
    )


def bad_files(folder: Path, issued: Issued, key: Path) -> Iterator[tuple[list[object], str]]:
    """Yield options for files that cannot be used, and what is said of each."""
    missing, text = folder / "missing.pem", folder / "text.pem"
    text.write_text("no certificate\n")
    other = Authority(folder, "other").issue("other").key
    certificate = issued.certificate
    yield ["--tls-ca", missing], f"{missing}: certificate of an authority cannot be read: No such"
    yield ["--tls-ca", text], f"{text}: there is no certificate of an authority in PEM form"
    yield ["--tls-certificate", missing], f"{missing}: certificate cannot be read: No such file"
    yield ["--tls-certificate", text], f"{text}: there is no certificate in PEM form"
    yield (
        ["--tls-certificate", certificate, "--tls-key", missing],
        f"{missing}: private key cannot be read: No such file or directory",
    )
    yield (
        ["--tls-certificate", certificate, "--tls-key", other],
        f"{other}: the key does not belong to the certificate in {certificate}",
    )
    yield (
        ["--tls-certificate", certificate, "--tls-key", key, "--tls-key-password-file", missing],
        f"{missing}: it cannot be read: No such file or directory",
    )
    yield ["--tls-key", key], "TLS: a key is of no use without its certificate"
    yield ["--sasl", "digest-md5"], "digest-md5 needs a user and a password, in ZC_ZK_SASL_"
    yield (
        ["--sasl", "digest-md5", "--sasl-credentials-file", missing],
        f"{missing}: it cannot be read: No such file or directory",
    )


def test_a_bad_file_is_one_line_before_any_connection(command, tmp_path, client, encrypted) -> None:
    (port,) = free_ports(1)
    for words, start in bad_files(tmp_path, client, encrypted):
        line = the_line(command("export", *words, f"{LOOPBACK}:{port}"), "export")
        assert line.startswith(start)
    for variables, start in [
        ({"ZC_ZK_TLS": "perhaps"}, "ZC_ZK_TLS: neither 1 nor 0: 'perhaps'"),
        ({"ZC_ZK_TLS_CERT": "x"}, "ZC_ZK_TLS_CERT: there is no such setting, but: ZC_ZK_TLS_CA,"),
        ({"ZC_ZK_TLS_MINIMUM_VERSION": "1.1"}, "TLS: minimum_version is '1.2' or '1.3', not '1.1'"),
        ({"ZC_ZK_SASL": "plain"}, "ZC_ZK_SASL: 'plain' is none of digest-md5, gssapi, none"),
        ({"ZC_ZK_SASL_CREDENTIAL": "a:hidden"}, "there are settings for SASL, and no mechanism"),
    ]:
        for name, *paths in [("export",), ("watch", "/a")]:
            arguments = [name, f"{LOOPBACK}:{port}", *paths]
            line = the_line(command(*arguments, variables=variables), name)
            assert line.startswith(start)
            assert "hidden" not in line


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["--tls-minimum-version", "1.1"], "argument --tls-minimum-version: invalid choice: '1.1'"),
        (["--sasl", "plain"], "argument --sasl: invalid choice: 'plain'"),
        (["--no-tls", "--tls-ca", "x"], "--no-tls, and an option for TLS: --tls-ca"),
        (["--no-tls", "--no-tls-verify"], "--no-tls, and an option for TLS: --tls-verify"),
        (["--no-sasl", "--sasl-keytab", "x"], "--no-sasl, and an option for SASL: --sasl-keytab"),
        (["--sasl", "gssapi", "--sasl-credentials-file", "x"], "--sasl-credentials-file is of no"),
    ],
)
def test_options_that_contradict_each_other_are_wrong_usage(command, words, fault) -> None:
    assert the_line(command("export", *words, "h:1"), "export", 2).startswith(fault)


def refused(outcome: Outcome, server: str, words: str, lack: str = "session") -> None:
    """See that a command says what is wrong with a server, in one line."""
    line = the_line(outcome, "export")
    assert line.startswith(f"{server}: no {lack} within 1 seconds (")
    assert words in line


def test_a_server_that_cannot_be_reached_says_why_in_one_line(
    command, front, connection_string, options, tmp_path, authority, client
) -> None:
    others = Authority(tmp_path, "others")
    stranger = others.issue("stranger")
    own = options[0]
    export = ["export", "--timeout", "1", front.connection_string]
    server = front.connection_string
    refused(command(*export, *options[1:], "--tls-ca", others.file), server, "not of an authority")
    refused(command(*export, own), server, f"{server} wants a client certificate")
    wrong = ["--tls-certificate", stranger.certificate, "--tls-key", stranger.key]
    refused(command(*export, own, *wrong), server, f"{server} refuses our client certificate")
    refused(
        command(*export, *options, "--tls-server-hostname", "zk.example.com"),
        server,
        f"the certificate of {server} is not for zk.example.com, but for: {LOOPBACK}",
    )
    plain = [*export[:-1], connection_string]
    refused(command(*plain, *options), connection_string, "the port may be one without TLS")
    refused(command(*export), server, "it speaks TLS, and TLS is not asked for", "answer")


@pytest.mark.parametrize(
    ("validity", "words"),
    [
        ({"not_after": "2020-01-01"}, "has expired at 2020-01-01 00:00:00 UTC"),
        ({"not_before": "2100-01-01"}, "is not valid before 2100-01-01 00:00:00 UTC; is the clock"),
    ],
)
def test_a_certificate_of_another_time_is_told(command, tmp_path, validity, words) -> None:
    own = Authority(tmp_path, "own")
    times = {
        "not_before": datetime(2019, 1, 1, tzinfo=timezone.utc),
        "not_after": datetime(2200, 1, 1, tzinfo=timezone.utc),
        **{
            name: datetime.fromisoformat(day).replace(tzinfo=timezone.utc)
            for name, day in validity.items()
        },
    }
    issued = own.issue("server", LOOPBACK, **times)
    with tls_front(issued.certificate, issued.key) as front:
        server = front.connection_string
        outcome = command("export", "--timeout", "1", "--tls-ca", own.file, server)
    refused(outcome, server, f"the certificate of {server} {words}")


def test_completion_asks_servers_by_tls(
    start, secured, variables, environment, tmp_path, zk
) -> None:
    zk.import_tree("/shop\n  /web\n")
    answer = tmp_path / "completions"
    answer.touch()
    line = f"export {secured} /sho"
    asking = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    process = start("export", env={**environment, **asking, **variables, "ZC_ZK_TLS_VERIFY": "0"})
    output, messages = process.communicate(timeout=scaled(60))
    assert (process.returncode, output, messages) == (0, b"", b"")
    assert answer.read_text() == "/shop/"


def test_a_command_that_is_no_client_asks_for_no_security(command) -> None:
    assert command("validate", given=TREE, variables={"ZC_ZK_TLS": "perhaps"}).status == 0
    with pytest.raises(AssertionError):
        the_line(command("validate", "--tls", given=TREE), "validate")


def test_no_argument_of_a_process_is_a_secret(command) -> None:
    """The options that name a secret name the file that it is in."""
    described = command("export", "--help").output
    for option in ("--tls-key-password-file FILE", "--sasl-credentials-file FILE"):
        assert option in described
    for name in ("password", "credential", "secret"):
        assert f"--tls-key-{name} " not in described
        assert f"--sasl-{name} " not in described


def test_a_plain_command_loads_nothing_of_security(place) -> None:
    program = f"""if True:
        import sys
        from zc.zk.scripts import export
        assert export([{place!r}]) is None
        secured = ("environment", "sasl", "secretfiles", "tls", "_tls")
        print([name for name in secured if f"zookeeper.{{name}}" in sys.modules])
        print([name for name in ("ssl", "hashlib", "base64") if name in sys.modules])
    """
    environment = {name: value for name, value in os.environ.items() if "ZC_ZK" not in name}
    output = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment
    ).stdout
    assert output.splitlines()[-2:] == ["[]", "[]"]
