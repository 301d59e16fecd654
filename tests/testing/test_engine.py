"""The engine by itself, where no comparison with a real server reaches."""

from __future__ import annotations

import random
from typing import Any

import pytest

import zookeeper
from tests.testing.protocol import STAT_FIELDS
from zc.zk.testing.engine import (
    Client,
    Create,
    Created,
    Delete,
    Engine,
    Entry,
    Kind,
    Mode,
    Refusal,
    SessionLimits,
    SetData,
    StatRecord,
    Write,
    digest,
    quotas,
)
from zookeeper.types import AclEntry, Stat

pytestmark = pytest.mark.quick

OPEN = (Entry(31, "world", "anyone"),)


class Time:
    """A clock that stands still."""

    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def engine(time: Time) -> Engine:
    return Engine(time, b"secret", limits=SessionLimits(1000, 60_000))


@pytest.fixture
def client(engine: Engine) -> Client:
    return connected(engine)


def connected(engine: Engine, events: list[tuple[int, str]] | None = None) -> Client:
    told = [] if events is None else events
    client = Client("127.0.0.1", lambda kind, path: told.append((kind, path)))
    engine.open_session(client, 10_000)
    return client


def create(path: str, data: bytes = b"", flags: int = 0) -> Create:
    return Create(path, data, OPEN, flags)


def everything(engine: Engine) -> dict[str, Any]:
    """Return all that the tree holds; the order of children and indexes is free."""
    tree = engine.tree
    return {
        "nodes": {
            path: (node.stat(), node.data, node.acl, set(node.children), node.creations)
            for path, node in tree.nodes.items()
        },
        "ephemerals": {owner: set(paths) for owner, paths in tree.ephemerals.items()},
        "containers": set(tree.containers),
        "with ttl": set(tree.with_ttl),
    }


def test_the_same_calls_at_the_same_times_make_the_same_engine() -> None:
    def grow() -> Engine:
        engine = Engine(Time(), b"secret")
        client = connected(engine)
        for number in range(100):
            engine.write(client, create(f"/{number}", b"x", number % 4))
        return engine

    first, second = grow(), grow()
    assert list(first.tree.nodes) == list(second.tree.nodes)
    assert everything(first) == everything(second)
    assert [s.id for s in first.sessions] == [s.id for s in second.sessions]


@pytest.mark.parametrize("seed", range(20))
def test_a_transaction_that_fails_leaves_everything_as_it_was(
    engine: Engine, client: Client, seed: int
) -> None:
    chosen = random.Random(seed)
    engine.write(client, create("/zookeeper/quota/a"))
    engine.write(client, create("/zookeeper/quota/a/zookeeper_limits"))
    engine.write(client, create("/zookeeper/quota/a/zookeeper_stats"))
    for path in ("/a", "/a/a", "/a/b", "/b", "/c"):
        engine.write(client, create(path, b"data", chosen.choice([0, 1]) if path > "/a/" else 0))

    def anything() -> Write:
        path = "/" + "/".join(chosen.choices("abc", k=chosen.randrange(1, 4)))
        kind = chosen.choice([Kind.PLAIN, Kind.CONTAINER, Kind.WITH_TTL])
        flags = {Kind.PLAIN: chosen.choice([0, 1, 2]), Kind.CONTAINER: 4, Kind.WITH_TTL: 5}[kind]
        ttl = 1000 if kind is Kind.WITH_TTL else -1
        choices: list[Write] = [
            Create(path, b"new", OPEN, flags, ttl, kind),
            SetData(path, b"changed"),
            Delete(path),
            Create("/zookeeper/quota/b", None, OPEN, 0),
            Create("/zookeeper/quota/b/zookeeper_limits", None, OPEN, 0),
            Create("/zookeeper/quota/b/zookeeper_stats", None, OPEN, 0),
            Delete("/zookeeper/quota/a/zookeeper_limits"),
        ]
        return chosen.choice(choices)

    events: list[tuple[int, str]] = []
    watching = connected(engine, events)
    engine.add_watch(watching, "/", Mode.RECURSIVE)
    before = everything(engine)
    undone = 0
    for _ in range(200):
        engine.tree.begin()
        possible = []
        for _ in range(4):
            operation = anything()
            transaction = engine._transaction(client)
            try:
                transaction.do(operation)
            except Refusal:
                continue
            possible.append(operation)
        engine.tree.roll_back()
        assert everything(engine) == before
        results = engine.write_all(client, [*possible, Delete("/no/such/node"), Delete("/a")])
        codes = [result.code for result in results if isinstance(result, Refusal)]
        assert codes == [0] * len(possible) + [zookeeper.NONODE, zookeeper.RUNTIMEINCONSISTENCY]
        assert everything(engine) == before
        undone += len(possible)
    assert undone > 100
    assert events == []


def test_each_operation_of_a_transaction_sees_those_before_it(
    engine: Engine, client: Client
) -> None:
    results = engine.write_all(
        client,
        [
            create("/a"),
            create("/a/s-", flags=2),
            create("/a/s-", flags=2),
            SetData("/a", b"x", 0),
            Delete("/a/s-0000000000"),
            create("/a/s-", flags=2),
        ],
    )
    paths = [result.path for result in results if isinstance(result, Created)]
    assert paths == ["/a", "/a/s-0000000000", "/a/s-0000000001", "/a/s-0000000002"]
    assert engine.exists(client, "/a").cversion == 4
    zxids = {result.stat.czxid for result in results if isinstance(result, Created)}
    assert zxids == {engine.zxid}


def test_events_of_a_transaction_come_when_all_of_it_is_done(
    engine: Engine, client: Client
) -> None:
    seen: list[Any] = []
    watching = Client(
        "127.0.0.1", lambda kind, path: seen.append((kind, path, "/b" in engine.tree.nodes))
    )
    engine.open_session(watching, 10_000)
    with pytest.raises(Refusal):
        engine.exists(watching, "/a", watch=True)
    engine.write_all(client, [create("/a"), create("/b")])
    assert seen == [(zookeeper.CREATED_EVENT, "/a", True)]


def test_sessions_expire_in_their_time_and_not_before(
    engine: Engine, client: Client, time: Time
) -> None:
    other = connected(engine)
    engine.write(client, create("/e", flags=1))
    time.now += 9_999
    assert other.session is not None
    engine.sessions.touch(other.session)
    assert engine.expire_sessions() == []
    time.now += 1
    assert engine.expire_sessions() == [client.session]
    assert "/e" not in engine.tree.nodes
    with pytest.raises(Refusal) as refused:
        engine.write(client, create("/a"))
    assert refused.value.code == zookeeper.SESSIONEXPIRED


def test_sessions_of_a_later_time_have_other_numbers(time: Time) -> None:
    first = Engine(time, b"secret")
    time.now += 1
    second = Engine(time, b"secret")
    ids = {connected(engine).session.id for engine in (first, second) for _ in range(1000)}  # type: ignore[union-attr]
    assert len(ids) == 2000
    assert all(0 < id < 2**63 for id in ids)


def test_a_session_is_resumed_with_its_password_only(engine: Engine, client: Client) -> None:
    assert client.session is not None
    id = client.session.id
    password = engine.sessions.password(id)
    late = Client("127.0.0.1", lambda *_: None)
    for wrong in (b"", b"x" * 16, password[:15], password + b"x"):
        assert engine.resume_session(late, id, wrong, 10_000) is None
    assert engine.resume_session(late, id + 1, password, 10_000) is None
    assert engine.resume_session(late, id, password, 20_000) is client.session
    assert client.session.timeout == 20_000


def test_containers_go_when_their_last_child_has_gone(engine: Engine, client: Client) -> None:
    for path in ("/never", "/full", "/empty"):
        engine.write(client, Create(path, None, OPEN, 4, kind=Kind.CONTAINER))
    for path in ("/full/a", "/empty/a"):
        engine.write(client, create(path))
    engine.write(client, Delete("/empty/a"))
    engine.remove_abandoned()
    assert {"/never", "/full"} <= engine.tree.nodes.keys()
    assert "/empty" not in engine.tree.nodes


def test_nodes_with_a_time_to_live_go_after_it_unless_they_have_children(
    engine: Engine, client: Client, time: Time
) -> None:
    for path in ("/brief", "/changed", "/parent"):
        engine.write(client, Create(path, None, OPEN, 5, 1000, Kind.WITH_TTL))
    engine.write(client, create("/parent/child"))
    time.now += 600
    engine.write(client, SetData("/changed", b""))
    time.now += 600
    engine.remove_abandoned()
    assert "/brief" not in engine.tree.nodes
    assert {"/changed", "/parent"} <= engine.tree.nodes.keys()


def test_the_superuser_is_stopped_by_no_acl(time: Time) -> None:
    engine = Engine(time, b"secret", superuser=digest("root:secret"))
    owner, other = connected(engine), connected(engine)
    engine.prove(owner, "digest", b"bob:secret")
    engine.write(owner, Create("/a", b"hidden", (Entry(31, "auth", ""),), 0))
    with pytest.raises(Refusal):
        engine.get_data(other, "/a")
    engine.prove(other, "digest", b"root:wrong")
    with pytest.raises(Refusal):
        engine.get_data(other, "/a")
    engine.prove(other, "digest", b"root:secret")
    assert engine.get_data(other, "/a")[0] == b"hidden"


def test_a_hundred_thousand_nodes_and_watches_are_no_burden(engine: Engine, client: Client) -> None:
    events: list[tuple[int, str]] = []
    watching = connected(engine, events)
    engine.write(client, create("/many"))
    for number in range(100_000):
        path = f"/many/{number}"
        engine.write(client, create(path))
        engine.get_data(watching, path, watch=True)
    assert engine.count_descendants(client, "/many") == 100_000
    for number in range(100_000):
        engine.write(client, Delete(f"/many/{number}"))
    assert len(events) == 100_000
    assert len(engine.watches.data) == 0
    assert engine.tree.nodes.keys() == {
        "",
        "/",
        "/zookeeper",
        "/zookeeper/quota",
        "/zookeeper/config",
        "/many",
    }


def test_a_stat_has_the_protocols_order() -> None:
    assert StatRecord._fields == tuple(STAT_FIELDS)


@pytest.mark.parametrize(("record", "public"), [(StatRecord, Stat), (Entry, AclEntry)])
def test_a_record_has_the_fields_of_the_type_that_the_emulation_makes_of_it(
    record: type[StatRecord | Entry], public: type[Stat | AclEntry]
) -> None:
    assert record._fields == tuple(public.__annotations__)


def test_numbers_of_thousands_of_digits_in_quota_stats_are_no_numbers() -> None:
    stats = b"count=" + b"9" * 5000 + b",bytes=7"
    assert quotas.changed(stats, 1, 2) == b"count=0,bytes=9"
    assert quotas.changed(b"count=1,bytes=-" + b"9" * 5000, 1, 2) == b"count=2,bytes=1"
