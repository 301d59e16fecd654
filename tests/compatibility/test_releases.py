"""What every program needs holds with each release of the servers, and with servers like Keeper.

docs/explanation/servers.txt has the table; `releases.py` runs the servers.
"""

from __future__ import annotations

import asyncio
import re
import uuid

import pytest

import zc.zk
import zc.zk.aio
import zookeeper
from tests.cli.inprocess import zk as run
from tests.compatibility.releases import RELEASES, Release, running
from tests.deadlines import scaled, wait_until
from tests.docs.pages import PAGES
from tests.library.bad_days import session_id
from tests.wireframes import Op
from zc.zk import OPEN_ACL_UNSAFE

TIMEOUT_MILLISECONDS = int(scaled(10_000))

TREE = """
/prices : http
  tea = 4.2
  /providers
/shop : web
  item = 'tea'
  prices -> /prices/providers
"""


@pytest.fixture(scope="module", params=RELEASES)
def release(request: pytest.FixtureRequest) -> Release:
    return RELEASES[request.param]


@pytest.fixture(scope="module")
def network(release, own_servers_only):
    """Yield the network to a server of the release, which all tests share."""
    with running(release.name) as proxy:
        yield proxy


@pytest.fixture
def place(network):
    """Return the connection string of a place with nothing in it."""
    return f"{network.connection_string}/{uuid.uuid4().hex}"


@pytest.fixture
def zk(place, release):
    with zc.zk.ZooKeeper(place, TIMEOUT_MILLISECONDS) as client:
        client.create_recursive("/")
        if release.name == "keeper":
            # Each thing that it lacks costs two sessions to find out, as what breaks a connection
            # once may be a bad network. An export goes on; single calls are not repeated.
            client.export_tree()
        yield client


@pytest.fixture
def other(zk, place):
    with zc.zk.ZooKeeper(place, TIMEOUT_MILLISECONDS) as client:
        yield client


def test_nodes_are_made_read_changed_and_deleted(zk):
    assert zk.create("/a", "one") == "/a"
    assert zk.get("/a")[0] == "one"
    assert zk.set("/a", "two", 0) == 0
    with pytest.raises(zookeeper.BadVersionException):
        zk.set("/a", "three", 0)
    assert zk.create("/a/n-", "", flags=zookeeper.SEQUENCE) == "/a/n-0000000000"
    assert zk.get_children("/a") == ["n-0000000000"]
    with pytest.raises(zookeeper.NotEmptyException):
        zk.delete("/a")
    with pytest.raises(zookeeper.NodeExistsException):
        zk.create("/a", "")
    zk.delete("/a/n-0000000000")
    zk.delete("/a", 1)
    assert zk.exists("/a") is None
    with pytest.raises(zookeeper.NoNodeException):
        zk.get("/a")


def test_acls_forbid_and_permit(zk, other):
    zk.add_auth("digest", "alice:secret")
    mine = [zc.zk.digest_acl("alice", "secret", "cdrwa")]
    zk.create("/mine", "secret", mine)
    assert zk.get_acl("/mine")[1] == mine
    with pytest.raises(zookeeper.NoAuthException):
        other.get("/mine")
    zk.set_acl("/mine", 0, OPEN_ACL_UNSAFE)
    assert other.get("/mine")[0] == "secret"


def test_a_transaction_is_done_as_a_whole_or_not_at_all(zk):
    zk.multi([("create", "/a", "", OPEN_ACL_UNSAFE), ("set", "/a", "x"), ("check", "/a", 1)])
    with pytest.raises(zookeeper.NoNodeException) as failed:
        zk.multi([("create", "/b", "", OPEN_ACL_UNSAFE), ("delete", "/missing")])
    assert vars(failed.value)["index"] == 1
    assert zk.exists("/b") is None


def test_a_watch_tells_of_the_next_change(zk, other):
    told = []
    zk.create("/a", "")
    zk.get("/a", lambda *event: told.append(event))
    zk.get_children("/a", lambda *event: told.append(event))
    zk.exists("/b", lambda *event: told.append(event))
    other.set("/a", "x")
    other.create("/a/b", "")
    other.create("/b", "")
    wait_until(lambda: len(told) == 3, lambda: f"three events: {told}")
    assert {(kind, path) for _, kind, _, path in told} == {
        (zookeeper.CHANGED_EVENT, "/a"),
        (zookeeper.CHILD_EVENT, "/a"),
        (zookeeper.CREATED_EVENT, "/b"),
    }


def test_many_nodes_are_written_and_read(zk):
    paths = [f"/n{number}" for number in range(1200)]
    assert zk.write_many([("create", path, path, OPEN_ACL_UNSAFE) for path in paths]) == paths
    assert [data for data, _ in zk.get_many(paths)] == paths
    assert len(zk.read_tree("/")) == 1201
    missing = zk.get_many(["/missing"])[0]
    assert isinstance(missing, zookeeper.NoNodeException)


def test_trees_are_imported_compared_exported_walked_and_deleted(zk):
    zk.import_tree(TREE)
    text = zk.export_tree()
    assert "tea = 4.2" in text
    assert str(zk.plan_import(text)) == ""
    plan = zk.plan_import(text.replace("4.2", "4.5"))
    assert str(plan) == "/prices tea change from 4.2 to 4.5"
    plan.apply()
    assert zk.get_properties("/prices")["tea"] == 4.5
    assert list(zk.walk("/prices")) == ["/prices", "/prices/providers"]
    assert zk.resolve("/shop/prices") == "/prices/providers"
    zk.delete_recursive("/prices")
    assert zk.get_children("/") == ["shop"]


def test_live_objects_and_registrations_outlive_a_connection(zk, other, network):
    zk.import_tree(TREE)
    registration = zk.register("/prices/providers", "1.2.3.4:80", weight=2)
    found, settings = zk.children("/shop/prices"), zk.properties("/shop")
    servers = zk.providers("/shop/prices")
    assert servers.pick().properties["weight"] == 2
    before = network.connections
    network.cut()
    wait_until(lambda: network.connections >= before + 2, "both clients connect again", 30)
    other.register("/prices/providers", "1.2.3.4:81")
    patiently(lambda: other.properties("/shop").update(item="coffee"))
    wait_until(lambda: len(found) == len(servers) == 2, lambda: f"both are there: {found}", 30)
    wait_until(lambda: settings["item"] == "coffee", "the change is seen", 30)
    wait_until(lambda: registration.state == "registered", "it is registered", 30)
    wait_until(lambda: registered_by(other, *registration.paths) == session_id(zk), "it is", 60)


def test_a_registration_outlives_its_session(zk, other, release, network):
    zk.import_tree(TREE)
    (node,) = zk.register("/prices/providers", "1.2.3.4:80").paths
    found = other.children("/prices/providers")
    former = session_id(zk)
    if release.name == "keeper":
        network.cut()  # that is the end of all sessions
    else:
        end_session(zk, network)
    wait_until(
        lambda: session_id(zk) not in (0, former) and registered_by(other, node) == session_id(zk),
        "the node is the new session's",
        60,
    )
    wait_until(lambda: list(found) == ["1.2.3.4:80"], "the other client sees it", 30)
    assert registered_by(other, node) == session_id(zk)


def end_session(zk, network):
    """End the client's session at the server, behind the client's back."""
    host, port = network.target
    identity = zk.client_id()
    # Meanwhile nobody gets in by the network.
    network.on_request = lambda request: request.op != Op.CREATE_SESSION
    network.cut()
    thief = zookeeper.init(f"{host}:{port}", None, TIMEOUT_MILLISECONDS, identity)
    try:
        wait_until(lambda: zookeeper.state(thief) == zookeeper.CONNECTED_STATE, "it is resumed", 30)
    finally:
        zookeeper.close(thief)
        network.on_request = None


def test_an_event_loop_does_the_same(place, zk):
    async def main():
        async with zc.zk.aio.ZooKeeper(place, TIMEOUT_MILLISECONDS) as client:
            await client.import_tree(TREE)
            await client.register("/prices/providers", ("10.0.0.7", 8080))
            async for addresses in client.children("/prices/providers"):
                if addresses:
                    return list(addresses)

    assert asyncio.run(main()) == ["10.0.0.7:8080"]
    assert "/prices" in zk.export_tree()


def test_commands_do_the_same(place, zk, tmp_path):
    (tmp_path / "tree.txt").write_text(TREE)
    for words in (
        ["import", place, str(tmp_path / "tree.txt")],
        ["export", "-o", str(tmp_path / "out.txt"), place],
        ["diff", "--exit-code", str(tmp_path / "out.txt"), place],
        ["ls", "-l", place, "/"],
        ["status", place.partition("/")[0]],
        ["create", place, "/lock"],  # servers like Keeper know no containers
        ["lock", "--no-wait", place, "/lock", "--", "true"],
    ):
        outcome = run(*words)
        assert outcome.status in (0, None), (words, outcome)


MISSING = {
    "create2": lambda zk: zk.create2("/made", ""),
    "remove_watches": lambda zk: (
        zk.get("/", lambda *event: None),
        zk.remove_watches("/", zookeeper.WATCH_ANY),
    ),
    "reconfig": lambda zk: zk.get_config(),
    "container": lambda zk: zk.create("/box", "", flags=zookeeper.CONTAINER),
    "ttl": lambda zk: zk.create("/lease", "", flags=zookeeper.PERSISTENT_WITH_TTL, ttl=100_000),
    "tree": lambda zk: zk.tree("/"),
    "add_watch": lambda zk: zk.add_watch("/", zookeeper.PERSISTENT, lambda *event: None),
    "get_ephemerals": lambda zk: zk.get_ephemerals(),
    "get_all_children_number": lambda zk: zk.get_all_children_number("/"),
    "whoami": lambda zk: zk.whoami(),
}


def test_a_server_that_lacks_something_is_told_and_costs_nothing(zk, other, release):
    zk.import_tree(TREE)
    (node,) = zk.register("/prices/providers", "1.2.3.4:80").paths
    answers = {name: answer(zk, ask) for name, ask in MISSING.items()}
    assert {name for name in answers if answers[name] == "it is missing"} == release.missing
    assert {name for name in answers if answers[name] == "it hangs up"} == release.hangs_up_at
    wait_until(lambda: zk.state == zookeeper.CONNECTED_STATE, "it is connected again", 30)
    wait_until(lambda: registered_by(other, node) == session_id(zk), "it is registered", 60)


def answer(zk, ask):
    """Ask a server for a thing, several times: what breaks a connection once may be the network."""
    asked = 0
    while asked < 6:
        wait_until(lambda: zk.state == zookeeper.CONNECTED_STATE, "it is connected", 60)
        try:
            ask(zk)
        except (zookeeper.UnimplementedException, zookeeper.NoNodeException):
            return "it is missing"  # a server of 3.4 has no node of the configuration
        except zookeeper.ConnectionLossException as error:
            asked += error.may_have_happened
        except zookeeper.SessionExpiredException:
            continue
        else:
            return "it is there"
    return "it hangs up"


def patiently(call):
    """Return what a call gives, made again while connections and sessions are lost."""

    def attempt():
        try:
            return [call()]
        except zookeeper.SessionError:
            return None

    return wait_until(attempt, "there is an answer", 60)[0]


def registered_by(zk, node):
    """Return the session of an ephemeral node, 0 without one."""
    return (patiently(lambda: zk.exists(node)) or {}).get("ephemeralOwner", 0)


def test_the_page_says_what_is_missing():
    page = PAGES["docs/explanation/servers.txt"]
    (old,) = re.findall(r"^ZooKeeper 3\.4 .*\n(?: .*\n)*", page, re.MULTILINE)
    for name in ("create2", "tree", "add_watch", "remove_watches", "reconfig", "whoami"):
        assert f"``{name}``" in old
    assert "containers, times to live" in " ".join(old.split())
    (_, _, keeper) = page.partition("ClickHouse Keeper has no package")
    for name in RELEASES["keeper"].hangs_up_at & {"create2"}:
        assert f"``{name}``" in keeper
