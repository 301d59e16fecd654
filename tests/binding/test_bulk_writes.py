"""Writing many nodes as a sequence of transactions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deadlines import wait_until
from tests.sessions import OPEN


def creates(numbers):
    return [("create", f"/{number:05}", str(number), OPEN) for number in numbers]


def test_results_are_those_of_multi(zookeeper, handle):
    results = zookeeper.write_many(
        handle,
        [
            ("create", "/a", "1", OPEN),
            ("create2", "/b", "2", OPEN),
            ("create", "/s-", "", OPEN, zookeeper.SEQUENCE),
            ("set", "/a", "3"),
            ("check", "/a", 1),
            ("delete", "/b"),
        ],
        batch=2,
    )
    assert results[0] == "/a"
    assert results[1][0] == "/b"
    assert results[2] == "/s-0000000002"
    assert results[3] == zookeeper.exists(handle, "/a")
    assert results[4:] == [None, None]


def test_thousands_of_operations_are_done_in_order(zookeeper, handle):
    ops = creates(range(5000))
    assert zookeeper.write_many(handle, ops) == [op[1] for op in ops]
    children = zookeeper.get_many(handle, [op[1] for op in ops])
    zxids = [stat["czxid"] for _, stat in children]
    assert zxids == sorted(zxids)
    assert len(set(zxids)) == 10
    assert [data for data, _ in children] == [str(number) for number in range(5000)]


@pytest.mark.parametrize(("batch", "transactions"), [(1, 20), (7, 3), (20, 1), (1000, 1)])
def test_a_batch_is_one_transaction(zookeeper, handle, batch, transactions):
    ops = creates(range(20))
    zookeeper.write_many(handle, ops, batch=batch)
    stats = [stat for _, stat in zookeeper.get_many(handle, [op[1] for op in ops])]
    assert len({stat["czxid"] for stat in stats}) == transactions


def test_large_operations_are_split_by_size(zookeeper, handle):
    ops = [("create", f"/{number}", bytes(200_000), OPEN) for number in range(30)]
    assert zookeeper.write_many(handle, ops) == [op[1] for op in ops]


READ_ONLY = [{"perms": 17, "scheme": "world", "id": "anyone"}]


def test_acls_are_set_between_the_transactions_around_them(zookeeper, handle):
    for in_flight in (1, 100):
        root = f"/{in_flight}"
        ops = [
            ("create", root, "", OPEN),
            ("create", f"{root}/a", "", OPEN),
            ("set_acl", root, READ_ONLY, 0),
            ("set_acl", f"{root}/a", READ_ONLY),
            ("create", f"{root}/b", "", OPEN),
            ("set_acl", root, OPEN, 1),
            ("create", f"{root}/c", "", OPEN),
        ]
        results = zookeeper.write_many(handle, ops, in_flight=in_flight, stop=False)
        assert results[:4] == [root, f"{root}/a", None, None]
        assert isinstance(results[4], zookeeper.NoAuthException)
        assert results[5:] == [None, f"{root}/c"]
        assert zookeeper.get_acl(handle, f"{root}/a")[1] == READ_ONLY
        assert zookeeper.get_acl(handle, root)[0]["aversion"] == 2


def test_an_acl_of_another_version_is_not_replaced_and_stops_the_rest(zookeeper, handle):
    zookeeper.write_many(handle, creates(range(50)))
    ops = [("set_acl", op[1], READ_ONLY, int(op[2]) == 20) for op in creates(range(50))]
    ops = [(*op[:3], int(op[3])) for op in ops]
    results = zookeeper.write_many(handle, ops, in_flight=1)
    assert results[:20] == [None] * 20
    assert isinstance(results[20], zookeeper.BadVersionException)
    assert {type(result) for result in results[21:]} == {zookeeper.NothingException}
    acls = zookeeper.get_acl_many(handle, [op[1] for op in ops])
    assert [acl == READ_ONLY for _, acl in acls] == [True] * 20 + [False] * 30


def test_an_acl_is_refused_in_a_transaction_before_anything_is_sent(zookeeper, handle):
    ops = [("create", "/a", "", OPEN), ("set_acl", "/a", READ_ONLY)]
    for call in (zookeeper.multi, zookeeper.amulti):
        with pytest.raises(zookeeper.BadArgumentsException, match=r"no ACLs in transactions"):
            call(handle, ops)
    assert zookeeper.exists(handle, "/a") is None
    zookeeper.check_operations(handle, ops)
    with pytest.raises(zookeeper.InvalidACLException, match=r"/a: it is empty \(operation 1\)"):
        zookeeper.check_operations(handle, [ops[0], ("set_acl", "/a", [])])
    with pytest.raises(TypeError, match="set_acl takes 1 to 2 arguments after the path, not 0"):
        zookeeper.check_operations(handle, [("set_acl", "/a")])


def test_nothing_to_do_is_done(zookeeper, handle):
    assert zookeeper.write_many(handle, []) == []
    assert zookeeper.write_many(handle, iter(creates([1]))) == ["/00001"]


def test_a_failure_undoes_its_own_transaction_and_stops_what_was_not_sent(zookeeper, handle):
    """Later transactions are not sent; those under way with it may be done."""
    zookeeper.create(handle, "/00015", "already there", OPEN)
    ops = creates(range(10_000))
    results = zookeeper.write_many(handle, ops, batch=10)
    assert results[:10] == [op[1] for op in ops[:10]]
    for number in range(10, 20):
        expected = (
            zookeeper.NodeExistsException
            if number == 15
            else zookeeper.RuntimeInconsistencyException
        )
        assert type(results[number]) is expected
        assert results[number].path == f"/{number:05}"
    kinds = [
        "sent" if result == op[1] else type(result) for result, op in zip(results, ops, strict=True)
    ]
    done = 20 + kinds[20:].count("sent")
    assert kinds[20:done] == ["sent"] * (done - 20)
    assert kinds[done:] == [zookeeper.NothingException] * (10_000 - done)
    assert done < 1000
    there = set(zookeeper.get_children(handle, "/"))
    assert there == {f"{number:05}" for number in (*range(10), 15, *range(20, done))}


@pytest.mark.parametrize("counted", [False, True])
def test_with_one_transaction_in_flight_nothing_is_changed_after_a_failure(
    zookeeper, handle, counted
):
    zookeeper.create(handle, "/00015", "already there", OPEN)
    ops = creates(range(1000))
    options = {"count": len(ops)} if counted else {}
    results = zookeeper.write_many(handle, iter(ops), batch=10, in_flight=1, **options)
    assert results[:10] == [op[1] for op in ops[:10]]
    assert type(results[15]) is zookeeper.NodeExistsException
    assert {type(result) for result in results[20:]} == {zookeeper.NothingException}
    there = set(zookeeper.get_children(handle, "/"))
    assert there == {f"{number:05}" for number in (*range(10), 15)}


@pytest.mark.parametrize("in_flight", [1, 2, 100])
def test_however_many_are_in_flight_all_are_done_in_order(zookeeper, handle, in_flight):
    ops = creates(range(1000))
    assert zookeeper.write_many(handle, ops, batch=10, in_flight=in_flight) == [op[1] for op in ops]
    stats = [stat for _, stat in zookeeper.get_many(handle, [op[1] for op in ops])]
    assert [stat["czxid"] for stat in stats] == sorted(stat["czxid"] for stat in stats)


@pytest.mark.parametrize("in_flight", [0, -1, 101])
def test_how_many_are_in_flight_has_limits(zookeeper, handle, in_flight):
    with pytest.raises(zookeeper.BadArgumentsException, match="in_flight must be from 1 to 100"):
        zookeeper.write_many(handle, creates([1]), in_flight=in_flight)
    with pytest.raises(TypeError, match="in_flight"):
        zookeeper.write_many(handle, creates([1]), in_flight="4")
    assert zookeeper.get_children(handle, "/") == []


@pytest.mark.parametrize(
    "operation",
    [
        ("create", "/x/../y", "", OPEN),
        ("create", "/x", bytes(2_000_000), OPEN),
        ("create", "/x", "", []),
        ("rename", "/x", "/y"),
    ],
)
def test_operations_can_be_checked_without_being_sent(zookeeper, handle, operation):
    assert zookeeper.check_operations(handle, creates(range(10))) is None
    with pytest.raises(zookeeper.ZooKeeperException, match="operation") as of_check:
        zookeeper.check_operations(handle, [*creates([1]), operation])
    with pytest.raises(zookeeper.ZooKeeperException) as of_write:
        zookeeper.write_many(handle, [*creates([1]), operation])
    assert str(of_check.value) == str(of_write.value)
    assert zookeeper.get_children(handle, "/") == []


def test_without_stop_every_transaction_is_tried(zookeeper, handle):
    for number in (5, 25):
        zookeeper.create(handle, f"/{number:05}", "", OPEN)
    ops = creates(range(50))
    results = zookeeper.write_many(handle, ops, batch=10, stop=False)
    done = [op[1] for op, result in zip(ops, results, strict=True) if result == op[1]]
    assert done == [f"/{number:05}" for number in (*range(10, 20), *range(30, 50))]
    failures = [type(result) for result in results if isinstance(result, Exception)]
    assert failures.count(zookeeper.NodeExistsException) == 2
    assert failures.count(zookeeper.RuntimeInconsistencyException) == 18


def test_no_permission_is_a_failure_like_others(zookeeper, handle):
    zookeeper.create(handle, "/closed", "", [{"perms": 1, "scheme": "world", "id": "anyone"}])
    results = zookeeper.write_many(handle, [("create", "/closed/x", "", OPEN)])
    assert [type(result) for result in results] == [zookeeper.NoAuthException]
    assert results[0].path == "/closed/x"


def test_progress_is_told_how_much_is_done_of_all(zookeeper, handle):
    told = []
    zookeeper.write_many(handle, creates(range(1000)), progress=lambda *a: told.append(a))
    assert told[-1] == (1000, 1000)


@pytest.mark.parametrize("batch", [0, -1])
def test_a_batch_holds_at_least_one_operation(zookeeper, handle, batch):
    with pytest.raises(zookeeper.BadArgumentsException, match="batch"):
        zookeeper.write_many(handle, creates([1]), batch=batch)


def test_a_deep_tree_is_created_and_deleted(zookeeper, handle):
    paths = ["/" + "/".join(map(str, range(depth))) for depth in range(1, 800)]
    zookeeper.write_many(handle, [("create", path, "", OPEN) for path in paths])
    assert len(zookeeper.read_tree(handle, "/")) == 800
    results = zookeeper.write_many(handle, [("delete", path) for path in reversed(paths)])
    assert results == [None] * len(paths)
    assert zookeeper.get_children(handle, "/") == []


def test_counted_operations_of_an_iterator_are_done_in_order(zookeeper, handle):
    ops = creates(range(5000))
    paths = [op[1] for op in ops]
    assert zookeeper.write_many(handle, iter(ops), count=5000) == paths
    assert zookeeper.write_many(handle, iter([]), count=0) == []
    stats = [stat for _, stat in zookeeper.get_many(handle, paths)]
    assert [stat["czxid"] for stat in stats] == sorted(stat["czxid"] for stat in stats)
    assert len({stat["czxid"] for stat in stats}) == 10


@pytest.mark.not_emulated("the caller's thread does everything: nothing goes on meanwhile")
def test_counted_operations_are_taken_while_the_first_ones_are_done(zookeeper, handle):
    def operations():
        yield from creates(range(20))
        wait_until(lambda: zookeeper.exists(handle, "/00019"), "the first transaction")
        yield from creates(range(20, 30))

    results = zookeeper.write_many(handle, operations(), count=30, batch=20)
    assert results == [f"/{number:05}" for number in range(30)]


def test_an_iterator_gives_operations_whatever_else_it_has(zookeeper, handle):
    class Operations:
        _next_row: Any = None

        def __init__(self):
            self._operations = iter(creates(range(3)))

        def __iter__(self):
            return self

        def __next__(self):
            return next(self._operations)

    for number, attribute in enumerate((None, 5, getattr(zookeeper.Znode, "_look_at", "none"))):
        Operations._next_row = attribute
        results = zookeeper.write_many(handle, Operations(), count=3)
        assert [isinstance(result, str) for result in results] == 3 * [number == 0]


def test_an_iterator_of_operations_that_raises_ends_the_work(zookeeper, handle):
    def operations():
        yield from creates(range(25))
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        zookeeper.write_many(handle, operations(), count=30, batch=10)
    # Requests are handled in order: the transactions that had been sent are done.
    zookeeper.create(handle, "/after", "", OPEN)
    assert len(zookeeper.get_children(handle, "/")) <= 21


@pytest.mark.parametrize("came", [0, 9, 11, 25])
def test_an_iterator_has_to_give_as_many_operations_as_announced(zookeeper, handle, came):
    with pytest.raises(ValueError, match="count is 10, but the iterator gave"):
        zookeeper.write_many(handle, iter(creates(range(came))), count=10, batch=3)


def test_the_count_of_operations_is_a_number_of_them(zookeeper, handle):
    with pytest.raises(zookeeper.BadArgumentsException, match="count"):
        zookeeper.write_many(handle, iter([]), count=-1)
    with pytest.raises(TypeError, match="count"):
        zookeeper.write_many(handle, iter([]), count=1.5)


@pytest.mark.not_emulated("the caller's thread does everything: nothing goes on meanwhile")
def test_after_a_failure_no_more_operations_are_taken(zookeeper, handle):
    """The exceptions are the transactions that were under way with it."""
    taken = []

    def operations():
        for op in creates([0, 1, 1, *range(2, 9997)]):
            taken.append(op)
            if len(taken) % 10 == 0:
                zookeeper.exists(handle, "/")  # each transaction is answered before the next one
            yield op

    results = zookeeper.write_many(handle, operations(), count=9998, batch=10)
    assert type(results[2]) is zookeeper.NodeExistsException
    assert len(results) == 9998
    assert len(taken) < 100
    assert {type(result) for result in results[100:]} == {zookeeper.NothingException}
    assert zookeeper.get_children(handle, "/") == []
