"""Connecting: all servers are tried in time, even beside servers that hang."""

from __future__ import annotations

import io
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

import zookeeper
from tests.blackhole import black_hole
from tests.calls import Calls
from tests.deadlines import scaled, wait_until
from tests.ports import LOOPBACK, free_ports
from tests.sessions import wait_until_connected
from tests.tcpproxy import TcpProxy
from zc.zk.testing import Server

# The C client gives two thirds of it to each address: longer than a test waits.
LONG = int(scaled(90_000))

# As /proc/net/tcp has it.
SYN_SENT = "02"


@pytest.fixture(autouse=True)
def in_the_order_given() -> Iterator[None]:
    zookeeper.deterministic_conn_order(True)
    yield
    zookeeper.deterministic_conn_order(False)


def test_machines_that_are_switched_off_cost_a_new_session_nothing(opened) -> None:
    with black_hole() as one, black_hole() as two, Server() as server:
        opened.append(zookeeper.init(f"{one},{two},{server.connection_string}", None, LONG))
        wait_until_connected(zookeeper, opened[0])


def test_they_cost_no_session_that_loses_its_server(opened) -> None:
    """All sessions survive: of five servers two are off, one ends, two serve."""
    with ExitStack() as stack:
        off = [stack.enter_context(black_hole()) for _ in range(2)]
        server = stack.enter_context(Server())
        ways = [stack.enter_context(TcpProxy(server.connection_string)) for _ in range(2)]
        (gone,) = free_ports(1)
        hosts = [off[0], f"{LOOPBACK}:{gone}", off[1], *(w.connection_string for w in ways)]
        watchers = [Calls() for _ in range(10)]
        for watcher in watchers:
            opened.append(zookeeper.init(",".join(hosts), watcher, int(scaled(1500))))
        for handle in opened:
            wait_until_connected(zookeeper, handle)
        for way in ways:
            way.refuse()
            way.cut()
            wait_until(lambda: sum(w.open_connections for w in ways) == 10, "they connect again")
            for handle in opened:
                wait_until_connected(zookeeper, handle)
            way.allow()
        states = {call[2] for watcher in watchers for call in watcher.all()}
        assert zookeeper.EXPIRED_SESSION_STATE not in states


def test_a_server_that_opens_no_session_has_its_share_of_the_time(opened) -> None:
    """The server accepts, as a stopped one does, and says nothing."""
    with ExitStack() as stack:
        silent = [stack.enter_context(socket.create_server((LOOPBACK, 0))) for _ in range(2)]
        server = stack.enter_context(Server())
        hosts = [f"{LOOPBACK}:{listener.getsockname()[1]}" for listener in silent]
        hosts.append(server.connection_string)
        handle = zookeeper.init(",".join(hosts), None, int(scaled(12_000)))
        opened.append(handle)
        # Two shares of two seconds, where the C client would take two times eight.
        wait_until(
            lambda: zookeeper.state(handle) == zookeeper.CONNECTED_STATE, "it is connected", 12
        )


def test_a_slow_server_gets_more_time_when_it_is_the_only_hope(opened) -> None:
    """A server that takes longer than its share is not given up for ever."""
    with Server() as server:
        host, port = server.connection_string.split(":")
        with socket.create_server((LOOPBACK, 0)) as listener:
            opened.append(
                zookeeper.init(
                    f"{LOOPBACK}:{listener.getsockname()[1]}," * 7
                    + f"{LOOPBACK}:{free_ports(1)[0]}",
                    None,
                    6000,
                )
            )
            # The least share is half a second; this answers after 0.8.
            listener.settimeout(scaled(30))
            while zookeeper.state(opened[0]) != zookeeper.CONNECTED_STATE:
                client, _ = listener.accept()
                with client, socket.create_connection((host, int(port))) as behind:
                    answer_late(client, behind, opened[0])


def answer_late(client: socket.socket, behind: socket.socket, handle: int) -> None:
    greeting = client.recv(4096)
    if not greeting:
        return
    behind.sendall(greeting)
    answer = behind.recv(4096)
    client.settimeout(0.8)
    try:
        if not client.recv(4096):
            return  # the client has given up
    except TimeoutError:
        pass
    client.sendall(answer)
    # On a busy machine the answer may come too late, and the next round has a larger share.
    client.settimeout(scaled(0.1))
    deadline = time.monotonic() + scaled(30)
    while zookeeper.state(handle) != zookeeper.CONNECTED_STATE and time.monotonic() < deadline:
        try:
            if not client.recv(4096):
                return
        except TimeoutError:
            pass


def test_each_of_two_servers_is_found_when_the_other_one_ends(opened) -> None:
    """The C client leaves out every other address."""
    with Server() as server, ExitStack() as stack:
        ways = [stack.enter_context(TcpProxy(server.connection_string)) for _ in range(2)]
        hosts = ",".join(way.connection_string for way in ways)
        opened.append(zookeeper.init(hosts, None, LONG))
        wait_until_connected(zookeeper, opened[0])
        for here, there in [ways, ways[::-1], ways, ways[::-1]]:
            here.allow()
            there.refuse()
            there.cut()
            wait_until(lambda here=here: here.open_connections, "it goes to the other one", 20)
            wait_until_connected(zookeeper, opened[0])


def test_a_server_that_hangs_in_the_middle_is_tried_last(opened) -> None:
    """The other server refused, long ago: that is no reason to go back."""
    watcher = Calls()
    with Server() as server, ExitStack() as stack:
        ways = [stack.enter_context(TcpProxy(server.connection_string)) for _ in range(2)]
        there, here = ways
        there.refuse()
        hosts = ",".join(way.connection_string for way in ways)
        opened.append(zookeeper.init(hosts, watcher, int(scaled(3000))))
        wait_until_connected(zookeeper, opened[0])
        session_id = zookeeper.client_id(opened[0])[0]
        there.allow()
        here.stall()
        wait_until(lambda: there.open_connections, "it goes to the other one", 20)
        wait_until_connected(zookeeper, opened[0])
        assert zookeeper.client_id(opened[0])[0] == session_id
        here.resume()
        # The server is not asked once more: that would cost another share of the session timeout.
        assert here.connections == 1
        states = {call[2] for call in watcher.all()}
        assert zookeeper.EXPIRED_SESSION_STATE not in states


def test_all_refuse_and_there_are_pauses(opened) -> None:
    hosts = ",".join(f"{LOOPBACK}:{port}" for port in free_ports(5))
    log = io.StringIO()
    zookeeper.set_log_stream(log)
    try:
        opened.append(zookeeper.init(hosts, None, 3000))
        wait_until(lambda: log.getvalue().count("Connection refused") >= 3, "it has tried")
    finally:
        zookeeper.set_log_stream(None)
    times = [
        line.split(":ZOO_")[0].rsplit(":", 1)[0]
        for line in log.getvalue().splitlines()
        if "Connection refused" in line
    ]
    assert len(times) == len(set(times)), "no two rounds begin in the same millisecond"


def many(count: int, port: int) -> str:
    return ",".join(f"127.1.{n // 250}.{1 + n % 250}:{port}" for n in range(count))


def test_each_of_many_addresses_has_its_turn_in_one_attempt(opened) -> None:
    log = io.StringIO()
    with Server() as server:
        zookeeper.set_log_stream(log)
        try:
            hosts = f"{many(254, server.port)},{server.connection_string}"
            opened.append(zookeeper.init(hosts, None, LONG))
            wait_until_connected(zookeeper, opened[0])
        finally:
            zookeeper.set_log_stream(None)
    assert f"{server.connection_string} accepts the connection" in log.getvalue()
    assert "Connection refused" not in log.getvalue(), "no attempt was lost"


def test_others_of_too_many_addresses_are_drawn_each_time(opened) -> None:
    with Server() as server:
        hosts = f"{many(600, server.port)},{server.connection_string}"
        opened.append(zookeeper.init(hosts, None, LONG))
        wait_until_connected(zookeeper, opened[0])


def test_many_addresses_that_do_not_answer_make_room_for_others(opened) -> None:
    with black_hole("0.0.0.0") as hole, Server() as server:
        hosts = f"{many(70, int(hole.rsplit(':')[-1]))},{server.connection_string}"
        opened.append(zookeeper.init(hosts, None, int(scaled(3000))))
        wait_until_connected(zookeeper, opened[0])


def test_sockets_of_the_race_are_closed(opened) -> None:
    with black_hole() as one, black_hole() as two, Server() as server:
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(3):
            handle = zookeeper.init(f"{one},{two},{server.connection_string}", None, LONG)
            wait_until_connected(zookeeper, handle)
            zookeeper.close(handle)
            # The client is in the middle of its attempt.
            zookeeper.close(zookeeper.init(f"{one},{two}", None, LONG))
        wait_until(lambda: len(os.listdir("/proc/self/fd")) <= before, "descriptors are as before")


@pytest.mark.parametrize("timeout", [1, 59, 2**30, 2**31 - 1])
def test_session_timeouts_at_the_limits_connect(opened, timeout) -> None:
    with Server() as server:
        opened.append(zookeeper.init(server.connection_string, None, timeout))
        wait_until_connected(zookeeper, opened[0])


def connecting_to(port: int) -> int:
    """Count the connections to a port that nobody has answered yet."""
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    fields = [row.split() for row in rows]
    return sum(f[3] == SYN_SENT and int(f[2].split(":")[1], 16) == port for f in fields)


def test_a_server_whose_queue_is_full_is_tried_again_by_other_connections(opened) -> None:
    """Where many clients come at once, the kernel would try again in step with all others."""
    with black_hole() as hole:
        port = int(hole.split(":")[1])
        before = connecting_to(port)
        opened.append(zookeeper.init(hole, None, LONG))
        wait_until(lambda: connecting_to(port) >= before + 3, "it has tried three times", 20)


def test_one_of_several_tries_at_a_server_wins_and_the_others_end(opened) -> None:
    with Server() as server, socket.socket() as listener, ExitStack() as stack:
        listener.bind((LOOPBACK, 0))
        listener.listen(0)
        host, port = listener.getsockname()
        for _ in range(3):
            filling = stack.enter_context(socket.socket())
            filling.setblocking(False)
            filling.connect_ex((host, port))
        before = connecting_to(port)
        handle = zookeeper.init(f"{host}:{port}", None, LONG)
        opened.append(handle)
        wait_until(lambda: connecting_to(port) >= before + 2, "it has tried twice", 20)
        listener.settimeout(scaled(30))
        greeting = b""
        while not greeting:
            client, _ = listener.accept()
            stack.enter_context(client)
            client.settimeout(scaled(0.2))
            with suppress(TimeoutError, ConnectionError):
                greeting = client.recv(4096)
        way, number = server.connection_string.split(":")
        behind = stack.enter_context(socket.create_connection((way, int(number))))
        behind.sendall(greeting)
        client.sendall(behind.recv(4096))
        wait_until(lambda: zookeeper.state(handle) == zookeeper.CONNECTED_STATE, "it is connected")
        wait_until(lambda: connecting_to(port) <= before, "the other tries have ended")
