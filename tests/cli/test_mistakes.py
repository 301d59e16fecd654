"""Every mistake has a status and one line, and leaves nothing half done."""

from __future__ import annotations

import ctypes
import os
import re
import resource
import socket
import subprocess
from contextlib import closing

import pytest

from tests.deadlines import scaled
from tests.ports import LOOPBACK, free_ports
from zc.zk.cli import input as input_
from zc.zk.cli.commands import COMMANDS
from zc.zk.cli.failures import Failure
from zc.zk.testing.engine import digest

TREE = "/a\n  b = 1\n  /c\n"


def the_line(outcome, name, status=1):
    """Return what is said of the failure, after the name of the command."""
    assert (outcome.status, outcome.output) == (status, "")
    start = f"python -m zc.zk {name}: "
    assert outcome.messages.startswith(start)
    assert outcome.messages.endswith("\n")
    assert outcome.messages.count("\n") == 1, outcome.messages
    return outcome.messages.removeprefix(start).rstrip("\n")


# The servers


def test_no_server(command):
    (port,) = free_ports(1)
    address = f"{LOOPBACK}:{port}"
    for name, *words in [
        ("export", address),
        ("import", address, "-"),
        ("diff", address, "-"),
        ("delete", address, "/a"),
        ("set_property", address, "/a", "b=1"),
        ("watch", address, "/a"),
        ("graph", address),
        ("browse", address),
    ]:
        line = the_line(command(name, "--timeout", "0.3", *words), name)
        assert line == f"{address}: no answer within 0.3 seconds (Connection refused)"


@pytest.mark.not_over_tls("the wrapped init, and not the command, knows of TLS: it warns of it")
@pytest.mark.parametrize(
    ("name", "words"), [("export", []), ("watch", ["--no-wait", "/a"])], ids=["session", "client"]
)
def test_a_command_that_has_to_wait_for_servers_says_so(start, own_server, name, words):
    own_server.stop()
    process = start(name, "--timeout", "100", own_server.connection_string, *words)
    line = process.stderr.readline().decode()
    assert line.startswith(
        f"python -m zc.zk {name}: {own_server.connection_string}: Connection refused; trying for "
    )
    own_server.start()
    if name == "export":
        assert process.stderr.read() == b""
        assert process.wait(scaled(60)) == 0
    else:
        assert process.stderr.readline().decode() == f"python -m zc.zk {name}: no node: /a\n"
        assert process.wait(scaled(60)) == 1


def test_a_port_where_nobody_answers(command):
    with closing(socket.create_server((LOOPBACK, 0))) as silent:
        address = f"{LOOPBACK}:{silent.getsockname()[1]}"
        line = the_line(command("export", "--timeout", "0.5", address), "export")
    assert line.startswith(f"{address}: no answer within 0.5 seconds")


def test_a_port_of_something_else(command):
    with closing(socket.create_server((LOOPBACK, 0))) as other:
        os.set_blocking(other.fileno(), True)
        pid = os.fork()
        if pid == 0:
            while True:
                connection, _ = other.accept()
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                connection.close()
        try:
            address = f"{LOOPBACK}:{other.getsockname()[1]}"
            line = the_line(command("export", "--timeout", "0.5", address), "export")
        finally:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
    assert line.startswith(f"{address}: no answer within 0.5 seconds")


def test_a_host_that_is_unknown(command):
    line = the_line(command("export", "--timeout", "1", "no-such-host.invalid:2181"), "export")
    assert "no-such-host.invalid:2181" in line


@pytest.mark.parametrize("port", ["0", "65536", "99999999999"])
def test_a_port_that_cannot_be(command, port):
    assert f"localhost:{port}" in the_line(command("export", f"localhost:{port}"), "export")


def test_a_root_that_is_not_there(command, place):
    for name, *words in [("export",), ("browse", "--port", "0"), ("watch", "/")]:
        line = the_line(command(name, f"{place}/nowhere", *words), name)
        assert line == f"{place}/nowhere: there is no node /{place.partition('/')[2]}/nowhere"


def test_no_connection(command):
    line = the_line(command("export"), "export", 2)
    assert line == (
        "no connection given, and ZC_ZK_CONNECTION_STRING is not set; --help tells more"
    )
    line = the_line(command("export", "localhost", "/a"), "export", 2)
    assert line.startswith("'localhost' is no HOST:PORT")


def test_a_connection_lost_meanwhile(start, own_server, tmp_path):
    own_server.pause()
    try:
        outcome = start("export", "--timeout", "0.5", own_server.connection_string)
        _, messages = outcome.communicate(timeout=60)
    finally:
        own_server.resume()
    assert outcome.returncode == 1
    assert messages.count(b"\n") == 1
    assert own_server.connection_string.encode() in messages


# Paths and permissions


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("export", ["/nowhere"]),
        ("delete", ["-y", "/nowhere"]),
        ("set_property", ["/nowhere", "a=1"]),
        ("watch", ["--no-wait", "/nowhere"]),
        ("graph", ["/nowhere"]),
    ],
)
def test_a_path_that_is_not_there(command, place, name, words):
    assert the_line(command(name, place, *words), name) == "no node: /nowhere"


@pytest.mark.parametrize("name", ["export", "delete", "set_property", "watch", "graph"])
def test_a_path_that_is_none(command, place, name):
    words = ["no/path", "x=1"] if name == "set_property" else ["no/path"]
    line = the_line(command(name, place, *words), name, 2)
    assert line == "not the path of a node, which begins with a slash: 'no/path'"


def test_no_permission(command, place, zk):
    zk.import_tree("/open\n  /secret\n    /below\n")
    credential = "alice:secret"
    zk.add_auth("digest", credential)
    # The scheme auth would stand for a certificate, too, which commands have by TLS.
    acl = [{"scheme": "digest", "id": digest(credential), "perms": 31}]
    zk.set_acl("/open/secret", -1, acl)
    refusal = "not authenticated: /open/secret"
    hint = " (--skip-unreadable leaves out such nodes)"
    assert the_line(command("export", place), "export") == refusal + hint
    assert the_line(command("graph", place), "graph") == refusal + hint
    assert the_line(command("watch", place, "/open/secret"), "watch") == refusal
    assert the_line(command("delete", "-y", place, "/open"), "delete") == refusal
    changed = "/open\n  x = 1\n  /secret\n    y = 1\n"
    assert the_line(command("import", place, given=changed), "import") == refusal
    assert zk.get_properties("/open") == {}
    wrong = {"ZC_ZK_CREDENTIAL": "digest:alice:wrong"}
    assert the_line(command("export", place, variables=wrong), "export") == refusal + hint


# Credentials


def test_a_credentials_file_that_is_not_there(command, place):
    line = the_line(command("export", place, "--credentials", "none.txt"), "export")
    assert line == "none.txt: No such file or directory"


def test_a_line_that_is_no_credential_is_not_repeated(command, place, tmp_path):
    (tmp_path / "bad.txt").touch(0o600)
    (tmp_path / "bad.txt").write_text("digest:alice:secret\nsecret\n")
    line = the_line(command("export", place, "--credentials", "bad.txt"), "export")
    assert line == "bad.txt: line 2: not of the form SCHEME:CREDENTIAL"


def test_credentials_that_everybody_can_read_are_warned_of(command, place, tmp_path):
    file = tmp_path / "alice.txt"
    file.write_text("digest:alice:secret\n")
    file.chmod(0o600)
    assert command("export", place, "--credentials", file).messages == ""
    file.chmod(0o604)
    line = f"{file}: everybody on this machine can read the credentials\n"
    outcome = command("export", place, "--credentials", file)
    assert (outcome.status, outcome.messages) == (0, f"python -m zc.zk export: {line}")


@pytest.mark.parametrize("name", ["ZC_ZK_TLSCA", "ZC_ZK_tls", "ZC_ZK_SASLE", "ZC_ZK_CREDENTIALS"])
def test_a_misspelled_variable_is_told_before_anything_is_sent(command, name):
    line = the_line(command("export", "127.0.0.1:1", variables={name: "x"}), "export")
    assert line.startswith(f"{name}: there is no such setting, but: ZC_ZK_")


def test_variables_of_others_are_none_of_ours(command, place):
    assert command("export", place, variables={"ZC_ZK_PORT": "tcp://10.0.0.1:2181"}).status == 0


def test_a_name_that_no_node_can_have_is_wrong_usage(command):
    for name in ("", "a/b", ".."):
        outcome = command("export", "--name", name, "127.0.0.1:1")
        assert outcome.status == 2
        assert f"argument --name: no node can have this name: {name!r}" in outcome.messages


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("/dev/urandom", "line [0-9]+: not (UTF-8 text: |text: a null character)"),
        ("/dev/zero", "line 1: not text: a null character"),
    ],
)
def test_a_device_without_an_end_is_refused_as_no_text(command, file, words):
    line = the_line(command("import", "127.0.0.1:1", file), "import")
    assert re.match(f"{file}: {words}", line)


def test_text_without_an_end_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(input_, "MAX_BYTES", 10_000)
    monkeypatch.setattr(input_, "PART_BYTES", 1_000)
    file = tmp_path / "tree.txt"
    file.write_text("é" * 5_000)
    assert input_.read_text(str(file)) == ("é" * 5_000, str(file))
    file.write_text("é" * 5_000 + "!")
    with pytest.raises(Failure, match="more than 10000 bytes are no tree"):
        input_.read_text(str(file))


@pytest.mark.parametrize("before", [0, 1, 999, 1_000, 1_001, 2_500])
def test_the_line_of_a_fault_is_told_wherever_parts_of_a_file_end(monkeypatch, tmp_path, before):
    monkeypatch.setattr(input_, "PART_BYTES", 1_000)
    file = tmp_path / "tree.txt"
    for fault, words in ((b"\xc3(", "not UTF-8 text"), (b"\0", "not text"), (b"\xc3", "not UTF-8")):
        file.write_bytes(b"\xef\xbb\xbf" + b"\n" * before + fault)
        with pytest.raises(Failure, match=f"{file}: line {before + 1}: {words}"):
            input_.read_text(str(file))


def test_a_credential_for_sasl_is_told_where_it_belongs(command, place):
    variables = {"ZC_ZK_CREDENTIAL": "sasl:alice:hidden"}
    line = the_line(command("export", place, variables=variables), "export")
    assert line == "ZC_ZK_CREDENTIAL: line 1: servers take no credential for it: see --sasl"


def test_credentials_that_the_servers_do_not_know(command, place):
    variables = {"ZC_ZK_CREDENTIAL": "nonsense:alice:secret"}
    line = the_line(command("export", place, variables=variables), "export")
    assert line == f"{place}: authentication failed: by the scheme 'nonsense'"


# Files


def test_a_file_that_is_not_there(command, place):
    for name, *words in [
        ("import", place, "none.txt"),
        ("diff", place, "none.txt"),
        ("validate", "none.txt"),
        ("graph", "--tree", "none.txt"),
    ]:
        line = the_line(command(name, *words), name)
        assert line == "none.txt: No such file or directory"


def test_a_file_that_is_a_folder(command, place, tmp_path):
    assert the_line(command("import", place, tmp_path), "import") == f"{tmp_path}: Is a directory"


def without_special_rights():
    """Drop, in a child process, the rights that root has over others."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    drop_capability, override, read_search = 24, 1, 2
    if os.geteuid() == 0 and any(prctl(drop_capability, each) for each in (override, read_search)):
        os._exit(99)


def test_a_file_that_may_not_be_read(start, place, tmp_path):
    (tmp_path / "secret.txt").write_text(TREE)
    (tmp_path / "secret.txt").chmod(0)
    process = start("import", place, "secret.txt", preexec_fn=without_special_rights)
    output, messages = process.communicate(timeout=60)
    assert (process.returncode, output) == (1, b"")
    assert messages == b"python -m zc.zk import: secret.txt: Permission denied\n"


def test_a_folder_that_may_not_be_written_to(start, place, exported, tmp_path):
    (tmp_path / "kept").mkdir(mode=0o555)
    process = start("export", place, "-o", "kept/tree.txt", preexec_fn=without_special_rights)
    output, messages = process.communicate(timeout=60)
    assert (process.returncode, output) == (1, b"")
    assert messages == b"python -m zc.zk export: kept/tree.txt: Permission denied\n"


BAD_FILES: dict[str, tuple[str | bytes, str]] = {
    "bad.txt": ("/a\n  b = c\n", "line 2: bad expression: "),
    "odd.txt": ("/a\n  b = 1\n    c = 2\n", "line 3: bad indentation: "),
    "binary.txt": (b"/a\n\xff\xfe\n", "line 2: not UTF-8 text: invalid start byte"),
    "bad.json": ('{\n"/a": {}\n', "line 3: expected ',' or '}'"),
    "orphan.json": ('{\n"/a/b": {}\n}', "line 2: no node above '/a/b'"),
    "list.json": ("[]", "line 1: expected '{'"),
    "text.json": (TREE, "line 1: expected '{'"),
    "bad.yaml": ("/a:\n  b: [\n", "line 3: "),
    "date.yaml": ("/a:\n  b: 2026-01-01\n", "line 2: a timestamp, which JSON does not"),
    "text.yaml": (TREE, "line 1: a tree is a mapping"),
    "alias.yaml": ("/a: &x {b: 1}\n/c: *x\n", "line 2: an alias"),
}


@pytest.mark.parametrize("file", BAD_FILES)
def test_a_file_that_cannot_be_read_as_a_tree(command, place, zk, tmp_path, file):
    content, fault = BAD_FILES[file]
    (tmp_path / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    for name, *words in [("import", place), ("validate",), ("diff", place)]:
        assert the_line(command(name, *words, file), name).startswith(f"{file}: {fault}")
    assert zk.get_children("/") == []


def test_a_line_of_a_megabyte_is_not_repeated_as_a_whole(command, place):
    line = the_line(command("validate", given="/a\n  b = c" + "x" * 1_000_000), "validate")
    assert len(line) < 1000


def test_text_that_commands_the_terminal_is_shown_harmless(command):
    line = the_line(command("validate", given="/a\n  \x1b[2J\u202e\n"), "validate")
    assert "\x1b" not in line
    assert "\u202e" not in line


def test_a_node_that_is_too_large_is_named_and_nothing_is_written(command, place, zk):
    text = "/a\n/b\n  x = '" + "x" * 1_100_000 + "'\n"
    line = the_line(command("import", place, given=text), "import")
    assert "/b" in line
    assert "1048575" in line.replace(",", "").replace("_", "")
    assert zk.get_children("/") == []


# Output


@pytest.fixture
def exported(zk):
    zk.import_tree(TREE)
    return TREE


def test_a_folder_that_is_not_there(command, place, exported):
    line = the_line(command("export", place, "-o", "none/tree.txt"), "export")
    assert line == "none/tree.txt: No such file or directory"


def test_a_full_disk_leaves_the_file_as_it_was(start, place, exported, tmp_path):
    (tmp_path / "tree.txt").write_text("precious")

    def with_little_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))

    process = start("export", place, "-o", "tree.txt", preexec_fn=with_little_room)
    output, messages = process.communicate(timeout=60)
    assert (process.returncode, output) == (1, b"")
    assert messages == b"python -m zc.zk export: tree.txt: File too large\n"
    assert (tmp_path / "tree.txt").read_text() == "precious"
    assert [file.name for file in tmp_path.iterdir()] == ["tree.txt"]


@pytest.fixture
def small_disk(tmp_path):
    """Yield a folder with room for a few small files."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", folder]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting takes root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_disk_that_has_become_full_leaves_the_file_as_it_was(command, place, zk, small_disk):
    zk.import_tree("".join(f"/{number} : web\n" for number in range(2000)))
    (small_disk / "tree.txt").write_text("precious")
    for name in "export", "graph":
        line = the_line(command(name, place, "-o", "small/tree.txt"), name)
        assert line == "small/tree.txt: No space left on device"
        assert (small_disk / "tree.txt").read_text() == "precious"
        assert [file.name for file in small_disk.iterdir()] == ["tree.txt"]


def test_a_failure_leaves_the_file_as_it_was(command, place, tmp_path):
    (tmp_path / "tree.txt").write_text("precious")
    command("export", place, "/nowhere", "-o", "tree.txt")
    assert (tmp_path / "tree.txt").read_text() == "precious"
    assert [file.name for file in tmp_path.iterdir()] == ["tree.txt"]


@pytest.mark.parametrize("format", ["text", "json"])
def test_a_full_device(command, place, exported, format):
    line = the_line(command("export", place, "-o", "/dev/full", "--format", format), "export")
    assert line == "/dev/full: No space left on device"


def test_standard_output_that_is_full(start, place, exported):
    with open("/dev/full", "wb") as full:
        process = start("export", place, stdout=full)
        _, messages = process.communicate(timeout=60)
    assert process.returncode == 1
    assert messages == b"python -m zc.zk export: standard output: No space left on device\n"


def test_standard_streams_that_are_closed(start, place, exported):
    process = start("export", place, preexec_fn=lambda: os.close(1))
    assert process.communicate(timeout=60)[1] == (
        b"python -m zc.zk export: standard output is closed\n"
    )
    assert process.returncode == 1
    process = start("import", place, preexec_fn=lambda: os.close(0))
    assert process.communicate(timeout=60)[1] == (
        b"python -m zc.zk import: standard input is closed\n"
    )
    assert process.returncode == 1
    process = start("export", preexec_fn=lambda: os.close(2))
    assert process.communicate(timeout=60) == (b"", b"")
    assert process.returncode == 2


# Usage


@pytest.mark.parametrize("name", COMMANDS)
def test_an_unknown_option(command, name):
    line = the_line(command(name, "--frobnicate"), name, 2)
    assert line == "unrecognized arguments: --frobnicate; --help tells more"


@pytest.mark.parametrize(
    ("name", "words", "fault"),
    [
        ("export", ["h:1", "/a", "/b"], "too many arguments, from '/b'"),
        ("import", ["h:1", "a", "/b", "/c"], "too many arguments, from '/c'"),
        ("export", ["h:1", "--format", "xml"], "argument --format: invalid choice: 'xml'"),
        ("graph", ["h:1", "--format", "gif"], "argument --format: invalid choice: 'gif'"),
        ("export", ["h:1", "--timeout", "soon"], "argument --timeout: not a number of seconds"),
        ("export", ["h:1", "--timeout", "-1"], "argument --timeout: not a number of seconds"),
        ("export", ["h:1", "--timeout", "nan"], "argument --timeout: not a number of seconds"),
        ("export", ["h:1", "--timeout", "1e9"], "argument --timeout: not a number of seconds"),
        ("export", ["h:1", "-o"], "argument -o/--output: expected one argument"),
        ("import", ["h:1", "-p", "32"], "argument -p/--permission: not permissions"),
        ("import", ["h:1", "-p", "0"], "argument -p/--permission: not permissions"),
        ("import", ["h:1", "-p", "rr"], "argument -p/--permission: not permissions"),
        ("import", ["h:1", "-p", "x"], "argument -p/--permission: not permissions"),
        ("import", ["h:1", "--acl", "world"], "argument --acl: not of the form"),
        ("import", ["h:1", "--acl", "world:anyone:"], "argument --acl: not permissions"),
        ("import", ["h:1", "--acl", "digest:a:b:r"], "argument --acl: not a digest: of 'a' the id"),
        ("import", ["h:1", "--acl", "digest:a:r"], "argument --acl: not a digest"),
        ("import", ["h:1", "--acl", "digest:a:" + "A" * 26 + "B=:r"], "argument --acl: not a dig"),
        ("import", ["h:1", "--acl", "digest::" + "A" * 27 + "=:r"], "argument --acl: not a digest"),
        ("import", ["h:1", "--acl", "digest:a:b:" + "A" * 27 + "=:r"], "argument --acl: not a di"),
        ("import", ["h:1", "--acl", "world:alice:r"], "argument --acl: world has the id 'anyone'"),
        ("import", ["h:1", "--acl", "ip:10.0.0:r"], "argument --acl: no address, as 10.0.0.7 or"),
        ("import", ["h:1", "--acl", "ip:10.0.0.256:r"], "argument --acl: no address"),
        ("import", ["h:1", "--acl", "ip:10.0.0.0/33:r"], "argument --acl: no address"),
        ("import", ["h:1", "--acl", "ip:host.example.com:r"], "argument --acl: no address"),
        ("import", ["h:1", "--acl", "sasl::r"], "argument --acl: no user, and no principal"),
        ("import", ["h:1", "--acl", "sasl:a@b@c:r"], "argument --acl: no user, and no principal"),
        ("import", ["h:1", "--acl", "x509::r"], "argument --acl: x509 has the subject of a cert"),
        (
            "import",
            ["h:1", "--acl", "world:anyone:r,x509:CN=a, O=b:r"],
            "argument --acl: nobody could match x509:CN=a, O=b: servers write it CN=a,O=b",
        ),
        (
            "import",
            ["h:1", "--acl", "x509:EMAILADDRESS=a@b,CN=c:r"],
            "argument --acl: nobody could match x509:EMAILADDRESS=a@b,CN=c: EMAILADDRESS is none",
        ),
        ("import", ["h:1", "--acl", "auth::r"], "argument --acl: auth is who you have authentic"),
        ("import", ["h:1", "--acl", "a::r", "-p", "r"], "argument -p/--permission: not allowed"),
        ("delete", ["h:1"], "which node? PATH is missing"),
        ("watch", ["h:1"], "which node? PATH is missing"),
        ("set_property", ["h:1", "/a"], "a path and at least one NAME=LITERAL are needed"),
        ("diff", ["h:1"], "two trees to compare are needed"),
        ("diff", ["a", "b", "c"], "two trees to compare are needed"),
        ("diff", ["-", "-"], "only one of the trees can be standard input"),
        ("graph", ["--tree", "x", "--live"], "with --tree there is neither CONNECTION nor --live"),
        ("browse", ["h:1", "--port", "65536"], "argument --port: not a port"),
        ("browse", ["h:1", "--limit", "0"], "argument --limit: not a number of nodes"),
        ("browse", ["h:1", "/a"], "too many arguments, from '/a'"),
        ("browse", ["h:1", "--host", ""],
         "argument --host: it is empty; 0.0.0.0 is all addresses"),
        ("browse", ["h:1", "--allow-host", "http://tree/"],
         "argument --allow-host: not the name of a host, without a port: 'http://tree/'"),
    ],
)  # fmt: skip
def test_arguments_that_make_no_sense(command, name, words, fault):
    assert the_line(command(name, *words), name, 2).startswith(fault)


def test_a_command_that_there_is_not(command):
    outcome = command("exprot")
    assert outcome == (2, "", "python -m zc.zk: no such command: 'exprot'; --help lists them\n")


def test_debug_shows_where_an_error_comes_from(command, place):
    outcome = command("export", "--debug", place, "/nowhere")
    assert outcome.status == 1
    assert "Traceback (most recent call last):" in outcome.messages
    assert outcome.messages.splitlines()[-1] == "python -m zc.zk export: no node: /nowhere"


def test_a_port_for_the_page_that_is_taken(command, place):
    with closing(socket.create_server((LOOPBACK, 0))) as taken:
        port = taken.getsockname()[1]
        line = the_line(command("browse", "--port", port, place), "browse")
    assert line == f"127.0.0.1:{port}: Address already in use"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (f" {'x' * 20}\n", "a token neither begins nor ends with a blank"),
        (f"{'x' * 20} \n", "a token neither begins nor ends with a blank"),
        ("short\n", "a token has 16 to 512 characters of ASCII that can be printed"),
        ("", "there is no password in it"),
        ("0123456789abcdef\n0123456789abcdef\n", "a password is a single line"),
        (None, "it cannot be read: No such file or directory"),
    ],
)
def test_a_token_for_the_page_that_is_none(command, tmp_path, content, fault):
    if content is not None:
        (tmp_path / "token").write_text(content)
        (tmp_path / "token").chmod(0o600)
    outcome = command("browse", "--port", "0", "--token-file", "token", "127.0.0.1:1")
    assert the_line(outcome, "browse") == f"token: {fault}"


def test_a_format_whose_library_is_not_installed(command, tmp_path):
    (tmp_path / "yaml.py").write_text("raise ImportError\n")
    outcome = command(
        "validate", "--format", "yaml", given="{}\n", variables={"PYTHONPATH": str(tmp_path)}
    )
    assert the_line(outcome, "validate") == (
        "YAML needs PyYAML, which is not installed: pip install 'zc.zk[tools]'"
    )


def test_an_argument_that_may_be_a_password_is_not_repeated(command):
    outcome = command("import", "h:1", "--acl", "world:anyone:r,digest:alice:wonderland:cdrwa")
    assert outcome.status == 2
    assert "'alice'" in outcome.messages
    assert "wonderland" not in outcome.messages
