"""The C client's log lines in Python's logging."""

from __future__ import annotations

import io
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from tests.calls import Calls
from tests.deadlines import wait_until
from tests.sessions import wait_until_connected

pytestmark = pytest.mark.not_emulated("the C client's log")

# The prefix of the C client's messages: time, process, thread, level.
PREFIX = re.compile(r"ZOO_[A-Z]+@|\(0x[0-9a-f]+\)")


@pytest.fixture(autouse=True)
def usual_settings(zookeeper):
    """Restore the settings that these tests change, which hold for all handles.

    Lines that another test has logged less than a minute ago are none of their business.
    """
    zookeeper.log._said.clear()
    yield
    zookeeper.set_log_stream(None)
    zookeeper.set_debug_level(zookeeper.LOG_LEVEL_INFO)


def lose_the_connection(connect, proxy, root):
    """Do something that the C client logs at several levels."""
    handle = connect(hosts=proxy.connection_string + root)
    connections = proxy.connections
    proxy.cut()
    wait_until(lambda: proxy.connections > connections, "it connects again")
    return handle


def own_records(caplog):
    return [record for record in caplog.records if record.name == "ZooKeeper"]


def test_lines_become_records_of_the_logger_zookeeper_with_their_levels(
    zookeeper, connect, proxy, root, caplog
):
    caplog.set_level(logging.DEBUG, "ZooKeeper")
    zookeeper.set_debug_level(zookeeper.LOG_LEVEL_DEBUG)
    lose_the_connection(connect, proxy, root)

    def levels():
        return {record.levelno for record in own_records(caplog)}

    wait_until(
        lambda: levels() >= {logging.DEBUG, logging.INFO, logging.WARNING},
        lambda: f"records of several levels: {levels()}",
    )
    for record in own_records(caplog):
        message = record.getMessage()
        assert message
        assert not PREFIX.search(message)
        assert not message.endswith("\n")


@pytest.mark.parametrize(
    ("line", "level", "message"),
    [
        ("ZOO_ERROR@f@12: no route", logging.ERROR, "f: no route"),
        ("ZOO_WARN@f@12: slow", logging.WARNING, "f: slow"),
        ("ZOO_INFO@f@12: x: y", logging.INFO, "f: x: y"),
        ("ZOO_DEBUG@f@12: ", logging.DEBUG, "f: "),
        ("ZOO_WARN@f@12: Exceeded deadline by 11ms", logging.DEBUG, "f: Exceeded deadline by 11ms"),
        ("something else altogether", logging.INFO, "something else altogether"),
    ],
)
def test_lines_about_a_missed_deadline_are_for_nobody(zookeeper, caplog, line, level, message):
    """They come whenever a machine is busy, and nothing follows from them.

    The issue ZOOKEEPER-642 tells of them.
    """
    caplog.set_level(logging.DEBUG, "ZooKeeper")
    zookeeper.log.emit(f"2026-11-22 07:17:41,123:4567(0x7f0011223344):{line}")
    (record,) = own_records(caplog)
    assert record.levelno == level
    assert record.getMessage().endswith(message)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "zk retcode=-112, errno=116(Stale file handle): sessionId=0x1 has expired.",
            "zk retcode=-112: sessionId=0x1 has expired.",
        ),
        (
            "zk retcode=-4, errno=112(Host is down): failed while receiving a server response",
            "zk retcode=-4: failed while receiving a server response",
        ),
        (
            "zk retcode=-4, errno=112(Host is down): server refused to accept the client",
            "zk retcode=-4, errno=112(Host is down): server refused to accept the client",
        ),
        (
            "zk retcode=-4, errno=111(Connection refused): server refused to accept the client",
            "zk retcode=-4, errno=111(Connection refused): server refused to accept the client",
        ),
    ],
)
def test_a_loss_is_a_warning_without_errors_that_are_made_up(zookeeper, caplog, said, told):
    caplog.set_level(logging.DEBUG, "ZooKeeper")
    zookeeper.log.emit(f"ZOO_ERROR@check_events@12: Socket 127.0.0.1:{len(said)} {said}")
    *_, record = own_records(caplog)
    assert record.levelno == logging.WARNING
    assert record.getMessage() == f"check_events: Socket 127.0.0.1:{len(said)} {told}"


def test_the_level_holds_back_what_is_below_it(zookeeper, connect, proxy, root, caplog):
    caplog.set_level(logging.DEBUG, "ZooKeeper")
    assert zookeeper.set_debug_level(zookeeper.LOG_LEVEL_ERROR) == zookeeper.OK
    lose_the_connection(connect, proxy, root)

    def levels():
        # The last line of a handle that was closed before may come late.
        records = [r for r in own_records(caplog) if "zookeeper_close" not in r.getMessage()]
        return {record.levelno for record in records}

    wait_until(levels, "the loss is logged")
    assert levels() == {logging.WARNING}


def test_lines_can_go_to_a_stream_instead(zookeeper, connect, proxy, root, caplog):
    stream = io.StringIO()
    assert zookeeper.set_log_stream(stream) == zookeeper.OK
    lose_the_connection(connect, proxy, root)
    wait_until(lambda: "ZOO_ERROR" in stream.getvalue(), "the loss is written")
    assert all(line for line in stream.getvalue().splitlines())
    assert own_records(caplog) == []
    zookeeper.set_log_stream(None)
    lose_the_connection(connect, proxy, root)
    wait_until(lambda: own_records(caplog), "the loss is logged")


def test_a_stream_that_raises_harms_nobody(zookeeper, connect, proxy, root):
    class Broken:
        def write(self, text):
            raise OSError("no space left on device")

    zookeeper.set_log_stream(Broken())
    handle = lose_the_connection(connect, proxy, root)
    wait_until(lambda: zookeeper.state(handle) == zookeeper.CONNECTED_STATE, "it comes back")
    assert zookeeper.get(handle, "/")[0] == ""


@pytest.mark.parametrize("stream", ["text", 7, object()])
def test_a_log_that_cannot_be_written_to_is_refused(zookeeper, stream):
    with pytest.raises(TypeError, match="write"):
        zookeeper.set_log_stream(stream)


@pytest.mark.parametrize("level", ["INFO", "WARN", "ERROR"])
def test_a_line_that_is_logged_again_and_again_is_left_out(zookeeper, caplog, level):
    """A server that hangs up at once causes it; changing numbers do not matter."""
    caplog.set_level(logging.DEBUG, "ZooKeeper")
    for number in range(5):
        zookeeper.log.emit(f"x:ZOO_{level}@f@12: connection to a:1 timed out (by {number}ms)")
    zookeeper.log.emit(f"x:ZOO_{level}@f@12: connection to a:2 timed out (by 1ms)")
    first, *repeated, other = [record.levelno for record in own_records(caplog)]
    assert repeated == [logging.DEBUG] * 4
    assert first == other > logging.DEBUG


def test_messages_of_many_sessions_do_not_make_each_other_new(zookeeper, caplog):
    caplog.set_level(logging.INFO, "ZooKeeper")
    for _ in range(2):
        for server in range(500):
            zookeeper.log.emit(f"x:ZOO_WARN@f@12: server {server} refused")
    assert len(own_records(caplog)) == 500


class Raising(logging.Handler):
    """A handler that is broken, as a program's own may be."""

    def __init__(self, problem: type[BaseException]) -> None:
        super().__init__()
        self.problem = problem
        self.called = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.called += 1
        raise self.problem("the log is broken")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("problem", [OSError, SystemExit])
def test_a_handler_that_raises_ends_no_event_thread(zookeeper, connect, proxy, root, problem):
    """The C client's lines and a callback's exception both reach the handler."""

    def fail(*_: object) -> None:
        raise ValueError("a callback's")

    handler = Raising(problem)
    handle = connect(hosts=proxy.connection_string + root)
    logging.getLogger("ZooKeeper").addHandler(handler)
    try:
        zookeeper.aget(handle, "/", None, fail)
        zookeeper.get(handle, "/", fail)
        zookeeper.set(handle, "/", "x")
        connections = proxy.connections
        proxy.cut()
        wait_until(lambda: handler.called >= 3, "the handler has raised", 30)
        wait_until(lambda: proxy.connections > connections, "it connects again", 30)
        answered = Calls()
        wait_until_connected(zookeeper, handle)
        zookeeper.aget(handle, "/", None, answered)
        assert answered.wait_one()[1] == zookeeper.OK
        assert zookeeper.event_thread(handle).is_alive()
    finally:
        logging.getLogger("ZooKeeper").removeHandler(handler)


def test_a_line_wakes_one_thread_and_not_those_of_all_handles(zookeeper, connect, proxy, root):
    """The kernel counts how often threads go to sleep."""
    others = [zookeeper.event_thread(connect()) for _ in range(20)]
    handle = connect(hosts=proxy.connection_string + root)
    zookeeper.set_debug_level(zookeeper.LOG_LEVEL_DEBUG)

    def sleeps(thread):
        status = Path(f"/proc/self/task/{thread.native_id}/status").read_text()
        [switches] = re.findall(r"\nvoluntary_ctxt_switches:\s*(\d+)", status)
        return int(switches)

    before = list(map(sleeps, others))
    lines = io.StringIO()
    zookeeper.set_log_stream(lines)
    for _ in range(300):
        zookeeper.get(handle, "/")
    wait_until(lambda: len(lines.getvalue().splitlines()) > 300, "the lines are written")
    # A wait for the interpreter's lock is a sleep too: the thread that writes them has many.
    woken = [after - b for after, b in zip(map(sleeps, others), before, strict=True)]
    assert sum(count > 50 for count in woken) <= 2, woken


def test_a_handler_that_uses_zookeeper_does_not_deadlock(zookeeper, connect, proxy, root):
    """A log handler that keeps its lines in ZooKeeper makes calls itself."""
    results: list[Any] = []

    class Handler(logging.Handler):
        def emit(self, record):
            if handle is not None and not results:
                results.append(zookeeper.get(handle, "/")[0])

    handle = None
    handler = Handler()
    logging.getLogger("ZooKeeper").addHandler(handler)
    try:
        handle = connect()
        lose_the_connection(connect, proxy, root)
        wait_until(lambda: results, "the handler makes its call")
    finally:
        logging.getLogger("ZooKeeper").removeHandler(handler)
    assert results == [""]
