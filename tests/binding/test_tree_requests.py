"""The requests that reading a tree takes: what they ask for, and how much in each."""

from __future__ import annotations

import struct
from itertools import accumulate

import pytest

from tests.deadlines import LONG_SESSION
from tests.hostile import Scenario, header, hostility
from tests.hostile_scenarios import result
from tests.sessions import OPEN, wait_until_connected
from tests.testing import protocol as p
from tests.wireframes import Op

pytestmark = pytest.mark.not_emulated("it has no network")

READS_IN_A_REQUEST = 500

# Behind the frame's length, the request's number and operation.
FIRST_OPERATION_AT = 12
OPERATION = struct.Struct(">i?i")

BOTH = [Op.GET_DATA, Op.GET_CHILDREN]


def operations_of(frame):
    """Return the operations of a MultiRead, with their paths."""
    found: list[tuple[int, str]] = []
    at = FIRST_OPERATION_AT
    while True:
        op, is_end, _ = OPERATION.unpack_from(frame, at)
        if is_end:
            return found
        at += OPERATION.size
        length = int.from_bytes(frame[at : at + 4], "big")
        found.append((op, frame[at + 4 : at + 4 + length].decode()))
        at += 4 + length + 1


@pytest.fixture
def read_by_requests(zookeeper, handle, connect, proxy, root):
    """Return a function that makes and reads a tree: the operations of each request."""
    asked = []

    def note(request):
        if request.op == Op.MULTI_READ:
            asked.append([op for op, _ in operations_of(request.frame)])
        return True

    def read(paths):
        zookeeper.write_many(handle, [("create", path, path, OPEN) for path in paths])
        session = connect(hosts=proxy.connection_string + root, recv_timeout=LONG_SESSION)
        proxy.on_request = note
        tree = zookeeper.read_tree(session, "/")
        assert [node.path for node in tree][1:] == sorted(paths, key=lambda path: path.split("/"))
        assert all(node.data == node.path for node in list(tree)[1:])
        return asked

    return read


def test_the_names_of_a_wide_node_make_requests_no_smaller(read_by_requests):
    count = 6 * READS_IN_A_REQUEST
    asked = read_by_requests([f"/{'name' * 25}-{number}" for number in range(count)])
    assert asked == [BOTH, *6 * [READS_IN_A_REQUEST * [Op.GET_DATA]]]


@pytest.mark.parametrize(("length", "requests"), [(10, 1), (150, 2)])
def test_long_names_are_asked_for_in_more_requests(read_by_requests, length, requests):
    parents = [f"/{number:0{length}}" for number in range(420)]
    asked = read_by_requests(
        [*parents, *(f"{parent}/{number:060}" for parent in parents for number in range(40))]
    )
    assert len([ops for ops in asked[1:] if Op.GET_CHILDREN in ops]) == requests


def test_a_level_of_few_nodes_takes_a_request(read_by_requests):
    chain = list(accumulate(["/one"] * 30))
    assert read_by_requests(chain) == 31 * [BOTH]


def test_few_nodes_are_asked_for_in_requests_side_by_side(read_by_requests):
    parents = [f"/{number:03}" for number in range(100)]
    asked = read_by_requests([*parents, *(f"{parent}/x" for parent in parents)])
    assert asked == [BOTH, *2 * [40 * BOTH, 40 * BOTH, 20 * BOTH]]


def test_few_nodes_that_come_at_once_may_follow_many_leaves(read_by_requests):
    paths = ["/a", *(f"/a/{number:03}" for number in range(100)), *(f"/{name}" for name in "bcdef")]
    assert read_by_requests(paths) == [BOTH, 6 * BOTH, 40 * BOTH, 40 * BOTH, 20 * BOTH]


def test_no_more_than_few_nodes_are_asked_for_children_in_vain(read_by_requests):
    parents = [f"/{number}" for number in range(60)]
    paths = [*parents, *(f"{parent}/{number}" for parent in parents for number in range(90))]
    asked = [op for ops in read_by_requests(paths) for op in ops]
    assert asked.count(Op.GET_DATA) == 1 + len(paths)
    assert asked.count(Op.GET_CHILDREN) == 1 + len(parents)


def test_nodes_of_chains_are_asked_for_both_at_once(read_by_requests):
    chains = [f"/{number:03}" for number in range(350)]
    paths = [chain + level for chain in chains for level in accumulate(["", "/a", "/b", "/c"])]
    asked = read_by_requests(paths)
    # The last level is taken for one of parents, like those before it.
    assert all(ops == len(ops) // 2 * BOTH for ops in asked)
    assert sum(map(len, asked)) == 2 * (1 + len(paths))


def test_siblings_of_several_families_come_in_order(read_by_requests):
    paths = ["/a", "/b", "/c"]
    paths += [f"{parent}/{name}" for parent in ("/a", "/b", "/c") for name in ("2", "10", "1")]
    paths += [f"/b/{name}/{number}" for name in ("1", "2") for number in range(600)]
    read_by_requests(paths)


def of_pairs(levels):
    level, paths = [""], []
    for _ in range(levels):
        level = [f"{path}/{name}" for path in level for name in "ab"]
        paths += level
    return paths


# Names of many nodes are asked for behind their data, and those of nodes behind them before that.
SHAPES = {
    **{
        f"{width} chains": [
            f"/{number:04}" + "/x" * depth for number in range(width) for depth in range(3)
        ]
        for width in (400, 501, 540, 1001)
    },
    "pairs": of_pairs(11),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_families_are_under_their_parents_in_any_order(zookeeper, handle, shape):
    paths = SHAPES[shape]
    zookeeper.write_many(handle, [("create", path, path, OPEN) for path in paths])
    tree = zookeeper.read_tree(handle, "/", nested=True)
    assert [node.path for node in tree][1:] == sorted(paths, key=lambda path: path.split("/"))
    found, to_do = [], [("", tree.nested())]
    for path, (text, _, children) in to_do:
        assert text == path
        found.append(path)
        to_do += [(f"{path}/{name}", child) for name, child in (children or {}).items()]
    assert sorted(found[1:]) == sorted(paths)


@pytest.mark.parametrize("length", [300_000, 520_000, 530_000, 900_000])
def test_long_paths_are_asked_for_twice_in_no_request(
    zookeeper, handle, connect, proxy, root, length
):
    zookeeper.create(handle, f"/{'x' * length}", "data", OPEN)
    session = connect(hosts=proxy.connection_string + root, recv_timeout=LONG_SESSION)
    tree = zookeeper.read_tree(session, "/")
    assert [(len(node.path), node.data) for node in tree] == [(1, ""), (1 + length, "data")]
    assert proxy.requests[Op.MULTI_READ] == 2


def test_both_reads_of_a_node_are_repeated_after_a_loss(zookeeper, handle, connect, proxy, root):
    paths = ["/a", "/a/b", "/a/b/c", "/d"]
    zookeeper.write_many(handle, [("create", path, path, OPEN) for path in paths])
    session = connect(hosts=proxy.connection_string + root, recv_timeout=LONG_SESSION)
    asked = []

    def lose_the_first(request):
        if request.op == Op.MULTI_READ:
            asked.append([op for op, _ in operations_of(request.frame)])
        return request.op != Op.MULTI_READ or len(asked) > 1

    proxy.on_request = lose_the_first
    tree = zookeeper.read_tree(session, "/")
    assert [node.path for node in tree] == ["/", *paths]
    assert asked[:3] == [BOTH, [Op.GET_DATA], [Op.GET_CHILDREN]]


NO_NODE, NO_AUTH = -101, -102


def data(children):
    stat = p.STAT.pack(*range(1, 10), children, 11)
    return result(Op.GET_DATA, p.buffer(b"data") + stat)


def names(*children):
    return result(Op.GET_CHILDREN, p.texts([*children]))


def error(code):
    return result(-1, p.number(code), error=code)


# The two results for /x, how many of its children are read, and what is wrong with it.
BETWEEN = {
    "nothing": (data(2), names("a", "b"), 2, None),
    "the children come": (data(0), names("a", "b"), 0, None),
    "the children go": (data(2), names(), 0, None),
    "more children come": (data(1), names("a", "b", "c"), 3, None),
    "the node goes": (data(2), error(NO_NODE), 0, NO_NODE),
    "the node without children goes": (data(0), error(NO_NODE), 0, NO_NODE),
    "the node comes": (error(NO_NODE), names("a", "b"), 0, NO_NODE),
    "the node is closed": (data(2), error(NO_AUTH), 0, NO_AUTH),
    "the node is opened": (error(NO_AUTH), names("a", "b"), 0, NO_AUTH),
    "the node was closed and goes": (error(NO_AUTH), error(NO_NODE), 0, NO_AUTH),
}


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("ways", [{}, {"nested": True}], ids=["plain", "nested"])
def test_a_node_that_changes_between_its_two_reads_is_one_of_both(zookeeper, opened, between, ways):
    first, second, count, code = BETWEEN[between]
    end = result(-1, is_end=b"\1", error=-1)

    def answer(request, good):
        if request.op != Op.MULTI_READ:
            return [good]
        results = b""
        for op, path in operations_of(request.frame):
            if path == "/":
                results += data(1) if op == Op.GET_DATA else names("x")
            elif path == "/x":
                results += first if op == Op.GET_DATA else second
            else:
                results += data(0) if op == Op.GET_DATA else names()
        return [p.framed(header(request.xid) + results + end)]

    with hostility() as running:
        server = running.serve(Scenario("between", answer=answer))
        session = zookeeper.init(server.connection_string, None, LONG_SESSION)
        opened.append(session)
        wait_until_connected(zookeeper, session)
        tree = zookeeper.read_tree(session, "/", **ways)
    found = {node.path: node for node in tree}
    below = [f"/x/{name}" for name in "abc"[:count]]
    assert sorted(found) == ["/", *([] if code == NO_NODE else ["/x"]), *below]
    if code != NO_NODE:
        problem = found["/x"].error
        assert (problem and problem.code) == code
    assert [found[path].data for path in below] == count * ["data"]
    if ways:
        children = tree.nested()[2]
        assert sorted(children) == ([] if code == NO_NODE else ["x"])
        if children:
            assert sorted(children["x"][2] or {}) == list("abc"[:count])
