"""`zk watch` for programs: JSON, nodes that are not there yet, commands that are run."""

from __future__ import annotations

import itertools
import json
import os
import select
import signal
import sys
import time

import pytest

import zc.zk
from tests.cli.inprocess import call, the_line
from tests.cli.test_lock_command import is_alive
from tests.deadlines import scaled, wait_until


def next_object(process):
    return json.loads(process.stdout.readline())


class TestJson:
    def test_a_line_of_json_for_each_change_of_a_tree(self, start, place, zk):
        zk.import_tree("/shop\n  threads = 8\n  /queue\n")
        process = start("watch", "-R", "--format", "json", place, "/shop")
        first = next_object(process)
        time.strptime(first.pop("time"), "%Y-%m-%dT%H:%M:%S.%fZ")
        assert first == {"path": "/shop", "change": "added", "properties": {"threads": 8}}
        second = next_object(process)
        assert (second["path"], second["change"]) == ("/shop/queue", "added")
        zk.set("/shop/queue", "x")
        changed = next_object(process)
        assert changed["change"] == "changed"
        assert changed["properties"] == {"string_value": "x"}
        zk.delete("/shop/queue")
        removed = next_object(process)
        assert {**removed, "time": 0} == {"time": 0, "path": "/shop/queue", "change": "removed"}

    def test_nodes_that_may_not_be_read_are_told_of(self, start, place, zk):
        zk.create("/shop", "")
        for name in "abc":
            zk.create(f"/shop/{name}", "", [zc.zk.digest_acl("alice", "secret")])
        process = start("watch", "-R", "--no-time", "--format", "json", place, "/shop")
        told = [next_object(process) for _ in range(4)]
        assert told[0] == {"path": "/shop", "change": "added", "properties": {}}
        assert [each["path"] for each in told[1:]] == ["/shop/a", "/shop/b", "/shop/c"]
        assert not any("properties" in each for each in told[1:])
        assert b"/shop/a, and 2 more, may not be read: properties" in process.stderr.readline()

    def test_a_line_of_json_for_each_change_of_a_node(self, start, place, zk):
        zk.import_tree("/shop\n  threads = 8\n  db => /db url\n/db\n  url = 'u'\n")
        process = start("watch", "--no-time", "--format", "json", place, "/shop")
        properties = {"threads": 8, "db =>": "/db url", "db": "u"}
        assert next_object(process) == {
            "path": "/shop",
            "change": "added",
            "properties": properties,
        }
        zk.create("/shop/new", "")
        assert next_object(process) == {"path": "/shop/new", "change": "added"}
        zk.set("/db", '{"url": "v"}')
        assert next_object(process)["properties"] == {**properties, "db": "v"}
        zk.delete_recursive("/shop")
        told = [next_object(process)]
        while told[-1]["path"] != "/shop":
            told.append(next_object(process))
        assert told[-1] == {"path": "/shop", "change": "removed"}

    def test_children_alone_come_without_properties(self, start, place, zk):
        zk.import_tree("/shop\n  threads = 8\n  /queue\n")
        process = start("watch", "-c", "-R", "--no-time", "--format", "json", place, "/shop")
        assert next_object(process) == {"path": "/shop", "change": "added"}
        zk.set("/shop", "x")  # which is nothing to be told
        assert next_object(process) == {"path": "/shop/queue", "change": "added"}
        zk.delete("/shop/queue")
        assert next_object(process) == {"path": "/shop/queue", "change": "removed"}


class TestWaiting:
    @pytest.mark.parametrize("recursive", [[], ["-R"]], ids=["node", "tree"])
    def test_a_node_that_is_not_there_yet_is_waited_for(self, start, place, zk, recursive):
        zk.create("/here", "")
        words = ["--no-time", *recursive, place, "/later/node", "/here"]
        process = start("watch", *words)
        told = process.stderr.readline().decode()
        assert told == "python -m zc.zk watch: no node: /later/node; waiting for it\n"
        zk.create("/here/x", "")
        assert process.stdout.readline() == b"/here add child x\n"
        zk.create("/later", "")
        zk.create("/later/node", '{"a": 1}')
        assert process.stdout.readline() == b"/later/node add property a = 1\n"
        zk.delete("/later/node")
        assert process.stdout.readline() == b"/later/node deleted\n"

    def test_a_node_at_the_end_of_a_link_is_waited_for(self, start, place, zk):
        zk.import_tree("/top\n  main -> /there\n")
        process = start("watch", "--no-time", place, "/top/main")
        assert process.stderr.readline().endswith(b"no node: /top/main; waiting for it\n")
        zk.create("/there", '{"a": 1}')
        assert process.stdout.readline() == b"/top/main add property a = 1\n"

    def test_changes_alone_tell_of_a_node_that_comes_later(self, start, place, zk):
        process = start("watch", "--changes", "--no-time", place, "/later")
        assert process.stderr.readline()
        zk.create("/later", '{"a": 1}')
        assert process.stdout.readline() == b"/later add property a = 1\n"

    def test_there_is_an_option_not_to_wait(self, place):
        assert the_line(call("watch", "--no-wait", place, "/nowhere")) == "no node: /nowhere"


# Writes what it was told as a line of its output, and ends as a file says, if there is one.
TELLING = """
import json, os, pathlib, sys
told = [json.loads(line) for line in sys.stdin]
variables = {name: os.environ.get(name) for name in ("ZC_ZK_CHANGES", "ZC_ZK_PATHS")}
print(json.dumps([told, variables, os.getpid()]), flush=True)
status = pathlib.Path("status")
sys.exit(int(status.read_text()) if status.exists() else 0)
"""


@pytest.fixture
def program(tmp_path):
    """Return a function that makes a command of a program in Python."""

    def program(text, name="program.py"):
        (tmp_path / name).write_text(text)
        return f"exec {sys.executable} {name}"

    return program


class TestCommands:
    def test_the_command_is_told_by_its_input_and_variables(self, start, place, zk, program):
        zk.import_tree("/shop\n  x = 1\n  /p10\n  /p2\n")
        words = ["-R", "--debounce", "0", "--exec", program(TELLING), place, "/shop"]
        process = start("watch", *words)
        told, variables, _ = next_object(process)
        assert told[0] == {"path": "/shop", "change": "added", "properties": {"x": 1}}
        assert [each["path"] for each in told] == ["/shop", "/shop/p2", "/shop/p10"]
        assert variables == {"ZC_ZK_CHANGES": "3", "ZC_ZK_PATHS": "/shop\n/shop/p2\n/shop/p10"}
        zk.delete("/shop/p2")
        told, variables, _ = next_object(process)
        assert told == [{"path": "/shop/p2", "change": "removed"}]
        assert variables["ZC_ZK_CHANGES"] == "1"

    def test_names_are_no_part_of_the_command_and_changes_may_come_alone(
        self, start, server, root, place, zk, program, tmp_path
    ):
        name = "$(touch pwned)`touch pwned`;'\"ü"
        zk.import_tree("/shop\n  x = 1\n")
        path = f"/shop/{name}"
        zk.create(path, "x")
        words = ["-p", "--changes", "--debounce", "0", "--exec", program(TELLING)]
        process = start("watch", *words, place, path)
        wait_until(lambda: f"{root}{path}\n" in server.ask("wchp"), "it watches the node")
        numbers = itertools.count()

        def is_told() -> bool:
            # One that comes before the first look has ended is no change to it.
            zk.set(path, f"y{next(numbers)}")
            return bool(select.select([process.stdout], [], [], 0.2)[0])

        wait_until(is_told, "a change is told", 20)
        (told,), variables, _ = next_object(process)
        value = told.pop("properties")["string_value"]
        assert value in [f"y{number}" for number in range(next(numbers))]
        assert told == {"path": path, "change": "changed"}
        assert variables == {"ZC_ZK_CHANGES": "1", "ZC_ZK_PATHS": path}
        assert not (tmp_path / "pwned").exists()

    def test_paths_too_long_for_a_variable_are_in_the_input_alone(self, start, place, zk, program):
        zk.import_tree("/many\n" + "".join(f"  /{'x' * 90}{number}\n" for number in range(800)))
        process = start("watch", "-R", "--exec", program(TELLING), place, "/many")
        told, variables, _ = next_object(process)
        assert variables == {"ZC_ZK_CHANGES": "801", "ZC_ZK_PATHS": None}
        assert len(told) == 801

    def test_changes_during_a_run_are_told_in_one_by_the_next(self, start, place, zk, tmp_path):
        zk.create("/shop", "")
        os.mkfifo(tmp_path / "gate")
        command = "echo begun; read -r line < gate; cat"
        process = start("watch", "-R", "--debounce", "0", "--exec", command, place, "/shop")
        assert process.stdout.readline() == b"begun\n"
        for number in range(50):
            zk.create(f"/shop/{number}", "")
        zk.delete("/shop/7")
        with open(tmp_path / "gate", "w") as gate:
            gate.write("go\n")
        assert next_object(process)["path"] == "/shop"
        # The last changes may be on their way yet when the next run begins, and are for one more.
        expected = {f"/shop/{number}": "added" for number in range(50) if number != 7}
        told: dict[str, str] = {}
        runs = 0
        while told != expected:
            line = process.stdout.readline()
            if line == b"begun\n":
                runs += 1
                with open(tmp_path / "gate", "w") as gate:
                    gate.write("go\n")
                continue
            change = json.loads(line)
            told[change["path"]] = change["change"]
            if change["change"] == "removed":
                del told[change["path"]]
        assert list(told) == list(expected)
        assert runs <= 3

    def test_changes_in_quick_succession_are_debounced(self, start, place, zk, program):
        zk.create("/shop", "")
        words = ["--debounce", "1s", "--debounce-max", "1m", "--exec", program(TELLING)]
        process = start("watch", "-R", *words, place, "/shop")
        next_object(process)
        zk.import_tree("/shop\n" + "".join(f"  /{number}\n" for number in range(20)))
        assert len(next_object(process)[0]) == 20

    def test_a_command_that_fails_is_told_again_with_what_came_meanwhile(
        self, start, place, zk, program, tmp_path
    ):
        (tmp_path / "status").write_text("7")
        zk.create("/shop", "")
        command = program(TELLING)
        process = start("watch", "-R", "--debounce", "0", "--exec", command, place, "/shop")
        assert [each["path"] for each in next_object(process)[0]] == ["/shop"]
        told = process.stderr.readline().decode()
        assert told == f"python -m zc.zk watch: {command!r}: its status is 7; again in 1 second\n"
        zk.create("/shop/new", "")
        (tmp_path / "status").unlink()
        wanted = ["/shop", "/shop/new"]
        paths: list[str] = []
        while paths != wanted:
            paths = [each["path"] for each in next_object(process)[0]]
        zk.delete("/shop/new")
        assert [each["path"] for each in next_object(process)[0]] == ["/shop/new"]

    def test_retries_may_be_limited_and_nothing_is_lost_by_that(self, start, place, zk):
        zk.create("/shop", "")
        words = ["--retries", "0", "--debounce", "0", "--exec", "cat; exit 3", place, "/shop"]
        process = start("watch", *words)
        assert next_object(process)["path"] == "/shop"
        assert process.stderr.readline().endswith(b"its status is 3; given up until a change\n")
        zk.create("/shop/new", "")
        # Those that were given up are told, too: to the command it is as if they came just now.
        assert [next_object(process)["path"] for _ in range(2)] == ["/shop", "/shop/new"]

    def test_a_command_that_hangs_is_ended_with_all_it_has_started(
        self, start, place, zk, tmp_path
    ):
        zk.create("/shop", "")
        command = "sleep 1000 & echo $!; wait"
        words = ["--exec-timeout", "2s", "--exec", command, place, "/shop"]
        process = start("watch", *words)
        # On a machine that is too busy to start it in time this is one of the next runs.
        pid = int(process.stdout.readline())
        told = process.stderr.readline()
        assert b"it takes longer than 2 seconds, and is ended; again in" in told
        wait_until(lambda: not is_alive(pid), "its child is ended, too")
        assert process.poll() is None

    def test_a_program_that_is_not_there_is_told(self, start, place, zk):
        zk.create("/shop", "")
        process = start("watch", "--retries", "0", "--exec", "exec /no/program", place, "/shop")
        told = process.stderr.readline() + process.stderr.readline()
        assert b"its status is 127; given up" in told

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
    def test_commands_end_with_the_one_that_runs_them(self, start, place, zk, number):
        zk.create("/shop", "")
        process = start("watch", "--exec", "sleep 1000 & echo $!; wait", place, "/shop")
        pid = int(process.stdout.readline())
        process.send_signal(number)
        expected = -number if number == signal.SIGKILL else 128 + number
        assert process.wait(scaled(30)) == expected
        wait_until(lambda: not is_alive(pid), "the command is ended")
        assert process.stderr.read() == b""

    def test_a_server_that_the_command_starts_in_the_background_stays(self, start, place, zk):
        zk.create("/shop", "")
        command = "setsid sleep 1000 >/dev/null 2>&1 & echo $!"
        process = start("watch", "--exec", command, place, "/shop")
        pid = int(process.stdout.readline())
        zk.create("/shop/new", "")
        other = int(process.stdout.readline())
        try:
            assert is_alive(pid)
        finally:
            os.kill(pid, signal.SIGKILL)
            os.kill(other, signal.SIGKILL)

    def test_connections_that_are_lost_lose_no_changes(self, start, zk, proxy, root, program):
        zk.create("/shop", "")
        words = ["-R", "--exec", program(TELLING), proxy.connection_string + root, "/shop"]
        process = start("watch", *words)
        next_object(process)
        proxy.refuse()
        proxy.cut()
        assert process.stderr.readline().endswith(b"the connection is lost\n")
        zk.create("/shop/new", "")
        proxy.allow()
        assert [each["path"] for each in next_object(process)[0]] == ["/shop/new"]

    def test_many_changes_take_one_place_each(self, start, place, zk, tmp_path):
        """However long a command takes, and however often it fails."""
        zk.create("/shop", "")
        os.mkfifo(tmp_path / "gate")
        command = "read -r status < gate; cat; exit $status"
        process = start("watch", "-R", "--debounce", "0", "--exec", command, place, "/shop")
        for number in range(500):
            zk.set("/shop", str(number))
        wanted = {"path": "/shop", "change": "added", "properties": {"string_value": "499"}}
        told = None
        while told != wanted:
            with open(tmp_path / "gate", "w") as gate:
                gate.write("1\n")
            told = next_object(process)
        assert b"its status is 1; again in 1 second" in process.stderr.readline()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--debounce", "2s", "--debounce-max", "1s"], "--debounce-max is less than --debounce"),
        (["--debounce", "soon"], "argument --debounce: not a time, such as 90s"),
        (["--exec-timeout", "0"], "argument --exec-timeout: not a time, such as 90s"),
        (["--retries", "-1"], "argument --retries: "),
        (["--retries", "x"], "argument --retries: not a number from 0 on: 'x'"),
    ],
)
def test_bad_words_are_told(words, told):
    line = the_line(call("watch", "--exec", "true", *words, "h:1", "/a"), 2)
    assert line.startswith(told), line
