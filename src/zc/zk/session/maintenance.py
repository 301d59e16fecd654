"""The maintenance of a session: a loop that reconciles it with the servers, on one worker.

Nothing else replaces handles, or restores what a session has on the servers. Its steps, the duties,
are idempotent: one that is interrupted is begun again when there is a connection, and one that
fails is tried again at growing intervals (backoff).
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING

import zookeeper
from zc.zk.session.backoff import NEVER, pause, soonest
from zc.zk.session.worker import Worker

if TYPE_CHECKING:
    from typing import Protocol

    from zookeeper.binding import Binding

    class Maintained(Protocol):
        """A session, as far as its maintenance needs it."""

        connection_string: str
        binding: Binding

        @property
        def standing(self) -> Standing:
            """How things stand, all of it at one moment."""

        @property
        def is_lost(self) -> bool:
            """Whether the handle is of no use any more."""

        def give_up_in_time(self) -> float | None:
            """Give up a session without connection for too long, or say when that will be."""

        def look_after_events(self) -> float | None:
            """See that its events are heard; in how many seconds to look again."""

        def drop_handle(self) -> None:
            """Close a lost handle: it would go on to connect for a session that is over."""

        def replace_handle(self) -> None:
            """Open a new handle. Raises ZooKeeperException or OSError if it cannot be now."""

        def note_lost(self, epoch: int, reason: str) -> None:
            """That session turned out to be over."""

        def note_restored(self, epoch: int) -> None:
            """In that session all duties have been done."""


logger = logging.getLogger("zc.zk")

# A duty restores or maintains a part of what the session has on the servers. It is called with the
# handle, whenever there may be something to do, and returns in how many seconds it wants to be
# called again at the latest, or None. It may raise SessionError half-way.
Duty = Callable[[int], "float | None"]

# A duty that is done in steps yields while its requests are under way, so that those of others can
# be, too. One that has to wait is gone on with when all have begun.
Steps = Generator[None, None, "float | None"]
SteppedDuty = Callable[[int], Steps]

# How things stand: the epoch of the session, how many times it has been connected, the handle if
# there is a connection, and whether the server there can only be read.
Standing = tuple[int, int, "int | None", bool]


class Maintenance:
    """Does the duties of a session, the first one first, and tells the log of its news."""

    def __init__(self, session: Maintained) -> None:
        self._session = session
        self._name = session.connection_string
        # Each with its steps, and whether it writes.
        self._duties: list[tuple[Duty | SteppedDuty, SteppedDuty, bool]] = []
        self.begin_again()

    def begin_again(self) -> None:
        """Have a new worker, in a process that does not have the thread of the one before."""
        self._news: deque[tuple[int, str]] = deque()
        # Rounds that failed in a row, and new handles in a row whose session, if they got one, did
        # not live to see the duties done; whether the last one has yet to prove itself.
        self._failures = 0
        self._futile = 0
        self._is_unproven = False
        self._rest_until = 0.0
        # Which duties may have something to do: None stands for all of them. And when each one is
        # to be done next; in which session all of them were done.
        self._wanted: deque[Duty | SteppedDuty | None] = deque()
        self._due: dict[Duty | SteppedDuty, float] = {}
        self._restored_epoch = 0
        self._unfinished: set[Duty | SteppedDuty] = set()
        # The session and the connection for which they are done.
        self.moment = (0, 0)
        self.worker = Worker(f"zc.zk keeper {self._name}", self._work)

    def add_duty(self, duty: Duty, *, writes: bool = False) -> None:
        """Have `duty` done in each round, after those that were added before.

        If it `writes`, only where that is possible.
        """
        self._duties.append((duty, partial(_in_one_step, duty), writes))

    def add_stepped_duty(self, duty: SteppedDuty, *, writes: bool = False) -> None:
        """Do as `add_duty` for one that is done in steps."""
        self._duties.append((duty, duty, writes))

    def wake(self, duty: Duty | SteppedDuty | None = None) -> None:
        """Have `duty`, or by default all of them, done: there may be something to do."""
        self._wanted.append(duty)
        self.worker.wake()

    def nudge(self, duty: Duty | SteppedDuty | None = None) -> None:
        """`wake` for finalisers, which may run in the middle of anything."""
        self._wanted.append(duty)
        self.worker.nudge()

    def note_unfinished(self, duty: Duty | SteppedDuty, is_unfinished: bool) -> None:
        """Note, in a duty, whether it has left a part of a new session's restoring for later."""
        (self._unfinished.add if is_unfinished else self._unfinished.discard)(duty)

    def tell(self, level: int, text: str) -> None:
        """Have something logged on the worker, as handlers of loggers may do anything."""
        self._news.append((level, text))

    def _work(self) -> float | None:
        delay = self._round()
        return soonest(delay, self._session.look_after_events())

    def _round(self) -> float | None:
        while self._news:
            level, text = self._news.popleft()
            logger.log(level, "%s: %s", self._name, text)
        self._take_wanted()
        epoch, connects, handle, read_only = self._session.standing
        if handle is None:
            delay = self._replace_handle() if self._session.is_lost else None
            if delay is not None:
                return delay
            epoch, connects, handle, read_only = self._session.standing
            if handle is None:
                return self._session.give_up_in_time()
        if self.moment != (epoch, connects):
            self._wanted.append(None)
            self.moment = epoch, connects
        try:
            delay = self._do_duties(handle, read_only)
        except zookeeper.SessionError as trouble:
            self._wanted.append(None)
            self._look_into(epoch, handle, trouble)
            return pause(self._failures)
        self._failures = self._futile = 0
        self._is_unproven = False
        if not (read_only or self._unfinished or self._restored_epoch == epoch):
            self._restored_epoch = epoch
            self._session.note_restored(epoch)
        return delay

    def _take_wanted(self) -> None:
        """Note what was asked for. Each round does, as much may be in a long outage."""
        while self._wanted:
            wanted = self._wanted[0]  # until it is noted, as an interrupt may come first
            for duty, *_ in self._duties:
                if wanted is None or wanted == duty:
                    self._due[duty] = 0.0
            self._wanted.popleft()

    def _do_duties(self, handle: int, read_only: bool) -> float | None:
        """Do those that may have something to do; in how many seconds the next one is due."""
        self._take_wanted()
        now = time.monotonic()
        able = [each for each in self._duties if not (read_only and each[2])]
        under_way: deque[tuple[Duty | SteppedDuty, Steps]] = deque()
        trouble: zookeeper.SessionError | None = None
        try:
            for duty, steps_of, _ in able:
                if self._due.get(duty, 0.0) > now:
                    continue
                under_way.append((duty, steps_of(handle)))
                try:
                    if self._step(*under_way[-1]):
                        under_way.pop()
                except zookeeper.SessionError as fault:
                    # Those before it take in what their requests have met with.
                    under_way.pop()
                    trouble = fault
                    break
            while under_way:
                while not self._step(*under_way[0]):
                    pass
                under_way.popleft()
            if trouble is not None:
                raise trouble
        finally:
            for _, steps in under_way:
                steps.close()
        next_due = min((self._due[duty] for duty, *_ in able), default=NEVER)
        return None if next_due == NEVER else max(0.0, next_due - time.monotonic())

    def _step(self, duty: Duty | SteppedDuty, steps: Steps) -> bool:
        """Do the next step of a duty; say whether it was the last."""
        try:
            next(steps)
        except StopIteration as end:
            seconds: float | None = end.value
            self._due[duty] = NEVER if seconds is None else time.monotonic() + seconds
            return True
        return False

    def _replace_handle(self) -> float | None:
        """Open a new handle; or in how many seconds to come back and do so."""
        self._session.drop_handle()
        if self._is_unproven:
            # The reason why the last one ended may pass; until then each new session is a burden on
            # the servers.
            self._is_unproven = False
            self._futile += 1
            self._rest_until = time.monotonic() + pause(self._futile)
        rest = self._rest_until - time.monotonic()
        if rest > 0:
            return rest
        try:
            self._session.replace_handle()
        except (zookeeper.ZooKeeperException, OSError) as fault:
            # As a rule no name server answers, which may pass.
            self._futile += 1
            level = logging.WARNING if self._futile == 1 else logging.DEBUG
            logger.log(level, "%s: no new session, will try again: %s", self._name, fault)
            return pause(self._futile)
        self._is_unproven = True
        return None

    def _look_into(self, epoch: int, handle: int, trouble: zookeeper.ZooKeeperException) -> None:
        """A duty could not be done. It is tried again when an event comes, or after a pause."""
        self._failures += 1
        is_closed = isinstance(trouble.__cause__, zookeeper.InvalidStateException)
        if isinstance(trouble, zookeeper.ConnectionLossException) and not is_closed:
            logger.debug("%s: upkeep interrupted: %s", self._name, trouble)
        elif isinstance(trouble, zookeeper.OperationTimeoutException):
            logger.warning("%s: upkeep interrupted: %s", self._name, trouble)
        elif isinstance(trouble, zookeeper.SessionClosedRequireSaslAuthException):
            # Each new connection would be ended as well, and the session kept by it for nothing.
            self._session.note_lost(
                epoch, "the servers want a credential of another scheme (enforce.auth.schemes)"
            )
        elif isinstance(trouble, zookeeper.SessionExpiredException) or _is_over(
            self._session.binding, handle
        ):
            # The C client need not know: a server may go on with a connection whose session has
            # ended, and refuse only what needs one.
            self._session.note_lost(epoch, str(trouble))


def _in_one_step(duty: Duty, handle: int) -> Steps:
    yield  # those before it are done first
    return duty(handle)


def _is_over(binding: Binding, handle: int) -> bool:
    try:
        return bool(binding.is_unrecoverable(handle))
    except zookeeper.ZooKeeperException:
        return True  # it has been closed by somebody else
