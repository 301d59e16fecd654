"""Opening a handle with something missing, or with an interruption."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from tests.binding import subprocesses
from tests.deadlines import scaled, wait_until
from tests.sessions import wait_until_connected

pytestmark = pytest.mark.not_emulated("it has no network")

# A sanitizer takes terabytes of address space, which no limit can make scarce.
SANITIZED = bool(os.environ.get("LD_PRELOAD"))


@pytest.mark.skipif(SANITIZED, reason="limits the address space")
@pytest.mark.parametrize("which", ["python's", "the first", "the second"])
def test_a_process_without_more_threads_gets_an_error(
    zookeeper, connection_string, root, which, monkeypatch
):
    """No assertion of the C client ends it; the unfinished handle is gone."""
    tunables = "glibc.pthread.stack_cache_size=0:glibc.malloc.arena_max=1"
    monkeypatch.setenv("GLIBC_TUNABLES", tunables)
    told = subprocesses.run("no_threads", connection_string + root, which)
    assert [kind for kind, _ in told["raised"]] == ["SystemErrorException"] * 3, told
    assert all("thread" in text for _, text in told["raised"]), told
    assert (told["handle"], told["children"]) == (1, [])


def test_an_interrupted_init_leaves_nothing_behind(zookeeper, connection_string, root, handle):
    """It leaves no session that nobody knows, and no handle that breaks the exit."""
    told = subprocesses.run("interrupted_init", connection_string + root, "400", seconds=120)
    assert told["interrupted"] > 20, told
    assert told["opened"] > 0, told
    assert told["handle"] == 0
    zookeeper.sync(handle, "/")
    assert zookeeper.get_children(handle, "/") == []


def test_a_signal_within_init_raises_before_its_number_is_lost(
    zookeeper, connection_string, root, monkeypatch
):
    """The handler runs before `init` returns, and its exception ends the session."""
    start = threading.Thread.start

    def start_with_a_signal(thread: threading.Thread) -> None:
        start(thread)
        signal.raise_signal(signal.SIGALRM)  # for the main thread, which is in `init`

    def handler(*_: object) -> None:
        raise TimeoutError("late")

    free = zookeeper.init(connection_string + root)
    zookeeper.close(free)
    former = signal.signal(signal.SIGALRM, handler)
    try:
        monkeypatch.setattr(threading.Thread, "start", start_with_a_signal)
        with pytest.raises(TimeoutError, match="late"):
            zookeeper.init(connection_string + root)
    finally:
        monkeypatch.undo()
        signal.signal(signal.SIGALRM, former)
    with pytest.raises(zookeeper.InvalidStateException):
        zookeeper.state(free)
    wait_until(
        lambda: not any(each.name == f"zookeeper-{free}" for each in threading.enumerate()),
        "the event thread ends",
    )


def test_init_as_the_interpreter_ends_says_so():
    told = subprocesses.run("init_at_the_end")
    assert told == "no thread for events: the interpreter ends"


def test_numbers_can_be_closed_by_others_as_soon_as_they_are_given(zookeeper, connect, root):
    """Another thread guesses them; a number that was closed before is the same."""
    unexpected: list[BaseException] = []
    closed: list[int] = []
    is_over = threading.Event()

    def close_all() -> None:
        while not is_over.is_set():
            for number in range(3):
                try:
                    zookeeper.close(number)
                    closed.append(number)
                except zookeeper.InvalidStateException:
                    pass
                except BaseException as problem:
                    unexpected.append(problem)

    closer = threading.Thread(target=close_all)
    closer.start()
    try:
        for _ in range(100):
            zookeeper.init("127.0.0.1:1")
    finally:
        is_over.set()
        closer.join(scaled(30))
    zookeeper.close_many(range(100))
    assert not closer.is_alive()
    assert unexpected == []
    assert closed


def test_a_watcher_may_use_its_handle_before_init_has_returned(zookeeper, connect):
    used = []

    def use(handle, kind, state, path):
        used.append(zookeeper.state(handle))
        if state == zookeeper.CONNECTED_STATE:
            used.append(zookeeper.get_children(handle, "/"))

    for _ in range(20):
        handle = connect(use)
        wait_until_connected(zookeeper, handle)
        zookeeper.close(handle)
    assert [] in used
