"""Live objects: what they show to programs, and what they subscribe to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

import pytest

import zc.zk
import zookeeper
from tests.calls import Calls
from tests.deadlines import wait_until
from tests.library.bad_days import expire
from zc.zk.links import NotRead
from zc.zk.watching.dependencies import UNREAD, Key, Kind
from zc.zk.watching.readers import NodeReader

OF_ALL = "callbacks data deleted failed_calls keep_callbacks path real_path"
OF_PROPERTIES = "copy get items keys meta_data rewrite set update values"


@pytest.fixture(autouse=True)
def nodes(zk: zc.zk.ZooKeeper) -> None:
    zk.create("/a", '{"v": 1}')
    zk.create("/b", '{"v": 1}')
    zk.create("/hub", '{"x =>": "/a v", "way ->": "/a"}')


def known(zk: zc.zk.ZooKeeper) -> set[Key]:
    return {node.key for node in zk.watches._dependencies.nodes()}


@pytest.mark.parametrize(
    ("follow", "names"),
    [
        (zc.zk.ZooKeeper.children, OF_ALL),
        (zc.zk.ZooKeeper.properties, f"{OF_ALL} {OF_PROPERTIES}"),
    ],
)
def test_public_attributes_are_those_for_programs(zk, follow: Callable[..., Any], names):
    assert [name for name in dir(follow(zk, "/a")) if name[0] != "_"] == sorted(names.split())


def test_a_node_that_is_only_read_is_not_watched(zk, other):
    assert zk.resolve("/hub/way") == "/a"
    assert zk.properties("/hub", watch=False)["x"] == 1
    assert list(zk.children("/hub/way", watch=False)) == []
    assert zk.get_properties("/a") == {"v": 1}
    with pytest.raises(zookeeper.NoNodeException):
        zk.resolve("/hub/missing")
    assert known(zk) == set()
    hub = zk.properties("/hub")
    assert known(zk) == {(Kind.DATA, "/hub"), (Kind.DATA, "/a")}
    del hub
    # With the emulation a finaliser's work is done at the next occasion.
    zk._session.wake()
    wait_until(lambda: known(zk) == set(), "nothing is watched for an object that is gone")


def test_a_view_is_subscribed_to_what_another_one_has_let_go_of(zk, other, monkeypatch):
    """Both views are taken at the same time, and the older one is shown first."""
    hub = zk.properties("/hub")
    show, old = hub._show, hub._view
    old_answers = {key: node.answer for key, node in hub._subscription.nodes.items()}

    def show_after_another(view: Any, serial: int, answers: dict[Key, Any], *, fresh: bool) -> bool:
        monkeypatch.setattr(hub, "_show", show)
        show(old, hub._serial, old_answers, fresh=fresh)
        changed: bool = show(view, serial, answers, fresh=fresh)
        return changed

    monkeypatch.setattr(zk._session.maintenance, "_duties", [])
    monkeypatch.setattr(hub, "_show", show_after_another)
    hub.set({"x =>": "/b v"})
    assert hub["x"] == 1
    assert set(hub._subscription.nodes) == {(Kind.DATA, "/hub"), (Kind.DATA, "/b")}


def test_a_change_is_told_though_another_view_is_taken_while_it_is_shown(zk, other, monkeypatch):
    """A finaliser may take one there, where the emulation's keeper works inline."""
    hub = zk.properties("/hub")
    callback = Calls()
    hub(callback)
    watch_only = zk.watches.watch_only

    def look_meanwhile(*arguments: Any) -> None:
        monkeypatch.setattr(zk.watches, "watch_only", watch_only)
        watch_only(*arguments)
        hub._take_view(fresh=False)

    monkeypatch.setattr(zk.watches, "watch_only", look_meanwhile)
    other.set("/hub", '{"v": 7}')
    callback.wait(2)
    assert hub["v"] == 7


def test_a_change_is_told_though_its_view_has_to_be_taken_again(zk, other, monkeypatch):
    """The worker's view is taken again: an older one has let go of its nodes.

    The older one is shown just before.
    """
    hub = zk.properties("/hub")
    callback = Calls()
    hub(callback)
    show, old = hub._show, hub._view
    old_answers = {key: node.answer for key, node in hub._subscription.nodes.items()}
    shown = []

    def show_after_another(view: Any, serial: int, answers: dict[Key, Any], *, fresh: bool) -> bool:
        monkeypatch.setattr(hub, "_show", show)
        shown.append(view)
        show(old, hub._serial, old_answers, fresh=fresh)
        changed: bool = show(view, serial, answers, fresh=fresh)
        return changed

    monkeypatch.setattr(hub, "_show", show_after_another)
    other.set("/hub", '{"x =>": "/b v"}')
    callback.wait(2)
    assert shown
    wait_until(
        lambda: set(hub._subscription.nodes) == {(Kind.DATA, "/hub"), (Kind.DATA, "/b")},
        lambda: f"it depends on {set(hub._subscription.nodes)}",
    )


def test_a_view_is_taken_when_another_thread_has_read_what_it_lacked(zk, other, monkeypatch):
    zk.create("/c", '{"v": 2}')
    hub = zk.properties("/hub")
    callback = Calls()
    hub(callback)
    real = zk.watches.watch_soon
    read = []

    def watch_soon(subscription, keys, **options):
        # Another object reads the node here, and its answer is there before this goes on.
        read.append(zk.properties("/c"))
        real(subscription, keys, **options)

    monkeypatch.setattr(zk.watches, "watch_soon", watch_soon)
    other.set("/hub", '{"x =>": "/c v"}')
    callback.wait(2)
    assert read
    assert hub["x"] == 2


class Source:
    """Nodes that are known or can be read, and the keys of each read."""

    def __init__(self, known: dict[Key, Any], readable: dict[Key, Any]) -> None:
        self.readable = readable
        self._known = known
        self.straight: set[str] = set()
        self.reads: list[list[Key]] = []

    def known(self, kind: Kind, path: str) -> Any:
        return self._known.get((kind, path), UNREAD)

    def loose(self, keys: Iterable[Key]) -> list[Key]:
        return []

    def let_go(self, keys: Collection[Key]) -> None:
        pass

    def read_many(self, keys: Iterable[Key], ahead: Collection[Key] = ()) -> dict[Key, Any]:
        self.reads.append(list(dict.fromkeys([*keys, *ahead])))
        missing = zookeeper.NoNodeException
        return {key: self.readable.get(key, missing(key[1])) for key in self.reads[-1]}

    def properties(self, data: str | None, path: str) -> dict[str, Any]:
        return {"data": data}


A, B, C = ((Kind.DATA, path) for path in ("/a", "/b", "/c"))


def read_both(reader: NodeReader) -> list[Any]:
    answers = []
    for key in (A, B):
        try:
            answers.append(reader.read(*key))
        except NotRead:
            pass
    if reader.lacking:
        raise NotRead
    return answers


def test_a_reader_reads_what_is_lacking_at_once_and_each_node_once():
    source = Source({}, {A: ("a", {}), B: ("b", {})})
    reader = NodeReader(source)
    assert reader.complete(read_both) == [("a", {}), ("b", {})]
    assert reader.complete(read_both) == [("a", {}), ("b", {})]
    assert source.reads == [[A, B]]
    assert set(reader.answers) == {A, B}


def test_a_reader_does_not_read_what_is_known():
    source = Source({A: ("known", {})}, {A: ("a", {}), B: ("b", {})})
    assert NodeReader(source).complete(read_both) == [("known", {}), ("b", {})]
    assert source.reads == [[B]]


def test_a_reader_reads_the_nodes_ahead_in_the_same_look():
    source = Source({}, {})
    with pytest.raises(zookeeper.NoNodeException):
        NodeReader(source).complete(lambda reader: reader.resolve("/a/b"))
    (read,) = source.reads
    assert {path for _, path in read} == {"/", "/a", "/a/b"}


def test_a_reader_looks_ahead_unless_others_there_were_without_links():
    source = Source({}, {A: ("a", {}), B: ("b", {})})
    for path in ("/a", "/b"):
        NodeReader(source).complete(lambda reader, path=path: reader.follow(Kind.DATA, path))
    assert [{path for _, path in read} for read in source.reads] == [{"/", "/a"}, {"/b"}]


def test_a_node_that_must_not_be_read_is_there(zk):
    reader = NodeReader(Source({C: zookeeper.NoAuthException("/c")}, {}))
    assert reader.exists("/c")


def test_a_reader_raises_another_copy_of_a_refusal_each_time():
    reader = NodeReader(Source({C: zookeeper.NoAuthException("/c")}, {}))
    faults = []
    for _ in range(2):
        with pytest.raises(zookeeper.NoAuthException) as caught:
            reader.read(*C)
        faults.append(caught.value)
    assert faults[0] is not faults[1]
    assert faults[0].path == faults[1].path


def test_objects_that_show_one_node_have_one_view(zk, other):
    objects = [zk.properties("/a") for _ in range(3)]
    calls = Calls()
    for each in objects:
        each(calls)
    other.set("/a", '{"v": 2}')
    calls.wait(6)
    assert {id(each._view) for each in objects} == {id(objects[0]._view)}
    assert [each["v"] for each in objects] == [2, 2, 2]
    assert objects[0].meta_data == other.exists("/a")


def test_a_list_of_servers_shares_no_view_with_children_of_its_node(zk, other):
    zk.create("/servers")
    zk.register("/servers", "a:1")
    servers, names = zk.providers("/servers"), zk.children("/servers")
    zk.register("/servers", "b:1")
    wait_until(lambda: set(names) == set(servers) == {"a:1", "b:1"}, "both follow")
    assert type(names._view) is not type(servers._view)


def test_an_unchanged_node_keeps_its_view_in_a_new_session(zk, other, connection_string):
    objects = [zk.properties("/a"), zk.children("/a"), zk.properties("/hub")]
    calls = Calls()
    for each in objects:
        each(calls)
    views = [each._view for each in objects[:2]]
    expire(zk, connection_string)
    calls.wait(6)
    assert [each._view for each in objects[:2]] == views
    other.set("/a", '{"v": 3}')
    wait_until(lambda: objects[0]["v"] == objects[2]["x"] == 3, "they go on")


def test_a_view_begun_before_a_refresh_without_news_does_not_count(zk, other):
    live = zk.properties("/a")
    shown, serial = live._view, next(zk.watches.serials)
    live._refresh(False)
    old = live._see_nothing("/a")
    assert not live._show(old, serial, (live._key,), fresh=False)
    assert live._view is shown


def test_the_list_of_callbacks_can_be_changed_and_set(zk, other):
    live, first, second = zk.properties("/a"), Calls(), Calls()
    live.callbacks.append(first)
    other.set("/a", '{"v": 2}')
    first.wait(1)
    live.callbacks = [second]
    other.set("/a", '{"v": 3}')
    second.wait(1)
    assert live.callbacks == [second]
    assert zk.properties("/a").callbacks == []
