"""A process lists the servers that it registered; others check them."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import closing
from io import StringIO

import pytest

import zc.zk.event
import zc.zk.monitor
import zookeeper
from tests.conftest import SESSION_TIMEOUT_MILLISECONDS
from tests.deadlines import scaled, wait_until
from tests.ports import LOOPBACK, free_ports
from zc.zk.event import RegisteringServer
from zc.zk.lineserver import LineServer, ask

PATIENCE = scaled(20)


@pytest.fixture(autouse=True)
def nothing_registered(monkeypatch):
    monkeypatch.setattr(zc.zk.monitor, "_registered", {})


@pytest.fixture
def listening():
    with closing(socket.create_server((LOOPBACK, 0))) as server:
        yield f"{LOOPBACK}:{server.getsockname()[1]}"


@pytest.fixture
def monitor():
    with zc.zk.monitor.start(0) as server:
        yield server


def register(path, address, **properties):
    zc.zk.monitor.notify(RegisteringServer(address, path, properties))


def told(*arguments):
    answer = StringIO()
    zc.zk.monitor.servers(answer, *arguments)
    return answer.getvalue()


class TestServers:
    def test_none(self):
        assert told() == "[]\n"
        assert told("/shop/providers") == ""

    def test_all_are_objects_in_the_order_of_registration(self):
        register("/shop/providers", "1.2.3.4:80")
        register("/", "[::1]:81", pid=7)
        register("/", "addr", pid=None)
        assert json.loads(told()) == [
            {"path": "/shop/providers", "pid": os.getpid(), "address": "1.2.3.4:80"},
            {"path": "/", "pid": 7, "address": "[::1]:81"},
            {"path": "/", "pid": None, "address": "addr"},
        ]

    def test_a_process_id_may_be_anything(self):
        register("/", "addr", pid=os)
        assert json.loads(told())[0]["pid"] == str(os)

    def test_at_a_path_there_may_be_several(self):
        register("/shop/providers", "1.2.3.4:80")
        register("/shop/providers", "1.2.3.4:81")
        register("/other/providers", "1.2.3.4:82")
        register("/shop/providers", "1.2.3.4:80")  # again, in a new session
        assert told("/shop/providers") == "1.2.3.4:80\n1.2.3.4:81\n"

    def test_other_events_are_none_of_its_business(self):
        zc.zk.monitor.notify(object())
        assert told() == "[]\n"

    def test_a_server_that_a_client_registers_is_known(self, connection_string, root, monkeypatch):
        monkeypatch.setattr(zc.zk.event, "notify", zc.zk.monitor.notify)
        with zc.zk.ZooKeeper(connection_string + root, SESSION_TIMEOUT_MILLISECONDS) as zk:
            zk.create("/providers", "")
            zk.register_server("/providers", "1.2.3.4:80")
        assert told("/providers") == "1.2.3.4:80\n"

    def test_a_server_that_is_unregistered_is_forgotten(self, connection_string, root, monkeypatch):
        """Its place in the table goes when another one comes."""
        monkeypatch.setattr(zc.zk.event, "notify", zc.zk.monitor.notify)
        with zc.zk.ZooKeeper(connection_string + root, SESSION_TIMEOUT_MILLISECONDS) as zk:
            zk.create("/providers", "")
            for port in range(80, 85):
                former = zk.register("/providers", f"1.2.3.4:{port}")
                assert told("/providers") == f"1.2.3.4:{port}\n"
                former.unregister()
                assert told("/providers") == ""
                assert told() == "[]\n"
                assert len(zc.zk.monitor._registered) == 1
            again = zk.register("/providers", "1.2.3.4:80")
            zk.register("/providers", "1.2.3.4:79")
            assert told("/providers") == "1.2.3.4:80\n1.2.3.4:79\n"
            again.unregister()
            assert told("/providers") == "1.2.3.4:79\n"

    def test_a_server_that_is_refused_is_forgotten(self, connection_string, root, monkeypatch):
        monkeypatch.setattr(zc.zk.event, "notify", zc.zk.monitor.notify)
        with (
            zc.zk.ZooKeeper(connection_string + root, SESSION_TIMEOUT_MILLISECONDS) as zk,
            pytest.raises(zookeeper.NoNodeException),
        ):
            zk.register("/missing", "1.2.3.4:80")
        assert told() == "[]\n"


class TestCheck:
    def test_a_server_that_takes_connections(self, monitor, listening, capsys):
        register("/providers", listening)
        assert zc.zk.monitor.check([monitor.address, "/providers"]) is None
        assert capsys.readouterr() == ("", "")

    def test_all_of_several_have_to(self, monitor, listening, capsys):
        (port,) = free_ports(1)
        register("/providers", listening)
        register("/providers", f"{LOOPBACK}:{port}")
        with pytest.raises(SystemExit) as ended:
            zc.zk.monitor.check([monitor.address, "/providers"])
        assert ended.value.code == 1
        out, err = capsys.readouterr()
        assert out.startswith(f"{LOOPBACK}:{port}: ")
        assert "Connection refused" in out
        assert err == ""

    def test_a_blank_host_is_this_machine(self, monitor, listening, capsys):
        register("/providers", listening.removeprefix(LOOPBACK))
        port = monitor.address.rpartition(":")[2]
        assert zc.zk.monitor.check(f":{port} /providers".split()) is None
        assert capsys.readouterr() == ("", "")

    def test_a_failed_check_is_logged(self, monitor, listening, caplog):
        caplog.set_level(logging.DEBUG, "zc.zk.monitor")
        register("/providers", listening)
        zc.zk.monitor.check([monitor.address, "/providers"])
        assert caplog.record_tuples == []
        for address in f"{LOOPBACK}:{free_ports(1)[0]}", "addr":
            register(f"/{address}", address)
            with pytest.raises(SystemExit):
                zc.zk.monitor.check([monitor.address, f"/{address}"])
            assert caplog.record_tuples == [("zc.zk.monitor", logging.DEBUG, "Failed check")]
            caplog.clear()

    def test_a_registered_name_may_have_blanks_in_it(self, monitor, capsys):
        register("/providers", "two words")
        zc.zk.monitor.get_addr([monitor.address, "/providers"])
        assert capsys.readouterr().out == "two words\n"

    def test_none_is_registered(self, monitor, capsys):
        register("/providers", "1.2.3.4:80")
        with pytest.raises(SystemExit) as ended:
            zc.zk.monitor.check([monitor.address, "/other"])
        assert ended.value.code == 1
        assert capsys.readouterr().out == "no server is registered at /other\n"

    def test_no_monitor(self, capsys, tmp_path):
        (port,) = free_ports(1)
        for address in f"{LOOPBACK}:{port}", str(tmp_path / "none.sock"), "nonsense", "a:b:c":
            with pytest.raises(SystemExit) as ended:
                zc.zk.monitor.check([address, "/providers"])
            assert ended.value.code == 1
            out = capsys.readouterr().out
            assert out.startswith(f"the monitor at {address}: ")
            assert out.count("\n") == 1

    @pytest.mark.parametrize(
        ("answer", "told"),
        [
            (b"", "it has hung up without an answer, as when it is busy"),
            (b"hello\n", "Expecting value"),
            (b"[1]\n", "it is none, by its answer"),
            (b"7\n", "it is none, by its answer"),
        ],
    )
    def test_a_monitor_that_is_busy_is_told_from_one_without_a_server(self, capsys, answer, told):
        with socket.create_server((LOOPBACK, 0)) as listening:

            def hang_up() -> None:
                connection, _ = listening.accept()
                with connection:
                    connection.recv(100)
                    connection.sendall(answer)

            thread = threading.Thread(target=hang_up)
            thread.start()
            place = f"{LOOPBACK}:{listening.getsockname()[1]}"
            with pytest.raises(SystemExit) as ended:
                zc.zk.monitor.check([place, "/shop"])
            thread.join(scaled(10))
        assert ended.value.code == 1
        assert told in capsys.readouterr().out

    def test_a_monitor_that_does_not_answer(self, capsys, monkeypatch):
        monkeypatch.setattr(zc.zk.monitor, "PATIENCE_SECONDS", 0.2)
        with closing(socket.create_server((LOOPBACK, 0))) as silent:
            with pytest.raises(SystemExit):
                zc.zk.monitor.check([f"{LOOPBACK}:{silent.getsockname()[1]}", "/providers"])
        assert "timed out" in capsys.readouterr().out

    @pytest.mark.parametrize("arguments", [[], ["x"], ["x", "/y", "z"]])
    def test_wrong_usage(self, arguments, capsys):
        with pytest.raises(SystemExit) as ended:
            zc.zk.monitor.check(arguments)
        assert ended.value.code == 2
        assert capsys.readouterr() == ("", "usage: check MONITOR PATH\n")

    def test_a_path_that_would_be_another_command(self, monitor, capsys):
        for path in "/a /b", "/a\nhelp", "":
            with pytest.raises(SystemExit) as ended:
                zc.zk.monitor.check([monitor.address, path])
            assert ended.value.code == 1
            assert capsys.readouterr().out.startswith("a path without blanks is needed, not ")


class TestGetAddr:
    def test_all_are_printed(self, monitor, capsys):
        register("/providers", "1.2.3.4:80")
        register("/providers", "1.2.3.4:81")
        zc.zk.monitor.get_addr([monitor.address, "/providers"])
        assert capsys.readouterr().out == "1.2.3.4:80\n1.2.3.4:81\n"

    def test_none(self, monitor, capsys):
        with pytest.raises(SystemExit) as ended:
            zc.zk.monitor.get_addr([monitor.address, "/providers"])
        assert ended.value.code == 1

    def test_the_arguments_are_the_process_s_by_default(self, monitor, capsys, monkeypatch):
        register("/providers", "1.2.3.4:80")
        monkeypatch.setattr(sys, "argv", ["get_addr", monitor.address, "/providers"])
        zc.zk.monitor.get_addr()
        assert capsys.readouterr().out == "1.2.3.4:80\n"

    def test_as_a_command(self, monitor, listening):
        register("/providers", listening)

        def run(*arguments):
            command = [sys.executable, "-m", "zc.zk.monitor", *arguments]
            ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
            return ended.returncode, ended.stdout, ended.stderr

        usage = "usage: python -m zc.zk.monitor check|get_addr MONITOR PATH\n"
        assert run("get_addr", monitor.address, "/providers") == (0, f"{listening}\n", "")
        assert run("check", monitor.address, "/providers") == (0, "", "")
        assert run("check", monitor.address, "/x") == (1, "no server is registered at /x\n", "")
        assert run("frob") == run() == (2, "", usage)


class TestZcml:
    @pytest.fixture(autouse=True)
    def components(self):
        cleanup = pytest.importorskip("zope.component.testing")
        import zope.component.event
        import zope.event

        zope.event.subscribers.append(zope.component.event.dispatch)
        yield
        zope.event.subscribers.remove(zope.component.event.dispatch)
        cleanup.tearDown()

    @pytest.mark.parametrize("file", ["monitor.zcml", "configure.zcml"])
    def test_it_registers_the_subscriber_and_the_commands(self, file):
        import zope.event
        from zope.configuration import xmlconfig

        xmlconfig.file(file, zc.zk)
        zope.event.notify(RegisteringServer("1.2.3.4:80", "/providers", {}))
        with LineServer(0, {}) as server:
            assert ask(server.address, "servers /providers", PATIENCE) == "1.2.3.4:80\n"
            assert "servers: Tell which servers" in ask(server.address, "help", PATIENCE)
            assert ask(server.address, "metrics", PATIENCE).startswith("# no client is measured")


class TestLineServer:
    @pytest.fixture
    def server(self):
        def greet(connection, name="you", *more):
            """Greet somebody.

            Politely.
            """
            connection.write(f"hello {name} größe \udcff\n")

        def fail(connection):
            raise RuntimeError("no")

        with LineServer(0, {"greet": greet, "fail": fail}) as server:
            yield server

    def test_a_command_with_and_without_arguments(self, server):
        assert ask(server.address, "greet", PATIENCE) == "hello you größe \\udcff\n"
        assert ask(server.address, "greet  alice ", PATIENCE).startswith("hello alice ")

    def test_help(self, server):
        listed = "fail: \ngreet: Greet somebody.\nhelp [COMMAND]: this, or all about a command\n"
        assert ask(server.address, "help", PATIENCE) == listed
        assert ask(server.address, "", PATIENCE) == listed
        assert ask(server.address, "help greet", PATIENCE) == (
            "greet\n  Greet somebody.\n\n  Politely.\n"
        )
        assert ask(server.address, "help frob", PATIENCE) == "frob\n  no such command\n"

    def test_mistakes_are_answered(self, server, caplog):
        assert ask(server.address, "frob x", PATIENCE) == (
            "no such command: frob; help lists them\n"
        )
        assert ask(server.address, "fail x", PATIENCE) == "fail: too many positional arguments\n"
        assert ask(server.address, "fail", PATIENCE) == "fail failed: RuntimeError('no')\n"
        assert "the command 'fail' failed" in caplog.text

    def test_a_connection_can_stay_open(self, server):
        host, port = server.address.split(":")
        with socket.create_connection((host, int(port)), PATIENCE) as connection:
            connection.sendall(b"interactive\ngreet a\ngreet b\nquit\n")
            with connection.makefile() as answers:
                assert [line[:7] for line in answers] == ["hello a", "hello b"]

    def test_somebody_who_hangs_up_does_no_harm(self, server):
        host, port = server.address.split(":")
        for sent in b"", b"gre", b"greet\n", b"\xff\xfe\n", b"x" * 10_000:
            with socket.create_connection((host, int(port)), PATIENCE) as connection:
                connection.sendall(sent)
        assert ask(server.address, "greet", PATIENCE).startswith("hello you")

    def test_a_unix_socket(self, tmp_path):
        path = str(tmp_path / "monitor.sock")
        with zc.zk.monitor.start(path) as server:
            assert server.address == path
            assert ask(path, "servers", PATIENCE) == "[]\n"
            with pytest.raises(OSError, match="Address already in use"):
                zc.zk.monitor.start(path)
        assert not os.path.exists(path)

    @pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
    def test_a_child_that_closes_it_ends_nothing_of_the_parents(self, tmp_path):
        path = str(tmp_path / "monitor.sock")
        with LineServer(path, {"hello": lambda connection: connection.write("hello\n")}) as server:
            child = os.fork()
            if not child:
                try:
                    server.close()
                finally:
                    os._exit(0)
            try:
                wait_until(lambda: os.waitpid(child, os.WNOHANG)[0], "the child has closed it")
            except AssertionError:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                raise
            assert ask(path, "hello", scaled(10)) == "hello\n"

    def test_the_socket_of_a_server_that_crashed_is_no_obstacle(self, tmp_path):
        path = str(tmp_path / "monitor.sock")
        with closing(socket.socket(socket.AF_UNIX)) as crashed:
            crashed.bind(path)
        with zc.zk.monitor.start(path):
            assert ask(path, "servers", PATIENCE) == "[]\n"

    def test_a_file_of_that_name_is_left_alone(self, tmp_path):
        (tmp_path / "precious").write_text("data")
        with pytest.raises(OSError, match="Address already in use"):
            zc.zk.monitor.start(str(tmp_path / "precious"))
        assert (tmp_path / "precious").read_text() == "data"

    @pytest.mark.parametrize("port", [70_000, -1, "70000"])
    def test_a_number_that_is_no_port_is_refused(self, port):
        with pytest.raises(ValueError, match=f"no port: {port}"):
            zc.zk.monitor.start(port)

    def test_ports_and_addresses(self):
        (port,) = free_ports(1)
        for address in port, str(port), f"{LOOPBACK}:{port}":
            with zc.zk.monitor.start(address) as server:
                assert server.address == f"{LOOPBACK}:{port}"
                assert ask(address, "servers", PATIENCE) == "[]\n"
