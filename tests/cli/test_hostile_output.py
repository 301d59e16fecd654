"""Each command prints lines that command no terminal and forge nothing, whatever servers hold."""

from __future__ import annotations

import json
import logging
import pickle

import pytest

import zc.zk
import zookeeper
from tests.cli.test_in_process import SERVER, call
from zc.zk import scripts
from zc.zk.cli.commands import COMMANDS
from zc.zk.errors import BadPropertyLink, LinkLoop, NoProvider
from zc.zk.testing import setUp, tearDown
from zookeeper import log

# Ends of lines, an escape, text turned round or not seen, a half of a character, and much of it.
HOSTILE = "x\x1b[8m\r\n\x9b2J\x85\u2028\u2029\u202e\u2066\u200b\x7f"
FORGED = f"{HOSTILE}\nwould delete /everything.\n/forged change from 1 to 2"
# Servers refuse some of these in names.
NAME = "n\u2028\u202e\u2066\u200b\u2029x"
LONG = "x\x1b[8m\n" * 5000


class Test:
    """A test, as `setUp` takes one."""


@pytest.fixture(scope="module")
def zk():
    test = Test()
    setUp(test, "")
    with zc.zk.ZooKeeper(SERVER) as client:
        properties = {FORGED: FORGED, "type": FORGED, "long": LONG, "list": [FORGED, {FORGED: 1}]}
        links = {f"{HOSTILE} ->": f"/{HOSTILE}", f"{HOSTILE} =>": f"/{HOSTILE} {HOSTILE}"}
        client.create("/top", "")
        client.create(f"/top/{NAME}", json.dumps({**properties, **links}))
        client.create(f"/top/{NAME}/{NAME}", FORGED)
        client.create(f"/top/{NAME}/loop", json.dumps({"a ->": "b", "b ->": "a", "x =>": "b"}))
        client.create(f"/top/{NAME}/providers", "")
        client.create(f"/top/{NAME}/providers/{NAME}", json.dumps({"pid": FORGED}), flags=1)
        client.create("/top/bytes", b"\xff\x1b\n\xfe")
        client.create("/top/bad", '{"\x1b[8m\n": }')
        client.create("/top/large", LONG)
        yield client
    tearDown(test)


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    new = {
        "/top": {FORGED: FORGED, f"{HOSTILE} ->": f"/{HOSTILE}"},
        f"/top/{NAME}": {FORGED: "other", "long": LONG.replace("x", "y", 1)},
        f"/top/{NAME}/{NAME}": FORGED + "!",
        "/top/large": LONG + FORGED,
        f"/top/{HOSTILE}": FORGED,
    }
    (tmp_path / "new.json").write_text(json.dumps(new))
    (tmp_path / "wrong.txt").write_text(f"/n\n  {HOSTILE} = {HOSTILE}\n".replace("\n\x9b", "\x9b"))


PATH = f"/top/{NAME}"

# Arguments by command: what it prints of a tree, and of what is wrong.
ARGUMENTS = {
    "export": [[SERVER, "/top"], ["--format", "json", SERVER], ["-e", "--format", "yaml", SERVER]],
    "import": [
        ["-d", "-v", SERVER, "new.json"],
        ["-d", "-t", SERVER, "new.json"],
        [SERVER, "new.json", f"/{HOSTILE}"],
        ["-t", SERVER, "new.json"],
        [SERVER, "wrong.txt"],
    ],
    # Data are raw, as they are asked for.
    "get": [[SERVER, f"/{HOSTILE}"], ["--property", HOSTILE, SERVER, PATH]],
    "ls": [["-R", SERVER], ["-l", SERVER, PATH], ["-R", "--format", "json", SERVER]],
    "find": [["-l", SERVER], ["--property", HOSTILE, SERVER], ["--format", "json", SERVER]],
    "grep": [[SERVER, "would"], ["-l", SERVER, "x"], ["--format", "json", SERVER, "forged"]],
    "du": [["--depth", "3", SERVER], ["--format", "json", SERVER]],
    "count": [["-R", SERVER, "/top", PATH]],
    "cp": [["-d", "-v", SERVER, "/top", f"/{NAME}"], ["-d", SERVER, "/top", f"/{HOSTILE}"]],
    "mv": [["-d", "-v", SERVER, "/top", f"/{NAME}"], [SERVER, f"/{HOSTILE}", "/x"]],
    "acl": [["get", "-R", SERVER, "/"], ["add", "-R", "-d", SERVER, "/top", "ip:10.0.0.1:r"]],
    "quota": [["list", SERVER], ["get", SERVER, PATH]],
    "who": [[SERVER, f"{PATH}/providers/{NAME}"]],
    "status": [["--timeout", "1", SERVER]],
    "config": [[SERVER]],
    "word": [["--timeout", "1", SERVER, HOSTILE]],
    "create": [[SERVER, PATH], [SERVER, f"/{HOSTILE}"]],
    "set": [[SERVER, f"/{HOSTILE}", "x"]],
    "validate": [["wrong.txt"], [HOSTILE]],
    "diff": [
        ["-v", "--all", SERVER, "new.json"],
        ["new.json", SERVER],
        [f"{SERVER}{PATH}", f"{SERVER}/top"],
    ],
    "set_property": [
        ["-d", SERVER, PATH, "type=1"],
        ["-d", "-r", FORGED, SERVER, PATH, f"long='{'y' * 1000}'"],
        [SERVER, f"{PATH}/loop/a", "b=1"],
        [SERVER, PATH, f"{HOSTILE}=1"],
        ["-r", HOSTILE, SERVER, "/top"],
    ],
    "delete": [
        ["-d", SERVER, "/top"],
        [SERVER, "/top"],
        ["-d", "-f", SERVER, PATH],
        [SERVER, f"/{HOSTILE}"],
        [SERVER, f"{PATH}/loop/a"],
    ],
    "graph": [["--live", SERVER], ["--tree", "new.json", "--title", HOSTILE], [SERVER, PATH]],
}

# These go on until they are interrupted, or start a program, and have tests of their own.
OTHERS = {"watch", "render", "browse", "server", "edit", "lock", "shell"}

# These say nothing of what is as it should be.
QUIET = {"wait", "sync", "set_property", "quota"}

CASES = [
    (command, arguments)
    for command in COMMANDS
    for arguments in ARGUMENTS.get(command, [[SERVER, PATH]])
    if command not in OTHERS
]


@pytest.mark.usefixtures("zk", "files")
@pytest.mark.parametrize("debug", [[], ["--debug"]], ids=["quiet", "debug"])
@pytest.mark.parametrize(
    ("command", "arguments"), CASES, ids=[f"{name} {words[-1]!r}"[:50] for name, words in CASES]
)
def test_each_line_of_each_command_is_printable(command, arguments, debug):
    _, output, messages = call(scripts.zk, command, *debug, *arguments)
    assert output + messages or command in QUIET
    for line in (output + messages).split("\n"):
        assert line.isprintable(), line
        assert not line.startswith(("would delete /everything", "/forged"))
        if command != "graph" and not debug and "--format" not in arguments:
            assert len(line) < 80_000


def test_plans_print_what_commands_print(zk, capsys):
    plan = zk.plan_import(f"/top\n  a = {FORGED!r}\n", trim=True)
    print(plan)
    zk.import_tree(f"/top\n  a = {FORGED!r}\n", trim=True, dry_run=True)
    print(zk.plan_delete("/top"))
    zk.delete_recursive("/top", dry_run=True)
    zk.print_tree("/top")
    for change in plan:
        print(change)
    lines = capsys.readouterr().out.split("\n")
    assert len(lines) > 50
    assert [line for line in lines if not line.isprintable()] == []


EXCEPTIONS = [
    LinkLoop((f"/{FORGED}", "/b")),
    BadPropertyLink(f"/{FORGED}", FORGED, FORGED),
    NoProvider(f"/{FORGED}", registered=0),
    zookeeper.error(zookeeper.NONODE, f"/{FORGED}", FORGED),
    zookeeper.error(-4711, FORGED),
]


@pytest.mark.parametrize("fault", EXCEPTIONS, ids=lambda fault: type(fault).__name__)
def test_the_text_of_an_exception_is_one_line(fault):
    assert str(fault).isprintable()
    assert "would delete /everything" in str(fault)
    again = pickle.loads(pickle.dumps(fault))
    assert str(again) == str(fault)
    assert fault.path == again.path if hasattr(fault, "path") else True


def test_the_representations_of_live_objects_are_one_line(zk):
    tree = zk.tree(PATH)
    parsed = zc.zk.ParseNode(children={"n": zc.zk.ParseNode(HOSTILE)}).children[HOSTILE]
    for shown in (
        zk.children(PATH), zk.properties(PATH), tree, next(iter(tree.nodes())), parsed,
        zk.plan_delete(PATH), zk.plan_delete(PATH)[0], zk.providers(f"{PATH}/providers"),
    ):  # fmt: skip
        assert repr(shown).isprintable()


def test_an_exception_keeps_the_path_as_it_is():
    assert zookeeper.error(zookeeper.NONODE, f"/{FORGED}").path == f"/{FORGED}"


def test_exceptions_of_calls_are_one_line(zk):
    with pytest.raises(zookeeper.NoNodeException) as missing:
        zk.get(f"/{NAME}")
    assert str(missing.value) == "no node: /n\\u2028\\u202e\\u2066\\u200b\\u2029x"
    with pytest.raises(LinkLoop) as loop:
        zk.resolve(f"{PATH}/loop/a")
    assert str(loop.value).isprintable()


def test_log_records_of_the_library_are_one_line(zk, caplog):
    with caplog.at_level(logging.DEBUG):
        zc.zk.decode(f"{{{FORGED}}}", f"/{FORGED}")
        zk.properties("/top/bad")
        logging.getLogger("zc.zk").info("%s is registered", f"/{FORGED}")
        log.emit(f"2026-11-27 07:17:41,123:4567(0x7f):ZOO_WARN@do_io@1: path {FORGED}\n")
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) >= 4
    assert all(message.isprintable() for message in messages)
