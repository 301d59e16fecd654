"""A client connects, stays connected, and closes."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest

import zc.zk
import zookeeper
from tests.calls import Calls, InThreads
from tests.deadlines import LONG_SESSION, scaled, wait_until
from tests.library.bad_days import end_session, expire, session_id
from tests.ports import LOOPBACK, free_ports
from tests.servers import standalone
from tests.tcpproxy import TO_CLIENT
from zc.zk.session.credentials import Credentials
from zc.zk.session.session import Session
from zc.zk.testing import Server


def closed_port() -> str:
    """Return an address where nothing listens."""
    (port,) = free_ports(1)
    return f"{LOOPBACK}:{port}"


class TestConnecting:
    def test_a_new_client_is_connected(self, zk) -> None:
        assert isinstance(zk.handle, int)
        assert zk.state == zookeeper.CONNECTED_STATE
        assert zk.exists("/")

    def test_the_connection_string_comes_from_the_environment(
        self, monkeypatch, connection_string, root
    ) -> None:
        monkeypatch.setenv("ZC_ZK_CONNECTION_STRING", connection_string + root)
        with zc.zk.ZooKeeper() as zk:
            assert zk.connection_string == connection_string + root

    @pytest.mark.parametrize("variable", [None, ""])
    def test_the_default_is_a_server_on_this_machine(self, monkeypatch, variable) -> None:
        if variable is None:
            monkeypatch.delenv("ZC_ZK_CONNECTION_STRING", raising=False)
        else:
            monkeypatch.setenv("ZC_ZK_CONNECTION_STRING", variable)
        asked = []

        def init(*arguments: object) -> int:
            asked.append(arguments)
            raise zookeeper.error(zookeeper.SYSTEMERROR)

        monkeypatch.setattr(zookeeper, "init", init)
        with pytest.raises(zc.zk.FailedConnect):
            zc.zk.ZooKeeper()
        ((hosts, _),) = asked  # and no timeout, for none was given
        assert hosts == "127.0.0.1:2181"

    def test_without_memory_for_a_thread_it_is_a_failed_connect(
        self, connection_string, monkeypatch
    ) -> None:
        """Whichever of the threads it is."""
        started: list[str] = []
        original = threading.Thread.start

        def start(thread: threading.Thread) -> None:
            if len(started) == allowed:
                raise RuntimeError("can't start new thread")
            started.append(thread.name)
            original(thread)

        monkeypatch.setattr(threading.Thread, "start", start)
        for allowed in range(3):  # noqa: B007, which `start` looks at
            started.clear()
            with pytest.raises(zc.zk.FailedConnect, match="can't start new thread"):
                zc.zk.ZooKeeper(connection_string)

    def test_the_session_timeout_is_in_milliseconds(self, client, caplog) -> None:
        assert client(session_timeout=12_000).recv_timeout() == 12_000
        assert "session timeout" not in caplog.text

    def test_a_session_timeout_that_is_not_granted_is_warned_of(self, client, caplog) -> None:
        granted = client(session_timeout=5).recv_timeout()
        assert granted > 5
        told = f"the session timeout is {granted} milliseconds, as the servers do not grant the 5"
        wait_until(lambda: told in caplog.text, "it is logged")

    @pytest.mark.parametrize("timeout", [30, 30.0, 999])
    def test_a_session_timeout_that_looks_like_seconds_is_warned_of(
        self, client, caplog, timeout
    ) -> None:
        client(session_timeout=timeout)
        told = f"it is not in seconds: {int(timeout)} seconds are {int(timeout) * 1000}"
        assert told in caplog.text

    @pytest.mark.parametrize("timeout", [True, 1.5, "10", b"10", float("nan"), float("inf")])
    def test_a_session_timeout_that_is_no_number_is_refused(self, timeout) -> None:
        with pytest.raises(TypeError, match="a whole number of milliseconds"):
            zc.zk.ZooKeeper(session_timeout=timeout)

    @pytest.mark.parametrize("timeout", [0, -1, 2**31, 1e30])
    def test_a_session_timeout_out_of_range_is_refused(self, timeout) -> None:
        with pytest.raises(ValueError, match="from 1 to 2147483647 milliseconds"):
            zc.zk.ZooKeeper(session_timeout=timeout)

    @pytest.mark.not_emulated("the server is elsewhere, or nowhere")
    @pytest.mark.parametrize(
        "hosts", ["no.such.host.invalid:2181", "", ":", "127.0.0.1:port", "127.0.0.1:99999", "\0"]
    )
    def test_a_bad_connection_string_is_an_error_that_quotes_it(self, hosts) -> None:
        with pytest.raises(zc.zk.FailedConnect) as caught:
            zc.zk.ZooKeeper(hosts)
        assert repr(hosts) in str(caught.value)

    def test_without_an_answer_it_fails_and_says_so(self, monkeypatch) -> None:
        monkeypatch.setattr(zc.zk.ZooKeeper, "initial_connection_wait", 0.1)
        address = closed_port()
        reason = rf"{address}: no answer within 0.1 seconds \(Connection refused\)"
        with pytest.raises(zc.zk.FailedConnect, match=reason):
            zc.zk.ZooKeeper(address)

    def test_a_patience_without_end_is_taken(self, connection_string, monkeypatch) -> None:
        monkeypatch.setattr(zc.zk.ZooKeeper, "initial_connection_wait", float("inf"))
        with zc.zk.ZooKeeper(connection_string) as zk:
            assert zk.get_children("/")

    @pytest.mark.not_emulated("the server is elsewhere, or nowhere")
    def test_with_wait_it_waits_until_there_is_a_server(self, monkeypatch, caplog) -> None:
        monkeypatch.setattr(zc.zk.ZooKeeper, "initial_connection_wait", 0.05)
        with standalone() as server:
            server.stop()
            clients = []
            thread = threading.Thread(
                target=lambda: clients.append(zc.zk.ZooKeeper(server.connection_string, wait=True))
            )
            thread.start()
            wait_until(
                lambda: "no answer yet, waiting (Connection refused)" in caplog.text,
                "it says that it waits",
            )
            server.start()
            thread.join(scaled(60))
            (zk,) = clients
            assert zk.exists("/")
            zk.close()

    def test_it_can_be_used_in_a_with_statement(self, client) -> None:
        with client() as zk:
            assert zk.handle is not None
        assert zk.handle is None

    def test_repr_tells_where_and_how(self, zk, connection_string, root) -> None:
        assert repr(zk) == f"<ZooKeeper {connection_string}{root}: connected>"
        zk.close()
        assert repr(zk) == f"<ZooKeeper {connection_string}{root}: closed>"


class TestClosing:
    def test_ephemeral_nodes_go_at_once(self, zk, other) -> None:
        zk.create("/here", flags=zookeeper.EPHEMERAL)
        assert other.exists("/here")
        zk.close()
        other.sync("/")
        assert not other.exists("/here")

    def test_twice_is_harmless(self, zk) -> None:
        zk.close()
        zk.close()

    def test_afterwards_every_call_is_an_error(self, zk) -> None:
        children = zk.children("/")
        zk.close()
        assert (zk.handle, zk.state) == (None, zookeeper.NOTCONNECTED_STATE)
        for call in (
            lambda: zk.get("/"),
            lambda: zk.create("/x"),
            lambda: zk.children("/"),
            lambda: zk.properties("/"),
            lambda: zk.register("/", ("localhost", 80)),
            lambda: zk.import_tree("/x"),
            lambda: zk.export_tree(),
            lambda: list(zk.walk()),
            lambda: zk.delete_recursive("/x"),
            lambda: zk.resolve("/x"),
            lambda: zk.recv_timeout(),
        ):
            with pytest.raises(zookeeper.ClosingException, match="this client has been closed"):
                call()
        assert list(children) == []

    def test_from_many_threads_at_once_is_harmless(self, zk) -> None:
        barrier = threading.Barrier(8)
        faults = []

        def close() -> None:
            barrier.wait(30)
            try:
                zk.close()
            except Exception as fault:
                faults.append(fault)

        threads = [threading.Thread(target=close) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(scaled(30))
        assert not faults

    def test_calls_that_are_under_way_end(self, client, proxy, root) -> None:
        zk = client(proxy.connection_string + root)
        proxy.stall()
        ended = Calls()

        def call() -> None:
            try:
                zk.get("/")
            except zookeeper.ZooKeeperException as fault:
                ended(type(fault))

        thread = threading.Thread(target=call)
        thread.start()
        zk.close()
        assert ended.wait_one()[0] in (zookeeper.ClosingException, zookeeper.InvalidStateException)
        thread.join(scaled(10))

    def test_with_a_server_that_hangs_it_takes_seconds_at_most(self, client, proxy, root) -> None:
        zk = client(proxy.connection_string + root, session_timeout=60_000)
        zk.register_server("/", ("localhost", 80))
        children = zk.children("/")
        proxy.stall()
        closer = threading.Thread(target=zk.close)
        closer.start()
        closer.join(scaled(20))
        assert not closer.is_alive()
        assert list(children) == ["localhost:80"]

    @pytest.mark.not_emulated("the server is elsewhere, or nowhere")
    def test_while_there_is_no_server_it_is_not_in_the_way(self, client) -> None:
        with standalone() as server:
            zk = client(server.connection_string)
            server.kill()
            wait_until(lambda: zk.state == zookeeper.CONNECTING_STATE, "the loss is noticed")
            zk.close()

    @pytest.mark.not_emulated("the thread that makes a change calls the callbacks")
    def test_it_does_not_wait_for_ever_for_a_callback_that_blocks(self, zk, other) -> None:
        blocked, go_on = threading.Event(), threading.Event()

        @zk.children("/")
        def block(children: zc.zk.Children) -> None:
            if len(children):
                blocked.set()
                go_on.wait(scaled(60))

        try:
            other.create("/a")
            assert blocked.wait(scaled(30))
            closer = threading.Thread(target=zk.close)
            closer.start()
            closer.join(scaled(30))
            assert not closer.is_alive()
        finally:
            go_on.set()

    @pytest.mark.not_emulated("other processes do not reach it")
    def test_a_program_that_just_ends_leaves_no_ephemeral_node(
        self, other, connection_string, root
    ) -> None:
        program = f"""if 1:
            import zc.zk
            zk = zc.zk.ZooKeeper({connection_string + root!r}, session_timeout=60_000)
            zk.register_server('/', ('localhost', 80))
            children = zk.children('/')(lambda children: None)
            print(list(children))
            """
        output = subprocess.run(
            [sys.executable, "-c", program], text=True, capture_output=True, timeout=scaled(60)
        )
        assert (output.returncode, output.stdout) == (0, "['localhost:80']\n"), output.stderr
        wait_until(lambda: other.get_children("/") == [], "the node is gone")


class TestConnectionLoss:
    def test_the_session_goes_on_after_a_cut(self, client, proxy, root, other) -> None:
        zk = client(proxy.connection_string + root)
        session = session_id(zk)
        zk.create("/here", flags=zookeeper.EPHEMERAL)
        children = zk.children("/")
        proxy.cut()
        other.create("/meanwhile")
        wait_until(lambda: len(children) == 2, "the change is seen")
        assert session_id(zk) == session
        assert other.exists("/here")

    def test_changes_during_a_gap_are_told(self, client, proxy, root, other) -> None:
        zk = client(proxy.connection_string + root)
        callback = Calls()
        children = zk.children("/")(callback)
        quiet = Calls()
        properties = zk.properties("/")(quiet)
        proxy.refuse()
        proxy.cut()
        wait_until(lambda: zk.state == zookeeper.CONNECTING_STATE, "the loss is noticed")
        other.create("/meanwhile")
        proxy.allow()
        callback.wait(2)
        assert list(children) == ["meanwhile"]
        wait_until(lambda: zk.state == zookeeper.CONNECTED_STATE, "it is connected")
        last = Calls()
        zk.children("/")(last)
        other.create("/later")
        last.wait(2)
        assert (len(quiet), dict(properties)) == (1, {}), "what has not changed is not told"

    def test_calls_fail_as_those_of_the_binding_do(self, client, proxy, root) -> None:
        zk = client(proxy.connection_string + root)
        proxy.refuse()
        proxy.cut()
        with pytest.raises(
            (zookeeper.ConnectionLossException, zookeeper.OperationTimeoutException)
        ):
            zk.get("/", timeout=5)

    @pytest.mark.not_emulated("the server is elsewhere, or nowhere")
    def test_a_server_restart_is_lived_through(self, client, own_server) -> None:
        zk = client(own_server.connection_string, session_timeout=60_000)
        registration = zk.register("/", ("localhost", 80))
        callback = Calls()
        children = zk.children("/")(callback)
        own_server.kill()
        wait_until(lambda: zk.state == zookeeper.CONNECTING_STATE, "the loss is noticed")
        own_server.start()
        own_server.wait_until_serving()
        wait_until(lambda: zk.state == zookeeper.CONNECTED_STATE, "it is back", 30)
        with zc.zk.ZooKeeper(own_server.connection_string) as other:
            other.create("/after")
        wait_until(lambda: "after" in children, "the watch works")
        assert str(registration.state) == "registered"


@pytest.mark.not_emulated("the server is elsewhere, or nowhere")
class TestServersThatAreAwayForLong:
    """The servers are away longer than anybody waits: another session follows."""

    @pytest.fixture
    def own_server(self) -> Iterator[Server]:
        with Server() as own_server:
            # The server that replaces this one has seen less than this one has told clients.
            own_server.engine.zxid *= 2
            yield own_server

    @pytest.fixture
    def zk(self, own_server, client) -> zc.zk.ZooKeeper:
        return client(own_server.connection_string, session_timeout=1000)

    def test_with_their_data_have_registrations_in_a_new_session(self, zk, own_server) -> None:
        registration = zk.register("/", ("localhost", 80))
        former = session_id(zk)
        own_server.stop()
        wait_until(lambda: zk.handle is None, "the session is given up", 30)
        assert registration.state == "pending"
        own_server.start()
        wait_until(lambda: registration.state == "registered", "it is registered again", 30)
        assert zk.exists("/localhost:80")["ephemeralOwner"] == session_id(zk) != former

    def test_without_their_data_are_as_good_as_new_ones(self, zk, own_server) -> None:
        registration = zk.register("/", ("localhost", 80))
        children = zk.children("/")
        zk.create("/a")
        wait_until(lambda: "a" in children, "the watch works")
        own_server.stop()
        with Server(own_server.port):
            wait_until(
                lambda: set(children) == {"localhost:80", "zookeeper"}, "others are gone", 30
            )
            assert registration.state == "registered"
            zk.create("/b")
            wait_until(lambda: "b" in children, "the watch works again")


class TestExpiry:
    def test_there_is_a_new_session(self, zk, connection_string, caplog) -> None:
        caplog.set_level(logging.INFO, "zc.zk")
        former = session_id(zk)
        expire(zk, connection_string)
        assert session_id(zk) != former
        assert zk.exists("/")
        wait_until(lambda: "connected, in a new session" in caplog.text, "it is logged")
        assert "the session expired" in caplog.text

    def test_calls_under_way_have_lost_their_connection(self, client, proxy, root) -> None:
        """Nobody has closed the client, so that no call is told of a closed client."""
        zk = client(proxy.connection_string + root, session_timeout=LONG_SESSION)
        zk.get_many(["/"])  # the first one would go out alone
        proxy.stall(TO_CLIENT)
        sent = sum(proxy.requests.values())
        calls = [lambda: zk.get("/"), lambda: zk.get_many(["/"]), lambda: zk.children("/")]
        threads = InThreads(calls)
        completion = Calls()
        zk.aget("/", None, completion)
        wait_until(lambda: sum(proxy.requests.values()) >= sent + 4, "they are under way")
        zk._session.note_lost(zk._session.epoch, "no connection for too long")
        threads.join()
        assert threads.raised == [zookeeper.ConnectionLossException] * 3
        assert completion.wait_one()[1] == zookeeper.CONNECTIONLOSS
        proxy.resume()

    def test_several_in_a_row_are_lived_through(self, zk, other, connection_string) -> None:
        children = zk.children("/")
        zk.register_server("/", ("localhost", 80))
        for _ in range(3):
            expire(zk, connection_string)
        wait_until(lambda: other.exists("/localhost:80"), "the server is registered")
        other.create("/a")
        wait_until(lambda: "a" in children, "the watch works")

    @pytest.mark.not_emulated("the server is elsewhere, or nowhere")
    def test_a_pause_of_the_process_beyond_the_timeout_is_lived_through(
        self, other, connection_string, root
    ) -> None:
        program = f"""if 1:
            import sys, zc.zk
            zk = zc.zk.ZooKeeper({connection_string + root!r}, session_timeout=1000)
            zk.register_server('/', ('localhost', 80))
            print('ready', flush=True)
            sys.stdin.read()
            """
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            _, stat = other.get("/localhost:80")
            process.send_signal(signal.SIGSTOP)
            wait_until(lambda: not other.exists("/localhost:80"), "its session has expired", 30)
            process.send_signal(signal.SIGCONT)
            wait_until(lambda: other.exists("/localhost:80"), "it is back", 30)
            assert other.get("/localhost:80")[1]["ephemeralOwner"] != stat["ephemeralOwner"]
        finally:
            process.send_signal(signal.SIGCONT)
            process.communicate()

    def test_credentials_are_given_to_the_new_session(self, zk, connection_string) -> None:
        done = Calls()
        zk.add_auth("digest", "jim:secret", done)
        assert done.wait_one()[1] == zookeeper.OK
        acl = [{"perms": zookeeper.PERM_ALL, "scheme": "auth", "id": ""}]
        zk.create("/private", '{"x": 1}', acl)
        properties = zk.properties("/private")
        expire(zk, connection_string)
        properties.update(x=2)
        assert zk.get("/private")[0] == '{"x":2}'

    def test_a_session_with_credentials_comes_back_after_a_long_outage(
        self, proxy, root, other
    ) -> None:
        """The handle that is opened meanwhile gets them while it has no connection."""
        with closing(zc.zk.ZooKeeper(proxy.connection_string + root, 400, wait=True)) as zk:
            done = Calls()
            zk.add_auth("digest", "jim:secret", done)
            assert done.wait_one()[1] == zookeeper.OK
            proxy.refuse()
            proxy.cut()
            former = zk._session._handles.current
            wait_until(
                lambda: zk._session._handles.current is not former, "a new handle is opened", 30
            )
            handle = wait_until(lambda: zk._session._handles.current.handle, "it has a number")
            assert handle is not None
            wait_until(lambda: zookeeper.state(handle) == 0, "an attempt has failed", 30)
            # A further credential waits for the next session although there is none here.
            zk.add_auth("digest", "joe:secret")
            proxy.allow()
            assert zk._session.wait_for_connection(scaled(30))
            wait_until(lambda: len(list(zk._session.credentials)) == 2, "both are remembered")
            acl: Any = [{"perms": zookeeper.PERM_ALL, "scheme": "auth", "id": ""}]
            zk.create("/private", "x", acl)
            schemes = [entry["scheme"] for entry in zk.get_acl("/private")[1]]
            assert schemes.count("digest") == 2

    def test_a_refused_credential_costs_a_session_and_no_more(self, zk) -> None:
        former = session_id(zk)
        done = Calls()
        zk.add_auth("nonsense", "x", done)
        assert done.wait_one()[1] == zookeeper.AUTHFAILED
        wait_until(lambda: session_id(zk) not in (0, former), "there is a new session")
        assert zk.exists("/")

    @pytest.mark.parametrize("refused", [False, True])
    def test_a_credential_whose_session_ends_before_the_answer_goes_on(
        self, proxy, root, refused
    ) -> None:
        """One that is refused costs the next session, and no more."""
        acl: Any = [{"perms": zookeeper.PERM_ALL, "scheme": "auth", "id": ""}]
        with closing(zc.zk.ZooKeeper(proxy.connection_string + root, 400, wait=True)) as zk:
            former = zk._session._handles.current
            proxy.refuse()
            proxy.cut()
            wait_until(lambda: zk.state != zookeeper.CONNECTED_STATE, "the client knows", 30)
            zk.add_auth("digest", "jim:secret")
            if refused:
                zk.add_auth("nonsense", "x")
            wait_until(
                lambda: zk._session._handles.current is not former, "a new handle is opened", 30
            )
            proxy.allow()
            wait_until(lambda: zk.state == zookeeper.CONNECTED_STATE, "there is a session", 30)
            if refused:
                assert zk.exists("/")
            else:
                zk.create("/private", "x", acl)

    def test_a_credential_refused_at_first_is_an_error_and_the_end(
        self, connection_string, monkeypatch
    ) -> None:
        opened = []
        init = zookeeper.init

        def counted(*arguments: Any) -> int:
            opened.append(arguments)
            return init(*arguments)

        monkeypatch.setattr(zookeeper, "init", counted)
        session = Session(connection_string)
        session.credentials.accept([("nonsense", "x")])
        session.open()
        try:
            with pytest.raises(zc.zk.FailedConnect, match=r"refuse the credential .* 'nonsense'$"):
                session.wait_until_connected(scaled(30))
            session.wake()
            with pytest.raises(zookeeper.ConnectionLossException, match="'nonsense'") as raised:
                session.require_handle()
            assert not raised.value.may_have_happened
        finally:
            session.close()
        assert len(opened) == 1

    @pytest.mark.parametrize("code", [zookeeper.CONNECTIONLOSS, zookeeper.OPERATIONTIMEOUT])
    def test_a_credential_whose_answer_is_lost_is_given_again(
        self, connection_string, monkeypatch, code
    ) -> None:
        add_auth = zookeeper.add_auth
        to_lose = [code]

        def lose_an_answer(handle: int, scheme: str, credential: str, completion: Calls) -> int:
            def done(handle: int, code: int) -> None:
                completion(handle, to_lose.pop() if to_lose else code)

            return add_auth(handle, scheme, credential, done)

        monkeypatch.setattr(zookeeper, "add_auth", lose_an_answer)
        session = Session(connection_string)
        session.credentials.accept([("digest", "jim:secret")])
        session.open()
        try:
            assert session.wait_until_connected(scaled(30))
            assert not to_lose
        finally:
            session.close()

    @pytest.mark.not_emulated("nothing is retried after a pause")
    def test_a_credential_refused_later_on_is_given_again_at_growing_intervals(
        self, zk, other, connection_string, monkeypatch, caplog
    ) -> None:
        """Servers are restarted without a scheme, and may get it again: backoff."""
        pauses = []

        def short_pause(failures: int) -> float:
            pauses.append(failures)
            return 0.001

        monkeypatch.setattr("zc.zk.session.maintenance.pause", short_pause)
        zk.register_server("/", ("localhost", 80))
        zk._session.credentials.accept([("nonsense", "x")])
        end_session(zk, connection_string)
        wait_until(lambda: max(pauses, default=0) >= 5, "it is given again and again", 30)
        assert {1, 2, 3, 4} <= set(pauses)
        assert zk.state == zookeeper.CONNECTING_STATE
        handles = zk._session._handles
        handles.credentials = Credentials(handles.machine)
        wait_until(lambda: zk.state == zookeeper.CONNECTED_STATE, "there is a session", 30)
        wait_until(lambda: other.exists("/localhost:80"), "the server is registered again", 30)
        refused = [
            record for record in caplog.records
            if "refuse" in record.getMessage() and record.levelno >= logging.WARNING
        ]  # fmt: skip
        assert len(refused) == 1

    @pytest.mark.not_emulated("nothing is retried after a pause")
    def test_a_handle_that_somebody_else_closed_is_replaced(self, zk, other) -> None:
        zk.register_server("/", ("localhost", 80))
        former = session_id(zk)
        zookeeper.close(zk.handle)
        zk.watches.session.wake()
        wait_until(lambda: session_id(zk) not in (0, former), "there is a new session")
        wait_until(
            lambda: (
                (stat := other.exists("/localhost:80")) and stat["ephemeralOwner"] == session_id(zk)
            ),
            "the server is registered again",
        )

    def test_the_programs_watcher_is_told_of_every_session(self, zk, connection_string) -> None:
        told = Calls()
        zk.set_watcher(told)
        expire(zk, connection_string)
        states = [zookeeper.EXPIRED_SESSION_STATE, zookeeper.CONNECTED_STATE]
        wait_until(
            lambda: [call[2] for call in told.all()][-2:] == states,
            lambda: f"expired and connected: {told.all()}",
        )
        assert {call[1] for call in told.all()} == {zookeeper.SESSION_EVENT}


@pytest.mark.not_emulated("other processes do not reach it")
class TestFork:
    def in_child(self, work: Callable[[], object]) -> str:
        """Return what `work` returns, called in a forked child."""
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            try:
                os.write(writing, str(work()).encode())
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as result:
            text = result.read()
        os.waitpid(child, 0)
        return text

    def test_the_child_gets_a_clear_error_from_every_call(self, zk) -> None:
        properties = zk.properties("/")

        def work() -> object:
            names = set()
            for call in (
                lambda: zk.get("/"),
                lambda: zk.children("/"),
                lambda: zk.register("/", ("localhost", 80)),
                lambda: zk.export_tree(),
                lambda: zk.import_tree("/x"),
                lambda: properties.set(a=1),
                lambda: zk.delete_recursive("/x"),
            ):
                try:
                    call()
                except Exception as fault:
                    names.add(type(fault).__name__)
                else:
                    names.add("nothing")
            return names

        assert self.in_child(work) == "{'ForkedException'}"

    def test_the_child_has_no_session_and_says_so(self, zk) -> None:
        registration = zk.register("/", ("localhost", 80))

        def work() -> object:
            return (zk.state, zk.handle, repr(zk).rpartition(": ")[2], str(registration.state))

        expected = (zookeeper.NOTCONNECTED_STATE, None, "of another process>", "ended")
        assert self.in_child(work) == repr(expected)
        assert zk.state == zookeeper.CONNECTED_STATE
        assert str(registration.state) == "registered"

    @pytest.mark.parametrize(
        "read",
        [
            lambda live: dict(live.properties),
            lambda live: live.properties.get("x"),
            lambda live: len(live.properties),
            lambda live: "x" in live.properties,
            lambda live: live.properties.data,
            lambda live: live.properties.meta_data,
            lambda live: list(live.children),
            lambda live: live.children.data,
            lambda live: live.children.deleted,
            lambda live: live.children.real_path,
        ],
    )
    def test_the_first_read_of_a_live_object_there_warns(self, zk, caplog, read) -> None:
        live = SimpleNamespace(properties=zk.properties("/"), children=zk.children("/"))
        still = zk.properties("/", watch=False)

        def work() -> object:
            dict(still)
            before = caplog.text.count("as it was at the fork")
            read(live)
            read(live)
            return before, caplog.text.count("as it was at the fork"), "WARNING" in caplog.text

        assert self.in_child(work) == "(0, 1, True)"
        read(live)
        assert "as it was at the fork" not in caplog.text

    def test_after_reopening_nothing_is_warned_of(self, zk, caplog) -> None:
        properties = zk.properties("/")

        def work() -> object:
            zk.reopen()
            dict(properties)
            state = zk.state
            zk.close()
            return state == zookeeper.CONNECTED_STATE, "at the fork" in caplog.text

        assert self.in_child(work) == "(True, False)"

    def test_the_parents_session_outlives_a_child_that_closes(self, zk, other) -> None:
        zk.register_server("/", ("localhost", 80))
        assert self.in_child(zk.close) == "None"
        assert other.exists("/localhost:80")
        zk.create("/after")

    @pytest.mark.not_emulated("other processes do not reach it")
    def test_a_child_can_have_a_client_of_its_own(self, zk, connection_string, root) -> None:
        def work() -> object:
            with zc.zk.ZooKeeper(connection_string + root) as own:
                return own.create("/child")

        assert self.in_child(work) == "/child"
        assert zk.exists("/child")


def test_sessions_are_logged(client, caplog) -> None:
    caplog.set_level(logging.INFO, "zc.zk")
    zk = client()
    wait_until(lambda: f"{zk.connection_string}: connected" in caplog.text, "it is logged")


def test_clients_that_come_and_go_leave_nothing(client) -> None:
    # Each test is followed by a look for what it leaves behind.
    for _ in range(20):
        with client() as zk:
            zk.children("/")(lambda children: None)


@pytest.mark.not_emulated("the thread that makes a change calls the callbacks")
def test_a_thread_per_task_and_none_before_they_are_needed(client) -> None:
    before = set(threading.enumerate())
    zk = client()
    names = sorted(t.name.partition(" 127")[0] for t in set(threading.enumerate()) - before)
    assert names == ["zc.zk callbacks", "zc.zk keeper", f"zookeeper-{zk.handle}"]


def test_idle_clients_stay_quiet(zk, server) -> None:
    """An idle client sends nothing apart from pings."""
    zk.children("/")
    zk.register_server("/", ("localhost", 80))

    def requests() -> int:
        (line,) = [x for x in server.ask("mntr").splitlines() if x.startswith("zk_packets_rec")]
        return int(line.split()[1])

    before = requests()
    time.sleep(1)
    assert requests() - before < 10
