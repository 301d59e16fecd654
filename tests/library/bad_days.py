"""Make accidents happen to a session."""

from __future__ import annotations

import zc.zk
import zookeeper
from tests.deadlines import wait_until
from tests.tcpproxy import TcpProxy


def session_id(zk: zc.zk.ZooKeeper) -> int:
    """Return the number of the client's session; 0 while it has none."""
    handle = zk.handle
    return 0 if handle is None else zookeeper.client_id(handle)[0]


def expire(zk: zc.zk.ZooKeeper, connection_string: str) -> None:
    """End the client's session on the server and wait for the next one."""
    end_session(zk, connection_string)
    wait_until(lambda: session_id(zk), "the client has a new session", 60)
    wait_until(lambda: zk.state == zookeeper.CONNECTED_STATE, "the client is connected", 30)


def end_session(zk: zc.zk.ZooKeeper, connection_string: str) -> None:
    """End the client's session on the server, and wait until the client knows.

    A program that has the number and the password of a session can resume it, and close it. The
    client takes the session back at once when it can, so this may need more than one attempt.
    """
    former = session_id(zk)
    assert former, "there is a session"
    password = zk.client_id()

    def try_to_end() -> bool:
        if session_id(zk) != former:
            return True
        thief = zookeeper.init(connection_string, None, 10_000, password)
        try:
            wait_until(
                lambda: (
                    zookeeper.state(thief) != zookeeper.CONNECTING_STATE
                    and zookeeper.state(thief) != zookeeper.ASSOCIATING_STATE
                ),
                "the session is resumed or refused",
                30,
            )
        finally:
            zookeeper.close(thief)
        return False

    wait_until(try_to_end, "the client has lost its session", 60)


def live_through_a_cut(zk: zc.zk.ZooKeeper, other: zc.zk.ZooKeeper, proxy: TcpProxy) -> None:
    """Register and follow, and go on with both after a connection is lost. `zk` is by the proxy."""
    connections = proxy.connections
    zk.import_tree("/app\n  /providers\n")
    zk.register("/app/providers", "1.2.3.4:80")
    found = zk.children("/app/providers")
    assert list(found) == ["1.2.3.4:80"]
    proxy.cut()
    wait_until(lambda: proxy.connections > connections, "it connects again")
    other.register("/app/providers", "1.2.3.4:81")
    wait_until(lambda: len(found) == 2, "the other one is found", 30)
