"""Transactions: all of the operations or none."""

from __future__ import annotations

import pytest

from tests.calls import Calls
from tests.sessions import OPEN

pytestmark = pytest.mark.quick


def test_results_are_those_of_the_single_calls(zookeeper, handle, node):
    results = zookeeper.multi(
        handle,
        [
            ("create", "/new", "1", OPEN),
            ("create2", "/new2", b"2", OPEN),
            ("create", "/s-", "", OPEN, zookeeper.SEQUENCE),
            ("create", "/e", "", OPEN, zookeeper.EPHEMERAL),
            ("set", node, "changed"),
            ("set", node, "changed again", 1),
            ("check", "/new", 0),
            ("delete", "/new", 0),
            ("check", node),
        ],
    )
    created, (path, stat), numbered, ephemeral, first, second, *nothing = results
    assert (created, path, numbered, ephemeral) == ("/new", "/new2", "/s-0000000003", "/e")
    # Servers up to 3.8 at least answer a create2 in a transaction without its stat.
    assert stat in (None, zookeeper.exists(handle, "/new2"))
    assert (first["version"], second["version"]) == (1, 2)
    assert nothing == [None, None, None]
    assert zookeeper.exists(handle, "/new") is None
    assert zookeeper.get(handle, node)[0] == "changed again"


def test_the_first_failure_is_raised_with_its_place_and_everything_is_undone(
    zookeeper, handle, node
):
    with pytest.raises(zookeeper.NoNodeException, match=r"^no node: /missing") as raised:
        zookeeper.multi(
            handle,
            [
                ("create", "/new", "", OPEN),
                ("set", node, "changed"),
                ("delete", "/missing"),
                ("create", "/later", "", OPEN),
                ("delete", "/missing, too"),
            ],
        )
    assert raised.value.path == "/missing"
    assert raised.value.index == 2
    assert raised.value.results == [0, 0, zookeeper.NONODE, -2, -2]
    assert zookeeper.get_children(handle, "/") == ["a"]
    assert zookeeper.get(handle, node)[0] == "data"


@pytest.mark.parametrize(
    ("operation", "exception"),
    [
        (("create", "/a", "", OPEN), "NodeExistsException"),
        (("create", "/x/y", "", OPEN), "NoNodeException"),
        (("create2", "/a", "", OPEN), "NodeExistsException"),
        (("set", "/a", "", 9), "BadVersionException"),
        (("delete", "/a", 9), "BadVersionException"),
        (("check", "/a", 9), "BadVersionException"),
        (("check", "/x"), "NoNodeException"),
    ],
)
def test_each_kind_of_operation_fails_as_its_single_call_does(
    zookeeper, handle, node, operation, exception
):
    with pytest.raises(getattr(zookeeper, exception)) as raised:
        zookeeper.multi(handle, [operation])
    assert raised.value.index == 0
    assert raised.value.path == operation[1]


def test_a_node_with_children_is_not_deleted(zookeeper, handle, node):
    zookeeper.create(handle, "/a/child", "", OPEN)
    with pytest.raises(zookeeper.NotEmptyException):
        zookeeper.multi(handle, [("delete", "/a")])
    assert zookeeper.multi(handle, [("delete", "/a/child"), ("delete", "/a")]) == [None, None]


def test_operations_see_the_ones_before_them(zookeeper, handle):
    results = zookeeper.multi(
        handle,
        [
            ("create", "/p", "", OPEN),
            ("create", "/p/q", "", OPEN),
            ("set", "/p/q", "x", 0),
            ("delete", "/p/q", 1),
        ],
    )
    assert results[1] == "/p/q"
    assert zookeeper.get_children(handle, "/p") == []


def test_special_kinds_of_nodes_can_be_created(zookeeper, handle, own_servers_only):
    results = zookeeper.multi(
        handle,
        [
            ("create", "/c", "", OPEN, zookeeper.CONTAINER),
            ("create2", "/c2", "", OPEN, zookeeper.CONTAINER),
            ("create", "/t", "", OPEN, zookeeper.PERSISTENT_WITH_TTL, 3_600_000),
            ("create", "/t-", "", OPEN, zookeeper.PERSISTENT_SEQUENTIAL_WITH_TTL, 3_600_000),
        ],
    )
    assert (results[0], results[1][0], results[2]) == ("/c", "/c2", "/t")
    assert results[3].startswith("/t-000")


def test_no_operations_give_no_results(zookeeper, handle):
    assert zookeeper.multi(handle, []) == []
    assert zookeeper.multi(handle, iter([("check", "/")])) == [None]


def test_amulti_gives_the_results_to_its_completion(zookeeper, handle, node):
    completion = Calls()
    ops = [("create", "/b", "", OPEN), ("set", node, "x"), ("delete", "/b"), ("check", node)]
    assert zookeeper.amulti(handle, ops, completion) == zookeeper.OK
    got_handle, code, (path, stat, *nothing) = completion.wait_one()
    assert (got_handle, code, path, nothing) == (handle, zookeeper.OK, "/b", [None, None])
    assert stat == zookeeper.exists(handle, node)


def test_amulti_that_fails_gives_the_code_and_the_codes_of_all(zookeeper, handle, node):
    completion = Calls()
    ops = [("set", node, "x"), ("delete", "/missing"), ("check", node)]
    zookeeper.amulti(handle, ops, completion)
    assert completion.wait_one() == (handle, zookeeper.NONODE, [0, zookeeper.NONODE, -2])
    assert zookeeper.get(handle, node)[0] == "data"


def test_amulti_of_nothing_answers_too(zookeeper, handle):
    completion = Calls()
    zookeeper.amulti(handle, [], completion)
    assert completion.wait_one() == (handle, zookeeper.OK, [])


def test_a_transaction_of_a_thousand_operations_is_one_change(zookeeper, handle):
    ops = [("create", f"/{number:04}", "x", OPEN) for number in range(1000)]
    assert zookeeper.multi(handle, ops) == [op[1] for op in ops]
    zxids = {stat["czxid"] for _, stat in zookeeper.get_many(handle, [op[1] for op in ops])}
    assert len(zxids) == 1


WRONG = [
    (None, TypeError),
    ("create", TypeError),
    ([None], TypeError),
    (["create"], TypeError),
    ([()], TypeError),
    ([("create",)], TypeError),
    ([("create", "/x")], TypeError),
    ([("create", "/x", "")], TypeError),
    ([("create", "/x", "", OPEN, 0, None, 7)], TypeError),
    ([("create", "/x", 7, OPEN)], TypeError),
    ([("create", 7, "", OPEN)], TypeError),
    ([("create", "/x", "", OPEN, "1")], TypeError),
    ([("set", "/x")], TypeError),
    ([("set", "/x", "", "1")], TypeError),
    ([("delete", "/x", -1, 7)], TypeError),
    ([("delete", "/x", None)], TypeError),
    ([("get", "/x")], "BadArgumentsException"),
    ([(None, "/x")], "BadArgumentsException"),
    ([("create", "x", "", OPEN)], "BadArgumentsException"),
    ([("delete", "/x//y")], "BadArgumentsException"),
    ([("create", "/x", "", OPEN, 64)], "BadArgumentsException"),
    ([("create", "/x", "", OPEN, 5)], "BadArgumentsException"),
]


@pytest.mark.parametrize("call", ["multi", "amulti", "write_many"])
@pytest.mark.parametrize(("ops", "expected"), WRONG, ids=lambda value: repr(value)[:50])
def test_an_operation_of_wrong_shape_is_refused_and_nothing_is_done(
    zookeeper, handle, call, ops, expected
):
    if isinstance(expected, str):
        expected = getattr(zookeeper, expected)
    if isinstance(ops, list):
        ops = [("create", "/first", "", OPEN), *ops]
    with pytest.raises(expected) as raised:
        getattr(zookeeper, call)(handle, ops)
    if isinstance(ops, list):
        assert "operation 1" in str(raised.value)
    assert zookeeper.get_children(handle, "/") == []
