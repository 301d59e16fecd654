"""SASL by name and password (DIGEST-MD5), with real servers."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import zookeeper
from tests import saslservers
from tests.calls import Calls
from tests.certificates import Authority, server_settings
from tests.deadlines import scaled, wait_until
from tests.mechanisms import Scripted
from tests.ports import LOOPBACK, free_ports
from tests.saslservers import Jaas, digest_login
from tests.servers import QUICK_START, Server, ensemble_of, standalone
from tests.sessions import remove_tree, wait_until_connected
from tests.tcpproxy import TcpProxy
from tests.wireframes import Op

SESSION_TIMEOUT = int(scaled(10_000))

# One that JAAS and the mechanism have to read alike.
UMLAUTS = 'gr\xfcn "und" \\ \u0142\xf3d\u017a'
USERS = {"app": "secret", "other": "also secret", "umlauts": UMLAUTS, "latin": "gr\xfcn"}
APP = zookeeper.SASL.digest_md5("app", USERS["app"])

FOR_APP: list[Any] = [{"perms": 31, "scheme": "sasl", "id": "app"}]


@dataclass
class Guarded:
    """A server that lets no stranger in, with its JAAS file."""

    server: Server
    jaas: Jaas


@pytest.fixture(scope="module")
def guarded(own_servers_only: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    jaas = Jaas(tmp_path_factory.mktemp("jaas"), digest_login(USERS))
    settings = {**saslservers.SETTINGS, **saslservers.REQUIRED}
    with standalone(settings=settings, java_options=jaas.java_options) as server:
        yield Guarded(server, jaas)


@pytest.fixture
def handle(guarded: Guarded, opened: list[int]) -> Iterator[int]:
    """Yield a connected session of the user `app`, whose nodes are gone at the end."""
    opened.append(connected(guarded.server, APP))
    yield opened[0]
    for name in zookeeper.get_children(opened[0], "/"):
        if name != "zookeeper":
            remove_tree(zookeeper, opened[0], f"/{name}")


def connected(server: Server, sasl: Any, watcher: Any = None) -> int:
    handle = zookeeper.init(server.connection_string, watcher, SESSION_TIMEOUT, sasl=sasl)
    try:
        wait_until_connected(zookeeper, handle)
    except BaseException:
        zookeeper.close(handle)
        raise
    return handle


def fault_of(handle: int) -> str:
    return wait_until(lambda: zookeeper.connection_fault(handle) or "", "there is a fault", 30)


@pytest.mark.parametrize("user", USERS)
def test_a_user_is_let_in_and_known_to_acls(user, guarded, opened) -> None:
    own = connected(guarded.server, zookeeper.SASL.digest_md5(user, USERS[user]))
    opened.append(own)
    other = connected(guarded.server, APP if user != "app" else other_user())
    opened.append(other)
    acl: Any = [{"perms": 31, "scheme": "sasl", "id": user}]
    zookeeper.create(own, "/own", "data", acl)
    try:
        assert zookeeper.get(own, "/own")[0] == "data"
        assert zookeeper.get_acl(own, "/own")[1] == acl
        with pytest.raises(zookeeper.NoAuthException):
            zookeeper.get(other, "/own")
        with pytest.raises(zookeeper.NoAuthException):
            zookeeper.set(other, "/own", "")
    finally:
        zookeeper.delete(own, "/own")


def other_user() -> Any:
    return zookeeper.SASL.digest_md5("other", USERS["other"])


@pytest.mark.parametrize(
    ("user", "password"),
    # Of an unknown user real servers (3.8) accept the password of the user before.
    [("app", "wrong"), ("app", ""), ("nobody", "nobody's"), ("other", USERS["app"])],
)
def test_refused_credentials_are_told(user, password, guarded, opened) -> None:
    sasl = zookeeper.SASL.digest_md5(user, password)
    where = guarded.server.connection_string
    opened.append(zookeeper.init(where, None, SESSION_TIMEOUT, sasl=sasl))
    assert fault_of(opened[0]) == f"{where}: the server refuses the credentials (DIGEST-MD5)"
    assert zookeeper.state(opened[0]) != zookeeper.CONNECTED_STATE


def test_a_stranger_is_turned_away(guarded, opened) -> None:
    opened.append(zookeeper.init(guarded.server.connection_string, None, SESSION_TIMEOUT))
    wait_until_connected(zookeeper, opened[0])
    with pytest.raises(zookeeper.SessionClosedRequireSaslAuthException):
        zookeeper.get(opened[0], "/")


def test_sasl_is_done_again_on_each_connection_and_first(guarded, opened) -> None:
    """A client that does not is turned away at its first reconnect."""
    asked: list[int] = []

    def note(request: Any) -> bool:
        asked.append(request.op)
        return True

    watcher = Calls()
    with TcpProxy(guarded.server.connection_string, note) as proxy:
        where = proxy.connection_string
        own = zookeeper.init(where, None, SESSION_TIMEOUT, sasl=APP)
        opened.append(own)
        zookeeper.add_auth(own, "digest", "user:password")
        wait_until_connected(zookeeper, own)
        session = zookeeper.client_id(own)
        zookeeper.create(own, "/watched", "", FOR_APP, zookeeper.EPHEMERAL)
        zookeeper.get(own, "/watched", watcher)
        for number in range(1, 4):
            del asked[:]
            proxy.cut()
            wait_until(lambda number=number: proxy.connections > number, "it connects again")
            wait_until_connected(zookeeper, own)
            assert zookeeper.get(own, "/watched")[0] == ""
            first = [op for op in asked if op != Op.CREATE_SESSION]
            assert first[:2] == [Op.SASL, Op.SASL]
            assert {Op.AUTH, Op.SET_WATCHES} <= set(first[2:])
            assert first.count(Op.SASL) == 2
        assert zookeeper.client_id(own) == session
        zookeeper.set(own, "/watched", "changed")
        changed = (own, zookeeper.CHANGED_EVENT, zookeeper.CONNECTED_STATE, "/watched")
        wait_until(lambda: changed in watcher.all(), "the watch is still set")


def test_a_reconnect_to_another_server_logs_in_there(own_servers_only, opened, tmp_path) -> None:
    jaas = Jaas(tmp_path, digest_login(USERS))
    settings = {**saslservers.SETTINGS, **saslservers.ENFORCED}
    with ensemble_of(3, settings=settings, java_options=jaas.java_options) as ensemble:
        watcher = Calls()
        where = ensemble.connection_string
        own = zookeeper.init(where, watcher, SESSION_TIMEOUT, sasl=APP)
        opened.append(own)
        wait_until_connected(zookeeper, own)
        session = zookeeper.client_id(own)
        zookeeper.create(own, "/own", "", FOR_APP, zookeeper.EPHEMERAL)
        server = serving(ensemble.servers, session[0])
        server.kill()
        wait_until(lambda: len(watcher) >= 3, "it is connected elsewhere", 30)
        wait_until_connected(zookeeper, own)
        wait_until(lambda: can_read(own, "/own"), "the node is there", 30)
        zookeeper.set(own, "/own", "still ours")
        assert zookeeper.client_id(own) == session
        assert serving([each for each in ensemble.servers if each.pid], session[0]) is not server
        zookeeper.close(opened.pop())


def serving(servers: Any, session: int) -> Server:
    """Return the server that has the connection of a session."""
    shown = f"sid=0x{session & 2**64 - 1:x}"
    return wait_until(
        lambda: [server for server in servers if shown in server.ask("cons")],
        "a server has the connection",
        30,
    )[0]


def can_read(handle: int, path: str) -> bool:
    try:
        return zookeeper.exists(handle, path) is not None
    except zookeeper.SessionError:
        return False


def test_an_expired_session_is_told_and_the_next_one_logs_in(guarded, opened) -> None:
    watcher = Calls()
    with TcpProxy(guarded.server.connection_string) as proxy:
        own = zookeeper.init(proxy.connection_string, watcher, int(scaled(1000)), sasl=APP)
        opened.append(own)
        wait_until_connected(zookeeper, own)
        session = zookeeper.client_id(own)

        def is_over() -> bool:
            # The session's own client may take it back before the thief has closed it.
            hosts = guarded.server.connection_string
            thief = zookeeper.init(hosts, None, SESSION_TIMEOUT, session, sasl=APP)
            connected = zookeeper.CONNECTED_STATE
            wait_until(
                lambda: zookeeper.state(thief) == connected or zookeeper.is_unrecoverable(thief),
                "the session is the thief's, or over",
                30,
            )
            zookeeper.close(thief)
            return bool(zookeeper.is_unrecoverable(own))

        wait_until(is_over, "the session is over", 30)
        wait_until(
            lambda: watcher.all()[-1][2] == zookeeper.EXPIRED_SESSION_STATE, "the event is there"
        )
    opened.append(connected(guarded.server, APP))


def test_a_password_that_is_changed_and_changed_back_heals_the_session(guarded, opened) -> None:
    watcher = Calls()
    own = connected(guarded.server, APP, watcher)
    opened.append(own)
    session = zookeeper.client_id(own)
    zookeeper.create(own, "/ephemeral", "", FOR_APP, zookeeper.EPHEMERAL)
    guarded.jaas.write(digest_login({**USERS, "app": "changed"}))
    try:
        guarded.server.restart()
        where = guarded.server.connection_string
        assert fault_of(own) == f"{where}: the server refuses the credentials (DIGEST-MD5)"
        opened.append(connected(guarded.server, zookeeper.SASL.digest_md5("app", "changed")))
    finally:
        guarded.jaas.write(digest_login(USERS))
        guarded.server.restart()
    wait_until_connected(zookeeper, own)
    assert zookeeper.connection_fault(own) is None
    assert zookeeper.client_id(own) == session
    assert zookeeper.get(own, "/ephemeral")[1]["ephemeralOwner"] == session[0]
    zookeeper.delete(own, "/ephemeral")
    assert not zookeeper.is_unrecoverable(own)


def test_a_session_outlives_a_restart_of_its_server(guarded, handle) -> None:
    session = zookeeper.client_id(handle)
    zookeeper.create(handle, "/ephemeral", "", FOR_APP, zookeeper.EPHEMERAL)
    guarded.server.restart()
    wait_until_connected(zookeeper, handle)
    assert zookeeper.get(handle, "/ephemeral")[1]["ephemeralOwner"] == session[0]


def test_a_thread_that_holds_the_interpreters_lock_loses_no_session(guarded, opened) -> None:
    timeout = int(scaled(600))
    watcher = Calls()
    opened.append(zookeeper.init(guarded.server.connection_string, watcher, timeout, sasl=APP))
    wait_until_connected(zookeeper, opened[0])
    granted = zookeeper.recv_timeout(opened[0])
    # Unlike CDLL, PyDLL keeps the lock.
    ctypes.PyDLL(None).usleep(3 * granted * 1000)
    assert zookeeper.exists(opened[0], "/")
    assert [call[2] for call in watcher.all()] == [zookeeper.CONNECTED_STATE]


def test_a_reconnect_while_the_lock_is_held_comes_when_it_is_free(guarded, opened) -> None:
    with TcpProxy(guarded.server.connection_string) as proxy:
        own = zookeeper.init(proxy.connection_string, None, SESSION_TIMEOUT, sasl=APP)
        opened.append(own)
        wait_until_connected(zookeeper, own)
        session = zookeeper.client_id(own)
        proxy.cut()
        ctypes.PyDLL(None).usleep(200_000)
        wait_until_connected(zookeeper, own)
        wait_until(lambda: can_read(own, "/"), "it can be used", 30)
        assert zookeeper.client_id(own) == session


@pytest.mark.parametrize(
    ("kind", "password", "is_let_in"),
    [
        ("no SASL", USERS["app"], False),
        ("failures allowed", "wrong", False),
        ("failures allowed", USERS["app"], True),
        ("plain", USERS["app"], True),
    ],
)
def test_servers_that_do_not_insist_are_told_apart(
    kind, password, is_let_in, own_servers_only, opened, tmp_path
) -> None:
    """Only a proof by the server opens the session: an answer without an error is none."""
    jaas = Jaas(tmp_path, digest_login(USERS))
    settings = {} if kind == "no SASL" else {**saslservers.SETTINGS}
    if kind == "failures allowed":
        settings.update(saslservers.FAILURES_ALLOWED)
    options = QUICK_START if kind == "no SASL" else jaas.java_options
    sasl = zookeeper.SASL.digest_md5("app", password)
    with standalone(settings=settings, java_options=options) as server:
        where = server.connection_string
        own = zookeeper.init(where, None, SESSION_TIMEOUT, sasl=sasl)
        opened.append(own)
        if is_let_in:
            wait_until_connected(zookeeper, own)
            assert zookeeper.create(own, "/own", "", FOR_APP) == "/own"
        else:
            assert fault_of(own).startswith(f"{where}: DIGEST-MD5: the server does not go on with")
        zookeeper.close(opened.pop())


def test_a_mechanism_that_the_server_does_not_know_is_told(guarded, opened) -> None:
    where = guarded.server.connection_string
    own = zookeeper.init(where, None, SESSION_TIMEOUT, sasl=Scripted(lambda challenge: b"\x60\x01"))
    opened.append(own)
    assert fault_of(own) == f"{where}: the server refuses the credentials (SCRIPTED)"


@pytest.mark.not_over_tls("its server has keys of its own")
def test_tls_and_sasl_go_together(own_servers_only, opened, tmp_path) -> None:
    jaas = Jaas(tmp_path, digest_login(USERS))
    authority = Authority(tmp_path)
    issued = authority.issue("server", "localhost", LOOPBACK)
    client = authority.issue("client")
    (port,) = free_ports(1)
    settings = {
        **server_settings(authority, issued, port),
        **saslservers.SETTINGS,
        **saslservers.REQUIRED,
        "secureClientPortAddress": LOOPBACK,
    }
    tls = zookeeper.TLS(ca=authority.file, certificate=client.certificate, key=client.key)
    with standalone(settings=settings, java_options=jaas.java_options):
        with TcpProxy(f"{LOOPBACK}:{port}", is_opaque=True) as proxy:
            where = proxy.connection_string
            own = zookeeper.init(where, None, SESSION_TIMEOUT, tls=tls, sasl=APP)
            opened.append(own)
            wait_until_connected(zookeeper, own)
            zookeeper.create(own, "/own", "data", FOR_APP)
            before = proxy.connections
            proxy.cut()
            wait_until(lambda: proxy.connections > before, "it connects again")
            wait_until_connected(zookeeper, own)
            assert zookeeper.get(own, "/own")[0] == "data"
            wrong = zookeeper.SASL.digest_md5("app", "wrong")
            opened.append(zookeeper.init(where, None, SESSION_TIMEOUT, tls=tls, sasl=wrong))
            assert "refuses the credentials" in fault_of(opened[1])
            proxy.trickle(1)
            opened.append(zookeeper.init(where, None, SESSION_TIMEOUT, tls=tls, sasl=APP))
            wait_until_connected(zookeeper, opened[2])
            while opened:
                zookeeper.close(opened.pop())


def test_many_handles_share_a_mechanism(guarded, opened) -> None:
    for _ in range(30):
        where = guarded.server.connection_string
        opened.append(zookeeper.init(where, None, SESSION_TIMEOUT, sasl=APP))
    for own in opened:
        wait_until_connected(zookeeper, own)
        assert zookeeper.exists(own, "/")


def test_the_password_does_not_travel_and_is_not_logged(guarded, opened, caplog) -> None:
    sent = bytearray()

    def note(request: Any) -> bool:
        sent.extend(request.frame)
        return True

    zookeeper.set_debug_level(zookeeper.LOG_LEVEL_DEBUG)
    try:
        with TcpProxy(guarded.server.connection_string, note) as proxy:
            for password in ("secret", "hunter2"):
                sasl = zookeeper.SASL.digest_md5("app", password)
                where = proxy.connection_string
                opened.append(zookeeper.init(where, None, SESSION_TIMEOUT, sasl=sasl))
            wait_until_connected(zookeeper, opened[0])
            fault = fault_of(opened[1])
            while opened:
                zookeeper.close(opened.pop())
    finally:
        zookeeper.set_debug_level(zookeeper.LOG_LEVEL_INFO)
    for secret in ("secret", "hunter2"):
        assert secret.encode() not in sent
        assert secret not in caplog.text + fault


def test_plain_clients_load_nothing_of_it() -> None:
    program = (
        "import sys, zc.zk, zookeeper\n"
        'zookeeper.close(zookeeper.init("127.0.0.1:1"))\n'
        "zc.zk.ZooKeeper\n"
        'print([name for name in sys.modules if name.startswith("zookeeper.sasl")])\n'
    )
    command = [sys.executable, "-c", program]
    root = Path(__file__).parents[2]
    output = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root).stdout
    assert output.strip() == "[]"
