"""Our client logs in to our server, on good days and bad ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import zc.zk
import zookeeper
from tests.deadlines import scaled, wait_until
from tests.testing.logins import Impatient, live_through
from zc.zk.testing import Certificates, Server, certificates

LOGIN = zc.zk.SASL.digest_md5("app", "secret")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def users() -> dict[str, str]:
    """Return the users of the server, for tests to change."""
    return {"app": "secret"}


@pytest.fixture
def own(made: Certificates, users: dict[str, str]) -> Iterator[Server]:
    """Yield a server that serves users over TLS, and nobody else."""
    with Server(tls=made.server_tls, sasl=users, require_auth=["sasl"]) as server:
        yield server


@pytest.fixture
def zk(own: Server, made: Certificates) -> Iterator[zc.zk.ZooKeeper]:
    timeout = int(scaled(10_000))
    with zc.zk.ZooKeeper(own.connection_string, timeout, tls=made.client_tls, sasl=LOGIN) as client:
        yield client


def is_served(zk: zc.zk.ZooKeeper) -> bool:
    try:
        return zk.exists("/") is not None
    except zookeeper.SessionError:
        return False


@pytest.mark.parametrize("day", ["cut", "stall", "refuse", "restart", "expire"])
def test_a_user_logs_in_again_after_a_bad_day_and_is_registered(
    own: Server, zk: zc.zk.ZooKeeper, day: str
) -> None:
    zk.create("/providers", "", [zc.zk.sasl_acl("app", "cdrwa")])
    zk.register("/providers", "192.168.0.42:8080")
    path = "/providers/192.168.0.42:8080"
    before = zk.exists(path)
    assert before is not None
    live_through(own, day)

    def is_as_expected() -> bool:
        try:
            now = zk.exists(path)
        except zookeeper.SessionError:
            return False
        return now is not None and (now["czxid"] != before["czxid"]) == (day == "expire")

    wait_until(lambda: is_served(zk) and is_as_expected(), "it is registered", 30)
    assert zk.get_children("/providers") == ["192.168.0.42:8080"]


def test_a_password_that_is_changed_and_put_right_costs_no_session(
    own: Server, zk: zc.zk.ZooKeeper, users: dict[str, str]
) -> None:
    session, _ = zk.client_id()
    users["app"] = "changed"
    own.cut()
    wait_until(
        lambda: "refuses the credentials" in (zk.connection_fault() or ""),
        lambda: f"the client says why: {zk.connection_fault()}",
    )
    users["app"] = "secret"
    wait_until(lambda: is_served(zk), "it is served again", 30)
    assert zk.client_id()[0] == session


@pytest.mark.parametrize("required", [[], ["sasl"]])
def test_a_refused_password_is_told_at_the_start(required: list[str]) -> None:
    with Server(sasl={"app": "secret"}, require_auth=required) as server:
        with pytest.raises(zc.zk.FailedConnect, match="refuses the credentials"):
            Impatient(server.connection_string, sasl=zc.zk.SASL.digest_md5("app", "wrong"))


def test_a_server_without_users_cannot_be_logged_in_to() -> None:
    with Server() as server:
        with pytest.raises(zc.zk.FailedConnect):
            Impatient(server.connection_string, sasl=LOGIN)


def test_certificates_that_are_exchanged_meanwhile_are_used_by_both(
    tmp_path_factory: pytest.TempPathFactory, users: dict[str, str]
) -> None:
    made = certificates(tmp_path_factory.mktemp("rotated"))
    with Server(tls=made.server_tls, sasl=users) as server:
        with zc.zk.ZooKeeper(
            server.connection_string, int(scaled(10_000)), tls=made.client_tls, sasl=LOGIN
        ) as zk:
            session, _ = zk.client_id()
            zk.create("/mine", "", [zc.zk.sasl_acl("app", "cdrwa")])
            made.issue("server")
            made.issue("client")
            server.cut()
            wait_until(lambda: is_served(zk), "it is served again", 30)
            assert zk.get("/mine")[0] == ""
            assert zk.client_id()[0] == session
