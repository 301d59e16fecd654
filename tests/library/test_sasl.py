"""Clients that log in by SASL register and follow, and hear of failures."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

import zc.zk
import zookeeper
from tests import saslservers
from tests.conftest import SESSION_TIMEOUT_MILLISECONDS as TIMEOUT
from tests.deadlines import scaled, wait_until
from tests.library.bad_days import live_through_a_cut
from tests.mechanisms import Scripted
from tests.saslservers import Jaas, digest_login
from tests.servers import Server, standalone
from tests.tcpproxy import TcpProxy
from zc.zk.testing import Emulation

APP = zc.zk.SASL.digest_md5("app", "secret")


@pytest.fixture(scope="module")
def jaas(tmp_path_factory: pytest.TempPathFactory) -> Jaas:
    return Jaas(tmp_path_factory.mktemp("jaas"), digest_login({"app": "secret"}))


@pytest.fixture(scope="module")
def guarded(own_servers_only: None, jaas: Jaas) -> Iterator[Server]:
    """Yield a server that lets no stranger in."""
    settings = {**saslservers.SETTINGS, **saslservers.REQUIRED}
    with standalone(settings=settings, java_options=jaas.java_options) as server:
        yield server


def test_registrations_and_live_objects_survive_reconnects(guarded) -> None:
    with TcpProxy(guarded.connection_string) as proxy:
        with zc.zk.ZooKeeper(proxy.connection_string, TIMEOUT, sasl=APP) as zk:
            with zc.zk.ZooKeeper(guarded.connection_string, TIMEOUT, sasl=APP) as other:
                live_through_a_cut(zk, other, proxy)
            zk.delete_recursive("/app")


def test_a_session_that_is_lost_comes_back_logged_in(guarded) -> None:
    with zc.zk.ZooKeeper(guarded.connection_string, TIMEOUT, sasl=APP) as zk:
        zk.import_tree("/app\n  /providers\n")
        zk.register("/app/providers", "1.2.3.4:80")
        former = zk.client_id()
        with zc.zk.ZooKeeper(guarded.connection_string, TIMEOUT, sasl=APP) as other:
            # Another handle with its number and password ends the session.
            thief = zookeeper.init(guarded.connection_string, None, TIMEOUT, former, sasl=APP)
            wait_until(
                lambda: zookeeper.state(thief) == zookeeper.CONNECTED_STATE, "it is resumed", 30
            )
            zookeeper.close(thief)

            def owner() -> int:
                stat = other.exists("/app/providers/1.2.3.4:80")
                return stat["ephemeralOwner"] if stat else former[0]

            wait_until(lambda: owner() != former[0], "it is registered again", 30)
            assert zk.client_id()[0] == owner()
        zk.delete_recursive("/app")


def test_a_client_below_a_root_that_is_missing_is_told_so(guarded) -> None:
    """The root is made by a session of its own, which logs in too."""
    with zc.zk.ZooKeeper(f"{guarded.connection_string}/a/b", TIMEOUT, sasl=APP) as zk:
        zk.import_tree("/app\n")
        assert zk.exists("/app")


WRONG = zc.zk.SASL.digest_md5("app", "hunter2")


def test_a_password_that_all_servers_refuse_is_told_at_once(guarded, monkeypatch) -> None:
    monkeypatch.setattr(zc.zk.ZooKeeper, "initial_connection_wait", scaled(100))
    where = guarded.connection_string
    with pytest.raises(zc.zk.FailedConnect) as caught:
        zc.zk.ZooKeeper(where, TIMEOUT, sasl=WRONG)
    assert str(caught.value) == (
        f"{where}: all servers refuse ({where}: the server refuses the credentials (DIGEST-MD5))"
    )


def test_a_refusal_that_need_not_be_final_is_told_at_the_end(guarded, monkeypatch) -> None:
    """Kerberos' are such ones: a clock may be put right meanwhile."""
    monkeypatch.setattr(zc.zk.ZooKeeper, "initial_connection_wait", 2.0)
    monkeypatch.setattr(type(WRONG), "refusal_is_final", False)
    where = guarded.connection_string
    with pytest.raises(zc.zk.FailedConnect) as caught:
        zc.zk.ZooKeeper(where, TIMEOUT, sasl=WRONG)
    assert str(caught.value) == (
        f"{where}: no session within 2 seconds"
        f" ({where}: the server refuses the credentials (DIGEST-MD5))"
    )


def test_a_client_that_waits_waits_for_a_password_to_be_put_right(guarded, jaas, caplog) -> None:
    opened: list[zc.zk.ZooKeeper] = []

    def open_it() -> None:
        opened.append(Impatient(guarded.connection_string, TIMEOUT, wait=True, sasl=WRONG))

    thread = threading.Thread(target=open_it)
    thread.start()
    try:
        told = "no session yet, waiting"
        wait_until(lambda: told in caplog.text, lambda: caplog.text, 30)
        jaas.write(digest_login({"app": "hunter2"}))
        guarded.restart()
        wait_until(lambda: opened, "it is connected", 60)
        assert not opened[0].is_refused()
    finally:
        jaas.write(digest_login({"app": "secret"}))
        guarded.restart()
        thread.join(scaled(60))
        for zk in opened:
            zk.close()


class Impatient(zc.zk.ZooKeeper):
    initial_connection_wait = 0.5


@pytest.mark.not_over_tls("its server is in the clear")
def test_a_step_that_does_not_end_is_told(guarded, monkeypatch) -> None:
    monkeypatch.setattr(zc.zk.ZooKeeper, "initial_connection_wait", 1.5)
    go_on = threading.Event()

    def step(challenge: bytes) -> bytes | None:
        go_on.wait(scaled(60))
        raise zookeeper.SASLError("late")

    where = guarded.connection_string
    try:
        with pytest.raises(zc.zk.FailedConnect) as caught:
            zc.zk.ZooKeeper(where, 10 * TIMEOUT, sasl=Scripted(step))
    finally:
        go_on.set()
    assert str(caught.value) == (
        f"{where}: no session within 1.5 seconds"
        f" ({where}: the mechanism SCRIPTED does not come to the end of a step)"
    )


def test_an_argument_that_is_no_mechanism_is_a_failed_connect() -> None:
    with pytest.raises(zc.zk.FailedConnect, match="sasl must be None or a mechanism"):
        zc.zk.ZooKeeper("127.0.0.1:1", sasl="app:secret")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"sasl": 5}, "sasl must be None or a mechanism"),
        ({"tls": "x"}, "tls must be True, False, None or a TLS, not str"),
        ({"tls": 1}, "tls must be True, False, None or a TLS, not int"),
        ({"connection_string": 5}, "hosts must be str, not int"),
    ],
)
def test_an_argument_of_a_wrong_type_is_a_type_error_too(arguments: Any, words: str) -> None:
    for wait in (False, True):
        with pytest.raises(TypeError, match=words) as caught:
            zc.zk.ZooKeeper(**{"connection_string": "127.0.0.1:1", **arguments}, wait=wait)
        assert isinstance(caught.value, zc.zk.FailedConnect)


def test_the_emulation_takes_a_mechanism_and_begins_no_exchange() -> None:
    emulation = Emulation("127.0.0.1:2181")
    binding = emulation.functions
    handle = binding["init"]("127.0.0.1:2181", sasl=APP)
    assert binding["connection_fault"](handle) is None
    assert binding["is_refused"](handle) is False
    binding["close"](handle)
    with pytest.raises(TypeError, match="sasl must be None or a mechanism"):
        binding["init"]("127.0.0.1:2181", sasl="app:secret")
    emulation.close()


def test_a_password_that_is_put_right_brings_registrations_back(guarded, jaas) -> None:
    with zc.zk.ZooKeeper(guarded.connection_string, int(scaled(500)), sasl=APP) as zk:
        zk.import_tree("/app\n  /providers\n")
        registration = zk.register("/app/providers", "1.2.3.4:80")
        former = zk.client_id()
        jaas.write(digest_login({"app": "changed"}))
        guarded.restart()
        try:
            changed = zc.zk.SASL.digest_md5("app", "changed")
            with zc.zk.ZooKeeper(guarded.connection_string, TIMEOUT, sasl=changed) as other:
                wait_until(lambda: not other.get_children("/app/providers"), "it is gone", 60)
                told = f"{guarded.connection_string}: the server refuses the credentials"
                wait_until(lambda: told in (fault_of(zk) or ""), "it is refused", 60)
                assert zk.state == zookeeper.CONNECTING_STATE
        finally:
            jaas.write(digest_login({"app": "secret"}))
            guarded.restart()
        wait_until(lambda: registration.state == "registered", "it is registered again", 60)
        wait_until(lambda: zk.state == zookeeper.CONNECTED_STATE, "there is a session", 60)
        assert zk.client_id() != former
        assert zk.get_children("/app/providers") == ["1.2.3.4:80"]
        zk.delete_recursive("/app")


def fault_of(zk: zc.zk.ZooKeeper) -> str | None:
    try:
        return zk.connection_fault()
    except zookeeper.SessionError:
        return None  # there is no handle just now
