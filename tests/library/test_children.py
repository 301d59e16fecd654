"""Live children."""

from __future__ import annotations

import logging
import threading
import weakref

import pytest

import zc.zk
import zookeeper
from tests.calls import Calls
from tests.deadlines import wait_until
from tests.library.bad_days import expire
from tests.servers import Server
from zc.zk import OPEN_ACL_UNSAFE

pytestmark = pytest.mark.quick


@pytest.fixture(autouse=True)
def node(zk: zc.zk.ZooKeeper) -> str:
    zk.create("/test")
    return "/test"


def names_seen() -> tuple[Calls, list[list[str]]]:
    """Return a callback, and the names that it is called with."""
    seen: list[list[str]] = []
    return Calls(lambda *args: seen.append(sorted(args[0]) if args else ["gone"])), seen


def test_they_are_an_iterable_with_a_length_that_follows_the_server(zk, other) -> None:
    children = zk.children("/test")
    assert (list(children), len(children)) == ([], 0)
    other.create("/test/b")
    other.create("/test/a")
    wait_until(lambda: len(children) == 2, "both are seen")
    assert sorted(children) == ["a", "b"]
    assert "a" in children
    assert "c" not in children
    other.delete("/test/a")
    wait_until(lambda: list(children) == ["b"], "the deletion is seen")


def test_attributes_and_repr_tell_what_children_are(zk) -> None:
    children = zk.children("/test")
    assert (children.path, children.real_path) == ("/test", "/test")
    assert (children.data, children.callbacks, children.deleted) == ([], [], False)
    assert repr(children) == f"zc.zk.Children({zk.handle}, /test)"


@pytest.mark.parametrize("kind", ["children", "properties"])
@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/test/", "must not end with '/'"),
        ("test", "must start with '/'"),
        ("", "must not be empty"),
        ("//test", "must not hold '//'"),
        ("/te\x01st", r"must not hold the character U\+0001"),
        ("/te\0st", "must not hold a null character"),
    ],
)
def test_a_bad_path_is_refused_with_the_reason(zk, kind, path, reason) -> None:
    for watch in (True, False):
        with pytest.raises(zookeeper.BadArgumentsException, match=reason) as caught:
            getattr(zk, kind)(path, watch=watch)
        assert caught.value.path == path


@pytest.mark.parametrize("kind", ["children", "properties"])
def test_a_path_that_is_no_text_is_refused_and_troubles_nobody(zk, other, caplog, kind) -> None:
    with pytest.raises(TypeError, match="a path must be str, not bytes"):
        getattr(zk, kind)(b"/test")
    children = zk.children("/test")
    other.create("/test/a")
    wait_until(lambda: list(children) == ["a"], "changes go on being seen")
    assert not caplog.records


def test_a_path_may_have_dots_in_it(zk, other, caplog) -> None:
    children = zk.children("/./test/../test")
    assert (children.path, children.real_path) == ("/./test/../test", "/test")
    other.create("/test/a")
    wait_until(lambda: list(children) == ["a"], "the change is seen")
    assert not caplog.records


def test_a_callback_is_called_at_once_and_with_each_change(zk, other) -> None:
    callback, seen = names_seen()
    children = zk.children("/test")
    assert children(callback) is children
    assert seen == [[]]
    other.create("/test/a")
    callback.wait(2)
    assert seen == [[], ["a"]]
    assert callback.all()[1] == (children,)


def test_they_can_be_used_as_a_decorator(zk, other) -> None:
    seen = []

    @zk.children("/test")
    def changed(children: zc.zk.Children) -> None:
        seen.append(list(children))

    assert isinstance(changed, zc.zk.Children)
    other.create("/test/a")
    wait_until(lambda: seen == [[], ["a"]], lambda: f"two calls: {seen}")


def test_a_callback_whose_first_call_fails_is_not_registered(zk) -> None:
    def fail(children: zc.zk.Children) -> None:
        raise ValueError("not like this")

    children = zk.children("/test")
    with pytest.raises(ValueError, match="not like this"):
        children(fail)
    assert children.callbacks == []


def test_a_callback_that_fails_later_is_dropped_and_the_others_go_on(zk, other, caplog) -> None:
    calls = 0

    def fail_later(children: zc.zk.Children) -> None:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise ValueError("enough")

    good = Calls()
    children = zk.children("/test")(fail_later)(good)
    other.create("/test/a")
    good.wait(2)
    wait_until(lambda: children.callbacks == [good], "the bad one is dropped")
    (record,) = [r for r in caplog.records if r.name == "zc.zk" and r.levelno == logging.ERROR]
    assert "fail_later" in record.getMessage()
    assert "enough" in str(record.exc_info)
    other.create("/test/b")
    good.wait(3)
    assert calls == 2


def test_cancel_watch_drops_a_callback_without_a_word(zk, other, caplog) -> None:
    def once(children: zc.zk.Children) -> None:
        if len(children):
            raise zc.zk.CancelWatch

    children = zk.children("/test")(once)
    other.create("/test/a")
    wait_until(lambda: children.callbacks == [], "it is dropped")
    assert not [r for r in caplog.records if r.name == "zc.zk" and r.levelno > logging.INFO]


def test_a_callback_that_calls_sys_exit_does_not_silence_the_others(zk, other) -> None:
    def leave(children: zc.zk.Children) -> None:
        if len(children):
            raise SystemExit

    children = zk.children("/test")(leave)
    good = Calls()
    other_children = zk.children("/test")(good)
    other.create("/test/a")
    good.wait(2)
    other.create("/test/b")
    good.wait(3)
    assert (children.callbacks, other_children.callbacks) == ([], [good])


@pytest.mark.not_emulated("the thread that makes a change calls the callbacks")
def test_a_callback_that_blocks_delays_neither_data_nor_session(zk, other) -> None:
    blocked, go_on = threading.Event(), threading.Event()

    def block(children: zc.zk.Children) -> None:
        if len(children):
            blocked.set()
            go_on.wait(30)

    blocking = zk.children("/test")(block)
    free = zk.children("/test")
    try:
        other.create("/test/a")
        assert blocked.wait(30)
        other.create("/test/b")
        wait_until(lambda: len(free) == 2 and len(blocking) == 2, "the data go on")
        assert zk.get_children("/test")
    finally:
        go_on.set()


@pytest.mark.not_emulated("the thread that makes a change calls the callbacks")
def test_changes_while_callbacks_are_busy_are_told_in_one_call(zk, other) -> None:
    blocked, go_on = threading.Event(), threading.Event()
    sizes = []

    def slow(children: zc.zk.Children) -> None:
        sizes.append(len(children))
        if len(children) == 1:
            blocked.set()
            go_on.wait(30)

    children = zk.children("/test")(slow)
    try:
        other.create("/test/0")
        assert blocked.wait(30)
        for name in range(1, 20):
            other.create(f"/test/{name}")
        wait_until(lambda: len(children) == 20, "all are seen")
    finally:
        go_on.set()
    wait_until(lambda: sizes[-1] == 20, "the last state is told")
    assert sizes == [0, 1, 20]


def test_callbacks_may_call_the_client_and_make_other_live_objects(zk, other) -> None:
    made = []

    def look_into(children: zc.zk.Children) -> None:
        for name in children:
            made.append(zk.properties(f"/test/{name}"))
            zk.create(f"/seen-{name}", "", OPEN_ACL_UNSAFE)

    children = zk.children("/test")(look_into)
    other.create("/test/a", '{"x":1}')
    wait_until(lambda: other.exists("/seen-a"), "the callback has done its work")
    assert made[0]["x"] == 1
    assert children.callbacks


def test_a_callback_may_close_the_client(zk, other) -> None:
    @zk.children("/test")
    def close(children: zc.zk.Children) -> None:
        if len(children):
            zk.close()

    other.create("/test/a")
    wait_until(lambda: zk.handle is None, "the client is closed")


def test_no_callback_is_called_after_close(zk, other) -> None:
    callback = Calls()
    children = zk.children("/test")(callback)
    zk.close()
    other.create("/test/a")
    other.sync("/")
    assert len(callback) == 1
    assert list(children) == []


def test_a_missing_node_is_an_error_that_names_the_path_and_leaves_nothing(zk) -> None:
    with pytest.raises(zookeeper.NoNodeException) as caught:
        zk.children("/missing/node")
    assert caught.value.path == "/missing/node"
    assert len(zk.watches) == 0


def test_a_bad_path_is_refused(zk) -> None:
    for path in ("", "test", "/a//b", "/nul\0"):
        with pytest.raises(zookeeper.BadArgumentsException):
            zk.children(path)


def test_without_watch_they_are_what_they_were(zk, other) -> None:
    children = zk.children("/test", watch=False)
    following = zk.children("/test")
    other.create("/test/a")
    wait_until(lambda: len(following) == 1, "the change is known")
    assert list(children) == []
    assert len(zk.watches) == 1


class TestDeletion:
    def test_the_data_are_cleared_and_callbacks_called_without_arguments(self, zk, other) -> None:
        other.create("/test/a")
        callback = Calls()
        children = zk.children("/test")(callback)
        other.delete_recursive("/test")
        wait_until(lambda: children.deleted, "the deletion is seen")
        assert list(children) == []
        assert repr(children) == f"DELETED: zc.zk.Children({zk.handle}, /test)"
        wait_until(lambda: callback.all()[-1] == (), "it is told")

    def test_callbacks_that_need_an_argument_are_left_alone_and_stay(self, zk, other) -> None:
        seen = []

        def needs_one(children: zc.zk.Children) -> None:
            seen.append(list(children))

        callback = Calls()
        children = zk.children("/test")(needs_one)(callback)
        other.delete("/test")
        wait_until(lambda: callback.all()[-1] == (), "the deletion is told")
        assert seen == [[]]
        assert children.callbacks == [needs_one, callback]

    def test_a_type_error_of_a_callback_that_takes_no_arguments_is_its_own(
        self, zk, other, caplog
    ) -> None:
        def clumsy(*children: zc.zk.Children) -> None:
            if not children:
                raise TypeError("of its own making")

        children = zk.children("/test")(clumsy)
        other.delete("/test")
        wait_until(lambda: children.callbacks == [], "it is dropped")
        assert "of its own making" in caplog.text

    def test_they_return_when_the_node_does(self, zk, other) -> None:
        callback, seen = names_seen()
        children = zk.children("/test")(callback)
        other.delete("/test")
        wait_until(lambda: children.deleted, "the deletion is seen")
        other.create("/test")
        wait_until(lambda: not children.deleted, "the return is seen")
        other.create("/test/a")
        wait_until(lambda: list(children) == ["a"], "they are live again")
        wait_until(lambda: seen[-1] == ["a"], "and told so")
        assert ["gone"] in seen

    def test_they_return_when_a_parent_had_gone_too(self, zk, other) -> None:
        other.create_recursive("/test/deep/down")
        children = zk.children("/test/deep/down")
        other.delete_recursive("/test")
        wait_until(lambda: children.deleted, "the deletion is seen")
        other.create_recursive("/test/deep/down/again")
        wait_until(lambda: list(children) == ["again"], "the return is seen")


class TestLinks:
    def test_they_are_followed(self, zk, other) -> None:
        other.import_tree("/real\n  /a\n/test\n  link -> /real\n")
        children = zk.children("/test/link")
        assert (children.path, children.real_path) == ("/test/link", "/real")
        assert list(children) == ["a"]
        other.create("/real/b")
        wait_until(lambda: len(children) == 2, "the change at the target is seen")

    def test_a_node_that_is_replaced_by_a_link_is_found_again(self, zk, other) -> None:
        other.import_tree("/real\n  /a\n/test\n  /node\n    /old\n")
        callback, seen = names_seen()
        children = zk.children("/test/node")(callback)
        other.ln("/real", "/test/node")
        other.delete_recursive("/test/node")
        wait_until(lambda: children.real_path == "/real", "it is attached to the target")
        assert (list(children), children.deleted) == (["a"], False)
        wait_until(lambda: seen[-1] == ["a"], "and told so")

    def test_a_node_that_is_replaced_by_a_link_afterwards_is_found_again(self, zk, other) -> None:
        other.import_tree("/real\n  /a\n/test\n  /node\n")
        children = zk.children("/test/node")
        other.delete_recursive("/test/node")
        wait_until(lambda: children.deleted, "the deletion is seen")
        other.ln("/real", "/test/node")
        wait_until(lambda: list(children) == ["a"], "the link is seen")

    def test_a_link_that_is_changed_is_followed_again(self, zk, other) -> None:
        other.import_tree("/one\n  /a\n/two\n  /b\n/test\n  link -> /one\n")
        children = zk.children("/test/link")
        assert list(children) == ["a"]
        other.ln("/two", "/test/link")
        wait_until(lambda: children.real_path == "/two", "the new target is seen")
        assert list(children) == ["b"]

    def test_a_real_node_hides_a_link(self, zk, other) -> None:
        other.import_tree("/real\n  /a\n/test\n  link -> /real\n")
        children = zk.children("/test/link")
        other.create("/test/link")
        wait_until(lambda: children.real_path == "/test/link", "the node is seen")
        assert list(children) == []

    def test_links_that_come_to_form_a_loop_delete_the_object(self, zk, other) -> None:
        other.import_tree("/real\n/test\n  one -> /real\n")
        children = zk.children("/test/one")
        other.ln("/test/two", "/test/one")
        other.ln("/test/one", "/test/two")
        wait_until(lambda: children.deleted, "the loop is seen")
        other.ln("/real", "/test/two")
        wait_until(lambda: not children.deleted, "its end is seen")


def test_a_loop_is_an_error_that_names_its_paths(zk) -> None:
    zk.import_tree("/test\n  one -> two\n  two -> one\n")
    with pytest.raises(zc.zk.LinkLoop) as caught:
        zk.children("/test/one")
    assert caught.value.paths == ("/test/one", "/test/two", "/test/one")


def watches_of(server: Server) -> int:
    """Return how many watches there are on the server, of all clients."""
    (line,) = [line for line in server.ask("mntr").splitlines() if "zk_watch_count" in line]
    return int(line.split()[1])


class TestWeakness:
    def test_dropped_objects_are_not_watched_any_more(self, zk) -> None:
        children = zk.children("/test")
        assert len(zk.watches) == 1
        reference = weakref.ref(children)
        del children
        assert reference() is None
        assert len(zk.watches) == 0

    def test_dropped_objects_leave_no_watch_on_the_server(self, zk, other, server) -> None:
        before = watches_of(server)
        kept = zk.children("/test")
        dropped = [zk.children("/"), zk.properties("/test"), zk.properties("/test")]
        other.delete("/test")
        wait_until(lambda: kept.deleted and dropped[1].deleted, "the deletion is seen")
        other.create("/test")
        wait_until(lambda: not kept.deleted and not dropped[1].deleted, "the return is seen")
        assert watches_of(server) > before + 1
        dropped.clear()
        wait_until(
            lambda: watches_of(server) == before + 1,
            lambda: f"one is left, not {watches_of(server) - before}",
        )
        other.create("/test/a")
        wait_until(lambda: list(kept) == ["a"], "the one that is left works")

    def test_dropped_objects_do_not_leave_the_wait_for_a_missing_node(
        self, zk, other, server
    ) -> None:
        before = watches_of(server)
        dropped = [zk.children("/test")]
        other.delete("/test")
        wait_until(lambda: dropped[0].deleted, "the deletion is seen")
        assert watches_of(server) > before
        dropped.clear()
        wait_until(lambda: watches_of(server) == before, "no watch is left")

    def test_an_object_that_could_not_be_made_leaves_no_watch(self, zk, server) -> None:
        before = watches_of(server)
        with pytest.raises(zookeeper.NoNodeException):
            zk.children("/test/missing")
        wait_until(lambda: watches_of(server) == before, "no watch is left")

    @pytest.mark.not_emulated("the thread that makes a change calls the callbacks")
    def test_a_callback_waiting_for_its_turn_does_not_keep_its_object_alive(
        self, zk, other
    ) -> None:
        blocked, go_on = threading.Event(), threading.Event()
        sizes = []

        def block(children: zc.zk.Children) -> None:
            if len(children):
                blocked.set()
                go_on.wait(30)

        blocking = zk.children("/test")(block)
        short_lived = [zk.children("/test")(lambda children: sizes.append(len(children)))]
        try:
            other.create("/test/a")
            assert blocked.wait(30)
            wait_until(lambda: len(short_lived[0]) == 1, "both know of it")
            short_lived.clear()
        finally:
            go_on.set()
        last = Calls()
        barrier = zk.children("/test")(last)
        other.create("/test/b")
        last.wait(2)
        assert sizes == [0]
        assert len(blocking) == len(barrier)

    def test_objects_on_one_path_share_one_watch(self, zk, other, server) -> None:
        before = watches_of(server)
        objects = [zk.children("/test") for _ in range(40)]
        assert watches_of(server) == before + 1
        assert len(zk.watches) == 40
        other.create("/test/a")
        wait_until(lambda: all(len(each) == 1 for each in objects), "all see it")
        assert watches_of(server) == before + 1

    def test_a_new_object_where_one_was_just_dropped_is_live(self, zk, other) -> None:
        for name in range(50):
            children = zk.children("/test")
            del children
            children = zk.children("/test")
            other.create(f"/test/{name}")
            wait_until(lambda: len(children) == name + 1, f"change {name} is seen")  # noqa: B023


class TestNewSession:
    def test_callbacks_are_called_though_nothing_has_changed(self, zk, connection_string) -> None:
        callback = Calls()
        children = zk.children("/test")(callback)
        expire(zk, connection_string)
        callback.wait(2)
        assert callback.all()[1] == (children,)

    def test_a_change_meanwhile_is_seen_and_later_changes_too(
        self, zk, other, connection_string
    ) -> None:
        children = zk.children("/test")
        others = [zk.children("/") for _ in range(10)]
        zk.create("/test/short", "", OPEN_ACL_UNSAFE, zookeeper.EPHEMERAL | zookeeper.SEQUENCE)
        wait_until(lambda: len(children) == 1, "the ephemeral node is seen")
        expire(zk, connection_string)
        wait_until(lambda: list(children) == [], "its end is seen")
        other.create("/test/a")
        wait_until(lambda: list(children) == ["a"], "a later change is seen")
        assert all(list(each) == ["test"] for each in others)

    def test_a_deleted_node_is_still_waited_for(self, zk, other, connection_string) -> None:
        children = zk.children("/test")
        other.delete("/test")
        wait_until(lambda: children.deleted, "the deletion is seen")
        expire(zk, connection_string)
        other.create("/test")
        wait_until(lambda: not children.deleted, "the return is seen")
