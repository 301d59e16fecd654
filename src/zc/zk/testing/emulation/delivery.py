"""Delivery of watchers and completions, in order, before their cause returns.

The extension has a thread for it. Here the thread that has changed something calls what is due
because of the change. Two dangers come with that.

Two threads that change things at the same time must not call watchers at the same time, so one
has to wait for the other, whose watcher may be waiting for a lock that the first one holds: a
deadlock. Hence no thread waits for longer than PATIENCE_SECONDS; its calls are then made a little
later by the thread that delivers.

A watcher that changes something causes more calls, which may cause more. Those for its own change
are made before its call returns; others, and the completions of asynchronous calls, wait until the
outermost call comes to them. It does so for PATIENCE_SECONDS at most, for there are completions
that always ask for the next one; what is left then is done by the next call.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

logger = logging.getLogger("ZooKeeper")

PATIENCE_SECONDS: Final = 1.0

# Calls within calls, at most: Python's stack is not endless.
MAX_DEPTH: Final = 40


class Delivery:
    """Calls that are due, first come, first served."""

    def __init__(self) -> None:
        self._due: deque[Callable[[], object]] = deque()
        self._changed = threading.Condition()
        self._deliverer: int | None = None  # the thread that is calling
        self._depth = 0
        # How many there have been so far.
        self._put = 0
        self._begun = 0
        self._done = 0

    def put(self, call: Callable[[], object]) -> None:
        """Have something called."""
        with self._changed:
            self._due.append(call)
            self._put += 1

    def run(self, *, nested: bool = True) -> None:
        """Call what is due by now, or wait for the thread that does.

        Within a call that is being delivered it does nothing unless `nested`: the turn of those
        that are due comes.
        """
        me = threading.get_ident()
        with self._changed:
            if self._deliverer == me and not nested:
                return
            mine = self._put
            self._changed.wait_for(
                lambda: self._deliverer in (None, me) or self._done >= mine, PATIENCE_SECONDS
            )
            if self._deliverer not in (None, me) or self._depth == MAX_DEPTH:
                return
            self._deliverer = me
            self._depth += 1
        try:
            self._call_while(lambda: self._begun < mine)
            if self._depth == 1:
                end = time.monotonic() + PATIENCE_SECONDS
                self._call_while(lambda: time.monotonic() < end)
        finally:
            with self._changed:
                self._depth -= 1
                if self._depth == 0:
                    self._deliverer = None
                self._changed.notify_all()

    def _call_while(self, condition: Callable[[], bool]) -> None:
        while True:
            with self._changed:
                if not self._due or not condition():
                    return
                call = self._due.popleft()
                self._begun += 1
            try:
                call()
            except KeyboardInterrupt:
                raise  # no mistake of the callback's
            except BaseException:
                # One callback's mistake must not cost the others their events.
                logger.exception("a callback raised")
            finally:
                with self._changed:
                    self._done += 1
                    self._changed.notify_all()
