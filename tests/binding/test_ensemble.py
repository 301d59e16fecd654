"""Three servers: clients move between them, and see the configuration."""

from __future__ import annotations

import pytest

from tests.calls import Calls
from tests.deadlines import LONG_SESSION, scaled, wait_until
from tests.servers import QUICK_START, SUPERUSER, ensemble_of
from tests.sessions import OPEN, wait_until_connected

pytestmark = [pytest.mark.real_only("starts ensembles"), pytest.mark.also_by_tls]


@pytest.fixture
def whole(ensemble):
    """Yield the ensemble, and make it whole again afterwards."""
    yield ensemble
    for server in ensemble.servers:
        if server.pid is not None:
            server.resume()
    ensemble.start()
    ensemble.wait_until_serving()


@pytest.fixture
def session(connect, whole):
    return connect(hosts=whole.connection_string, recv_timeout=LONG_SESSION)


@pytest.fixture
def node(zookeeper, session):
    path = zookeeper.create(session, "/n-", "data", OPEN, zookeeper.SEQUENCE | zookeeper.EPHEMERAL)
    return path


def serving(whole, zookeeper, handle):
    """Return the server that the session is connected to."""
    number = f"{zookeeper.client_id(handle)[0] & (2**64 - 1):x}"
    return wait_until(
        lambda: [s for s in whole.servers if s.pid and f"sid=0x{number}" in s.ask("cons")],
        f"session {number} is connected to some server",
    )[0]


def test_the_session_moves_to_another_server_when_its_own_dies(zookeeper, whole, session, node):
    watcher = Calls()
    number = zookeeper.client_id(session)
    zookeeper.get(session, node, watcher)
    serving(whole, zookeeper, session).kill()
    connected = (session, zookeeper.SESSION_EVENT, zookeeper.CONNECTED_STATE, "")
    wait_until(lambda: connected in watcher.all(), "it is connected again", 30)
    assert zookeeper.client_id(session) == number
    assert zookeeper.sync(session, node) == node
    assert zookeeper.exists(session, node)["ephemeralOwner"] == number[0]
    zookeeper.set(session, node, "changed", timeout=scaled(30))
    changed = (session, zookeeper.CHANGED_EVENT, zookeeper.CONNECTED_STATE, node)
    wait_until(lambda: changed in watcher.all(), "the watch has moved along")


def test_the_session_survives_the_death_of_the_leader(zookeeper, whole, session, node):
    number = zookeeper.client_id(session)
    whole.leader().kill()
    assert whole.leader().pid is not None
    wait_until_connected(zookeeper, session)

    def written():
        try:
            return zookeeper.set(session, node, "x") == zookeeper.OK
        except (zookeeper.ConnectionLossException, zookeeper.OperationTimeoutException):
            return False

    wait_until(written, "writes work again", 30)
    assert zookeeper.client_id(session) == number


def test_without_a_majority_nothing_is_written_and_with_one_again(zookeeper, whole, session, node):
    for follower in whole.followers():
        follower.pause()
    with pytest.raises((zookeeper.OperationTimeoutException, zookeeper.ConnectionLossException)):
        zookeeper.set(session, node, "x", timeout=0.5)
    for server in whole.servers:
        server.resume()
    wait_until(lambda: len(whole.followers()) == 2, "there is a majority again", 30)
    wait_until_connected(zookeeper, session)

    def written():
        try:
            return zookeeper.set(session, node, "y") == zookeeper.OK
        except (zookeeper.ConnectionLossException, zookeeper.OperationTimeoutException):
            return False

    wait_until(written, "writes work again", 30)


def test_a_server_that_is_cut_off_serves_readers_who_say_so(zookeeper, connect):
    """With read_only a client gets a session for reading from such a server."""
    options = (*QUICK_START, "-Dreadonlymode.enabled=true")
    # To open any other session is a change, which such a server cannot make.
    local = {"localSessionsEnabled": "true", "localSessionsUpgradingEnabled": "true"}
    with ensemble_of(3, java_options=options, settings=local) as servers:
        last, *others = servers.servers
        # By way of the server itself: it may hear later of what the two others agree on.
        writer = connect(hosts=last.connection_string)
        zookeeper.create(writer, "/a", "data", OPEN)
        zookeeper.close(writer)
        for server in others:
            server.kill()
        # Before the server has noticed, it opens any session, and ends it again afterwards.
        wait_until(lambda: last.ask("isro") == "ro", "it knows that it is alone", 30)

        watcher = Calls()
        reader = connect(watcher, hosts=last.connection_string, read_only=True, wait=False)
        wait_until(
            lambda: zookeeper.state(reader) == zookeeper.READONLY_STATE, "it can be read", 30
        )
        assert watcher.wait()[0][2] == zookeeper.READONLY_STATE
        assert zookeeper.get(reader, "/a")[0] == "data"
        assert zookeeper.get_many(reader, ["/a"])[0][0] == "data"
        assert [node.path for node in zookeeper.read_tree(reader, "/a")] == ["/a"]
        with pytest.raises(zookeeper.NotReadOnlyException, match=r"/a$"):
            zookeeper.set(reader, "/a", "x")
        with pytest.raises(zookeeper.NotReadOnlyException):
            zookeeper.multi(reader, [("set", "/a", "x")])
        # A server that cannot write opens no usual session.
        usual = connect(hosts=last.connection_string, wait=False)
        with pytest.raises(
            (zookeeper.OperationTimeoutException, zookeeper.ConnectionLossException)
        ):
            zookeeper.get(usual, "/a", timeout=0.5)
        zookeeper.close(usual)
        zookeeper.close(reader)


def test_sync_shows_what_was_written_through_another_server(zookeeper, whole, connect):
    """A follower may be behind: after a sync it is not.

    The leader has no other server to ask: it may answer a sync a moment before it has applied a
    change itself that a follower has acknowledged already.
    """
    writer = connect(hosts=whole.leader().connection_string)
    reader = connect(hosts=whole.followers()[0].connection_string)
    path = zookeeper.create(writer, "/n-", "", OPEN, zookeeper.SEQUENCE | zookeeper.EPHEMERAL)
    for number in range(100):
        zookeeper.set(writer, path, str(number))
        zookeeper.sync(reader, path)
        assert zookeeper.get(reader, path)[0] == str(number)


@pytest.mark.not_over_tls("secure ports are not in the configuration")
def test_the_configuration_names_the_servers(zookeeper, whole, session):
    text, stat = zookeeper.get_config(session)
    for server in whole.servers:
        assert server.connection_string in text
    assert stat["dataLength"] == len(text)
    completion = Calls()
    zookeeper.aget_config(session, None, completion)
    assert completion.wait_one() == (session, zookeeper.OK, text, stat)


def test_the_configuration_can_be_watched(zookeeper, whole, connect, session):
    """It is a node that an administrator can write to, the same below any chroot."""
    chrooted = connect(hosts=f"{whole.connection_string}/nowhere")
    watcher, watcher_below = Calls(), Calls()
    text, _ = zookeeper.get_config(session, watcher)
    assert zookeeper.get_config(chrooted, watcher_below)[0] == text
    completion = Calls()
    zookeeper.add_auth(session, *SUPERUSER, completion)
    completion.wait_one()
    zookeeper.set(session, "/zookeeper/config", text)
    for told, handle in ((watcher, session), (watcher_below, chrooted)):
        assert told.wait_one() == (
            handle,
            zookeeper.CHANGED_EVENT,
            zookeeper.CONNECTED_STATE,
            "/zookeeper/config",
        )
