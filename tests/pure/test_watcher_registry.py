"""The registry of watchers does as lists of watchers would, and takes little room for each."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import zookeeper
from zookeeper.watchers import WatcherRegistry

pytestmark = pytest.mark.quick

KINDS = [zookeeper.WATCH_DATA, zookeeper.WATCH_CHILDREN]
PATHS = ["/a", "/b"]
EVENTS = {
    zookeeper.CHANGED_EVENT: {zookeeper.WATCH_DATA},
    zookeeper.CHILD_EVENT: {zookeeper.WATCH_CHILDREN},
    zookeeper.DELETED_EVENT: {zookeeper.WATCH_DATA, zookeeper.WATCH_CHILDREN},
}


class Watcher:
    """A watcher that is equal to others of its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, *_: object) -> None:
        raise AssertionError("nobody calls it")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Watcher) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)


class Pair(tuple[int, int]):
    """A watcher that is a tuple, too."""

    def __call__(self, *_: object) -> None:
        raise AssertionError("nobody calls it")


WATCHERS: list[Any] = [Watcher("one"), Watcher("one"), Watcher("two"), Pair((1, 2)), print]


class Lists:
    """The watchers of each kind and path, expected and waiting, as lists."""

    def __init__(self) -> None:
        places = [(kind, path) for kind in KINDS for path in PATHS]
        self.expected: dict[tuple[int, str], list[Any]] = {place: [] for place in places}
        self.waiting: dict[tuple[int, str], list[Any]] = {place: [] for place in places}

    def expect(self, kind: int, path: str, watcher: object) -> None:
        self.expected[kind, path].append(watcher)

    def settle(self, kind: int, path: str, watcher: object, is_set: bool) -> None:
        expected, waiting = self.expected[kind, path], self.waiting[kind, path]
        if watcher in expected:
            expected.remove(watcher)
            if is_set and watcher not in waiting:
                waiting.append(watcher)

    def take(self, event: int, path: str) -> list[Any]:
        found: list[Any] = []
        for kind in KINDS:
            if kind in EVENTS[event]:
                found += [each for each in self.waiting[kind, path] if each not in found]
                self.waiting[kind, path] = []
        return found

    def remove(self, kind: int, path: str, watcher: object) -> int | None:
        expected, waiting = self.expected[kind, path], self.waiting[kind, path]
        if watcher not in expected + waiting:
            return None
        if all(each == watcher for each in expected + waiting):
            return kind
        for each in expected, waiting:
            each[:] = [other for other in each if other != watcher]
        return 0

    def forget(self, kind: int, path: str, watcher: object) -> None:
        waiting = self.waiting[kind, path]
        if watcher is None:
            waiting.clear()
        elif watcher in waiting:
            waiting.remove(watcher)

    def present(self, path: str) -> int:
        found = (kind for kind in KINDS if self.expected[kind, path] or self.waiting[kind, path])
        return sum(found)


STEPS = st.one_of(
    st.tuples(st.just("expect"), st.sampled_from(KINDS), st.sampled_from(WATCHERS)),
    st.tuples(st.just("settle"), st.sampled_from(KINDS), st.sampled_from(WATCHERS), st.booleans()),
    st.tuples(st.just("take"), st.sampled_from([*EVENTS])),
    st.tuples(st.just("remove"), st.sampled_from(KINDS), st.sampled_from(WATCHERS)),
    st.tuples(st.just("forget"), st.sampled_from(KINDS), st.sampled_from([*WATCHERS, None])),
)


@given(st.lists(st.tuples(st.sampled_from(PATHS), STEPS), max_size=30))
def test_registries_do_as_lists_do_in_every_story(story):
    registry, lists = WatcherRegistry(), Lists()
    for path, (what, *details) in story:
        if what == "expect":
            kind, watcher = details
            registry.expect(kind, [path], watcher)
            lists.expect(kind, path, watcher)
        elif what == "settle":
            kind, watcher, is_set = details
            registry.settle(kind, [path], watcher, is_set)
            lists.settle(kind, path, watcher, is_set)
        else:
            arguments = (*details[:1], path, *details[1:])
            assert getattr(registry, what)(*arguments) == getattr(lists, what)(*arguments)
        for each in PATHS:
            assert registry.present(each) == lists.present(each)
        waiting = {watcher: None for each in lists.waiting.values() for watcher in each}
        assert dict.fromkeys(registry.all()) == waiting


def test_the_only_watcher_of_a_path_takes_no_object_of_its_own():
    paths = [f"/{number}" for number in range(2000)]
    registry = WatcherRegistry()

    def watch(watcher: Any) -> int:
        """Watch each path by a request of its own; return how many blocks of memory it took."""
        gc.collect()
        tracemalloc.start()
        try:
            for path in paths:
                registry.expect(zookeeper.WATCH_DATA, [path], watcher)
                registry.settle(zookeeper.WATCH_DATA, [path], watcher, True)
            gc.collect()
            return sum(entry.count for entry in tracemalloc.take_snapshot().statistics("filename"))
        finally:
            tracemalloc.stop()

    assert watch(print) < len(paths) / 2
    assert watch(repr) > len(paths) / 2  # two need a list of them
