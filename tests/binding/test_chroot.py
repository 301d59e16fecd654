"""A connection string that ends in a path (a chroot).

No call and no callback shows what is above it.
"""

from __future__ import annotations

import pytest

from tests.calls import Calls
from tests.sessions import OPEN, wait_until_delivered


@pytest.fixture
def top(zookeeper, connect, connection_string):
    """Return a session without a chroot."""
    return connect(hosts=connection_string)


@pytest.fixture
def inner(connect, handle):
    """Return a session with the chroot, which is the path of the root."""
    return handle


def test_nodes_are_made_below_the_chroot(zookeeper, inner, top, root):
    assert zookeeper.create(inner, "/a", "data", OPEN) == "/a"
    assert zookeeper.get(top, f"{root}/a")[0] == "data"
    assert zookeeper.get(inner, "/a") == zookeeper.get(top, f"{root}/a")
    assert zookeeper.exists(inner, root) is None


def test_the_chroot_itself_is_the_slash(zookeeper, inner, top, root):
    assert zookeeper.get(inner, "/") == zookeeper.get(top, root)
    assert zookeeper.get_children(inner, "/") == []
    zookeeper.set(inner, "/", "changed")
    assert zookeeper.get(top, root)[0] == "changed"
    assert zookeeper.get_acl(inner, "/")[1] == OPEN


def test_sequence_names_come_without_the_chroot(zookeeper, inner, top, root):
    assert zookeeper.create(inner, "/s-", "", OPEN, zookeeper.SEQUENCE) == "/s-0000000000"
    path, stat = zookeeper.create2(inner, "/s-", "", OPEN, zookeeper.SEQUENCE)
    assert path == "/s-0000000001"
    assert stat == zookeeper.exists(top, f"{root}/s-0000000001")
    completion = Calls()
    zookeeper.acreate(inner, "/s-", "", OPEN, zookeeper.SEQUENCE, completion)
    zookeeper.acreate2(inner, "/s-", "", OPEN, zookeeper.SEQUENCE, completion)
    assert [call[2] for call in completion.wait(2)] == ["/s-0000000002", "/s-0000000003"]


def test_transactions_work_below_the_chroot(zookeeper, inner, top, root):
    results = zookeeper.multi(
        inner,
        [
            ("create", "/a", "", OPEN),
            ("create2", "/b", "", OPEN),
            ("create", "/s-", "", OPEN, zookeeper.SEQUENCE),
            ("check", "/a"),
            ("delete", "/a"),
            ("set", "/b", "x"),
            ("set", "/", "y"),
        ],
    )
    assert (results[0], results[1][0], results[2]) == ("/a", "/b", "/s-0000000002")
    assert sorted(zookeeper.get_children(top, root)) == ["b", "s-0000000002"]
    completion = Calls()
    zookeeper.amulti(inner, [("create", "/c", "", OPEN)], completion)
    assert completion.wait_one()[2] == ["/c"]
    assert zookeeper.write_many(inner, [("create", "/d", "", OPEN)]) == ["/d"]
    assert zookeeper.exists(top, f"{root}/d") is not None
    with pytest.raises(zookeeper.NoNodeException, match=r"^no node: /missing$"):
        zookeeper.multi(inner, [("delete", "/missing")])


def test_errors_name_the_path_as_it_was_given(zookeeper, inner, root):
    for call in (zookeeper.get, zookeeper.delete, zookeeper.get_children, zookeeper.read_tree):
        with pytest.raises(zookeeper.NoNodeException, match=r"^no node: /missing$"):
            call(inner, "/missing")
    (missing,) = zookeeper.get_many(inner, ["/missing"])
    assert str(missing) == "no node: /missing"


def test_bulk_reads_work_below_the_chroot(zookeeper, inner, top, root):
    for path in ("/a", "/a/b", "/c"):
        zookeeper.create(inner, path, path, OPEN)
    assert [data for data, _ in zookeeper.get_many(inner, ["/a/b", "/c"])] == ["/a/b", "/c"]
    assert zookeeper.get_children_many(inner, ["/a"]) == [["b"]]
    assert sorted(zookeeper.get_children_many(inner, ["/"])[0]) == ["a", "c"]
    assert [n.path for n in zookeeper.read_tree(inner, "/")] == ["/", "/a", "/a/b", "/c"]
    assert [n.path for n in zookeeper.read_tree(inner, "/a")] == ["/a", "/a/b"]
    assert [n.path for n in zookeeper.read_tree(top, f"{root}/a")] == [f"{root}/a", f"{root}/a/b"]


def test_sync_gives_the_path_as_it_was_given(zookeeper, inner):
    assert zookeeper.sync(inner, "/") == "/"
    zookeeper.create(inner, "/a", "", OPEN)
    assert zookeeper.sync(inner, "/a") == "/a"
    completion = Calls()
    zookeeper.async_(inner, "/a", completion)
    assert completion.wait_one() == (inner, zookeeper.OK, "/a")


@pytest.mark.parametrize("many", [False, True])
def test_events_come_with_the_path_as_it_was_given(zookeeper, inner, top, root, many):
    watcher = Calls()
    zookeeper.create(inner, "/a", "", OPEN)
    if many:
        zookeeper.watch_many(inner, ["/a", "/"], ["/a", "/"], ["/new"], watcher)
    else:
        zookeeper.get(inner, "/a", watcher)
        zookeeper.get(inner, "/", watcher)
        zookeeper.get_children(inner, "/a", watcher)
        zookeeper.get_children(inner, "/", watcher)
        zookeeper.exists(inner, "/new", watcher)
    zookeeper.set(top, root, "x")
    zookeeper.set(top, f"{root}/a", "x")
    zookeeper.create(top, f"{root}/a/b", "", OPEN)
    zookeeper.create(top, f"{root}/new", "", OPEN)
    zookeeper.sync(inner, "/")
    wait_until_delivered(zookeeper, inner)
    assert sorted((path, kind) for _, kind, _, path in watcher.all()) == [
        ("/", zookeeper.CHANGED_EVENT),
        ("/", zookeeper.CHILD_EVENT),
        ("/a", zookeeper.CHANGED_EVENT),
        ("/a", zookeeper.CHILD_EVENT),
        ("/new", zookeeper.CREATED_EVENT),
    ]


def test_watches_can_be_removed_below_the_chroot(zookeeper, inner, top, root):
    watcher = Calls()
    zookeeper.create(inner, "/a", "", OPEN)
    zookeeper.get(inner, "/a", watcher)
    zookeeper.remove_watches(inner, "/a")
    zookeeper.set(top, f"{root}/a", "x")
    zookeeper.sync(inner, "/")
    wait_until_delivered(zookeeper, inner)
    assert watcher.all() == []


def test_two_sessions_with_different_chroots_see_one_tree(zookeeper, connect, inner, root):
    zookeeper.create(inner, "/a", "", OPEN)
    zookeeper.create(inner, "/a/b", "", OPEN)
    deeper = connect(root=f"{root}/a")
    assert zookeeper.get_children(deeper, "/") == ["b"]
    watcher = Calls()
    zookeeper.get(deeper, "/b", watcher)
    zookeeper.set(inner, "/a/b", "x")
    assert watcher.wait_one()[3] == "/b"


def test_the_configuration_is_above_every_chroot(zookeeper, inner, top):
    assert zookeeper.get_config(inner) == zookeeper.get_config(top)


def test_a_chroot_that_does_not_exist_can_be_connected_to(zookeeper, connect, top, root):
    """The client that connects may be the one to create it."""
    early = connect(root=f"{root}/later")
    why = f"the root {root}/later does not exist$"
    with pytest.raises(zookeeper.NoNodeException, match=f"^no node: /: {why}"):
        zookeeper.get(early, "/")
    with pytest.raises(zookeeper.NoNodeException, match=f"^no node: /a: {why}"):
        zookeeper.create(early, "/a", "", OPEN)
    with pytest.raises(zookeeper.NoNodeException, match=f"^no node: /: {why}"):
        zookeeper.read_tree(early, "/")
    (answer,) = zookeeper.get_many(early, ["/a"])
    assert str(answer) == f"no node: /a: {why[:-1]}"
    zookeeper.create(top, f"{root}/later", "", OPEN)
    assert zookeeper.create(early, "/a", "", OPEN) == "/a"


def test_answers_that_no_node_is_needed_for_are_no_sign_of_the_root(zookeeper, connect, root):
    handle = connect(root=f"{root}/missing")
    zookeeper.sync(handle, "/")
    zookeeper.get_config(handle)
    assert zookeeper.exists(handle, "/a", Calls()) is None
    zookeeper.remove_watches(handle, "/a")
    with pytest.raises(zookeeper.NoNodeException, match=f"the root {root}/missing does not exist$"):
        zookeeper.get(handle, "/a")


def test_a_lone_slash_is_no_chroot(zookeeper, connect, connection_string, root):
    handle = connect(hosts=f"{connection_string}/")
    assert root[1:] in zookeeper.get_children(handle, "/")


@pytest.mark.parametrize("suffix", ["//", "x", "/a//b", "/a/", "/a/../b"])
def test_a_bad_chroot_is_refused(zookeeper, connection_string, suffix):
    with pytest.raises((zookeeper.BadArgumentsException, zookeeper.SystemErrorException)):
        zookeeper.close(zookeeper.init(connection_string + suffix))
