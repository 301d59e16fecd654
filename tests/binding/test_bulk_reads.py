"""Reading many nodes at once, by path or as a subtree."""

from __future__ import annotations

import itertools
import struct

import pytest

from tests.calls import Calls
from tests.deadlines import wait_until
from tests.sessions import OPEN

SECRET = [{"perms": 12, "scheme": "world", "id": "anyone"}]  # create and delete, no reading


def plant(zookeeper, handle, *paths):
    zookeeper.write_many(handle, [("create", path, f"data of {path}", OPEN) for path in paths])


def describe(exception):
    return None if exception is None else (type(exception), exception.path)


def test_get_many_gives_data_and_stat_for_each_path_in_order(zookeeper, handle):
    plant(zookeeper, handle, "/b", "/a", "/a/c")
    paths = ["/a/c", "/b", "/", "/a", "/b"]
    assert zookeeper.get_many(handle, paths) == [zookeeper.get(handle, path) for path in paths]
    assert zookeeper.get_many(handle, []) == []
    assert zookeeper.get_many(handle, iter(["/b"])) == [zookeeper.get(handle, "/b")]


def test_get_children_many_gives_the_names_for_each_path(zookeeper, handle):
    plant(zookeeper, handle, "/a", "/a/x", "/a/y", "/b")
    results = zookeeper.get_children_many(handle, ["/a", "/b", "/"])
    assert [sorted(names) for names in results] == [["x", "y"], [], ["a", "b"]]
    assert zookeeper.get_children_many(handle, []) == []


def test_get_acl_many_gives_stat_and_acl_for_each_path_in_order(zookeeper, handle):
    plant(zookeeper, handle, *(f"/{number:04}" for number in range(3000)))
    admin_only = [{"perms": 16, "scheme": "world", "id": "anyone"}]
    zookeeper.set_acl(handle, "/0007", -1, [*SECRET, *admin_only])
    zookeeper.set_acl(handle, "/0009", -1, SECRET)
    paths = ["/0007", "/", *(f"/{number:04}" for number in range(3000)), "/missing"]
    found = zookeeper.get_acl_many(handle, paths)
    assert found[:2] == [zookeeper.get_acl(handle, path) for path in paths[:2]]
    assert [acl for _, acl in found[2:9]] == [OPEN] * 7
    assert describe(found[11]) == (zookeeper.NoAuthException, "/0009")
    assert describe(found[-1]) == (zookeeper.NoNodeException, "/missing")
    assert found[3001] == zookeeper.get_acl(handle, "/2999")
    assert found.zxid >= zookeeper.exists(handle, "/2999")["czxid"]
    assert zookeeper.get_acl_many(handle, []) == []


def test_a_node_that_cannot_be_read_is_an_exception_among_the_results(zookeeper, handle):
    plant(zookeeper, handle, "/a", "/z")
    zookeeper.create(handle, "/secret", "", SECRET)
    paths = ["/a", "/missing", "/secret", "/z"]
    first, missing, secret, last = zookeeper.get_many(handle, paths)
    assert (first[0], last[0]) == ("data of /a", "data of /z")
    assert describe(missing) == (zookeeper.NoNodeException, "/missing")
    assert describe(secret) == (zookeeper.NoAuthException, "/secret")

    first, missing, secret, last = zookeeper.get_children_many(handle, paths)
    assert (first, last) == ([], [])
    assert describe(missing) == (zookeeper.NoNodeException, "/missing")
    assert describe(secret) == (zookeeper.NoAuthException, "/secret")


def test_a_subtree_that_is_read_says_how_new_it_is(zookeeper, handle):
    plant(zookeeper, handle, "/a", "/a/b")

    def numbers():
        return {
            zookeeper.get_many(handle, ["/a", "/missing"]).zxid,
            zookeeper.get_children_many(handle, ["/a"]).zxid,
            zookeeper.read_tree(handle, "/a").zxid,
        }

    # Sessions of earlier tests may still be ending, which are changes, too.
    wait_until(lambda: len(numbers()) == 1, "nothing changes")
    before = numbers()
    assert min(before) >= zookeeper.get(handle, "/a/b")[1]["czxid"]
    changed = zookeeper.set2(handle, "/a/b", "changed")["mzxid"]
    assert max(before) < changed <= min(numbers())
    assert zookeeper.get_many(handle, []).zxid == 0


def test_reads_come_after_the_writes_before_them(zookeeper, handle):
    """Asynchronous writes and bulk reads share one session and its order.

    So a session reads its own writes (read-your-writes).
    """
    zookeeper.create(handle, "/a", "", OPEN)
    for number in range(100):
        zookeeper.aset(handle, "/a", str(number))
        assert zookeeper.get_many(handle, ["/a"])[0][0] == str(number)
        zookeeper.acreate(handle, f"/a/{number:03}", "", OPEN)
        assert len(zookeeper.read_tree(handle, "/a")) == number + 2


def test_thousands_of_paths_are_read_in_order(zookeeper, handle):
    paths = [f"/{number:05}" for number in range(5000)]
    plant(zookeeper, handle, *paths)
    mixed = [name for path in paths for name in (path, f"{path}x")]
    results = zookeeper.get_many(handle, mixed)
    assert [data for data, _ in results[::2]] == [f"data of {path}" for path in paths]
    assert {type(result) for result in results[1::2]} == {zookeeper.NoNodeException}
    assert [result.path for result in results[1::2]] == mixed[1::2]


def test_an_answer_may_be_much_larger_than_a_request(zookeeper, handle):
    paths = [f"/{number}" for number in range(20)]
    big = "0123456789" * 50_000
    zookeeper.write_many(handle, [("create", path, big + path, OPEN) for path in paths])
    assert [data for data, _ in zookeeper.get_many(handle, paths)] == [big + p for p in paths]
    assert [node.data for node in zookeeper.read_tree(handle, "/")][1:] == sorted(
        big + path for path in paths
    )


def test_long_paths_are_split_over_requests(zookeeper, handle):
    """The paths alone are several megabytes: more than one request may hold."""
    stem = "/" + "n" * 9000
    zookeeper.create(handle, stem, "", OPEN)
    paths = [f"{stem}/{number:04}" for number in range(400)]
    plant(zookeeper, handle, *paths)
    results = zookeeper.get_many(handle, paths)
    assert [data for data, _ in results] == [f"data of {path}" for path in paths]
    assert [node.path for node in zookeeper.read_tree(handle, stem)] == [stem, *paths]


def test_a_subtree_is_read_depth_first_with_children_by_name(zookeeper, handle):
    plant(zookeeper, handle, "/b", "/b/z", "/b/y", "/a", "/a/10", "/a/9", "/a/9/x", "/a-b", "/a.b")
    tree = zookeeper.read_tree(handle, "/")
    expected = ["/", "/a", "/a/10", "/a/9", "/a/9/x", "/a-b", "/a.b", "/b", "/b/y", "/b/z"]
    assert [node.path for node in tree] == expected
    assert [node.depth for node in tree] == [0, 1, 2, 2, 3, 1, 1, 1, 2, 2]
    assert [node.name for node in tree] == [path.rpartition("/")[2] for path in expected]
    for node in tree:
        assert (node.data, node.stat) == zookeeper.get(handle, node.path)
        assert node.error is None
        assert struct.unpack("@4q3iq2iq", node.packed_stat) == tuple(node.stat.values())
        assert node.version == node.stat["version"]
        assert node.ephemeralOwner == node.stat["ephemeralOwner"]
        assert node.numChildren == node.stat["numChildren"]


@pytest.mark.parametrize("nested", [False, True], ids=["later", "meanwhile"])
def test_a_subtree_is_had_as_nested_tuples(zookeeper, handle, nested):
    plant(zookeeper, handle, "/b", "/b/z", "/b/y", "/a", "/a/9", "/a/9/x")
    zookeeper.create(handle, "/secret", "", SECRET)
    tree = zookeeper.read_tree(handle, "/", nested=nested)
    by_path = {node.path: node for node in tree}
    seen = []
    to_do = [("/", tree.nested())]
    while to_do:
        path, (data, known, children) = to_do.pop()
        node = by_path[path]
        seen.append(path)
        if path == "/secret":
            assert (data, describe(known), children) == (None, describe(node.error), None)
            continue
        assert (data, known) == (node.data, node.packed_stat)
        assert (children is None) == (node.numChildren == 0)
        start = path.rstrip("/")
        to_do += [(f"{start}/{name}", child) for name, child in (children or {}).items()]
    assert sorted(seen) == sorted(by_path)
    assert tree.unreadable == ["/secret"]
    assert zookeeper.read_tree(handle, "/b").nested()[2].keys() == {"y", "z"}
    assert zookeeper.read_tree(handle, "/secret").unreadable == ["/secret"]
    below = zookeeper.read_tree(handle, "/b", nested=nested)
    one, other = below.nested(), below.nested()
    assert one == other
    assert one[2] is not other[2]  # each is its caller's


@pytest.mark.not_emulated("it has no network")
def test_nested_tuples_are_made_while_a_slow_network_brings_the_nodes(
    zookeeper, handle, connect, proxy, root
):
    folders = [f"/f{number}" for number in range(30)]
    plant(zookeeper, handle, *folders, *(f"{path}/{n}" for path in folders for n in range(60)))
    whole = zookeeper.read_tree(handle, "/").nested()
    through = connect(hosts=proxy.connection_string + root)
    proxy.delay(150)
    told = Calls()
    tree = zookeeper.read_tree(through, "/", nested=True, progress=told)
    assert len(told) > 2  # it was looked at meanwhile
    assert tree.nested() == whole
    assert len(tree) == len(list(tree)) == 1 + 30 * 61
    later = Calls()
    zookeeper.aread_tree(through, "/", later, nested=True)
    (_, code, tree) = later.wait_one()
    assert code == zookeeper.OK
    assert tree.nested() == whole
    assert [node.path for node in tree][:3] == ["/", "/f0", "/f0/0"]


class Taker:
    """Keeps what it is given, and raises the faults, one at a time; takes so many times."""

    def __init__(self, *faults, most=None):
        self.taken = []
        self.times = 0
        self._faults = [*faults]
        self._most = most

    def take(self, nodes):
        self.times += 1
        self.taken += [(node.path, node.depth, node.data, describe(node.error)) for node in nodes]
        if self._faults:
            raise self._faults.pop()
        return self.times != self._most


def arrivals(tree):
    return list(struct.unpack(f"@{len(tree)}q", tree.arrivals))


def as_taken(tree):
    return [(node.path, node.depth, node.data, describe(node.error)) for node in tree]


def test_arrivals_are_the_places_of_nodes_in_the_order_of_reading(zookeeper, handle):
    plant(zookeeper, handle, "/b", "/b/z", "/a", "/a/9")
    tree = zookeeper.read_tree(handle, "/")
    assert sorted(arrivals(tree)) == [0, 1, 2, 3, 4]
    assert arrivals(tree)[0] == 0
    assert arrivals(zookeeper.read_tree(handle, "/b/z")) == [0]


@pytest.mark.not_emulated("it has no network")
@pytest.mark.parametrize("is_waited_for", [True, False], ids=["waits", "later"])
def test_nodes_are_handed_out_while_a_slow_network_brings_more(
    zookeeper, handle, connect, proxy, root, is_waited_for
):
    folders = [f"/f{number}" for number in range(30)]
    plant(zookeeper, handle, *folders, *(f"{path}/{n}" for path in folders for n in range(60)))
    plant(zookeeper, handle, *("/a" + "/b" * depth for depth in range(7)))  # waited for in vain
    zookeeper.create(handle, "/secret", "", SECRET)
    through = connect(hosts=proxy.connection_string + root)
    proxy.delay(150)
    taker = Taker()
    if is_waited_for:
        tree = zookeeper.read_tree(through, "/", nodes=taker)
    else:
        later = Calls()
        zookeeper.aread_tree(through, "/", later, nodes=taker)
        (_, code, tree) = later.wait_one()
        assert code == zookeeper.OK
    numbers = arrivals(tree)
    whole = as_taken(tree)
    assert len(whole) == 2 + 7 + 30 * 61
    assert len(set(numbers)) == len(whole)
    by_number = dict(zip(numbers, whole, strict=True))
    assert taker.taken == [by_number[number] for number in range(len(taker.taken))]
    assert (zookeeper.NoAuthException, "/secret") in [fault for *_, fault in taker.taken]
    assert taker.times > 1
    assert len(taker.taken) > 30
    proxy.delay(50)
    few = Taker(most=1)
    assert len(zookeeper.read_tree(through, "/", nodes=few)) == len(whole)
    assert few.times == 1


@pytest.mark.not_emulated("it has no network")
def test_nodes_are_handed_out_depth_first_where_those_in_front_are_there(
    zookeeper, handle, connect, proxy, root
):
    folders = [f"/f{number}" for number in range(30)]
    plant(zookeeper, handle, *folders, *(f"{path}/{n}" for path in folders for n in range(60)))
    through = connect(hosts=proxy.connection_string + root)
    proxy.delay(150)
    taker = Taker()
    tree = zookeeper.read_tree(through, "/", nodes=taker)
    assert taker.taken == as_taken(tree)[: len(taker.taken)]
    assert taker.taken
    assert arrivals(tree)[: len(taker.taken)] == list(range(len(taker.taken)))


@pytest.mark.not_emulated("it has no network")
def test_a_node_that_vanishes_meanwhile_is_handed_out_as_gone(
    zookeeper, handle, connect, proxy, root
):
    """It is gone when its children are asked for."""
    plant(zookeeper, handle, "/a", "/a/x", "/b", "/b/y", "/b/y/z")
    through = connect(hosts=proxy.connection_string + root)
    proxy.delay(200)
    taker, later = Taker(), Calls()
    zookeeper.aread_tree(through, "/", later, nodes=taker)
    for path in ("/a/x", "/a"):
        zookeeper.delete(handle, path)
    (_, code, tree) = later.wait_one()
    assert code == zookeeper.OK
    assert "/a" not in [node.path for node in tree]
    by_number = dict(zip(arrivals(tree), as_taken(tree), strict=True))
    for number, taken in enumerate(taker.taken):
        assert by_number.get(number, taken) == taken
        if number not in by_number:
            assert taken[-1] in [(zookeeper.NoNodeException, path) for path in ("/a", "/a/x")]


@pytest.mark.not_emulated("it has no network")
def test_a_taker_that_raises_ends_the_read(zookeeper, handle, connect, proxy, root, caplog):
    folders = [f"/f{number}" for number in range(30)]
    plant(zookeeper, handle, *folders, *(f"{path}/{n}" for path in folders for n in range(60)))
    through = connect(hosts=proxy.connection_string + root)
    proxy.delay(150)
    with pytest.raises(LookupError, match="enough"):
        zookeeper.read_tree(through, "/", nodes=Taker(LookupError("enough")))
    later = Calls()
    zookeeper.aread_tree(through, "/", later, nodes=Taker(LookupError("enough")))
    (_, code, tree) = later.wait_one()
    assert (code, tree) == (zookeeper.NOTHING, None)
    assert "what is made of nodes of handle" in caplog.text
    assert len(zookeeper.read_tree(through, "/f1")) == 61


def test_anything_that_takes_no_nodes_is_refused_before_a_read(zookeeper, handle):
    for read in (zookeeper.read_tree, zookeeper.aread_tree):
        with pytest.raises(TypeError, match="nodes must have a method take: 3"):
            read(handle, "/", nodes=3)


def test_a_subtree_is_a_sequence(zookeeper, handle):
    plant(zookeeper, handle, "/a", "/b", "/c")
    tree = zookeeper.read_tree(handle, "/")
    assert len(tree) == 4
    assert tree[1].path == tree[-3].path == "/a"
    assert [node.path for node in tree[1:3]] == ["/a", "/b"]
    assert [node.path for node in reversed(tree)] == ["/c", "/b", "/a", "/"]
    with pytest.raises(IndexError):
        tree[4]


def test_a_node_outlives_the_subtree_it_came_from(zookeeper, handle):
    plant(zookeeper, handle, "/a")
    node = zookeeper.read_tree(handle, "/")[1]
    assert (node.path, node.data) == ("/a", "data of /a")


def test_the_root_of_a_subtree_may_be_any_node(zookeeper, handle):
    plant(zookeeper, handle, "/a", "/a/b", "/a/b/c", "/ab")
    tree = zookeeper.read_tree(handle, "/a/b")
    assert [(node.path, node.name, node.depth) for node in tree] == [
        ("/a/b", "b", 0),
        ("/a/b/c", "c", 1),
    ]


def test_a_missing_root_raises_no_node(zookeeper, handle):
    with pytest.raises(zookeeper.NoNodeException, match=r"^no node: /missing$"):
        zookeeper.read_tree(handle, "/missing")


def test_a_node_that_may_not_be_read_is_in_the_subtree_with_its_error(zookeeper, handle):
    plant(zookeeper, handle, "/a", "/z")
    zookeeper.create(handle, "/secret", "", SECRET)
    zookeeper.create(handle, "/secret/below", "", OPEN)
    tree = zookeeper.read_tree(handle, "/")
    assert [node.path for node in tree] == ["/", "/a", "/secret", "/z"]
    secret = tree[2]
    assert describe(secret.error) == (zookeeper.NoAuthException, "/secret")
    assert (secret.data, secret.stat, secret.packed_stat) == (None, None, None)
    assert zookeeper.read_tree(handle, "/secret/below")[0].error is None
    zookeeper.delete(handle, "/secret/below")


def test_a_root_that_may_not_be_read_is_in_the_subtree_with_its_error(zookeeper, handle):
    zookeeper.create(handle, "/secret", "", SECRET)
    (node,) = zookeeper.read_tree(handle, "/secret")
    assert describe(node.error) == (zookeeper.NoAuthException, "/secret")


def test_ephemeral_nodes_show_their_owner(zookeeper, handle):
    zookeeper.create(handle, "/e", "", OPEN, zookeeper.EPHEMERAL)
    node = zookeeper.read_tree(handle, "/e")[0]
    assert node.ephemeralOwner == zookeeper.client_id(handle)[0]


def test_a_wide_and_a_deep_tree_are_read_whole(zookeeper, handle):
    wide = ["/wide", *(f"/wide/{number:05}" for number in range(5000))]
    deep = list(itertools.accumulate(f"/{number % 10}" for number in range(1000)))
    plant(zookeeper, handle, *wide, *deep)
    paths = [node.path for node in zookeeper.read_tree(handle, "/")]
    assert paths == ["/", *deep, *wide]


@pytest.mark.not_emulated("the caller's thread does everything: nothing goes on meanwhile")
def test_a_read_of_a_subtree_survives_what_others_do_to_it(zookeeper, handle, connect):
    """Other clients race the read: they create and delete nodes all the time.

    No exception is raised, and the nodes that nobody touches are all there.
    """
    lasting = [f"/{name}" for name in "abcdefgh"] + [f"/a/{number:03}" for number in range(300)]
    plant(zookeeper, handle, *lasting)
    other = connect()
    stop: list[bool] = []

    def churn(*_):
        if stop:
            return
        for name in "abcdefgh":
            for number in range(10):
                zookeeper.acreate(other, f"/{name}/new-{number}", "", OPEN)
            for number in range(10):
                zookeeper.adelete(other, f"/{name}/new-{number}")
        zookeeper.async_(other, "/", churn)

    churn()
    try:
        for _ in range(30):
            tree = zookeeper.read_tree(handle, "/")
            paths = [node.path for node in tree]
            assert all(node.error is None for node in tree)
            assert len(set(paths)) == len(paths)
            assert set(lasting) <= set(paths)
    finally:
        stop.append(True)
        zookeeper.close(other)


def test_progress_is_told_how_much_is_done(zookeeper, handle):
    plant(zookeeper, handle, *(f"/{number}" for number in range(100)))
    told = []
    zookeeper.read_tree(handle, "/", progress=lambda *arguments: told.append(arguments))
    assert told[-1] == (101, None)


@pytest.mark.parametrize("call", ["get_many", "get_children_many"])
@pytest.mark.parametrize("count", [0, 1, 100])
def test_progress_is_told_of_the_end(zookeeper, handle, call, count):
    told = []
    paths = ["/"] * count
    getattr(zookeeper, call)(handle, paths, progress=lambda *arguments: told.append(arguments))
    assert told[-1] == (count, count)


@pytest.mark.parametrize("call", ["get_many", "get_children_many"])
def test_one_path_instead_of_a_list_is_refused(zookeeper, handle, call):
    """Each of its characters would be read as a path otherwise."""
    for paths in ("/a", b"/a", 7, None, [7], [b"/a"], [None]):
        with pytest.raises(TypeError):
            getattr(zookeeper, call)(handle, paths)
