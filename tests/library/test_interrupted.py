"""Exceptions out of signal handlers while a client opens or closes.

Ctrl-C raises them so. They come between any two steps; here, one after the other, at each place
where the interpreter looks for signals: after a call, at the beginning of a function, and where a
loop begins again.
"""

from __future__ import annotations

import dis
import sys
import threading
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

import zc.zk
import zookeeper
from tests.deadlines import scaled, wait_until
from zc.zk.session import ending
from zc.zk.session.handle import Handle
from zc.zk.session.session import Session
from zc.zk.session.state import StateMachine

LOOPS = ("JUMP_BACKWARD", "JUMP_ABSOLUTE")

# The interrupts come in the code of the library, and in what it calls; not in the emulation's,
# which stands for calls of the binding that do all or nothing.
FILES = ("/zc/zk/", "/threading.py", "/_weakrefset.py", "/queue.py")


class Interrupt:
    """Raises an exception at the `number`th place that `call` gets to.

    Places are counted from 1.
    """

    def __init__(self, number: int, kind: type[BaseException] = KeyboardInterrupt) -> None:
        self._left = number
        self._kind = kind
        self._last: dict[FrameType, int] = {}
        self.place = ""

    def call(self, function: Callable[[], object]) -> bool:
        """Return whether it came; False when there are not so many places."""
        former = sys.gettrace(), sys.getprofile()
        sys.settrace(self._trace)
        sys.setprofile(self._profile)
        try:
            function()
        except self._kind:
            return True
        finally:
            sys.setprofile(former[1])
            sys.settrace(former[0])
            self._last.clear()
        # The error is one that the interrupted code has swallowed, or another in its place.
        assert not self.place, f"the interrupt at {self.place} is lost"
        return False

    def _profile(self, frame: FrameType, event: str, argument: object) -> None:
        # It raises as the interpreter does, at the call itself: behind it, the end of a block
        # begins in which a lock is held.
        if event in ("call", "c_return") and _is_ours(frame):
            self._pass(frame)

    def _trace(self, frame: FrameType, event: str, argument: object) -> Any:
        if not _is_ours(frame):
            return None
        frame.f_trace_lines = False
        frame.f_trace_opcodes = True
        if event == "opcode":
            last = self._last.get(frame)
            self._last[frame] = frame.f_lasti
            if last is not None and dis.opname[frame.f_code.co_code[last]].startswith(LOOPS):
                self._pass(frame)
        return self._trace

    def _pass(self, frame: FrameType) -> None:
        self._left -= 1
        if self._left == 0:
            sys.settrace(None)
            sys.setprofile(None)
            self.place = f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_name}"
            raise self._kind


def _is_ours(frame: FrameType) -> bool:
    name = frame.f_code.co_filename
    return "/zc/zk/testing/" not in name and any(part in name for part in FILES)


def our_threads() -> list[str]:
    """Return the threads of sessions and of handles."""
    names = [thread.name for thread in threading.enumerate()]
    return sorted(name for name in names if name.startswith(("zc.zk ", "zookeeper-")))


def test_a_close_that_was_interrupted_is_finished_by_the_next(zk, connection_string, root) -> None:
    zk.create("/providers")
    before = our_threads()
    number = 0
    came = True
    while came:
        number += 1
        one = zc.zk.ZooKeeper(connection_string + root, 60_000)
        one.register("/providers", "host:1")
        interrupt = Interrupt(number)
        came = interrupt.call(one.close)
        one.close()
        assert one._session not in ending.open_sessions, interrupt.place
        assert zk.get_children("/providers") == [], interrupt.place
        wait_until(lambda: our_threads() == before, f"threads end after {interrupt.place}")
    assert number > 30


def test_an_interrupted_wait_for_a_session_raises_the_interrupt() -> None:
    """The interrupt is raised wherever in the wait for a condition it comes."""
    number = 0
    came = True
    while came:
        number += 1
        machine = StateMachine(None)
        came = Interrupt(number).call(lambda machine=machine: machine.wait(lambda: False, 0.001))
    assert number > 10


def test_an_interrupted_opening_leaves_nothing(zk, connection_string, root) -> None:
    before = our_threads()
    number = 0
    came = True
    while came:
        number += 1
        opened: list[zc.zk.ZooKeeper] = []
        interrupt = Interrupt(number)
        came = interrupt.call(
            lambda opened=opened: opened.append(zc.zk.ZooKeeper(connection_string + root, 60_000))
        )
        for one in opened:
            one.close()
        wait_until(lambda: our_threads() == before, f"threads end after {interrupt.place}")
        assert not [one for one in ending.open_sessions if one is not zk._session], interrupt.place
    assert number > 60


def test_the_end_of_the_program_finishes_what_was_interrupted(
    zk, connection_string, root, monkeypatch
) -> None:
    """The end of the program finishes a `close` that nobody repeats."""
    zk.create("/providers")
    for number in range(1, 200, 3):
        one = zc.zk.ZooKeeper(connection_string + root, 60_000)
        one.register("/providers", "host:1")
        with monkeypatch.context() as patch:
            mine = weakref.WeakSet([one._session])
            patch.setattr(ending, "open_sessions", mine)
            interrupt = Interrupt(number)
            came = interrupt.call(one.close)
            ending.close_sessions()
            assert not list(mine)
        assert zk.get_children("/providers") == [], interrupt.place
        if not came:
            break
    else:
        pytest.fail("closing has no end")


def test_an_interrupted_close_closes_no_later_handle(zk, connection_string, root, monkeypatch):
    """The interrupt comes after a close, when another handle may have the number."""
    one = zc.zk.ZooKeeper(connection_string + root)
    number = one.handle
    close = zookeeper.close

    def interrupted(handle: int, **options: bool) -> None:
        close(handle, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(zookeeper, "close", interrupted)
    with pytest.raises(KeyboardInterrupt):
        one.close()
    monkeypatch.undo()
    with zc.zk.ZooKeeper(connection_string + root) as two:
        assert two.handle == number
        one.close()
        assert two.exists("/")
        assert two.handle == number


def test_a_handle_whose_number_was_lost_is_closed_at_its_first_event(
    zk, connection_string, root, monkeypatch
) -> None:
    before = our_threads()
    init = zookeeper.init

    def interrupted(*arguments: Any, **options: Any) -> int:
        init(*arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(zookeeper, "init", interrupted)
    with pytest.raises(KeyboardInterrupt):
        zc.zk.ZooKeeper(connection_string + root)
    wait_until(lambda: our_threads() == before, "its event thread ends")


def test_two_threads_close_a_handle_once(monkeypatch) -> None:
    """The second thread neither waits nor closes the handle again."""
    inside, go_on = threading.Event(), threading.Event()
    closed: list[int] = []

    def close(handle: int) -> int:
        closed.append(handle)
        inside.set()
        assert go_on.wait(30)
        return 0

    monkeypatch.setattr(zookeeper, "init", lambda hosts, watcher: 4711)
    monkeypatch.setattr(zookeeper, "close", close)
    connection = Handle("hosts", lambda *_: None, binding=zookeeper)
    connection.open(None)
    first = threading.Thread(target=connection.close)
    first.start()
    assert inside.wait(30)
    connection.close()
    go_on.set()
    first.join()
    connection.close()
    assert closed == [4711]


def test_a_session_that_was_never_opened_is_closed(connection_string) -> None:
    one = Session(connection_string)
    one.close()
    one.close()
    assert not one.is_kept_up


def test_a_registration_has_ended_when_its_withdrawal_fails(zk, monkeypatch) -> None:
    zk.create("/providers")
    registration = zk.register("/providers", "host:1")
    delete = zookeeper.delete

    is_raised = threading.Event()

    def interrupted(*arguments: Any, **options: Any) -> int:
        if threading.current_thread() is threading.main_thread():
            is_raised.set()
            raise KeyboardInterrupt
        # The session's thread may be at it, too.
        is_raised.wait(scaled(30))
        return delete(*arguments, **options)

    monkeypatch.setattr(zookeeper, "delete", interrupted)
    with pytest.raises(KeyboardInterrupt):
        registration.unregister()
    assert (str(registration.state), "ended" in repr(registration)) == ("ended", True)
    wait_until(lambda: not zk.exists("/providers/host:1"), "the session's thread deletes it")


class LateError(Exception):
    """A signal handler's exception when something takes too long."""


def register_one(zk: zc.zk.ZooKeeper) -> Any:
    return zk.register("/providers", "host:1")


def register_two(zk: zc.zk.ZooKeeper) -> Any:
    return zk.register_all([("/providers", "host:1"), ("/providers", "host:2")])


@pytest.mark.parametrize("register", [register_one, register_two])
@pytest.mark.parametrize("kind", [KeyboardInterrupt, LateError])
def test_a_registration_that_was_interrupted_is_withdrawn(zk, kind, register) -> None:
    zk.create("/providers")
    register(zk).unregister()
    number, came = 0, True
    while came:
        number += 1
        interrupt = Interrupt(number, kind)
        made: list[Any] = []
        came = interrupt.call(lambda made=made: made.append(register(zk)))
        for registered in made:
            registered.unregister()
        wait_until(
            lambda: not zk.get_children("/providers"),
            f"it is gone, interrupted at {interrupt.place}",
        )
    assert number > 50
