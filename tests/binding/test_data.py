"""The data of a node: null, empty, text, any bytes, up to a request's limit."""

from __future__ import annotations

import pytest

from tests.calls import Calls
from tests.sessions import OPEN

pytestmark = pytest.mark.quick

ALL_BYTES = bytes(range(256))

WRITTEN_AND_READ = [
    pytest.param(None, None, id="null"),
    pytest.param("", "", id="empty text"),
    pytest.param(b"", "", id="empty bytes"),
    pytest.param("text", "text", id="text"),
    pytest.param("zażółć \N{SNOWMAN} \U0001f418", "zażółć \N{SNOWMAN} \U0001f418", id="unicode"),
    pytest.param(b"a\0b", "a\0b", id="null byte"),
    pytest.param("a\0b", "a\0b", id="null character"),
    pytest.param("\0", "\0", id="only a null character"),
    pytest.param(ALL_BYTES, ALL_BYTES.decode("utf-8", "surrogateescape"), id="all bytes"),
    pytest.param("\udc80\udcff", "\udc80\udcff", id="escaped bytes"),
]


@pytest.mark.parametrize(("written", "read"), WRITTEN_AND_READ)
def test_data_reads_as_it_was_written_by_create_and_by_set(zookeeper, handle, written, read):
    zookeeper.create(handle, "/created", written, OPEN)
    zookeeper.create(handle, "/set", "other", OPEN)
    zookeeper.set(handle, "/set", written)
    zookeeper.create(handle, "/set2", "other", OPEN)
    zookeeper.set2(handle, "/set2", written)
    for path in ("/created", "/set", "/set2"):
        assert zookeeper.get(handle, path)[0] == read


@pytest.mark.parametrize(("written", "read"), WRITTEN_AND_READ)
def test_data_reads_as_it_was_written_by_asynchronous_calls(zookeeper, handle, written, read):
    answers = Calls()
    zookeeper.acreate(handle, "/created", written, OPEN, 0, answers)
    zookeeper.acreate(handle, "/set", "other", OPEN, 0, answers)
    zookeeper.aset(handle, "/set", written, -1, answers)
    answers.wait(3)
    for path in ("/created", "/set"):
        completion = Calls()
        zookeeper.aget(handle, path, None, completion)
        assert completion.wait_one()[2] == read


@pytest.mark.parametrize(("written", "read"), WRITTEN_AND_READ)
def test_data_reads_as_it_was_written_by_bulk_calls(zookeeper, handle, written, read):
    zookeeper.multi(handle, [("create", "/m", written, OPEN), ("create2", "/m2", written, OPEN)])
    zookeeper.write_many(
        handle, [("create", "/w", "x", OPEN), ("set", "/w", written), ("create", "/z", "", OPEN)]
    )
    paths = ["/m", "/m2", "/w"]
    assert [data for data, _ in zookeeper.get_many(handle, paths)] == [read] * 3
    tree = {node.path: node.data for node in zookeeper.read_tree(handle, "/")}
    assert [tree[path] for path in paths] == [read] * 3
    watched, _, _ = zookeeper.watch_many(handle, data=paths, watcher=Calls())
    assert [data for data, _ in watched] == [read] * 3


def test_text_with_lone_surrogates_is_refused_with_the_path(zookeeper, handle):
    with pytest.raises(zookeeper.BadArgumentsException, match=r"/a.*UTF-8"):
        zookeeper.create(handle, "/a", "\ud800", OPEN)


def test_names_may_hold_most_of_unicode(zookeeper, handle):
    name = "zażółć \N{SNOWMAN} => = -> '\" \\"
    assert zookeeper.create(handle, f"/{name}", "", OPEN) == f"/{name}"
    assert zookeeper.get_children(handle, "/") == [name]
    assert zookeeper.get_children_many(handle, ["/"]) == [[name]]
    assert [node.path for node in zookeeper.read_tree(handle, "/")] == ["/", f"/{name}"]


def test_a_megabyte_of_data_makes_the_round_trip(zookeeper, handle):
    data = "0123456789" * 100_000
    zookeeper.create(handle, "/big", data, OPEN)
    assert zookeeper.get(handle, "/big")[0] == data
    zookeeper.set(handle, "/big", data[::-1])
    assert zookeeper.get(handle, "/big")[0] == data[::-1]
    assert zookeeper.get_many(handle, ["/big"] * 3)[2][0] == data[::-1]


@pytest.mark.parametrize("size", [1_048_576, 5_000_000, 100_000_000])
def test_data_over_the_limit_is_refused_before_it_is_sent(zookeeper, handle, size):
    """The server would close the connection, and every call under way would fail."""
    zookeeper.create(handle, "/a", "small", OPEN)
    too_much = bytes(size)
    calls = {
        "create": lambda: zookeeper.create(handle, "/b", too_much, OPEN),
        "create2": lambda: zookeeper.create2(handle, "/b", too_much, OPEN),
        "acreate": lambda: zookeeper.acreate(handle, "/b", too_much, OPEN),
        "set": lambda: zookeeper.set(handle, "/a", too_much),
        "set2": lambda: zookeeper.set2(handle, "/a", too_much),
        "aset": lambda: zookeeper.aset(handle, "/a", too_much),
        "multi": lambda: zookeeper.multi(handle, [("set", "/a", too_much)]),
        "amulti": lambda: zookeeper.amulti(handle, [("set", "/a", too_much)]),
        "write_many": lambda: zookeeper.write_many(handle, [("set", "/a", too_much)]),
    }
    for name, call in calls.items():
        with pytest.raises(zookeeper.BadArgumentsException) as raised:
            call()
        message = str(raised.value)
        assert raised.value.path in ("/a", "/b"), name
        assert raised.value.path in message, name
        assert "limit of 1048575" in message, name
    assert zookeeper.get(handle, "/a")[0] == "small"


def test_a_transaction_over_the_limit_is_refused_before_it_is_sent(zookeeper, handle):
    ops = [("create", f"/{number}", bytes(300_000), OPEN) for number in range(4)]
    with pytest.raises(zookeeper.BadArgumentsException, match="limit of 1048575"):
        zookeeper.multi(handle, ops)
    assert zookeeper.get_children(handle, "/") == []
    # write_many makes several transactions of them.
    assert zookeeper.write_many(handle, ops) == ["/0", "/1", "/2", "/3"]


def test_the_largest_data_that_is_accepted_reaches_the_server(zookeeper, handle):
    """No gap lies between our limit and the server's.

    The server takes the largest request that we send.
    """

    def fits(size):
        try:
            zookeeper.set(handle, "/a", bytes(size))
        except zookeeper.BadArgumentsException:
            return False
        return True

    zookeeper.create(handle, "/a", "", OPEN)
    accepted, refused = 1_000_000, 1_048_576
    while refused - accepted > 1:
        middle = (accepted + refused) // 2
        if fits(middle):
            accepted = middle
        else:
            refused = middle
    assert len(zookeeper.get(handle, "/a")[0]) <= accepted
    assert zookeeper.exists(handle, "/a")["dataLength"] > 1_000_000
    assert accepted > 1_048_000


def test_the_limit_is_the_handles_own(zookeeper, connect):
    handle = connect(max_request=1000)
    zookeeper.create(handle, "/a", bytes(800), OPEN)
    with pytest.raises(zookeeper.BadArgumentsException, match="limit of 1000"):
        zookeeper.create(handle, "/b", bytes(1001), OPEN)


def test_a_path_over_the_limit_is_refused_before_it_is_sent(zookeeper, handle):
    path = "/" + "p" * 1_100_000
    calls = [
        lambda: zookeeper.get(handle, path),
        lambda: zookeeper.exists(handle, path),
        lambda: zookeeper.delete(handle, path),
        lambda: zookeeper.get_children(handle, path),
        lambda: zookeeper.get_acl(handle, path),
        lambda: zookeeper.create(handle, path, "", OPEN),
        lambda: zookeeper.sync(handle, path),
        lambda: zookeeper.aget(handle, path),
        lambda: zookeeper.get_many(handle, [path]),
        lambda: zookeeper.read_tree(handle, path),
        lambda: zookeeper.multi(handle, [("delete", path)]),
        lambda: zookeeper.watch_many(handle, data=[path], watcher=print),
    ]
    for call in calls:
        with pytest.raises(zookeeper.BadArgumentsException) as raised:
            call()
        assert len(str(raised.value)) < 5000
    assert zookeeper.get_children(handle, "/") == []
