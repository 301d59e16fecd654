"""Calls for many nodes that answer to a completion: results, ends, and giving up."""

from __future__ import annotations

import gc
import logging
import threading
import weakref
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from tests.calls import Calls
from tests.deadlines import scaled, wait_until
from tests.sessions import OPEN, wait_until_delivered
from tests.tcpproxy import TO_CLIENT
from tests.wireframes import Op

pytestmark = pytest.mark.quick

NAMES = [
    "aget_many",
    "aget_acl_many",
    "aget_children_many",
    "aread_tree",
    "awatch_many",
    "awrite_many",
]

PLACES = ["event thread", "queue"]


def calls(z: Any, **options: Any) -> dict[str, Any]:
    """Return each function, as a function of handle and completion."""
    paths = ["/a", "/missing", "/a/b"]
    checks = [("check", "/a"), ("set", "/a", "x")]
    timeout = {key: options[key] for key in options if key == "timeout"}
    return {
        "aget_many": lambda h, c: z.aget_many(h, paths, c, **options),
        "aget_acl_many": lambda h, c: z.aget_acl_many(h, paths, c, **options),
        "aget_children_many": lambda h, c: z.aget_children_many(h, paths, c, **options),
        "aread_tree": lambda h, c: z.aread_tree(h, "/a", c, **options),
        "awatch_many": lambda h, c: z.awatch_many(h, ["/a"], ["/a"], paths, print, c, **timeout),
        "awrite_many": lambda h, c: z.awrite_many(h, checks, c, batch=1, in_flight=1, **options),
    }


@pytest.fixture
def queue(zookeeper):
    queue = zookeeper.CompletionQueue()
    yield queue
    queue.close()


def drain(queue, answers, count=1):
    """Drain a queue until so many answers have been told."""

    def is_told():
        queue.drain()
        return len(answers) >= count

    wait_until(is_told, lambda: f"{len(answers)} of {count} answers are told")


@pytest.fixture(params=PLACES)
def place(request, queue):
    """Return where completions are called: `bind` one, and `wait` for so many calls."""
    if request.param == "queue":
        return SimpleNamespace(bind=queue.bind, wait=partial(drain, queue))
    return SimpleNamespace(
        bind=lambda call: call, wait=lambda answers, count=1: answers.wait(count)
    )


@pytest.fixture
def tree(zookeeper, handle):
    for path in ("/a", "/a/b", "/a/c", "/a/b/d"):
        zookeeper.create(handle, path, path, OPEN)
    return handle


def shown(found: Any) -> Any:
    """Return results so that they can be compared: exceptions have no equality."""
    if isinstance(found, Exception):
        return type(found), str(found)
    if isinstance(found, (list, tuple)):
        return [shown(each) for each in found]
    return found


def end_of(place, call, handle):
    answer = Calls()
    call(handle, place.bind(answer))
    place.wait(answer)
    number, *got = answer.wait_one()
    assert number == handle
    return got


def test_results_are_those_of_the_calls_that_wait(zookeeper, tree, place):
    z, paths = zookeeper, ["/a", "/missing", "/a/b", "/a/c"]
    code, found = end_of(place, lambda h, c: z.aget_many(h, paths, c), tree)
    expected = z.get_many(tree, paths)
    assert (code, shown(found)) == (z.OK, shown(expected))
    assert found.zxid == expected.zxid
    code, found = end_of(place, lambda h, c: z.aget_acl_many(h, paths, c), tree)
    assert (code, shown(found)) == (z.OK, shown(z.get_acl_many(tree, paths)))
    code, found = end_of(place, lambda h, c: z.aget_children_many(h, paths, c), tree)
    assert (code, shown(found)) == (z.OK, shown(z.get_children_many(tree, paths)))
    code, found = end_of(place, lambda h, c: z.aread_tree(h, "/", c), tree)
    assert code == z.OK
    nodes = [(node.path, node.data, node.stat, node.depth) for node in z.read_tree(tree, "/")]
    assert [(node.path, node.data, node.stat, node.depth) for node in found] == nodes
    watched = (["/a", "/missing"], ["/a", "/a/c", "/no"], ["/a/b", "/later"])
    code, found = end_of(place, lambda h, c: z.awatch_many(h, *watched, print, c), tree)
    assert (code, shown(found)) == (z.OK, shown(z.watch_many(tree, *watched, watcher=print)))


def test_writes_are_done_in_order_and_tell_each_result(zookeeper, handle, place):
    operations: list[Any] = [("create", f"/{number}", "", OPEN) for number in range(50)]
    operations += [
        ("set", "/7", "x"),
        ("create2", "/n", "", OPEN),
        ("delete", "/8"),
        ("check", "/9"),
    ]
    code, found = end_of(
        place, lambda h, c: zookeeper.awrite_many(h, iter(operations), c, batch=10), handle
    )
    assert code == zookeeper.OK
    assert found[:50] == [f"/{number}" for number in range(50)]
    assert found[50]["version"] == 1
    assert found[51][0] == "/n"
    assert found[52:] == [None, None]
    wrong = [("create", "/x", "", OPEN), ("delete", "/missing"), ("delete", "/9")]
    code, found = end_of(
        place, lambda h, c: zookeeper.awrite_many(h, wrong, c, batch=2, in_flight=1), handle
    )
    assert code == zookeeper.OK
    assert [type(each).__name__ for each in found] == [
        "RuntimeInconsistencyException",
        "NoNodeException",
        "NothingException",
    ]
    assert zookeeper.exists(handle, "/x") is None


def test_watches_are_there_when_the_completion_is_called(zookeeper, tree, place):
    event = Calls()
    code, _ = end_of(
        place,
        lambda h, c: zookeeper.awatch_many(h, ["/a"], ["/a"], ["/later"], event, c),
        tree,
    )
    assert code == zookeeper.OK
    zookeeper.set(tree, "/a", "new")
    zookeeper.create(tree, "/a/e", "", OPEN)
    zookeeper.create(tree, "/later", "", OPEN)
    assert [call[1::2] for call in event.wait(3)] == [
        (zookeeper.CHANGED_EVENT, "/a"),
        (zookeeper.CHILD_EVENT, "/a"),
        (zookeeper.CREATED_EVENT, "/later"),
    ]


def test_watches_behind_removals_under_way_stay(zookeeper, tree, queue):
    event, removed, answer = Calls(), Calls(), Calls()
    for _ in range(20):
        zookeeper.get(tree, "/a", print)
        zookeeper.aremove_watches(tree, "/a", zookeeper.WATCH_DATA, print, False, removed)
        zookeeper.awatch_many(tree, ["/a"], watcher=event, completion=queue.bind(answer))
        drain(queue, answer, len(answer) + 1)
        zookeeper.set(tree, "/a", "new")
        wait_until_delivered(zookeeper, tree)
    assert len(event.wait(20)) == 20
    assert {call[1] for call in answer.all()} == {zookeeper.OK}


def test_a_missing_tree_is_told_by_its_code(zookeeper, handle, place):
    assert end_of(place, lambda h, c: zookeeper.aread_tree(h, "/missing", c), handle) == [
        zookeeper.NONODE,
        None,
    ]


def test_a_missing_root_is_named_in_the_results(zookeeper, connect, connection_string, root, place):
    handle = connect(hosts=f"{connection_string}{root}/no/root")
    code, found = end_of(place, lambda h, c: zookeeper.aget_many(h, ["/a"], c), handle)
    assert code == zookeeper.OK
    assert str(found[0]) == f"no node: /a: the root {root}/no/root does not exist"
    code, (data, children, exists) = end_of(
        place, lambda h, c: zookeeper.awatch_many(h, ["/a"], ["/b"], ["/c"], print, c), handle
    )
    for missing in (data[0], children[0]):
        assert str(missing).endswith(f": the root {root}/no/root does not exist")
    assert exists == [None]


def test_nothing_to_do_is_told_later_all_the_same(zookeeper, handle, place):
    z = zookeeper
    assert end_of(place, lambda h, c: z.aget_many(h, [], c), handle) == [z.OK, []]
    assert end_of(place, lambda h, c: z.aget_children_many(h, [], c), handle) == [z.OK, []]
    assert end_of(place, lambda h, c: z.awrite_many(h, [], c), handle) == [z.OK, []]
    assert end_of(place, lambda h, c: z.awatch_many(h, watcher=print, completion=c), handle) == [
        z.OK,
        ([], [], []),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_call_without_completion_is_done_all_the_same(zookeeper, tree, name):
    calls(zookeeper)[name](tree, None)
    wait_until_delivered(zookeeper, tree)
    if name == "awrite_many":
        wait_until(lambda: zookeeper.get(tree, "/a")[0] == "x", "the data are written")


@pytest.mark.parametrize("name", NAMES)
def test_bad_arguments_are_refused_at_once(zookeeper, tree, name):
    z = zookeeper
    with pytest.raises(TypeError, match="completion"):
        calls(z)[name](tree, "text")
    with pytest.raises(z.BadArgumentsException, match="timeout"):
        calls(z, timeout=-1)[name](tree, print)
    with pytest.raises(z.InvalidStateException):
        calls(z)[name](1000, print)
    bad = {
        "aget_many": lambda: z.aget_many(tree, ["a"], print),
        "aget_acl_many": lambda: z.aget_acl_many(tree, ["a"], print),
        "aget_children_many": lambda: z.aget_children_many(tree, "/a", print),
        "aread_tree": lambda: z.aread_tree(tree, "a", print),
        "awatch_many": lambda: z.awatch_many(tree, ["/a"], completion=print),
        "awrite_many": lambda: z.awrite_many(tree, [("set", "/a", "y"), ("no",)], print),
    }
    with pytest.raises((z.BadArgumentsException, TypeError)):
        bad[name]()
    wait_until_delivered(z, tree)
    assert z.get(tree, "/a")[0] == "/a"


def test_progress_is_told_where_the_completion_is_called(zookeeper, tree, queue):
    progress, answer = Calls(), Calls()
    zookeeper.aget_many(tree, ["/a"] * 10, queue.bind(answer), progress=progress)
    drain(queue, answer)
    assert progress.all()[-1] == (10, 10)
    assert set(progress.threads) == {threading.current_thread()}
    zookeeper.aread_tree(tree, "/a", queue.bind(answer), progress=progress)
    drain(queue, answer, 2)
    assert progress.all()[-1] == (4, None)


def test_completions_and_results_are_let_go_of(zookeeper, tree, place):
    class Completion(Calls):
        pass

    completion = Completion()
    gone = weakref.ref(completion)
    tokens = [call(tree, place.bind(completion)) for call in calls(zookeeper).values()]
    place.wait(completion, len(tokens))
    del completion

    def collected():
        gc.collect()
        return gone() is None

    wait_until(collected, "nobody holds the completion any more")
    for token in tokens:
        token.cancel()


def test_a_completion_may_begin_the_next_call(zookeeper, tree, place):
    found: list[Any] = []

    def read(handle, code, results):
        found.append(results)
        if len(found) < 20:
            zookeeper.aget_many(handle, ["/a"], place.bind(again))

    again = Calls(read)
    zookeeper.aget_many(tree, ["/a"], place.bind(again))
    place.wait(again, 20)
    assert len(again) == 20


# Bad days


@pytest.fixture
def stalled(zookeeper, connect, proxy, root):
    """Yield a handle whose server gives no answers any more."""
    handle = connect(hosts=proxy.connection_string + root, recv_timeout=int(scaled(60_000)))
    zookeeper.create(handle, "/a", "", OPEN)
    zookeeper.get_many(handle, ["/"])  # the first one would go out alone
    proxy.stall(TO_CLIENT)
    return handle


def is_sent(proxy, call):
    def sent():
        return sum(count for op, count in proxy.requests.items() if op != Op.PING)

    before = sent()
    token = call()
    wait_until(lambda: sent() > before, "the request is sent")
    return token


@pytest.mark.not_emulated("it has no network")
@pytest.mark.parametrize("name", NAMES)
def test_a_cancelled_call_is_told_once_and_sends_no_more(zookeeper, stalled, proxy, place, name):
    answer = Calls()
    token = is_sent(proxy, lambda: calls(zookeeper)[name](stalled, place.bind(answer)))
    token.cancel()
    token.cancel()
    place.wait(answer)
    assert answer.wait_one() == (stalled, zookeeper.NOTHING, None)
    sent = proxy.requests.copy()
    proxy.resume()
    wait_until_delivered(zookeeper, stalled)
    wait_until_delivered(zookeeper, stalled)
    new = proxy.requests - sent
    assert new.keys() <= {Op.SYNC, Op.PING}, new
    token.cancel()
    assert len(answer) == 1


@pytest.mark.not_emulated("it has no network")
@pytest.mark.parametrize("name", NAMES)
def test_a_call_without_an_answer_ends_at_its_timeout(zookeeper, stalled, proxy, place, name):
    answer = Calls()
    calls(zookeeper, timeout=0.05)[name](stalled, place.bind(answer))
    place.wait(answer)
    assert answer.wait_one() == (stalled, zookeeper.OPERATIONTIMEOUT, None)


@pytest.mark.not_emulated("it has no network")
def test_a_call_ends_by_itself_when_nothing_comes_for_the_session_timeout(
    zookeeper, connect, proxy, root, queue
):
    """The server answers pings, so that the connection is well."""
    handle = connect(hosts=proxy.connection_string + root, recv_timeout=int(scaled(1000)))
    zookeeper.get_many(handle, ["/"])
    proxy.on_request = lambda request: request.op == Op.PING
    answer = Calls()
    zookeeper.aget_many(handle, ["/"], queue.bind(answer))
    drain(queue, answer)
    assert answer.wait_one()[1] in (zookeeper.OPERATIONTIMEOUT, zookeeper.CONNECTIONLOSS)
    proxy.on_request = None


@pytest.mark.not_emulated("it has no network")
@pytest.mark.parametrize("end", ["CLOSING", "CONNECTIONLOSS"])
def test_the_end_of_handle_or_connection_is_told_to_all(zookeeper, stalled, proxy, place, end):
    answers = {name: Calls() for name in NAMES}
    for name, call in calls(zookeeper).items():
        is_sent(proxy, partial(call, stalled, place.bind(answers[name])))
    if end == "CLOSING":
        zookeeper.close(stalled)
    else:
        proxy.cut()
    code = getattr(zookeeper, end)
    for answer in answers.values():
        place.wait(answer)
    for name in NAMES[:4]:
        assert answers[name].wait_one() == (stalled, code, None)
    _, told, results = answers["awrite_many"].wait_one()
    assert told == zookeeper.OK
    assert results[0].code == code


@pytest.mark.not_emulated("it has no network")
def test_a_closed_queue_drops_calls_under_way(zookeeper, stalled, proxy):
    class Completion(Calls):
        pass

    queue, completion = zookeeper.CompletionQueue(), Completion()
    gone = weakref.ref(completion)
    bound = queue.bind(completion)
    tokens = [is_sent(proxy, partial(call, stalled, bound)) for call in calls(zookeeper).values()]
    del bound
    queue.close()
    proxy.resume()
    wait_until_delivered(zookeeper, stalled)
    assert len(completion) == 0
    del completion

    def collected():
        gc.collect()
        return gone() is None

    wait_until(collected, "nobody holds the completion any more")
    for token in tokens:
        token.cancel()


@pytest.mark.not_emulated("it tells progress at the end alone")
def test_progress_that_raises_ends_the_call(zookeeper, connect, proxy, root, place, caplog):
    handle = connect(hosts=proxy.connection_string + root)

    def broken(done, total):
        raise RuntimeError("a mistake in progress")

    proxy.delay(120)
    answer = Calls()
    with caplog.at_level(logging.ERROR):
        zookeeper.aget_many(handle, ["/"] * 5000, place.bind(answer), progress=broken)
        place.wait(answer)
    assert answer.wait_one() == (handle, zookeeper.NOTHING, None)
    assert "a mistake in progress" in caplog.text
