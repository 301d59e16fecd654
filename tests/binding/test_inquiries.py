"""More that servers tell: of the session, of all nodes below one, and of the ensemble."""

from __future__ import annotations

import pytest

from tests.calls import Calls
from tests.hostile import HANG_UP, Scenario, header, hostility
from tests.ports import LOOPBACK
from tests.servers import SUPERUSER, ensemble_of
from tests.sessions import OPEN, wait_until_connected
from tests.testing import protocol as p
from tests.wireframes import Op

pytestmark = pytest.mark.quick


@pytest.fixture
def nodes(zookeeper, handle, connect):
    """Create nodes of the session, of another one, and of none."""
    other = connect()
    for path in ("/a", "/a/b", "/ab", "/a/zażółć"):
        zookeeper.create(handle, path, "", OPEN)
    for path in ("/a/b/mine", "/ab/mine", "/a/zażółć/mine"):
        zookeeper.create(handle, path, "", OPEN, zookeeper.EPHEMERAL)
    zookeeper.create(other, "/a/b/yours", "", OPEN, zookeeper.EPHEMERAL)


def test_the_sessions_own_ephemeral_nodes_are_listed(zookeeper, handle, nodes):
    everything = ["/a/b/mine", "/a/zażółć/mine", "/ab/mine"]
    assert zookeeper.get_ephemerals(handle) == everything
    assert zookeeper.get_ephemerals(handle, "/") == everything
    assert zookeeper.get_ephemerals(handle, "/a") == ["/a/b/mine", "/a/zażółć/mine"]
    assert zookeeper.get_ephemerals(handle, "/ab/mine") == ["/ab/mine"]
    assert zookeeper.get_ephemerals(handle, "/nowhere") == []
    completion = Calls()
    assert zookeeper.aget_ephemerals(handle, "/ab", completion) == zookeeper.OK
    assert completion.wait_one() == (handle, zookeeper.OK, ["/ab/mine"])


def test_ephemeral_nodes_have_paths_below_the_root(zookeeper, connect, place, nodes):
    inside = connect(hosts=f"{place}/a")
    zookeeper.create(inside, "/b/own", "", OPEN, zookeeper.EPHEMERAL)
    zookeeper.create(inside, "/zażółć/own", "", OPEN, zookeeper.EPHEMERAL)
    assert zookeeper.get_ephemerals(inside) == ["/b/own", "/zażółć/own"]
    assert zookeeper.get_ephemerals(inside, "/b") == ["/b/own"]


def test_all_nodes_below_one_are_counted(zookeeper, handle, nodes):
    numbers = {"/": 8, "/a": 5, "/a/b": 2, "/ab": 1, "/ab/mine": 0}
    found = {path: zookeeper.get_all_children_number(handle, path) for path in numbers}
    assert found == numbers
    with pytest.raises(zookeeper.NoNodeException, match=r"^no node: /nowhere$"):
        zookeeper.get_all_children_number(handle, "/nowhere")
    zookeeper.set_acl(handle, "/a/b", -1, [{"perms": 12, "scheme": "world", "id": "anyone"}])
    with pytest.raises(zookeeper.NoAuthException):
        zookeeper.get_all_children_number(handle, "/a/b")
    completion = Calls()
    zookeeper.aget_all_children_number(handle, "/a", completion)
    zookeeper.aget_all_children_number(handle, "/nowhere", completion)
    assert completion.wait(2) == [(handle, zookeeper.OK, 5), (handle, zookeeper.NONODE, None)]


def test_a_session_is_told_for_whom_it_is_taken(zookeeper, handle):
    # Over TLS, by its certificate, too.
    at_first = zookeeper.whoami(handle)
    assert ("ip", LOOPBACK) in at_first
    assert {scheme for scheme, _ in at_first} <= {"ip", "x509"}
    accepted = Calls()
    zookeeper.add_auth(handle, "digest", "zażółć:secret", accepted)
    assert accepted.wait_one() == (handle, zookeeper.OK)
    identities = [*at_first, ("digest", "zażółć")]
    assert sorted(zookeeper.whoami(handle)) == sorted(identities)
    completion = Calls()
    zookeeper.awhoami(handle, completion)
    ((_, code, found),) = completion.wait()
    assert (code, sorted(found)) == (zookeeper.OK, sorted(identities))


def test_a_server_that_is_alone_changes_no_ensemble(zookeeper, handle):
    with pytest.raises(zookeeper.UnimplementedException, match=r"/zookeeper/config: .* alone"):
        zookeeper.reconfig(handle, joining="server.9=127.0.0.1:1:2:participant;3")
    completion = Calls()
    zookeeper.areconfig(handle, None, "9", None, -1, completion)
    assert completion.wait_one() == (handle, zookeeper.UNIMPLEMENTED, None, None)


@pytest.mark.parametrize(
    "servers",
    [{}, {"joining": "x", "members": "y"}, {"leaving": "x", "members": "y"}, {"leaving": "\0"}],
)
def test_a_change_that_makes_no_sense_is_refused_before_it_is_sent(zookeeper, handle, servers):
    for change in (zookeeper.reconfig, zookeeper.areconfig):
        with pytest.raises(zookeeper.BadArgumentsException):
            change(handle, **servers)
    for wrong in ({"leaving": 9}, {"leaving": "9", "version": "1"}):
        with pytest.raises(TypeError):
            zookeeper.reconfig(handle, **wrong)


@pytest.mark.real_only("it needs an ensemble of its own")
def test_an_ensemble_loses_a_server_by_reconfig(zookeeper, connect, own_servers_only):
    with ensemble_of(3) as ensemble:
        # The connection to a server that leaves, or to one that loses its leader, would break.
        handle = connect(hosts=ensemble.leader().connection_string)
        leaving = ensemble.followers()[0].folder.name
        zookeeper.add_auth(handle, *SUPERUSER)
        before, _ = zookeeper.get_config(handle)
        number = int(before.partition("version=")[2], 16)
        with pytest.raises(zookeeper.BadVersionException):
            zookeeper.reconfig(handle, leaving=leaving, version=number + 1)
        config, stat = zookeeper.reconfig(handle, leaving=leaving, version=number)
        assert (before.count("server."), config.count("server.")) == (3, 2)
        assert zookeeper.get_config(handle) == (config, stat)
        zookeeper.close(handle)


INQUIRIES = {
    "get_ephemerals": ("3.6", lambda z, h: z.get_ephemerals(h)),
    "get_all_children_number": ("3.6", lambda z, h: z.get_all_children_number(h, "/")),
    "whoami": ("3.7", lambda z, h: z.whoami(h)),
}


@pytest.mark.real_only("it is its own server")
@pytest.mark.parametrize("name", INQUIRIES)
def test_a_server_that_does_not_know_it_is_asked_once(zookeeper, opened, name):
    version, ask = INQUIRIES[name]
    known = (Op.GET_DATA, Op.EXISTS)

    def answer(request, good):
        if request.op in known:
            return [good]
        asked.append(request)
        return [p.framed(header(request.xid, -6)), HANG_UP]

    asked: list[object] = []
    with hostility() as running:
        server = running.serve(Scenario("old", answer=answer))
        handle = zookeeper.init(server.connection_string, None, 10_000)
        opened.append(handle)
        wait_until_connected(zookeeper, handle)
        for _ in range(3):
            with pytest.raises(zookeeper.UnimplementedException, match=f"ZooKeeper {version}$"):
                ask(zookeeper, handle)
        zookeeper.close(handle)
        opened.remove(handle)
    assert len(asked) == 1
