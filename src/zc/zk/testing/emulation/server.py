"""The emulated server that the handles of an emulation share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import count
from typing import Any, Final

from zc.zk.testing.clock import Clock
from zc.zk.testing.emulation.delivery import Delivery
from zc.zk.testing.emulation.handle import Handle
from zc.zk.testing.engine import Engine
from zookeeper import constants, errors

# The interval between looks at containers and nodes with a TTL, in seconds of emulated time.
CHECK_SECONDS: Final = 60.0


class EmulatedServer:
    """An engine with a lock around it, its clients, and what is due to be called.

    Threads: `lock` is held over every use of the engine and of the table of handles, and never
    while a program's function is called. But a finaliser or a signal handler may come in the middle
    of the engine. It can neither wait for its own thread nor use an engine that has half done
    something: so its calls raise OperationTimeoutException, and have done nothing.
    """

    def __init__(self, engine: Engine, clock: Clock, check_seconds: float) -> None:
        self.clock: Final = clock
        self.engine: Final = engine
        self._lock: Final[Any] = threading.RLock()
        self.delivery: Final = Delivery()
        self.handles: dict[int, Handle] = {}
        # Numbers that no handle here is to get, as others have them.
        self.is_taken: Callable[[int], bool] = lambda number: False
        self._check_milliseconds = int(check_seconds * 1000)
        self._checked = self.clock()

    @property
    def lock(self) -> AbstractContextManager[bool]:
        """The lock. Raises OperationTimeoutException in a thread that has it."""
        if self._lock._is_owned():
            raise errors.error(
                constants.OPERATIONTIMEOUT,
                None,
                "a finaliser or signal handler has called the emulation in the middle of a call"
                " that its thread is in",
                may_have_happened=False,
            )
        lock: AbstractContextManager[bool] = self._lock
        return lock

    def add(self, make: Callable[[int], Handle]) -> Handle:
        """Add a handle under the lowest number that is free. With the lock."""
        number = next(n for n in count() if n not in self.handles and not self.is_taken(n))
        handle = self.handles[number] = make(number)
        return handle

    def keep_time(self) -> None:
        """Let expire what does so by itself, as far as time has come. With the lock."""
        now = self.clock()
        if now - self._checked < self._check_milliseconds:
            return
        self._checked = now
        for handle in self.handles.values():
            handle.touch()
        self.engine.expire_sessions()
        self.engine.remove_abandoned()

    def advance(self, seconds: float) -> None:
        """Put the clock forward."""
        with self.lock:
            self.clock.advance(seconds)
            self._checked = self.clock() - self._check_milliseconds
            self.keep_time()
        self.deliver()

    def deliver(self, *, nested: bool = True) -> None:
        """Call what is due. Without the lock."""
        self.delivery.run(nested=nested)

    def find(self, h: object) -> Handle:
        """Return the open handle of a number, in the process that opened it."""
        if isinstance(h, bool) or not isinstance(h, int):
            raise TypeError(f"a handle is an int, not {type(h).__name__}")
        handle = self.handles.get(h)
        if handle is None:
            raise errors.error(
                constants.INVALIDSTATE, None, f"handle {h} is closed or was never open"
            )
        handle.require_own_process()
        return handle
