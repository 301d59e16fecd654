"""`zk shell`: lines from standard input, from arguments, and on a terminal."""

from __future__ import annotations

import asyncio
import re
import signal
import stat
import subprocess
import sys
import termios

import pytest
from prompt_toolkit import PromptSession
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

import zc.zk.testing
from tests.cli.inprocess import call, the_line
from tests.cli.terminals import Terminal
from tests.deadlines import scaled, wait_until
from zc.zk.cli import runner, shell, shellprompt
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
    @pytest.mark.not_over_tls("the wrapped init knows of TLS, and not the command")
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


def test_lost_and_silent_sessions(start):
    with zc.zk.testing.Server() as server:
        process = start(
            "shell", "--timeout", scaled(5), server.connection_string, stdin=subprocess.PIPE
        )

        def enter(line, *printed):
            process.stdin.write(f"{line}\n".encode())
            process.stdin.flush()
            for each in printed:
                assert process.stdout.readline().decode() == f"{each}\n"

        enter("ls", "zookeeper")
        server.expire()
        enter("ls", "zookeeper")
        enter("pwd", "/")
        server.stop()
        enter("pwd", "/")
        process.stdin.close()
        process.stdin = None
        output, messages = process.communicate(timeout=scaled(30))
        assert (process.returncode, output) == (0, b""), messages
        assert b"shell: the session was lost, and this is a new one\n" in messages


def test_servers_that_have_gone_end_a_line_in_time(start):
    with zc.zk.testing.Server() as server:
        process = start("shell", "--timeout", "1", server.connection_string, stdin=subprocess.PIPE)
        process.stdin.write(b"ls\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"zookeeper\n"
        server.stop()
        process.stdin.write(b"pwd\nls\nls\n")
        output, messages = process.communicate(timeout=scaled(60))
        assert (process.returncode, output) == (1, b"/\n")
        assert server.connection_string.encode() in messages
        assert messages.endswith(b"line 3: it failed, and no more lines are run\n")


class TestOnATerminal:
    @pytest.fixture
    def on_terminal(self, start, environment, place):
        variables = {**environment, "PROMPT_TOOLKIT_NO_CPR": "1", "TERM": "xterm"}

        def on_terminal(*arguments):
            terminal = Screen(start, "shell", *arguments, place, env=variables)
            terminal.prompted("/")
            return terminal

        return on_terminal

    def test_completion_history_interrupts_and_the_end(self, on_terminal, zk, tmp_path):
        terminal = on_terminal()
        terminal.type("cd sh\t")
        terminal.wait_for("op/")
        terminal.enter("")
        terminal.prompted("/shop")
        terminal.type("ls a\t")
        terminal.wait_for("\\ b")
        terminal.enter("")
        terminal.prompted("/shop")
        terminal.type("get --prop\t")
        terminal.wait_for("erty")
        terminal.enter("threads")
        terminal.wait_for("\n8\r\n")
        terminal.prompted("/shop")
        terminal.enter("set . x")
        terminal.wait_for("nothing may be changed here")
        terminal.prompted("/shop")
        terminal.enter("write on")
        terminal.prompted("/shop (write)")
        terminal.enter("delete web")
        terminal.wait_for("Delete 3 nodes? [y/N] ")
        terminal.enter("y")
        terminal.prompted("/shop (write)")
        assert zk.exists("/shop/web") is None
        terminal.enter("set . password=1")
        terminal.prompted("/shop (write)")
        terminal.enter("watch --no-time .")
        terminal.wait_for("/shop add child a b")
        # This terminal sends no signals, as no session of processes has it for its own.
        terminal.process.send_signal(signal.SIGINT)
        terminal.prompted("/shop (write)")
        terminal.type("ls never-run\x03")
        terminal.prompted("/shop (write)")
        terminal.type("\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A")
        terminal.wait_for("get --property threads")
        terminal.type("\x03")
        terminal.prompted("/shop (write)")
        terminal.leave()
        assert terminal.end() == 0, terminal.shown
        assert "Traceback" not in terminal.shown
        file = tmp_path / ".local/state/zc.zk/shell-history"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        kept = file.read_text().splitlines()
        assert kept[:3] == ["cd shop/", "ls a\\ b ", "get --property threads"]
        assert kept[3:] == ["set . x", "write on", "delete web", "watch --no-time ."]

    def test_sigterm_ends_it_and_leaves_the_terminal_well(self, on_terminal):
        terminal = on_terminal()
        before = termios.tcgetattr(terminal.master)[3] & termios.ECHO
        terminal.process.terminate()
        assert terminal.process.wait(scaled(30)) == 128 + signal.SIGTERM
        assert (before, termios.tcgetattr(terminal.master)[3] & termios.ECHO) == (0, termios.ECHO)
        assert "Traceback" not in terminal.read()
        terminal.end()


class Screen(Terminal):
    """A terminal whose text is looked at without what moves the cursor, from the last look on."""

    seen = 0

    def wait_for(self, text):
        def is_shown():
            at = self.text().find(text, self.seen)
            if at >= 0:
                self.seen = at + len(text)
            return at >= 0

        wait_until(is_shown, lambda: f"{text!r} in {self.text()[self.seen :]!r}", 10)

    def text(self):
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.read())

    def prompted(self, node):
        """Wait for the prompt, which may be written in parts."""
        self.wait_for(f" {node}>")

    def leave(self):
        """Press Ctrl-D until it is seen: between two prompts the kernel swallows it."""
        wait_until(
            lambda: self.process.poll() is not None or self.type("\x04"),
            lambda: f"the end of it: {self.text()[self.seen :]!r}",
        )

    def enter(self, line):
        self.type(f"{line}\r")


def test_a_signal_while_a_prompt_begins_ends_it_well(monkeypatch):
    begin = asyncio.run

    def told_first(coroutine, **options):
        signal.raise_signal(signal.SIGTERM)
        return begin(coroutine, **options)

    monkeypatch.setattr(asyncio, "run", told_first)
    monkeypatch.setenv("TERM", "xterm")
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        assert runner.conclude("zk", lambda: len(shellprompt.ask(PromptSession(), "> "))) == 143


def test_without_prompt_toolkit_there_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "prompt_toolkit", None)
    with pytest.raises(Failure, match=r"pip install 'zc\.zk\[shell\]'"):
        shell._require_prompt_toolkit()


def test_prompt_toolkit_is_imported_at_a_prompt_only():
    program = "import sys, zc.zk.cli.shell, zc.zk.cli.ls; sys.exit('prompt_toolkit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=scaled(30)).returncode == 0
