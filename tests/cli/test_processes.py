"""Commands as processes: interrupted, cut off, on a terminal, quick."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from importlib import metadata
from types import SimpleNamespace

import pytest

from tests.cli.terminals import Terminal
from tests.deadlines import scaled, wait_until
from zc.zk import scripts
from zc.zk.cli import output, runner
from zc.zk.cli.commands import COMMANDS, OF_THEIR_OWN

TREE = "/shop\n  threads = 8\n  /queue\n"


@pytest.fixture
def tree(zk):
    zk.import_tree(TREE)


@pytest.mark.usefixtures("tree")
class TestOnATerminal:
    def test_trimming_shows_the_plan_and_asks(self, start, place, zk, tmp_path):
        (tmp_path / "new.txt").write_text("/shop\n  threads = 9\n")
        for answer, status, children in [("n", 1, ["queue"]), ("", 1, ["queue"]), ("y", 0, [])]:
            terminal = Terminal(start, "import", "-t", place, "new.txt")
            terminal.wait_for("Delete 1 node and change 1? [y/N] ")
            assert "/shop threads change from 8 to 9\r\nwould delete /shop/queue.\r\n" in (
                terminal.shown
            )
            terminal.type(answer + "\n")
            assert terminal.end() == status
            assert ("nothing was changed" in terminal.shown) == bool(status)
            assert zk.get_children("/shop") == children
        assert zk.get_properties("/shop") == {"threads": 9}

    def test_an_interrupt_instead_of_an_answer_changes_nothing(self, start, place, zk, tmp_path):
        (tmp_path / "new.txt").write_text("/shop\n  threads = 9\n")
        terminal = Terminal(start, "import", "-t", place, "new.txt")
        terminal.wait_for("Delete 1 node and change 1? [y/N] ")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.end() == 130
        assert terminal.shown.endswith("Delete 1 node and change 1? [y/N] ")
        assert zk.get_properties("/shop") == {"threads": 8}

    def test_an_import_asks_before_it_replaces_data(self, start, place, zk, tmp_path):
        (tmp_path / "new.txt").write_text("/shop\n  threads = 9\n  /new\n")
        for answer, status, threads in [("n", 1, 8), ("y", 0, 9)]:
            terminal = Terminal(start, "import", place, "new.txt")
            terminal.wait_for("Change 1 node? [y/N] ")
            terminal.type(answer + "\n")
            assert terminal.end() == status
            assert zk.get_properties("/shop") == {"threads": threads}
        (tmp_path / "new.txt").write_text("/shop\n  threads = 9\n  /newer\n")
        terminal = Terminal(start, "import", place, "new.txt")
        assert terminal.end() == 0
        assert "[y/N" not in terminal.shown
        assert zk.exists("/shop/newer")
        (tmp_path / "new.txt").write_text("/shop\n  threads = 10\n")
        terminal = Terminal(start, "import", "-y", place, "new.txt")
        assert terminal.end() == 0
        assert "[y/N" not in terminal.shown

    def test_deleting_shows_the_plan_and_asks(self, start, place, zk):
        terminal = Terminal(start, "delete", place, "/shop")
        terminal.wait_for("would delete /shop/queue.\r\nwould delete /shop.\r\nDelete 2 nodes?")
        terminal.type("yes\n")
        assert terminal.end() == 0
        assert not zk.exists("/shop")

    def test_if_others_change_the_tree_meanwhile_it_is_not_touched(
        self, start, place, zk, tmp_path
    ):
        (tmp_path / "new.txt").write_text("/shop\n  threads = 9\n")
        terminal = Terminal(start, "import", "-t", place, "new.txt")
        terminal.wait_for("Delete 1 node and change 1? [y/N] ")
        zk.set("/shop/queue", "somebody's work")
        terminal.type("y\n")
        assert terminal.end() == 1
        assert "somebody else has changed what the plan was made from" in terminal.shown
        assert zk.get("/shop/queue")[0] == "somebody's work"
        assert zk.get_properties("/shop") == {"threads": 8}

    def test_a_deletion_deletes_the_nodes_that_it_showed(self, start, place, zk):
        terminal = Terminal(start, "delete", place, "/shop")
        terminal.wait_for("Delete 2 nodes? [y/N] ")
        zk.create("/shop/new", "")
        terminal.type("y\n")
        assert terminal.end() == 1
        assert "somebody else has changed what the plan was made from" in terminal.shown
        assert sorted(zk.get_children("/shop")) == ["new", "queue"]

    def test_nor_is_another_node_of_the_same_name(self, start, place, zk):
        terminal = Terminal(start, "delete", place, "/shop/queue")
        terminal.wait_for("Delete 1 node? [y/N] ")
        zk.delete("/shop/queue")
        zk.create("/shop/queue", "")
        terminal.type("y\n")
        assert terminal.end() == 1
        assert "it is another node" in terminal.shown
        assert zk.exists("/shop/queue")

    def test_a_plan_of_many_deletions_stops_and_says_what_has_gone(self, start, place, zk):
        zk.import_tree("/many\n" + "".join(f"  /{number}\n" for number in range(1200)))
        terminal = Terminal(start, "delete", place, "/many")
        terminal.wait_for("    1,201 at and below /many: 1,201 to delete\r\n")
        terminal.wait_for("Delete 1201 nodes? [y/N, l lists all] ")
        terminal.type("l\n")
        terminal.wait_for("would delete /many/0.\r\n")
        terminal.wait_for("would delete /many.\r\nDelete 1201 nodes? [y/N, l lists all] ")
        zk.create("/many/new", "")
        terminal.type("y\n")
        assert terminal.end() == 1
        assert "(done: 1000 of 1201 deletions)" in terminal.shown
        assert len(zk.get_children("/many")) == 201

    def test_ephemeral_nodes_stay_and_are_told(self, start, place, zk):
        zk.register_server("/shop/queue", "host:1")
        terminal = Terminal(start, "delete", place, "/shop")
        assert terminal.end() == 4
        assert "Not deleting /shop/queue/host:1 because it's ephemeral." in terminal.shown

    def test_the_end_of_the_terminal_s_input_is_no(self, start, place, zk):
        terminal = Terminal(start, "delete", place, "/shop")
        terminal.wait_for("Delete 2 nodes? [y/N] ")
        terminal.type("\x04")
        assert terminal.end() == 1
        assert zk.exists("/shop")

    def test_pictures_are_kept_from_it(self, start, place):
        terminal = Terminal(start, "graph", place, "--format", "png")
        assert terminal.end() == 2
        assert terminal.shown.endswith("png is nothing for a terminal: -o FILE\r\n")

    def test_long_work_shows_how_far_it_is(self, start, zk, proxy, root, tmp_path):
        nodes = "".join(f"  /{number}\n" for number in range(20_000))
        zk.import_tree(f"/many\n{nodes}")
        proxy.delay(300)
        terminal = Terminal(start, "export", proxy.connection_string + root, "-o", "tree.txt")
        terminal.wait_for("export: ")
        proxy.delay(0)
        assert terminal.end() == 0
        assert (tmp_path / "tree.txt").read_text().count("\n") == 20_004


class TestInterrupted:
    def interrupt(self, process, number=signal.SIGINT):
        process.send_signal(number)
        output, messages = process.communicate(timeout=scaled(30))
        return process.returncode, output.decode(), messages.decode()

    def test_while_it_connects(self, start, own_server):
        own_server.pause()
        try:
            process = start("export", "--timeout", "60", own_server.connection_string, "--debug")
            # The first log line.
            assert next_line(process.stderr)
            status, output, messages = self.interrupt(process)
        finally:
            own_server.resume()
        assert (status, output) == (130, ""), messages
        assert "Traceback" not in messages

    @pytest.mark.parametrize(
        ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
    )
    def test_while_it_follows(self, start, place, zk, number, status):
        zk.import_tree(TREE)
        process = start("watch", place, "/shop")
        assert next_line(process.stdout)
        ended = self.interrupt(process, number)
        assert (ended[0], ended[2]) == (status, "")

    def test_while_it_waits_for_input(self, start, place, tmp_path):
        process = start("import", place, "--debug", stdin=subprocess.PIPE)
        wait_until(lambda: is_reading(process.pid), "it reads its input")
        process.send_signal(signal.SIGINT)
        assert process.wait(scaled(30)) == 130
        process.stdin.close()
        assert b"Traceback" not in process.stderr.read()

    @pytest.mark.parametrize(
        ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
    )
    @pytest.mark.parametrize("command", ["import", "delete"])
    def test_changes_that_may_be_half_done_are_told(
        self, start, zk, root, proxy, tmp_path, command, number, status
    ):
        nodes = "".join(f" /{number}\n" for number in range(5000))
        if command == "delete":
            zk.import_tree(f"/many\n{nodes}")
            arguments: tuple[str, ...] = ("-y", proxy.connection_string + root, "/many")
        else:
            (tmp_path / "many.txt").write_text(f"/many\n{nodes}")
            arguments = (proxy.connection_string + root, "many.txt")

        def count() -> int:
            return len(zk.get_children("/many")) if zk.exists("/many") else 0

        before = count()
        # The write is slow enough to be still going on when somebody sees its output.
        proxy.delay(100)
        process = start(command, *arguments)
        wait_until(lambda: count() != before, "something is written", 60)
        ended = self.interrupt(process, number)
        if count() == 5000 - before and ended[0] == 0:
            pytest.skip("it was faster than us")
        assert ended == (
            status,
            "",
            f"python -m zc.zk {command}: interrupted: some changes may have been made, run it again"
            " to make the rest\n",
        )
        if command == "delete":
            return
        # A transaction has 500 operations.
        wait_until(lambda: count() % 500 in (0, 499), "whole transactions only")
        proxy.delay(0)
        _, messages = (again := start(command, *arguments)).communicate(timeout=scaled(60))
        assert (again.returncode, messages) == (0, b"")
        assert count() == 5000

    @pytest.mark.parametrize(
        ("end", "status"), [(KeyboardInterrupt(), 130), (SystemExit(143), 143), (OSError("x"), 1)]
    )
    def test_a_fault_on_the_way_out_is_not_told(self, monkeypatch, capsys, end, status):
        def run(options):
            try:
                raise end
            finally:
                threading.Lock().release()  # which fails, as it is not held

        texts = {"USAGE": "", "DETAILS": "", "EXAMPLES": ""}
        module = SimpleNamespace(add_arguments=lambda parser: None, run=run, **texts)
        monkeypatch.setitem(sys.modules, "failing_command", module)
        assert runner.run("failing_command", "failing", "fails", []) == status
        told = "failing: unexpected RuntimeError: release unlocked lock (--debug tells where)\n"
        assert capsys.readouterr() == ("", told if status == 1 else "")

    def test_one_that_a_destructor_swallows_tells_by_the_status(self, monkeypatch):
        """Python drops exceptions there, that of the signal as well."""
        dropped = []
        monkeypatch.setattr(sys, "unraisablehook", lambda fault: dropped.append(fault.exc_type))

        class Leaving:
            def __del__(self):
                signal.raise_signal(signal.SIGTERM)

        def leave():
            Leaving()
            return 0

        assert runner.conclude("zk", leave) == 143
        assert dropped == [SystemExit]

    @pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
    def test_a_file_that_is_being_written_goes(self, tmp_path, end):
        (tmp_path / "tree.txt").write_text("precious")

        def chunks():
            yield "half"
            raise end

        with pytest.raises(end):
            output.write_text(str(tmp_path / "tree.txt"), chunks())
        assert (tmp_path / "tree.txt").read_text() == "precious"
        assert [file.name for file in tmp_path.iterdir()] == ["tree.txt"]


class TestClosedPipes:
    def test_nobody_reads_to_the_end(self, start, place, zk):
        zk.import_tree("/many\n" + "".join(f"  /{number}\n" for number in range(20_000)))
        process = start("export", place)
        assert next_line(process.stdout) == "/many"
        process.stdout.close()
        assert process.wait(scaled(30)) == 141
        assert process.stderr.read() == b""

    def test_nobody_reads_the_changes_any_more(self, start, place, zk):
        zk.import_tree(TREE)
        process = start("watch", place, "/shop")
        assert next_line(process.stdout)
        process.stdout.close()
        assert process.wait(scaled(30)) == 141
        assert process.stderr.read() == b""


class TestWatch:
    def lines(self, process, count):
        return [next_line(process.stdout) for _ in range(count)]

    def test_a_line_for_each_change(self, start, place, zk):
        zk.import_tree(TREE)
        process = start("watch", "--no-time", place, "/shop")
        assert self.lines(process, 2) == ["/shop add property threads = 8", "/shop add child queue"]
        zk.properties("/shop").update({"threads": 9, "main ->": "/main"})
        assert self.lines(process, 2) == [
            "/shop threads change from 8 to 9",
            "/shop add link main -> /main",
        ]
        zk.create("/shop/new", "")
        assert self.lines(process, 1) == ["/shop add child new"]
        zk.delete("/shop/new")
        assert self.lines(process, 1) == ["/shop remove child new"]
        zk.delete_recursive("/shop")
        assert "/shop deleted" in iter(lambda: next_line(process.stdout), None)
        zk.import_tree("/shop\n  x = 1\n")
        assert self.lines(process, 1) == ["/shop add property x = 1"]

    def test_children_or_properties_only(self, start, place, zk):
        zk.import_tree(TREE)
        children = start("watch", "-c", "--no-time", place, "/shop")
        properties = start("watch", "-p", "--no-time", place, "/shop")
        assert self.lines(children, 1) == ["/shop add child queue"]
        assert self.lines(properties, 1) == ["/shop add property threads = 8"]
        zk.import_tree("/shop\n  threads = 9\n  /new\n", trim=False)
        assert self.lines(children, 1) == ["/shop add child new"]
        assert self.lines(properties, 1) == ["/shop threads change from 8 to 9"]

    def test_all_nodes_below_with_recursive(self, start, place, zk):
        zk.import_tree("/shop\n  threads = 8\n  /queue\n    /p10\n    /p2\n")
        process = start("watch", "-R", "--no-time", place, "/shop")
        assert self.lines(process, 4) == [
            "/shop add property threads = 8",
            "/shop add child queue",
            "/shop/queue add child p2",
            "/shop/queue add child p10",
        ]
        zk.create("/shop/queue/p2/deep", "x")
        assert self.lines(process, 2) == [
            "/shop/queue/p2 add child deep",
            "/shop/queue/p2/deep add property string_value = 'x'",
        ]
        zk.set("/shop/queue/p2/deep", "y")
        assert self.lines(process, 1) == ["/shop/queue/p2/deep string_value change from 'x' to 'y'"]
        zk.delete("/shop/queue/p2/deep")
        assert self.lines(process, 1) == ["/shop/queue/p2 remove child deep"]
        zk.delete_recursive("/shop")
        assert "/shop deleted" in iter(lambda: next_line(process.stdout), None)
        children = start("watch", "-R", "-c", "--no-time", place, "/")
        zk.import_tree("/shop\n  x = 1\n  /queue\n")
        assert self.lines(children, 2) == ["/ add child shop", "/shop add child queue"]

    def test_changes_only(self, start, server, root, place, zk):
        zk.import_tree(TREE)
        process = start("watch", "-p", "--changes", "--no-time", place, "/shop")
        wait_until(lambda: f"{root}/shop\n" in server.ask("wchp"), "it watches the node")
        # The first changes may still be of the beginning, of which nothing is told.
        threads = 8
        while not select.select([process.stdout], [], [], 0.1)[0]:
            threads += 1
            assert threads < 8 + scaled(200), "a change is told"
            zk.properties("/shop").update(threads=threads)
        (line,) = self.lines(process, 1)
        assert re.fullmatch(r"/shop threads change from \d+ to \d+", line)

    def test_each_line_begins_with_the_time_unless_told_otherwise(self, start, place, zk):
        zk.import_tree(TREE)
        (line,) = self.lines(start("watch", place, "/shop"), 1)
        written, _, rest = line.partition(" /")
        assert rest == "shop add property threads = 8"
        time.strptime(written, "%Y-%m-%d %H:%M:%S")

    def test_a_lost_connection_is_told_and_what_changed_meanwhile(self, start, zk, proxy, root):
        zk.import_tree(TREE)
        process = start("watch", "--no-time", proxy.connection_string + root, "/shop")
        self.lines(process, 2)
        proxy.refuse()
        proxy.cut()
        assert next_line(process.stderr) == "python -m zc.zk watch: the connection is lost"
        zk.set("/shop", '{"threads":10}')
        proxy.allow()
        assert next_line(process.stderr) == "python -m zc.zk watch: connected again"
        assert self.lines(process, 1) == ["/shop threads change from 8 to 10"]


def next_line(stream):
    """Return the next line of a process, which is given time to write it."""
    line = b""
    while not line.endswith(b"\n"):
        readable, _, _ = select.select([stream], [], [], scaled(20))
        assert readable, f"no line within {scaled(20):g} seconds, after {line!r}"
        character = os.read(stream.fileno(), 1)
        assert character, f"the end comes after {line!r}"
        line += character
    return line.decode().rstrip("\n")


def is_reading(pid):
    """Return whether a process waits for its standard input, by the kernel."""
    with open(f"/proc/{pid}/syscall") as now:
        words = now.read().split()
    return words[:2] == ["0", "0x0"]


class TestCommands:
    def test_each_is_installed_under_its_own_name(self):
        programs = {
            each.name: each.load()
            for each in metadata.entry_points(group="console_scripts")
            if each.name.startswith("zookeeper_")
        }
        assert set(programs) == {f"zookeeper_{name}" for name in OF_THEIR_OWN}
        assert all(map(callable, programs.values()))

    def test_one_program_has_all_as_subcommands(self):
        (program,) = metadata.entry_points(group="console_scripts", name="zk")
        assert program.load() is scripts.zk

    @pytest.mark.parametrize("name", COMMANDS)
    def test_each_explains_itself(self, command, name):
        for option in "-h", "--help":
            status, output, messages = command(name, option)
            assert (status, messages) == (0, "")
            assert output.startswith(f"usage: python -m zc.zk {name} ")
            assert "examples:\n" in output
            assert max(map(len, output.splitlines())) <= 120

    def test_they_are_listed(self, command):
        status, output, messages = command("--help")
        assert (status, messages) == (0, "")
        assert all(f"\n  {name} " in output for name in COMMANDS)

    def test_no_command_lists_them_too(self):
        listed = subprocess.run(
            [sys.executable, "-m", "zc.zk"], capture_output=True, text=True, timeout=60, check=True
        )
        assert listed.stdout.startswith("usage: python -m zc.zk COMMAND ...\n")
