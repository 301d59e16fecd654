"""Calls that may ask a KDC, which may be silent: each has a deadline, and threads do not pile up.

MIT's library waits for a KDC for many seconds, and nothing ends that. So a thread of its own makes
such a call, and the caller waits for it as long as it can afford to. When that was too short, the
call goes on, and what it brings (a ticket) is there for the next attempt. For each service one call
is made at a time; others wait for their turn.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from zookeeper.errors import SASLError

T = TypeVar("T")

# An attempt to connect can spare that, with the usual session timeout: a first KDC that is dead
# costs about a second of it. A longer wait would keep the handle from another server, whose ticket
# it may have, and would end without the mechanism's word.
MAX_SECONDS = 2


class PerProcess(Generic[T]):
    """An object that a forked child makes anew: a lock in it may have been held at the fork."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made = os.getpid(), make()

    def get(self) -> T:
        """Return this process's object."""
        pid, made = self._made
        if pid != os.getpid():
            made = self._make()
            self._made = os.getpid(), made
        return made


class Turns:
    """One call at a time for each service."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._turns: dict[str, threading.Lock] = {}

    def take(self, service: str, call: Callable[[], T]) -> T:
        """Make the call when it is its turn; return its result, or raise its SASLError."""
        deadline = time.monotonic() + MAX_SECONDS
        with self._guard:
            turn = self._turns.setdefault(service, threading.Lock())
        if not turn.acquire(timeout=MAX_SECONDS):
            raise silence()
        made = _Call(call, turn)
        try:
            start(made.run, "zookeeper-kdc")
        except SASLError:
            # It takes as long as the library likes, which is better than no connection.
            made.run()
        if not made.done.wait(max(0, deadline - time.monotonic())):
            raise silence()
        if made.fault is not None:
            raise made.fault
        return made.result  # type: ignore[no-any-return]


class _Call:
    """One call, which ends its turn."""

    def __init__(self, call: Callable[[], Any], turn: threading.Lock) -> None:
        self._call = call
        self._turn = turn
        self.done = threading.Event()
        self.result: Any = None
        self.fault: SASLError | None = None

    def run(self) -> None:
        try:
            self.result = self._call()
        except SASLError as fault:
            self.fault = fault
        except BaseException as fault:
            self.fault = SASLError(f"{type(fault).__name__}: {fault}")
        finally:
            self._turn.release()
            self.done.set()


def start(run: Callable[[], None], name: str) -> None:
    """Start a thread that the program's end does not wait for.

    Raises SASLError if there are no more threads.
    """
    try:
        threading.Thread(target=run, name=name, daemon=True).start()
    except RuntimeError as fault:
        raise SASLError(f"no thread can be started to ask the KDC: {fault}") from None


def silence() -> SASLError:
    """Return the error of a caller that has waited long enough."""
    return SASLError(f"no KDC has answered within {MAX_SECONDS} seconds")
