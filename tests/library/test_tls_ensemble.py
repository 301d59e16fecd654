"""Three servers that accept nothing but TLS, one of which is killed at a bad moment."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

import zc.zk
import zookeeper
from tests.calls import Calls
from tests.conftest import SESSION_TIMEOUT_MILLISECONDS as TIMEOUT
from tests.deadlines import scaled, wait_until
from tests.library.bad_days import session_id
from tests.secured import Keys
from tests.servers import Ensemble, Server, ensemble_of

pytestmark = pytest.mark.not_emulated("it has one server")

SECONDS = 60
MANY = 3000

Connect = Callable[..., zc.zk.ZooKeeper]


@pytest.fixture(scope="module")
def started(own_servers_only: None, keys: Keys) -> Iterator[Ensemble]:
    with ensemble_of(3, keys=keys) as running:
        yield running


@pytest.fixture
def servers(started: Ensemble) -> Iterator[Ensemble]:
    """Yield the servers, and make them whole again afterwards."""
    yield started
    started.start()
    started.wait_until_serving()


@pytest.fixture
def connected(servers: Ensemble, keys: Keys) -> Iterator[Connect]:
    """Yield a function that connects a client; its nodes are gone at the end."""
    with ExitStack() as opened:

        def connect(timeout: int = TIMEOUT) -> zc.zk.ZooKeeper:
            hosts = servers.connection_string
            zk = zc.zk.ZooKeeper(hosts, timeout, wait=True, tls=keys.tls())
            opened.callback(zk.close)
            return zk

        yield connect
        last = connect()
        for name in last.get_children("/"):
            if name != "zookeeper":
                last.delete_recursive(f"/{name}", force=True)


def is_synced(zk: zc.zk.ZooKeeper, path: str) -> bool:
    """Have a client's server catch up, unless it is the one that was killed."""
    try:
        zk.sync(path)
    except zookeeper.ConnectionLossException:
        return False
    return True


def serving(servers: Ensemble, zk: zc.zk.ZooKeeper) -> Server:
    """Return the server that the client is connected to."""
    word = f"sid=0x{session_id(zk) & (2**64 - 1):x}"
    return wait_until(
        lambda: [each for each in servers.servers if each.pid and word in each.ask("cons")],
        "some server has the session",
    )[0]


def test_registrations_and_live_objects_outlive_the_server_they_are_with(
    servers, connected
) -> None:
    zk, other = connected(), connected()
    zk.import_tree("/app\n  n = 1\n  /providers\n")
    kept = zk.register("/app/providers", "1.2.3.4:80", weight=1)
    found, settings = other.children("/app/providers"), other.properties("/app")
    calls = Calls()
    found(calls)
    wait_until(lambda: list(found) == ["1.2.3.4:80"], "it is found")
    sessions = session_id(zk), session_id(other)
    serving(servers, zk).kill()
    wait_until(lambda: zk.state == other.state == zookeeper.CONNECTED_STATE, "both are", SECONDS)
    zk.register("/app/providers", "1.2.3.4:81")

    def is_updated() -> bool:
        # A single call is not made again, and the servers may be choosing a leader.
        try:
            zk.properties("/app").update(n=2)
        except zookeeper.ConnectionLossException:
            return False
        return True

    wait_until(is_updated, "a server takes the change", SECONDS)
    wait_until(lambda: len(found) == 2 and settings["n"] == 2, "all is seen", SECONDS)
    wait_until(lambda: len(calls) >= 2, "the callback is called")
    assert (session_id(zk), session_id(other)) == sessions
    assert str(kept.state) == "registered"
    owner = other.get("/app/providers/1.2.3.4:80")[1]["ephemeralOwner"]
    assert owner == sessions[0]


def test_bulk_reads_go_on_with_another_server_and_are_whole(servers, connected) -> None:
    zk = connected()
    text = "/all\n" + "".join(f"  /n{number:04}\n    x = {number}\n" for number in range(MANY))
    zk.import_tree(text)
    is_over = threading.Event()
    read: list[str] = []
    problems: list[BaseException] = []

    def keep_reading() -> None:
        while not is_over.is_set():
            try:
                read.append(zk.export_tree("/all"))
            except BaseException as problem:
                problems.append(problem)
                return

    reader = threading.Thread(target=keep_reading)
    reader.start()
    try:
        wait_until(lambda: read, "it is read", SECONDS)
        serving(servers, zk).kill()
        count = len(read)
        wait_until(lambda: len(read) > count + 2 or problems, "it is read again", SECONDS)
    finally:
        is_over.set()
        reader.join()
    assert not problems
    assert set(read) == {text}


def test_an_import_is_complete_and_deletes_nothing_else_when_a_server_dies(
    servers, connected
) -> None:
    zk, other = connected(), connected()
    other.import_tree("/others\n  /kept\n")
    wanted = "/all\n" + "".join(f"  /n{number:04}\n    x = {number}\n" for number in range(MANY))
    for round_ in range(2):
        outcome: list[BaseException | None] = []

        def do(outcome: list[BaseException | None] = outcome) -> None:
            try:
                zk.import_tree(wanted, trim=True)
                outcome.append(None)
            except BaseException as problem:
                outcome.append(problem)

        victim = serving(servers, zk)
        working = threading.Thread(target=do)
        working.start()
        if round_:
            wait_until(lambda: other.exists("/all/n0000"), "some of it is there", SECONDS)
        victim.kill()
        working.join(scaled(SECONDS))
        assert not working.is_alive()
        assert outcome == [None]
        wait_until(lambda: is_synced(other, "/all"), "the other one has a server again", SECONDS)
        assert other.export_tree("/all") == wanted
        assert other.get_children("/others") == ["kept"]
        other.delete_recursive("/all")
        servers.start()
        servers.wait_until_serving()


def test_a_held_interpreters_lock_costs_no_registration(connected) -> None:
    zk = connected(int(scaled(600)))
    zk.create("/providers")
    kept = zk.register("/providers", "1.2.3.4:80")
    session = session_id(zk)
    timeout = zookeeper.recv_timeout(zk.handle)
    # Unlike CDLL, PyDLL keeps the lock.
    ctypes.PyDLL(None).usleep(3 * timeout * 1000)
    assert session_id(zk) == session
    assert zk.get("/providers/1.2.3.4:80")[1]["ephemeralOwner"] == session
    assert str(kept.state) == "registered"
