"""`zk lock`: one process of a fleet at a time."""

from __future__ import annotations

import os
import signal
import sys
from functools import partial

import pytest

import zc.zk
import zookeeper
from tests.cli.inprocess import call, the_line
from tests.deadlines import scaled, wait_until
from tests.tcpproxy import TcpProxy
from tests.wireframes import Op

# Prints its fencing number and process id, and ends with 7 when its standard input does.
HOLDER = """
import os, sys
print(os.environ["ZC_ZK_FENCING_NUMBER"], os.getpid(), flush=True)
sys.stdin.read()
sys.exit(7)
"""

# Ends at nothing but SIGKILL.
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def lock(start, place):
    """Return a function that starts the command, with a program of Python's."""

    def lock(*words, program=HOLDER, to=place):
        return start(
            "lock", *words, to, "/locks/one", "--", sys.executable, "-c", program, stdin=-1
        )

    return lock


@pytest.fixture(autouse=True)
def _locks(zk):
    zk.create("/locks")


def queue(zk):
    """Return the names in the queue; servers delete its node when it has been empty."""
    try:
        return zk.get_children("/locks/one")
    except zookeeper.NoNodeException:
        return []


def held(process):
    """Return the fencing number and the process id of a command that has begun."""
    number, pid = process.stdout.readline().split()
    return int(number), int(pid)


class TestOneAtATime:
    def test_the_status_is_passed_on_and_nothing_is_left(self, lock, zk):
        process = lock()
        number, _ = held(process)
        (name,) = queue(zk)
        assert zk.exists(f"/locks/one/{name}")["czxid"] == number
        process.stdin.close()
        assert process.wait(scaled(30)) == 7
        assert queue(zk) == []

    def test_those_who_wait_get_it_in_their_order_with_growing_numbers(self, lock, zk):
        processes = [lock()]
        held(processes[0])
        numbers = []
        for count in (2, 3):
            processes.append(lock())
            wait_until(lambda n=count: len(queue(zk)) == n, "in the queue")
        for process in processes:
            if process is not processes[0]:
                numbers.append(held(process)[0])
            process.stdin.close()
            assert process.wait(scaled(30)) == 7
        assert numbers == sorted(set(numbers))
        assert len(numbers) == 2
        told = processes[1].stderr.read().decode()
        assert "waiting for /locks/one, which process " in told

    def test_a_lock_that_another_has_is_given_up_at_once_or_in_time(self, lock, place):
        process = lock()
        held(process)
        for words in (["--no-wait"], ["--wait", "0.05"]):
            outcome = call("lock", *words, place, "/locks/one", "--", "true")
            assert outcome.status == 124
            assert f"/locks/one: process {process.pid} on {os.uname().nodename} has it" in (
                outcome.messages
            )

    def test_the_command_may_be_one_of_ours(self, start, place):
        words = sys.executable, "-m", "zc.zk", "get", place, "/locks"
        process = start("lock", place, "/locks/one", "--", *words)
        assert process.communicate(timeout=scaled(60)) == (b"", b"")
        assert process.returncode == 0

    def test_a_holder_that_says_nothing_of_itself_is_told_by_its_node(self, place, zk):
        zk.create("/locks/one")
        for data in ("", "[]", '{"pid": 1}', "\xff"):
            node = zk.create("/locks/one/x-lock-", data, zc.zk.OPEN_ACL_UNSAFE, 3)
            outcome = call("lock", "--no-wait", place, "/locks/one", "--", "true")
            assert outcome.messages.endswith(f"/locks/one: {node} has it\n")
            zk.delete(node)

    def test_the_next_need_not_wait_for_a_session_that_was_closed(self, place):
        for _ in range(3):
            assert call("lock", "--no-wait", place, "/locks/one", "--", "true").status == 0
        assert call("lock", "--no-wait", place, "/locks/one", "--", "false").status == 1


class TestBadDays:
    def test_a_signal_to_our_group_reaches_the_command_once(self, start, place):
        program = (
            "import signal, sys\n"
            "signal.signal(signal.SIGTERM, lambda *_: print('told', flush=True))\n"
            "print('ready', flush=True)\n"
            "sys.stdin.read()\nprint('over', flush=True)\n"
        )
        words = "lock", place, "/locks/one", "--", sys.executable, "-c", program
        process = start(*words, stdin=-1, start_new_session=True)
        assert process.stdout.readline() == b"ready\n"
        os.killpg(process.pid, signal.SIGTERM)
        assert process.stdout.readline() == b"told\n"
        process.stdin.close()
        assert process.stdout.read() == b"over\n"
        assert process.wait(scaled(30)) == 0

    def test_signals_are_passed_on(self, lock, zk):
        process = lock()
        held(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(scaled(30)) == 128 + signal.SIGTERM
        assert queue(zk) == []

    def test_kill_9_of_the_locker_takes_all_that_the_command_started(self, start, place):
        program = f"import subprocess; subprocess.run([{sys.executable!r}, '-c', {HOLDER!r}])"
        process = start(
            "lock", "--session-timeout", "4", place, "/locks/one", "--",
            sys.executable, "-c", program, stdin=-1,
        )  # fmt: skip
        _, pid = held(process)
        process.kill()
        wait_until(lambda: not is_alive(pid), "the command is gone")

    @pytest.mark.parametrize("program", [HOLDER, DEAF + HOLDER.replace("sys.exit", "time.sleep")])
    def test_a_locker_that_is_stopped_keeps_the_command_from_running_on(self, lock, program):
        process = lock("--session-timeout", "4", "--grace", "0.1", program=program)
        _, pid = held(process)
        process.send_signal(signal.SIGSTOP)
        wait_until(lambda: not is_alive(pid), "the command is gone")
        process.send_signal(signal.SIGCONT)
        assert process.wait(scaled(30)) == 125
        assert b"lost" in process.stderr.read()

    def test_a_node_that_is_deleted_ends_a_command_that_is_deaf_to_sigterm(self, lock, zk):
        process = lock(
            "--grace", "0.1", program=f"{DEAF}{HOLDER.replace('read()', 'read(); time.sleep(99)')}"
        )
        _, pid = held(process)
        (name,) = queue(zk)
        zk.delete(f"/locks/one/{name}")
        assert process.wait(scaled(30)) == 125
        assert not is_alive(pid)
        assert b"/locks/one is lost: somebody has deleted" in process.stderr.read()

    def test_silence_of_the_servers_ends_the_command_before_the_session(
        self, lock, zk, server, root
    ):
        with TcpProxy(server.connection_string) as proxy:
            process = lock("--session-timeout", "4", to=proxy.connection_string + root)
            _, pid = held(process)
            proxy.refuse()
            proxy.cut()
            assert process.wait(scaled(30)) == 125
            assert not is_alive(pid)
            assert b"there has been no connection for" in process.stderr.read()

    def test_a_short_break_does_not_matter(self, lock, server, root):
        with TcpProxy(server.connection_string) as proxy:
            process = lock(to=proxy.connection_string + root)
            held(process)
            connections = proxy.connections
            proxy.cut()
            wait_until(lambda: proxy.connections > connections, "connected again")
            process.stdin.close()
            assert process.wait(scaled(30)) == 7

    def test_a_place_whose_answer_was_lost_is_found_again(self, zk, server, root):
        cut: list[bool] = []

        def on_request(request):
            if request.op == Op.CREATE and b"-lock-" in request.frame and not cut:
                cut.append(True)
                proxy.cut_after(1)  # the first byte of the answer
            return True

        with TcpProxy(server.connection_string, on_request) as proxy:
            to = proxy.connection_string + root
            assert call("lock", "--wait", "20", to, "/locks/one", "--", "true").status == 0
        assert cut
        assert queue(zk) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "which lock?"),
        (["/locks/one"], "which command?"),
        (["/locks/one", "--"], "which command?"),
        (["/", "--", "true"], "the root cannot be a lock"),
        (["--wait", "1", "--no-wait", "/a", "--", "true"], "not allowed with"),
        (["--grace", "x", "/a", "--", "true"], "not a number of seconds"),
    ],
)
def test_words_that_make_no_sense(place, words, told):
    assert told in the_line(call("lock", place, *words), 2)


def test_a_command_that_is_not_there_and_a_place_that_is_not(place):
    line = the_line(call("lock", place, "/locks/one", "--", "no-such-program"), 127)
    assert line == "no such program in PATH: 'no-such-program'"
    line = the_line(call("lock", place, "/none/one", "--", "true"))
    assert line.startswith("no node: /none")


def test_a_command_that_cannot_be_executed_is_told_from_none(place, tmp_path, capfd):
    plain, odd = tmp_path / "plain", tmp_path / "odd"
    plain.write_text("#!/bin/sh\n")
    odd.write_text("#!/no/such/interpreter\n")
    odd.chmod(0o755)
    run = partial(call, "lock", place, "/locks/one", "--")
    assert the_line(run(plain), 126) == f"it may not be executed (chmod +x permits it): '{plain}'"
    assert the_line(run(tmp_path), 126) == f"a directory is no program: '{tmp_path}'"
    assert the_line(run(tmp_path / "none"), 127) == f"no such program: '{tmp_path / 'none'}'"
    assert run(odd) == (126, "", "")
    assert capfd.readouterr().err == (
        f"{odd}: its interpreter, behind #! in the first line, does not exist\n"
    )


def test_a_link_that_leads_nowhere_is_no_place_for_a_lock(place, zk):
    zk.ln("/nowhere", "/locks/link")
    line = the_line(call("lock", place, "/locks/link", "--", "true"))
    assert line == "no node: /nowhere: the link /locks/link leads there"
    assert not zk.exists("/locks/link")
