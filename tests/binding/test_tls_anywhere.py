"""Sessions over TLS on any Python: without an `ssl` of its own, and without Java.

With TEST_ZOOKEEPER_CONNECTION and the keys of `tests/secured.py` the server and all certificates
come from elsewhere, as in the trials of wheels (`scripts/wheels/trials.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

import zc.zk
import zookeeper
from tests.conftest import EXTERNAL_SERVICE
from tests.deadlines import scaled, wait_until
from tests.library.bad_days import live_through_a_cut
from tests.secured import Keys, keys_of
from tests.servers import standalone
from tests.sessions import remove_tree, wait_until_connected
from tests.tcpproxy import TcpProxy

SESSION_TIMEOUT = int(scaled(10_000))


class Service(NamedTuple):
    """A server that wants client certificates, and the files of its clients."""

    hosts: str
    keys: Keys

    def tls(self) -> zookeeper.TLS:
        """Return settings that no other client has: they count its handshakes."""
        return zookeeper.TLS(ca=self.keys.authority, **self.files("client"))

    def files(self, whose: str) -> dict[str, Any]:
        """Return a certificate and its key, as arguments."""
        return {"certificate": self.keys.certificate(whose), "key": self.keys.key(whose)}


@pytest.fixture(scope="module")
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    if not EXTERNAL_SERVICE:
        keys: Keys = request.getfixturevalue("keys")
        with standalone(keys=keys) as server:
            yield Service(server.connection_string, keys)
        return
    given = keys_of(EXTERNAL_SERVICE)
    if given is None:
        pytest.skip("there are no keys for TEST_ZOOKEEPER_CONNECTION")
    yield Service(EXTERNAL_SERVICE, given)


@pytest.fixture
def proxy(service: Service) -> Iterator[TcpProxy]:
    """Yield a network to the server that sees records of TLS."""
    with TcpProxy(service.hosts, is_opaque=True) as proxy:
        yield proxy


def test_a_reconnect_resumes_both_the_session_and_that_of_tls(service, opened, proxy) -> None:
    tls = service.tls()
    opened.append(zookeeper.init(proxy.connection_string, None, SESSION_TIMEOUT, tls=tls))
    wait_until_connected(zookeeper, opened[0])
    session = zookeeper.client_id(opened[0])
    for resets in (True, False):
        count = proxy.connections
        proxy.cut(resets)
        wait_until(lambda count=count: proxy.connections > count, "it connects again")
        wait_until_connected(zookeeper, opened[0])
        assert zookeeper.exists(opened[0], "/")
    assert zookeeper.client_id(opened[0]) == session
    assert tls.configuration().counts() == (3, 2)


def test_registrations_and_live_objects_survive_a_cut_connection(service, proxy) -> None:
    tls = service.tls()
    try:
        with (
            zc.zk.ZooKeeper(f"{proxy.connection_string}/library", SESSION_TIMEOUT, tls=tls) as zk,
            zc.zk.ZooKeeper(f"{service.hosts}/library", SESSION_TIMEOUT, tls=tls) as other,
        ):
            live_through_a_cut(zk, other, proxy)
    finally:
        handle = zookeeper.init(service.hosts, None, SESSION_TIMEOUT, tls=tls)
        try:
            wait_until_connected(zookeeper, handle)
            remove_tree(zookeeper, handle, "/library")
        finally:
            zookeeper.close(handle)


REFUSALS = {
    "another authority": "the certificate of {0} is not of an authority that is trusted here",
    "no certificate": "{0} wants a client certificate",
    "a stranger's": "{0} refuses our client certificate",
    "TLS 1.3": "{0} speaks no version of TLS that is accepted here",
}


@pytest.mark.parametrize("what", REFUSALS)
def test_a_refusal_by_server_or_client_is_told_with_its_reason(service, opened, what) -> None:
    keys = service.keys
    tls = {
        "another authority": zookeeper.TLS(ca=keys.other_authority, **service.files("client")),
        "no certificate": zookeeper.TLS(ca=keys.authority),
        "a stranger's": zookeeper.TLS(ca=keys.authority, **service.files("stranger")),
        "TLS 1.3": zookeeper.TLS(
            ca=keys.authority, minimum_version="1.3", **service.files("client")
        ),
    }[what]
    opened.append(zookeeper.init(service.hosts, None, SESSION_TIMEOUT, tls=tls))
    fault = wait_until(lambda: zookeeper.connection_fault(opened[0]) or "", "there is a fault")
    assert REFUSALS[what].format(service.hosts) in fault
    assert zookeeper.state(opened[0]) != zookeeper.CONNECTED_STATE
