"""Finalisers, signal handlers and comparisons that set and remove watches.

They are reentrant: they run on a thread that is in the middle of the binding itself, at any moment.
Nothing may wait for its own thread, and no watch may be lost.
"""

from __future__ import annotations

import gc
import signal
import threading

import pytest

from tests.calls import Calls
from tests.deadlines import end_alarms, scaled, wait_until
from tests.sessions import OPEN
from zookeeper import errors

pytestmark = pytest.mark.not_emulated("its engine has one lock, for one thread's tests")

ROUNDS = 150


class Meddler:
    """Sets and removes watches of its own at a path, in one of several ways."""

    def __init__(self, zookeeper, handle, path):
        self.zookeeper, self.handle, self.path = zookeeper, handle, path
        self.count = 0
        self.problems = []
        self.is_at_it = False
        # Not on the thread that is the server in this process: it would wait for its own answer.
        self.threads = {threading.current_thread(), zookeeper.event_thread(handle)}

    def meddle(self):
        # A deeper level tells nothing new.
        if self.is_at_it or threading.current_thread() not in self.threads:
            return
        self.is_at_it = True
        self.count += 1
        try:
            self.do(self.count)
        except BaseException as problem:
            self.problems.append(problem)
        finally:
            self.is_at_it = False

    def do(self, number):
        z, handle, path = self.zookeeper, self.handle, self.path

        def watcher(*event):
            pass

        if number % 3 == 0:
            z.watch_many(handle, [path], [path], [], watcher)
        elif number % 3 == 1:
            z.get(handle, path, watcher)
        else:
            z.aget(handle, path, watcher)
            z.sync(handle, path)
        z.remove_watches(handle, path, z.WATCH_ANY, watcher)


def set_watches(zookeeper, handle, path, watchers, after_each=lambda: None):
    for number, watcher in enumerate(watchers):
        if number % 2:
            zookeeper.get(handle, path, watcher)
        else:
            zookeeper.watch_many(handle, [path], [], [], watcher)
        if number % 5 == 4:
            zookeeper.remove_watches(handle, path, zookeeper.WATCH_DATA, watcher)
        after_each()


def all_are_called(zookeeper, handle, path, watchers):
    """Check that watchers that have not been removed are called, once each."""
    zookeeper.set(handle, path, "changed")
    for number, watcher in enumerate(watchers):
        if number % 5 == 4:
            assert watcher.all() == []
        else:
            wait_until(watcher.all, f"watcher {number} is called")
            assert len(watcher.all()) == 1


def within_time(meddler, function):
    """Run it on another thread, which may hang."""
    problems = []

    def run():
        meddler.threads.add(threading.current_thread())
        try:
            function()
        except BaseException as problem:
            problems.append(problem)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(scaled(100))
    assert not thread.is_alive(), "it hangs"
    for problem in problems:
        raise problem


def test_finalisers_set_and_remove_watches(zookeeper, handle):
    zookeeper.create(handle, "/a", "", OPEN)
    meddler = Meddler(zookeeper, handle, "/a")
    watchers = [Calls() for _ in range(ROUNDS)]

    class Garbage:
        def __init__(self):
            self.me = self

        def __del__(self):
            if threading.current_thread() in meddler.threads:
                meddler.meddle()
            elif not meddler.is_at_it:
                Garbage()  # garbage for another thread to collect

    thresholds = gc.get_threshold()
    gc.set_threshold(3)
    try:
        within_time(meddler, lambda: set_watches(zookeeper, handle, "/a", watchers, Garbage))
    finally:
        gc.set_threshold(*thresholds)
        meddler.is_at_it = True
    assert meddler.problems == []
    assert meddler.count
    all_are_called(zookeeper, handle, "/a", watchers)


def test_signal_handlers_set_and_remove_watches(zookeeper, handle):
    zookeeper.create(handle, "/a", "", OPEN)
    meddler = Meddler(zookeeper, handle, "/a")
    watchers = [Calls() for _ in range(ROUNDS)]
    signal.signal(signal.SIGALRM, lambda *_: meddler.meddle())
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        set_watches(zookeeper, handle, "/a", watchers)
    finally:
        end_alarms()
    assert meddler.problems == []
    assert meddler.count
    all_are_called(zookeeper, handle, "/a", watchers)


def test_watchers_whose_comparison_sets_and_removes_watches(zookeeper, handle):
    zookeeper.create(handle, "/a", "", OPEN)
    meddler = Meddler(zookeeper, handle, "/a")

    class Watcher:
        def __init__(self):
            self.calls = Calls()
            self.all = self.calls.all

        def __call__(self, *event):
            self.calls(*event)

        def __eq__(self, other):
            meddler.meddle()
            return self is other

        __hash__ = object.__hash__

    watchers = [Watcher() for _ in range(10)]
    within_time(meddler, lambda: set_watches(zookeeper, handle, "/a", watchers))
    meddler.is_at_it = True
    assert meddler.problems == []
    assert meddler.count
    all_are_called(zookeeper, handle, "/a", watchers)


def test_threads_that_set_and_remove_watches_at_one_path_lose_none(zookeeper, connect, handle):
    """The threads race: the server's watch goes only when no watcher needs it."""
    zookeeper.create(handle, "/a", "", OPEN)
    watchers = [Calls() for _ in range(ROUNDS)]
    stop = threading.Event()
    problems = []

    def meddle():
        meddler = Meddler(zookeeper, handle, "/a")
        while not stop.is_set():
            meddler.meddle()
        problems.extend(meddler.problems)

    threads = [threading.Thread(target=meddle) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        set_watches(zookeeper, handle, "/a", watchers)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert problems == []
    all_are_called(zookeeper, handle, "/a", watchers)


class Path(str):
    def __eq__(self, other):
        raise AssertionError("compared")

    __hash__ = str.__hash__


def test_a_path_may_be_of_a_class_of_its_own(zookeeper, handle):
    zookeeper.create(handle, Path("/a"), "", OPEN)
    watcher = Calls()
    zookeeper.get(handle, Path("/a"), watcher)
    zookeeper.watch_many(handle, [Path("/a")], [Path("/a")], [Path("/b")], watcher)
    assert zookeeper.get_many(handle, [Path("/a")])[0][0] == ""
    zookeeper.remove_watches(handle, Path("/b"), watcher=watcher)
    zookeeper.set(handle, Path("/a"), "x")
    wait_until(watcher.all, "the watcher is called")
    with pytest.raises(TypeError, match="path"):
        zookeeper.watch_many(handle, [7], watcher=watcher)


def test_a_removal_under_way_takes_no_later_watch_with_it(zookeeper, handle, monkeypatch):
    """The answer to the removal makes the C client forget the path's watches.

    The removal is sent after watch_many has read, and before it says what it will watch.
    """
    zookeeper.create(handle, "/a", "", OPEN)
    error = errors.error
    for number in range(20):
        first, second = Calls(), Calls()
        zookeeper.get(handle, "/a", first)

        def remove_first(*arguments, first=first):
            monkeypatch.setattr(errors, "error", error)
            zookeeper.aremove_watches(handle, "/a", zookeeper.WATCH_DATA, first)
            return error(*arguments)

        monkeypatch.setattr(errors, "error", remove_first)
        answers, _, _ = zookeeper.watch_many(handle, ["/a", "/missing"], [], [], second)
        assert isinstance(answers[1], zookeeper.NoNodeException)
        assert errors.error is error
        zookeeper.set(handle, "/a", str(number))
        wait_until(second.all, "the later watcher is called")
        assert len(second.all()) == 1
        assert first.all() == []
