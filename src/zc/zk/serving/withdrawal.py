"""The end of a server's process: withdrawn first, and stopped when that is known.

A server closes its sockets when it is asked to end, and consumers would learn of it by connections
that are refused. So the signal comes here first; the server gets it when the grace is over, by the
handler that it has set itself.
"""

from __future__ import annotations

import _thread
import logging
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

logger = logging.getLogger("zc.zk")

GRACE_SECONDS = 1.0


class Withdrawal:
    """Calls `withdraw` at the first SIGTERM, and has the process end `grace` seconds later.

    A second signal goes to the server at once. `install` and `remove` are for the main thread.
    """

    def __init__(self, withdraw: Callable[[], object], grace: float) -> None:
        if not 0 <= grace <= threading.TIMEOUT_MAX:
            raise ValueError(f"a grace is a number of seconds, not {grace!r}")
        self._withdraw = withdraw
        self._grace = grace
        self._former: Any = signal.SIG_DFL
        self._pid = 0
        self._has_begun = False
        self._is_passed_on = False
        self._over = threading.Event()

    def install(self) -> None:
        """Take SIGTERM over from the handler that there is."""
        self._pid = os.getpid()
        self._former = signal.signal(signal.SIGTERM, self._handle)

    def remove(self) -> None:
        """Give SIGTERM back, if nobody else has taken it, and end the grace."""
        self._over.set()
        if signal.getsignal(signal.SIGTERM) == self._handle:
            signal.signal(signal.SIGTERM, self._former)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._has_begun or os.getpid() != self._pid:
            self._pass_on(number, frame)
            return
        self._has_begun = True
        # Not by `threading`, whose locks this thread may hold just now.
        _thread.start_new_thread(self._end, (number,))

    def _end(self, number: int) -> None:
        try:
            self._withdraw()
        except Exception:
            logger.exception("a server could not be withdrawn, and ends")
        finally:
            self._over.wait(self._grace)
            if not self._is_passed_on:
                os.kill(self._pid, number)  # which comes to `_handle` again, in the main thread

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        self._is_passed_on = True
        if callable(self._former):
            self._former(number, frame)
        elif self._former == signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
