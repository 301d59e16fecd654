"""The requests that reading a tree takes: what they ask for, and how much in each."""

from __future__ import annotations

import struct

import pytest

from tests.deadlines import LONG_SESSION
from tests.sessions import OPEN
from tests.wireframes import Op

pytestmark = pytest.mark.not_emulated("it has no network")

READS_IN_A_REQUEST = 500

FIRST_OPERATION = struct.Struct(">i")
# Behind the frame's length, the request's number and operation.
FIRST_OPERATION_AT = 12


@pytest.fixture
def read_by_requests(zookeeper, handle, connect, proxy, root):
    """Return a function that makes and reads a tree: the first operation of each request."""
    asked: list[int] = []

    def note(request):
        if request.op == Op.MULTI_READ:
            asked.extend(FIRST_OPERATION.unpack_from(request.frame, FIRST_OPERATION_AT))
        return True

    def read(paths):
        zookeeper.write_many(handle, [("create", path, "", OPEN) for path in paths])
        session = connect(hosts=proxy.connection_string + root, recv_timeout=LONG_SESSION)
        proxy.on_request = note
        tree = zookeeper.read_tree(session, "/")
        assert sorted(node.path for node in tree) == sorted(["/", *paths])
        return asked

    return read


def test_the_names_of_a_wide_node_make_requests_no_smaller(read_by_requests):
    count = 6 * READS_IN_A_REQUEST
    asked = read_by_requests([f"/{'name' * 25}-{number}" for number in range(count)])
    assert asked == [Op.GET_DATA, Op.GET_CHILDREN, *6 * [Op.GET_DATA]]


@pytest.mark.parametrize(("length", "requests"), [(10, 1), (150, 2)])
def test_long_names_are_asked_for_in_more_requests(read_by_requests, length, requests):
    parents = [f"/{number:0{length}}" for number in range(120)]
    asked = read_by_requests(
        [*parents, *(f"{parent}/{number}" for parent in parents for number in range(120))]
    )
    assert asked.count(Op.GET_CHILDREN) == 1 + requests


def test_siblings_of_several_families_come_in_order(zookeeper, handle):
    paths = ["/a", "/b", "/c"]
    paths += [f"{parent}/{name}" for parent in ("/a", "/b", "/c") for name in ("2", "10", "1")]
    paths += [f"/b/{name}/{number}" for name in ("1", "2") for number in range(600)]
    zookeeper.write_many(handle, [("create", path, path, OPEN) for path in paths])
    tree = zookeeper.read_tree(handle, "/")
    assert [node.path for node in tree][1:] == sorted(paths, key=lambda path: path.split("/"))
    assert all(node.data == node.path for node in list(tree)[1:])
