"""Writes of which the first ones have to be done before the others are sent."""

from __future__ import annotations

from itertools import groupby
from threading import Event

import pytest

from tests.awkward import deny
from tests.deadlines import LONG_SESSION, scaled
from tests.sessions import OPEN, wait_until_connected
from tests.wireframes import Op

SECONDS = scaled(20)


def creates(numbers):
    return [("create", f"/{number:05}", str(number), OPEN) for number in numbers]


def transactions(zookeeper, handle, ops):
    """Return how many operations each transaction had, in order."""
    stats = [stat for _, stat in zookeeper.get_many(handle, [op[1] for op in ops])]
    zxids = [stat["czxid"] for stat in stats]
    assert zxids == sorted(zxids)
    return [len([*same]) for _, same in groupby(zxids)]


@pytest.mark.parametrize(
    ("serial", "expected"),
    [
        (0, [4, 4, 2]),
        (1, [1, 4, 4, 1]),
        (4, [4, 4, 2]),
        (6, [4, 2, 4]),
        (9, [4, 4, 1, 1]),
        (10, [4, 4, 2]),
    ],
)
@pytest.mark.parametrize("counted", [False, True])
def test_serial_operations_have_transactions_of_their_own(
    zookeeper, handle, serial, expected, counted
):
    ops = creates(range(10))
    options = {"count": len(ops)} if counted else {}
    results = zookeeper.write_many(handle, iter(ops), batch=4, serial=serial, **options)
    assert results == [op[1] for op in ops]
    assert transactions(zookeeper, handle, ops) == expected


@pytest.mark.parametrize("counted", [False, True])
@pytest.mark.parametrize(("failing", "done"), [(0, 0), (15, 10), (24, 20)])
def test_after_a_serial_failure_nothing_behind_it_is_sent(
    zookeeper, handle, failing, done, counted
):
    ops = creates(range(1000))
    zookeeper.create(handle, ops[failing][1], "already there", OPEN)
    options = {"count": len(ops)} if counted else {}
    results = zookeeper.write_many(handle, iter(ops), batch=10, in_flight=100, serial=25, **options)
    assert results[:done] == [op[1] for op in ops[:done]]
    assert type(results[failing]) is zookeeper.NodeExistsException
    assert {type(result) for result in results[25:]} == {zookeeper.NothingException}
    there = {f"{number:05}" for number in (*range(done), failing)}
    assert set(zookeeper.get_children(handle, "/")) == there


def test_a_failure_behind_the_serial_ones_leaves_them_done(zookeeper, handle):
    ops = creates(range(100))
    zookeeper.create(handle, ops[30][1], "already there", OPEN)
    results = zookeeper.write_many(handle, ops, batch=10, in_flight=1, serial=25)
    assert results[:25] == [op[1] for op in ops[:25]]
    assert type(results[30]) is zookeeper.NodeExistsException
    assert {type(result) for result in results[35:]} == {zookeeper.NothingException}


def test_without_stop_a_serial_failure_is_waited_for_and_no_more(zookeeper, handle):
    ops = creates(range(100))
    zookeeper.create(handle, ops[3][1], "already there", OPEN)
    results = zookeeper.write_many(handle, ops, batch=10, serial=5, stop=False)
    assert type(results[3]) is zookeeper.NodeExistsException
    assert results[5:] == [op[1] for op in ops[5:]]


READ_ONLY = [{"perms": 17, "scheme": "world", "id": "anyone"}]


@pytest.mark.parametrize("serial", [1, 2, 3, 4])
def test_acls_are_serial_too(zookeeper, handle, serial):
    ops = [
        ("create", "/a", "", OPEN),
        ("set_acl", "/a", READ_ONLY, 0),
        ("set_acl", "/a", OPEN, 1),
        ("create", "/a/b", "", OPEN),
        ("create", "/a/c", "", OPEN),
    ]
    results = zookeeper.write_many(handle, ops, in_flight=100, serial=serial)
    assert results == ["/a", None, None, "/a/b", "/a/c"]


def test_large_serial_operations_are_split_by_size(zookeeper, handle):
    ops = [("create", f"/{number}", bytes(200_000), OPEN) for number in range(9)]
    assert zookeeper.write_many(handle, ops, serial=5) == [op[1] for op in ops]
    assert transactions(zookeeper, handle, ops) == [2, 2, 1, 2, 2]


@pytest.mark.parametrize("serial", [-1, 3])
def test_no_more_are_serial_than_there_are(zookeeper, handle, serial):
    for options in ({}, {"count": 2}):
        with pytest.raises(
            zookeeper.BadArgumentsException, match=f"serial must be from 0 to 2: {serial}"
        ):
            zookeeper.write_many(handle, iter(creates([1, 2])), serial=serial, **options)
    with pytest.raises(TypeError, match="serial"):
        zookeeper.write_many(handle, creates([1]), serial="1")
    assert zookeeper.get_children(handle, "/") == []


def test_a_completion_hears_of_serial_ones_as_well(zookeeper, handle):
    told = Event()
    heard = []

    def completion(*arguments):
        heard.append(arguments)
        told.set()

    ops = creates(range(10))
    zookeeper.awrite_many(handle, ops, completion, batch=4, serial=3)
    assert told.wait(SECONDS)
    assert heard == [(handle, zookeeper.OK, [op[1] for op in ops])]
    assert transactions(zookeeper, handle, ops) == [3, 4, 3]


@pytest.mark.not_emulated("it has no network")
def test_operations_are_taken_while_the_serial_ones_are_under_way(zookeeper, connect, proxy, root):
    taken = Event()
    waited: list[bool] = []

    def hold_the_first(request):
        if request.op == Op.MULTI and not waited:
            waited.append(taken.wait(SECONDS))
        return True

    def operations():
        yield from creates(range(3000))
        taken.set()

    session = connect(hosts=proxy.connection_string + root, recv_timeout=LONG_SESSION)
    proxy.on_request = hold_the_first
    results = zookeeper.write_many(session, operations(), count=3000, serial=1)
    assert len(results) == 3000
    assert waited == [True]


@pytest.mark.not_emulated("it has no network")
def test_servers_without_transactions_do_serial_ones_first(zookeeper, connect, proxy, root, handle):
    session = connect(hosts=proxy.connection_string + root, recv_timeout=LONG_SESSION)
    proxy.on_request = deny(Op.MULTI)
    zookeeper.create(handle, "/00002", "already there", OPEN)
    ops = creates(range(10))
    for _ in range(3):  # until it is found out what the server lacks
        results = zookeeper.write_many(session, ops, batch=4, in_flight=100, serial=3)
        if not isinstance(results[0], zookeeper.ConnectionLossException):
            break
        wait_until_connected(zookeeper, session)
    assert results[:2] == ["/00000", "/00001"]
    assert type(results[2]) is zookeeper.NodeExistsException
    assert {type(result) for result in results[3:]} == {zookeeper.NothingException}
    assert sorted(zookeeper.get_children(handle, "/")) == ["00000", "00001", "00002"]
