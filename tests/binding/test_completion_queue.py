"""Answers for an event loop: a queue with a descriptor, which the loop drains itself."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import select
import threading
import time
import weakref
from typing import Any

import pytest

from tests.binding import subprocesses
from tests.calls import Calls
from tests.deadlines import scaled, wait_until
from tests.sessions import OPEN, wait_until_delivered
from tests.tcpproxy import TO_CLIENT

pytestmark = pytest.mark.quick


@pytest.fixture
def queue(zookeeper):
    queue = zookeeper.CompletionQueue()
    yield queue
    queue.close()


def is_readable(queue, seconds=0.0):
    return bool(select.select([queue.fileno()], [], [], seconds)[0])


def drain(queue, count):
    """Drain a queue as a loop does, until so many callbacks have been called."""
    called, end = 0, time.monotonic() + scaled(10)
    while called < count:
        assert is_readable(queue, max(0, end - time.monotonic())), f"{called} of {count} came"
        called += queue.drain()
    assert called == count


def every_call(z: Any) -> dict[str, Any]:
    """Return each function that takes a completion, and what the completion gets of it."""
    return {
        "acreate": (lambda h, c: z.acreate(h, "/b", "", OPEN, 0, c), (z.OK, "/b")),
        "acreate2": (lambda h, c: z.acreate2(h, "/b", "", OPEN, 0, c), 3),
        "adelete": (lambda h, c: z.adelete(h, "/a", -1, c), (z.OK,)),
        "aset": (lambda h, c: z.aset(h, "/a", "x", -1, c), 2),
        "aexists": (lambda h, c: z.aexists(h, "/b", None, c), (z.NONODE, None)),
        "aget": (lambda h, c: z.aget(h, "/a", None, c), 3),
        "aget_children": (lambda h, c: z.aget_children(h, "/", None, c), (z.OK, ["a"])),
        "aget_children2": (lambda h, c: z.aget_children2(h, "/", None, c), 3),
        "aget_acl": (lambda h, c: z.aget_acl(h, "/a", c), 3),
        "aset_acl": (lambda h, c: z.aset_acl(h, "/a", 7, OPEN, c), (z.BADVERSION,)),
        "async_": (lambda h, c: z.async_(h, "/a", c), (z.OK, "/a")),
        "aget_config": (lambda h, c: z.aget_config(h, None, c), 3),
        "areconfig": (
            lambda h, c: z.areconfig(h, leaving="9", completion=c),
            (z.UNIMPLEMENTED, None, None),
        ),
        "amulti": (lambda h, c: z.amulti(h, [("check", "/a")], c), (z.OK, [None])),
        "add_auth": (lambda h, c: z.add_auth(h, "digest", "a:b", c), (z.OK,)),
        "aget_ephemerals": (lambda h, c: z.aget_ephemerals(h, "/", c), (z.OK, [])),
        "aget_all_children_number": (
            lambda h, c: z.aget_all_children_number(h, "/a", c),
            (z.OK, 0),
        ),
        "awhoami": (lambda h, c: z.awhoami(h, c), 2),
        "aadd_watch": (lambda h, c: z.aadd_watch(h, "/a", z.PERSISTENT, print, c), (z.OK,)),
        "aremove_watches": (
            lambda h, c: z.aremove_watches(h, "/a", z.WATCH_ANY, None, False, c),
            (z.NOWATCHER,),
        ),
    }


# They have tests of their own (test_bulk_later.py, and below).
OTHER_CALLS = {
    "aclose",
    "aget_many",
    "aget_acl_many",
    "aget_children_many",
    "aread_tree",
    "awatch_many",
    "awrite_many",
}


def test_every_call_with_a_completion_is_in_the_table(zookeeper):
    import inspect

    from zookeeper.binding import Binding

    taking = {
        name
        for name, function in vars(Binding).items()
        if not name.startswith("_") and "completion" in inspect.signature(function).parameters
    }
    assert taking == {*every_call(zookeeper), *OTHER_CALLS}


@pytest.mark.parametrize("name", every_call(__import__("zookeeper")))
def test_an_answer_of_each_call_is_told_where_the_queue_is_drained(zookeeper, handle, queue, name):
    zookeeper.create(handle, "/a", "data", OPEN)
    call, expected = every_call(zookeeper)[name]
    answer = Calls()
    assert call(handle, queue.bind(answer)) == zookeeper.OK
    assert is_readable(queue, scaled(10))
    assert len(answer) == 0
    drain(queue, 1)
    number, *got = answer.wait_one()
    assert number == handle
    assert answer.threads == [threading.current_thread()]
    if isinstance(expected, tuple):
        assert tuple(got) == expected
    else:
        assert len(got) == expected
        assert got[0] == zookeeper.OK
        assert None not in got


def test_a_thousand_answers_wake_the_loop_a_few_times_and_come_in_order(zookeeper, handle, queue):
    order: list[int] = []
    for number in range(1000):
        zookeeper.aget(handle, "/", None, queue.bind(lambda *_, n=number: order.append(n)))
    answered = Calls()
    zookeeper.async_(handle, "/", answered)
    answered.wait_one()
    assert queue.drain() == 1000
    assert order == list(range(1000))
    assert not is_readable(queue)
    assert queue.drain() == 0


def test_a_limit_leaves_the_rest_and_the_descriptor_readable(zookeeper, handle, queue):
    answer = Calls()
    for _ in range(5):
        zookeeper.aexists(handle, "/", None, queue.bind(answer))
    wait_until_delivered(zookeeper, handle)
    assert [queue.drain(2), queue.drain(max=2)] == [2, 2]
    assert is_readable(queue)
    zookeeper.aexists(handle, "/", None, queue.bind(answer))
    wait_until_delivered(zookeeper, handle)
    assert queue.drain(3) == 2
    assert not is_readable(queue)
    for wrong in (0, -1):
        with pytest.raises(zookeeper.BadArgumentsException, match="at least 1"):
            queue.drain(wrong)
    with pytest.raises(TypeError):
        queue.drain(True)


def test_an_exception_of_a_callback_is_logged_and_the_others_are_called(
    zookeeper, handle, queue, caplog
):
    def broken(*_):
        raise RuntimeError("a mistake in a callback")

    after = Calls()
    for callback in (broken, after):
        zookeeper.aget(handle, "/", None, queue.bind(callback))
    with caplog.at_level(logging.ERROR):
        drain(queue, 2)
    assert "a mistake in a callback" in caplog.text
    assert len(after) == 1


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_an_exit_in_a_callback_is_raised_and_the_others_are_called_later(
    zookeeper, handle, queue, end
):
    def leave(*_):
        raise end

    after = Calls()
    for callback in (leave, after):
        zookeeper.aget(handle, "/", None, queue.bind(callback))
    wait_until_delivered(zookeeper, handle)
    with pytest.raises(end):
        queue.drain()
    assert len(after) == 0
    drain(queue, 1)
    assert len(after) == 1


def test_a_callback_may_drain_ask_more_and_close_the_queue(zookeeper, handle):
    queue = zookeeper.CompletionQueue()
    order: list[str] = []

    def first(*_):
        order.append("first")
        queue.drain(1)
        order.append("first goes on")

    def third(*_):
        order.append("third")
        zookeeper.aget(handle, "/", None, queue.bind(lambda *_: order.append("asked within")))
        queue.close()

    for callback in (first, lambda *_: order.append("second"), third, Calls()):
        zookeeper.aget(handle, "/", None, queue.bind(callback))
    wait_until_delivered(zookeeper, handle)
    assert queue.drain() == 2
    wait_until_delivered(zookeeper, handle)
    assert order == ["first", "second", "first goes on", "third"]
    assert queue.drain() == 0


def test_a_call_with_a_watch_leaves_the_watch_and_answers_in_the_queue(zookeeper, handle, queue):
    zookeeper.create(handle, "/a", "", OPEN)
    answer, event = Calls(), Calls()
    zookeeper.aget(handle, "/a", event, queue.bind(answer))
    drain(queue, 1)
    assert answer.wait_one()[1:3] == (zookeeper.OK, "")
    zookeeper.set(handle, "/a", "new")
    assert event.wait_one()[1] == zookeeper.CHANGED_EVENT


def test_a_watch_whose_answer_no_queue_takes_is_there_all_the_same(zookeeper, handle):
    zookeeper.create(handle, "/a", "", OPEN)
    queue, event = zookeeper.CompletionQueue(), Calls()
    zookeeper.aget(handle, "/a", event, queue.bind(print))
    queue.close()
    zookeeper.set(handle, "/a", "new")
    assert event.wait_one()[1] == zookeeper.CHANGED_EVENT


def test_a_bound_function_is_a_watcher_and_told_where_the_queue_is_drained(
    zookeeper, handle, queue
):
    zookeeper.create(handle, "/a", "", OPEN)
    event = Calls()
    watcher = queue.bind(event)
    zookeeper.get(handle, "/a", watcher)
    zookeeper.set(handle, "/a", "1")
    drain(queue, 1)
    assert event.wait_one()[:2] == (handle, zookeeper.CHANGED_EVENT)
    assert event.threads == [threading.current_thread()]
    zookeeper.get(handle, "/a", watcher)
    zookeeper.remove_watches(handle, "/a", zookeeper.WATCH_DATA, watcher)
    zookeeper.set(handle, "/a", "2")
    wait_until_delivered(zookeeper, handle)
    assert queue.drain() == 0


def test_one_queue_takes_the_answers_of_several_handles(zookeeper, connect, queue):
    handles = [connect() for _ in range(3)]
    answers = Calls()
    for handle in handles:
        zookeeper.aget(handle, "/", None, queue.bind(answers))
    drain(queue, 3)
    assert sorted(call[0] for call in answers.all()) == handles


# The end of the queue


def test_a_closed_queue_refuses_calls_and_drops_answers_under_way(zookeeper, handle):
    queue, answer = zookeeper.CompletionQueue(), Calls()
    bound = queue.bind(answer)
    zookeeper.acreate(handle, "/a", "", OPEN, 0, bound)
    zookeeper.amulti(handle, [("create", "/b", "", OPEN)], bound)
    queue.close()
    queue.close()
    assert zookeeper.get_children(handle, "/") in (["a", "b"], ["b", "a"])
    for call in (queue.fileno, lambda: queue.bind(print)):
        with pytest.raises(zookeeper.InvalidStateException, match="the completion queue is closed"):
            call()
    bound(1, 2)
    assert queue.drain() == 0
    assert repr(queue) == "<completion queue, closed>"
    assert len(answer) == 0


@pytest.mark.not_emulated("answers come from another implementation, which calls the completion")
def test_a_call_for_a_closed_queue_is_refused_before_it_is_sent(zookeeper, handle):
    queue = zookeeper.CompletionQueue()
    bound = queue.bind(print)
    queue.close()
    with pytest.raises(zookeeper.InvalidStateException, match="the completion queue is closed"):
        zookeeper.acreate(handle, "/a", "", OPEN, 0, bound)
    with pytest.raises(zookeeper.InvalidStateException, match="the completion queue is closed"):
        zookeeper.amulti(handle, [("create", "/a", "", OPEN)], bound)
    assert zookeeper.exists(handle, "/a") is None


@pytest.mark.parametrize("end", ["drained", "closed", "let go of", "closed before"])
def test_callbacks_and_watchers_are_let_go_of(zookeeper, handle, end):
    class Callback:
        def __call__(self, *_):
            pass

    queue = zookeeper.CompletionQueue()
    callback, watcher = Callback(), Callback()
    gone = [weakref.ref(callback), weakref.ref(watcher)]
    zookeeper.create(handle, "/a", "", OPEN)
    bound = queue.bind(callback)
    zookeeper.aget(handle, "/a", watcher, bound)
    zookeeper.aget(handle, "/a", None, bound)
    zookeeper.amulti(handle, [("check", "/a")], bound)
    bound()
    if end == "closed before":
        queue.close()
    wait_until_delivered(zookeeper, handle)
    zookeeper.delete(handle, "/a")
    wait_until_delivered(zookeeper, handle)
    if end == "drained":
        assert queue.drain() == 4
    elif end == "closed":
        queue.close()
    del callback, watcher, bound
    if end == "let go of":
        del queue

    def collected():
        gc.collect()
        return not any(reference() for reference in gone)

    wait_until(collected, "nobody holds the callbacks any more")


@pytest.mark.not_emulated("it has no network")
def test_closing_the_handle_tells_each_pending_completion(zookeeper, connect, queue, proxy, root):
    handle = connect(hosts=proxy.connection_string + root)
    proxy.stall(TO_CLIENT)
    one, two, three = Calls(), Calls(), Calls()
    for _ in range(10):
        zookeeper.aget(handle, "/", None, queue.bind(one))
    zookeeper.aget(handle, "/", print, queue.bind(two))
    zookeeper.amulti(handle, [("check", "/")], queue.bind(three))
    zookeeper.close(handle)
    drain(queue, 12)
    assert one.all() == [(handle, zookeeper.CLOSING, None, None)] * 10
    assert two.wait_one() == (handle, zookeeper.CLOSING, None, None)
    assert three.wait_one() == (handle, zookeeper.CLOSING, None)


@pytest.mark.parametrize("bound", [True, False])
def test_the_end_of_a_session_is_told_to_a_completion(zookeeper, connect, handle, queue, bound):
    other, ended = connect(), Calls()
    zookeeper.create(other, "/e", "", OPEN, zookeeper.EPHEMERAL)
    assert zookeeper.aclose(other, queue.bind(ended) if bound else ended) == zookeeper.OK
    with pytest.raises(zookeeper.InvalidStateException):
        zookeeper.aclose(other)
    if bound:
        drain(queue, 1)
    assert ended.wait_one() == (other, zookeeper.OK)
    assert zookeeper.exists(handle, "/e") is None
    with pytest.raises(TypeError, match="completion"):
        zookeeper.aclose(handle, "text")
    assert zookeeper.exists(handle, "/") is not None


@pytest.mark.not_emulated("it has no network")
@pytest.mark.parametrize("lost", [True, False])
def test_a_silent_server_keeps_no_loop_from_closing(zookeeper, connect, queue, proxy, root, lost):
    handle = connect(hosts=proxy.connection_string + root)
    proxy.stall()
    answer, ended = Calls(), Calls()
    zookeeper.aget(handle, "/", None, queue.bind(answer))
    zookeeper.aclose(handle, queue.bind(ended), lost=lost)
    assert len(ended) == 0
    drain(queue, 2)
    code = zookeeper.CONNECTIONLOSS if lost else zookeeper.CLOSING
    assert answer.wait_one() == (handle, code, None, None)
    assert ended.wait_one() == (handle, zookeeper.OK)


@pytest.mark.not_emulated("it has no network")
def test_a_callback_may_begin_to_close_its_own_handle(zookeeper, connect):
    handle, ended = connect(), Calls()
    thread = zookeeper.event_thread(handle)
    zookeeper.aget(handle, "/", None, lambda h, *_: zookeeper.aclose(h, ended))
    assert ended.wait_one() == (handle, zookeeper.OK)
    thread.join(scaled(10))
    assert not thread.is_alive()


@pytest.mark.not_emulated("it has no network")
def test_a_lost_connection_is_told_in_the_queue(zookeeper, connect, queue, proxy, root):
    handle = connect(hosts=proxy.connection_string + root)
    proxy.stall(TO_CLIENT)
    answer = Calls()
    zookeeper.aget(handle, "/", None, queue.bind(answer))
    proxy.cut()
    drain(queue, 1)
    assert answer.wait_one() == (handle, zookeeper.CONNECTIONLOSS, None, None)


@pytest.mark.not_emulated("it delivers in the thread of the change")
def test_an_answer_needs_no_time_of_the_event_thread(zookeeper, handle, queue):
    """The event thread is blocked by a callback, and answers come all the same."""
    entered, leave = threading.Event(), threading.Event()

    def block(*_):
        entered.set()
        leave.wait(60)

    zookeeper.create(handle, "/a", "", OPEN)
    zookeeper.aget(handle, "/", None, block)
    assert entered.wait(scaled(10))
    try:
        answer = Calls()
        zookeeper.aget(handle, "/a", print, queue.bind(answer))
        zookeeper.amulti(handle, [("check", "/a")], queue.bind(answer))
        drain(queue, 2)
    finally:
        leave.set()


def test_queues_without_a_descriptor_are_refused_with_the_reason(zookeeper):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.open("/dev/null", os.O_RDONLY)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        with pytest.raises(zookeeper.SystemErrorException, match="Too many open files"):
            zookeeper.CompletionQueue()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("callback", [None, "text", 7])
def test_a_callback_that_cannot_be_called_is_refused(zookeeper, queue, callback):
    with pytest.raises(TypeError, match="callable"):
        queue.bind(callback)


@pytest.mark.not_emulated("it calls completions of any kind")
def test_a_completion_that_no_queue_has_bound_is_refused(zookeeper, handle, queue):
    kind: Any = type(queue.bind(print))
    loose = kind()
    with pytest.raises(TypeError, match=r"CompletionQueue\.bind"):
        loose()
    with pytest.raises(TypeError, match=r"CompletionQueue\.bind"):
        zookeeper.aget(handle, "/", None, loose)


@pytest.mark.not_emulated("other processes do not reach it")
def test_a_forked_child_leaves_the_parents_queue_alone(zookeeper, connection_string, root):
    seen = subprocesses.run("fork_completion_queue", connection_string + root)
    assert seen["child"] == {
        "fileno": "ForkedException",
        "bind": "ForkedException",
        "drain": "ForkedException",
        "close": "ForkedException",
        "call": "None",
        "own queue": 1,
    }
    assert seen["status"] == 0
    assert seen["drained by the parent"] == 101


@pytest.mark.not_emulated("other processes do not reach it")
@pytest.mark.parametrize("way", ["undrained", "in a callback", "the loop is stopped", "closing"])
def test_a_process_ends_with_answers_in_a_queue(zookeeper, connection_string, root, handle, way):
    assert subprocesses.run("exit_completion_queue", connection_string + root, way) == "created"
    zookeeper.sync(handle, "/")
    assert zookeeper.get_children(handle, "/") == []


# In loops


def test_a_loop_of_asyncio_awaits_a_thousand_answers(zookeeper, handle):
    async def read(queue):
        loop = asyncio.get_running_loop()
        loop.add_reader(queue.fileno(), queue.drain)

        def get():
            future: asyncio.Future[Any] = loop.create_future()
            zookeeper.aget(handle, "/", None, queue.bind(lambda *got: future.set_result(got)))
            return future

        try:
            return await asyncio.wait_for(asyncio.gather(*[get() for _ in range(1000)]), scaled(30))
        finally:
            loop.remove_reader(queue.fileno())
            queue.close()

    got = asyncio.run(read(zookeeper.CompletionQueue()))
    assert {answer[:3] for answer in got} == {(handle, zookeeper.OK, "")}
    assert len(got) == 1000


@pytest.mark.not_emulated("it delivers in the thread of the change")
def test_many_threads_that_bind_ask_and_drain_lose_no_answer(zookeeper, connect):
    """Queues come and go under the C client's threads."""
    handle = connect()
    told: list[int] = []
    failed: list[BaseException] = []

    def work():
        try:
            for _ in range(20):
                queue = zookeeper.CompletionQueue()
                for _ in range(20):
                    zookeeper.aget(handle, "/", None, queue.bind(lambda *_: told.append(1)))
                drain(queue, 20)
                for _ in range(20):
                    zookeeper.aexists(handle, "/", None, queue.bind(print))
                queue.close()
        except BaseException as fault:
            failed.append(fault)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(scaled(30))
    assert failed == []
    assert len(told) == 4 * 20 * 20
