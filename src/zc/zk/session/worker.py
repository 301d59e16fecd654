"""Work that is done when somebody asks for it: on a thread of its own, or where it is asked for.

The binding's event thread must neither do I/O nor run a program's code: whatever blocks it delays
every watch and every session event of its handle. So it only notes what happened and wakes a
worker. A `ZooKeeper` object has two: that of the maintenance, which talks to the server, and that
of the program's callbacks, so that a callback that takes its time delays only other callbacks.

An emulation that delivers watches in the thread of the changing call has no event thread. Its
workers work inline, in the thread that wakes them, so that what a change brings about is done
before the changing call returns.
"""

from __future__ import annotations

import _thread
import logging
import threading
import time
from _queue import Empty, SimpleQueue
from collections import deque
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from zc.zk.session.backoff import MAX_PAUSE_SECONDS, soonest
from zc.zk.session.runtime import new_queue

logger = logging.getLogger("zc.zk")

if TYPE_CHECKING:
    from typing import Protocol

    class Stoppable(Protocol):
        """A worker, as far as its session needs it."""

        def start(self, *, inline: bool) -> None:
            """Begin, with what it was woken for up to now."""

        def stop(self) -> None:
            """Do no more. A call that is going on goes on."""

        def join(self, seconds: float) -> bool:
            """Wait until it has ended; False when it has not."""

    class Calls(Protocol):
        """A queue of functions of the program that are to be called."""

        @property
        def worker(self) -> Stoppable:
            """The worker that calls them, from its `start` until its `stop`."""

        def begin_again(self) -> None:
            """Have a new worker, in a process that does not have the thread of the one before."""

        def put(self, callback: Callable[[], object], delay: float = 0.0) -> None:
            """Have `callback` called, not before `delay`, in seconds, is over."""

        def put_all(self, callbacks: Collection[Callable[[], object]]) -> None:
            """Have many called, one after another."""

        @property
        def length(self) -> int:
            """How many are to be called and wait for those before them."""

        @property
        def busy_since(self) -> float | None:
            """When one has begun that goes on after its call, as a coroutine does; others wait."""


class Worker:
    """Calls `work` after each `wake`, one call at a time.

    Several wakes may lead to one call; a wake during a call leads to another one after it. `work`
    returns in how many seconds it wants to be called without being woken, or None; inline there is
    nothing that could call it then, and it has to do with being woken.
    """

    def __init__(self, name: str, work: Callable[[], float | None]) -> None:
        self._name = name
        self._work = work
        self._wakes: SimpleQueue[None] = new_queue()
        self._thread: threading.Thread | None = None
        self._inline = False
        self._working = threading.Lock()
        self.is_stopped = False

    def start(self, *, inline: bool) -> None:
        """Begin, with what it was woken for up to now."""
        self._inline = inline
        if inline:
            self._work_here()
        else:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            _start(self._thread)

    def wake(self) -> None:
        """Have the work done: soon by the worker's thread, or, inline, now.

        A thread that wakes an inline worker while it works, which may be that worker itself, does
        not wait: the thread that works there does this too before it is done.
        """
        # One that has yet to be heard of is as good.
        if self._wakes.empty():
            self._wakes.put(None)
        if self._inline:
            self._work_here()

    def nudge(self) -> None:
        """Like `wake`, but safe in finalisers: an inline worker waits for the next `wake`."""
        self._wakes.put(None)

    def stop(self) -> None:
        """Do not call `work` again. A call that is going on goes on."""
        self.is_stopped = True
        self._wakes.put(None)

    def join(self, seconds: float) -> bool:
        """Wait until a stopped worker's thread has ended; False when it has not.

        Called by the worker's own thread, which cannot wait for itself, it is False at once.
        """
        thread = self._thread
        if thread is None or not thread.is_alive():  # as when an interrupt came while it started
            return True
        if thread is threading.current_thread():
            return False
        thread.join(seconds)
        return not thread.is_alive()

    def _run(self) -> None:
        delay: float | None = None
        while not self.is_stopped:
            try:
                self._wakes.get(timeout=delay)
            except Empty:
                pass
            try:
                delay = self._work_once()
            except BaseException:
                # A callback that calls sys.exit() must not silence all others for ever.
                logger.exception("%s goes on after", self._name)
                delay = 0

    def _work_here(self) -> None:
        while not self._wakes.empty() and self._working.acquire(blocking=False):
            try:
                self._work_once()
            except SystemExit:
                # It would end a thread at most, had this worker one.
                logger.exception("%s goes on after", self._name)
                self._wakes.put(None)
            finally:
                self._working.release()

    def _work_once(self) -> float | None:
        while not self._wakes.empty():
            self._wakes.get()
        if self.is_stopped:
            return None
        try:
            return self._work()
        except Exception:
            logger.exception("%s failed and will try again", self._name)
            return MAX_PAUSE_SECONDS


def _start(thread: threading.Thread) -> None:
    """Start a thread, whatever interrupts the calling one.

    An exception out of a signal handler may leave `Thread.start` with its locks taken, and the
    thread waiting for them for ever. The main thread, where such exceptions come, has another one
    start it.
    """
    if threading.current_thread() is not threading.main_thread():
        thread.start()
        return
    results: SimpleQueue[BaseException | None] = new_queue()

    def start() -> None:
        try:
            thread.start()
        except BaseException as problem:
            results.put(problem)
        else:
            results.put(None)

    _thread.start_new_thread(start, ())
    problem = results.get()
    if problem is not None:
        raise problem


class CallbackQueue:
    """Calls functions of the program, one at a time, in the order in which they came."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.begin_again()

    def begin_again(self) -> None:
        """Have a new worker, in a process that does not have the thread of the one before."""
        self.worker = Worker(self._name, self._call)
        self._waiting: deque[Callable[[], object]] = deque()
        # When it is due, and what.
        self._delayed: deque[tuple[float, Callable[[], object]]] = deque()

    def put(self, callback: Callable[[], object], delay: float = 0.0) -> None:
        """Have `callback` called, unless the worker is stopped before its turn comes.

        Not before `delay`, in seconds, is over.
        """
        if delay:
            self._delayed.append((time.monotonic() + delay, callback))
        else:
            self._waiting.append(callback)
        self.worker.wake()

    def put_all(self, callbacks: Collection[Callable[[], object]]) -> None:
        """Have many called, one after another."""
        self._waiting.extend(callbacks)
        self.worker.wake()

    @property
    def length(self) -> int:
        """How many are to be called and wait for those before them."""
        return len(self._waiting)

    busy_since: float | None = None  # a call takes as long as its function

    def _call(self) -> float | None:
        if self._delayed:
            self._take_due()
        while self._waiting and not self.worker.is_stopped:
            callback = self._waiting.popleft()
            try:
                callback()
            except Exception:
                logger.exception("a callback failed")
        if not self._delayed:
            return None
        now = time.monotonic()
        return soonest(*[max(0.0, due - now) for due, _ in list(self._delayed)])

    def _take_due(self) -> None:
        now = time.monotonic()
        for _ in range(len(self._delayed)):
            due, callback = self._delayed.popleft()
            if due <= now:
                self._waiting.append(callback)
            else:
                self._delayed.append((due, callback))
