"""`zk shell`: lines from standard input, from arguments, and on a terminal."""

from __future__ import annotations

import sys

import pytest

from tests.cli.inprocess import call, the_line
from zc.zk.cli import shell
from zc.zk.cli.failures import Failure

TREE = "/shop\n  threads = 8\n  /web\n    /providers\n      /10.0.0.7:80\n  /a b\n"


@pytest.fixture(autouse=True)
def tree(zk):
    zk.import_tree(TREE)


def shell_with(place, *arguments, lines):
    return call("shell", *arguments, place, given="".join(f"{line}\n" for line in lines).encode())


class TestLines:
    def test_paths_are_seen_from_the_current_node(self, place):
        lines = [
            "# a comment", "", "pwd", "cd shop", "ls", "get --property threads", "cd web/providers",
            "pwd", "ls", "ls ..", "count 10.0.0.7:80", "ls '../../a b'", "cd ../..", "pwd", "cd",
            "pwd", "stat --format json shop/web",
        ]  # fmt: skip
        outcome = shell_with(place, lines=lines)
        assert (outcome.status, outcome.messages) == (0, "")
        *printed, last = outcome.output.splitlines()
        assert printed == [
            "/", "a b", "web", "8", "/shop/web/providers", "10.0.0.7:80", "providers", "0", "/shop",
            "/",
        ]  # fmt: skip
        assert '"path": "/shop/web"' in last

    def test_the_first_node_and_the_end(self, place):
        outcome = call("shell", place, "/shop/web", given=b"ls\nexit\nls /nothing\n")
        assert outcome == (0, "providers\n", "")
        assert call("shell", place, "/shop", given=b"pwd") == (0, "/shop\n", "")
        assert "/none" in the_line(call("shell", place, "/none"))

    @pytest.mark.parametrize(
        ("line", "status", "said"),
        [
            ("nonsense", 2, "nonsense: no such command; help lists them"),
            ("server", 2, "server: this command is none of the shell: zk server"),
            ("ls 'a", 2, 'shell: a quote is not closed: "ls \'a"'),
            ("ls --wrong", 2, "ls: unrecognized arguments: --wrong"),
            ("cd none", 1, "cd: no node: /none"),
            ("cd ''", 2, "cd: an empty word is the path of no node"),
            ("cd a b", 2, "cd: one node, please"),
            ("write maybe", 2, "write: write on, or write off"),
            ("help nonsense", 2, "help: no such command: 'nonsense'"),
            ("get none", 1, "get: no node: /none"),
            ("get ''", 2, "get: not the path of a node"),
            ("import", 2, "import: nothing may be changed here"),
            ("delete -y shop", 2, "delete: nothing may be changed here: `write on` permits it"),
            ("acl set shop world:anyone:r", 2, "acl: nothing may be changed here"),
            ("grep nothing-like-it", 1, "grep: nothing matches"),
        ],
    )
    def test_the_first_failure_ends_it_with_its_status(self, place, zk, line, status, said):
        outcome = shell_with(place, lines=["pwd", line, "pwd"])
        assert (outcome.status, outcome.output) == (status, "/\n")
        first, second = outcome.messages.splitlines()
        assert said in first
        assert second.endswith(
            "shell: standard input, line 2: it failed, and no more lines are run"
        )
        assert sorted(zk.get_children("/shop")) == ["a b", "web"]

    def test_help(self, place):
        outcome = shell_with(place, lines=["help", "help cd", "help ls", "ls --help", "pwd"])
        assert outcome.status == 0
        assert "\n  acl           look at, and change" in outcome.output
        assert "\n  cd            go to another node" in outcome.output
        assert "  server " not in outcome.output
        assert outcome.output.count("usage: ls [-l] ") == 2
        assert outcome.output.endswith("\n/\n")

    def test_changes_are_permitted_by_an_option_or_a_line(self, place, zk):
        lines = [
            "set -d shop x", "write on", "create shop/new 'some data'", "set shop/new \"it's\"",
            "cp shop/new other", "mv -y other shop/moved", "delete -y shop/web",
            "set_property shop threads=9", "acl get shop/new", "write off",
        ]  # fmt: skip
        outcome = shell_with(place, lines=lines)
        assert (outcome.status, outcome.messages) == (0, "")
        assert zk.get("/shop/moved")[0] == zk.get("/shop/new")[0] == "it's"
        assert sorted(zk.get_children("/shop")) == ["a b", "moved", "new"]
        assert zk.get_properties("/shop") == {"threads": 9}
        outcome = shell_with(place, lines=[*lines[-1:], "set shop x"])
        assert outcome.status == 2
        outcome = call("shell", "--write", "-c", "cd shop", "-c", "set new more", place)
        assert outcome == (0, "", "")
        assert zk.get("/shop/new")[0] == "more"

    def test_commands_and_their_programs_do_not_see_the_lines(self, command, place, zk):
        lines = "write on\nlock shop/lock -- cat\nset -f - shop\nset shop x\n"
        outcome = command("shell", place, given=lines)
        assert (outcome.status, outcome.output) == (1, "")
        assert outcome.messages.startswith("set: standard input is closed\n")
        assert "line 3" in outcome.messages
        assert zk.get_properties("/shop") == {"threads": 8}

    @pytest.mark.not_emulated("it answers no four-letter words")
    def test_commands_about_servers(self, place):
        outcome = shell_with(place, lines=["word ruok", "acl get shop", "quota list", "status"])
        assert outcome.status == 0
        assert outcome.output.startswith("imok\n/shop world:anyone:cdrwa\n")

    def test_one_session_for_all_lines(self, place):
        line = "who --format json"
        outcome = shell_with(place, lines=[line, "ls", line, "config --help", line])
        sessions = {each for each in outcome.output.splitlines() if each.startswith('{"session"')}
        assert (outcome.status, len(sessions)) == (0, 1)

    def test_credentials_are_given_once_or_for_a_line(self, place, tmp_path):
        for name in ("alice", "bob"):
            file = tmp_path / name
            file.write_text(f"digest:{name}:secret\n")
            file.chmod(0o600)
        lines = ["who", f"who --credentials {tmp_path}/bob", "--timeout", "who --timeout 5"]
        given = [lines[0], lines[1], lines[3]]
        outcome = shell_with(place, "--credentials", tmp_path / "alice", lines=given)
        assert outcome.status == 0, outcome
        known = [line for line in outcome.output.splitlines() if line.startswith("digest")]
        assert known == ["digest:alice", "digest:bob", "digest:alice"]

    def test_no_server_is_told_in_a_line(self):
        outcome = call("shell", "--timeout", "0.2", "127.0.0.1:1", given=b"ls\n")
        assert "127.0.0.1:1" in the_line(outcome)

    def test_bytes_that_are_no_text_are_the_names_that_they_are(self, place, zk):
        zk.create("/shop/\u20ac")
        assert shell_with(place, lines=["ls shop", "stat shop/\u20ac"]).status == 0


def test_without_prompt_toolkit_there_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "prompt_toolkit", None)
    with pytest.raises(Failure, match=r"pip install 'zc\.zk\[shell\]'"):
        shell._require_prompt_toolkit()
