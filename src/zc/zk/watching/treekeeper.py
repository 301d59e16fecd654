"""Keeping live trees up to date, on the session's worker.

A tree has one recursive watch, which is set before anything is read. The event thread only notes
the paths of its events, for the worker to read what they name, in bulk. A recursive watch is set
again after a gap, and tells nothing of what has happened meanwhile: all that is known is then put
in doubt. Reads wait for the session's pace (`zc.zk.session.pace`), a round of them as one.
`zc.zk.watching.treeagenda` decides what to read, and says what has changed.
"""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

import zookeeper
from zc.zk.session.backoff import pause
from zc.zk.session.pace import Urgency
from zc.zk.session.session import Session
from zc.zk.watching.treeagenda import Agenda
from zc.zk.watching.treechanges import REMOVED, Log, note
from zc.zk.watching.treereads import MAX_AT_ONCE, answers, read_all

if TYPE_CHECKING:
    from typing import Protocol

    from zc.zk.watching.callbacks import Callback
    from zookeeper.types import Watcher

    class Owner(Protocol):
        """A live tree, as far as its upkeep needs it."""

        callbacks: list[Callback]

        def _take_changes(self, log: Log) -> None:
            """Tell the program of changes; the log is the tree's from now on."""


logger = logging.getLogger("zc.zk")

# A tree reads for so long (seconds) before other duties of the session get their turn.
MAX_TURN_SECONDS = 0.1

# Nodes that cannot be read are tried again the more seldom the more they are: so many seconds each.
RETRY_SECONDS = 0.002


class Upkeep:
    """The upkeep of one tree, which it does not keep alive.

    `wake` has `keep` called soon. `depth` and `accepts` are an agenda's; `agenda` is replaced when
    the tree moves.
    """

    def __init__(
        self,
        session: Session,
        wake: Callable[[], object],
        root: str,
        depth: int | None,
        accepts: Callable[[str], bool] | None,
    ) -> None:
        self._session = session
        self._wake = wake
        self._depth = depth
        self._accepts = accepts
        self.agenda = Agenda(root, depth, accepts)
        self.owner: Callable[[], Owner | None] = lambda: None
        # The path that links lead to now, by the worker's duty before this one; None: to nothing.
        self.wanted_root: str | None = root
        # In which all was read, or put in doubt; None before.
        self._moment: tuple[int, int] | None = None
        self._is_watched = False
        # Whether all that was in doubt after a gap has been read.
        self._is_verified = True
        self._failures = 0
        self._refusals = 0
        self._due = math.inf
        # Whether there is more to read than fits into a turn, and when it has read last.
        self._is_reading = False
        self._read_at = -math.inf
        # Since when it waits for the session's pace.
        self._waits_since = math.inf
        # Appended to by the event thread.
        self._noted: deque[str] = deque()
        # The same object every time, by which the binding knows it.
        self._watcher: Watcher = self._note_event

    @property
    def root(self) -> str:
        return self.agenda.nodes.root

    # The program's thread, before anybody else knows of it

    def begin(self) -> None:
        """Watch, and read all. Raises what servers say against it, NoNodeException for one."""
        session = self._session
        self._moment = session.epoch, session.connects
        session.call(self._watch)
        self._is_watched = True
        session.call(self._load, self.agenda)
        top = self.agenda.nodes.find(self.root)
        if top is None:
            raise zookeeper.error(zookeeper.NONODE, self.root)
        if not isinstance(top[1], bytes):
            raise top[1]
        self.agenda.log.clear()

    def unwatch(self, handle: int) -> None:
        """Have the watch removed.

        If the connection is lost meanwhile, it is not set again (`local`). To try again would be
        no good: the tree may be there again by then, with the same watcher.
        """
        remove = self._session.binding.aremove_watches
        self._noted.clear()
        try:
            remove(handle, self.root, zookeeper.WATCH_PERSISTENT_RECURSIVE, self._watcher, True)
        except zookeeper.ZooKeeperException as fault:
            logger.debug("no watch to remove at %s: %s", self.root, fault)  # gone with the session

    def distrust(self) -> None:
        """Take nothing for known: this was interrupted in the middle."""
        self._moment = None

    def after_fork(self) -> None:
        """Begin anew in a child process."""
        self._noted.clear()
        self._moment = None

    # The event thread

    def _note_event(self, handle: int, type: int, state: int, path: str) -> None:
        if type == zookeeper.NOTWATCHING_EVENT:
            self._is_watched = False
        elif type == zookeeper.SESSION_EVENT:
            return
        else:
            self._noted.append(path)
        self._wake()

    # The worker

    def keep(self, handle: int, moment: tuple[int, int]) -> float | None:
        """Bring the tree up to date; return in how many seconds there is more to do."""
        now = time.monotonic()
        if self._failures and now < self._due:
            return self._due - now
        if self.wanted_root is None:
            self._leave(handle)
            return None
        if self.wanted_root != self.root:
            self._move(handle, self.wanted_root)
        if self._moment is None or self._moment[0] != moment[0]:
            self._is_watched = False
        if not self._is_watched and not self._watch_again(handle, now):
            return max(0.0, self._due - now)
        if self._moment != moment:
            self.agenda.doubt()
            self._is_verified = False
            self._moment = moment
        if not self._is_reading:
            self._waits_since = min(self._waits_since, now)
            due = self._session.pace.due(self._read_at, self._waits_since, self._urgency)
            if due > now:
                return due - now
            self._waits_since = math.inf
        if self._due <= now:
            self._due = math.inf
            self.agenda.retry()
        try:
            is_done = self._read(handle, now + MAX_TURN_SECONDS)
        finally:
            self._tell()
        if not is_done:
            return 0.0
        self._plan_retry(now)
        return None if self._due == math.inf else max(0.0, self._due - now)

    def _urgency(self) -> Urgency:
        owner = self.owner()
        return Urgency.TOLD if owner is not None and owner.callbacks else Urgency.SHOWN

    def _watch(self, handle: int) -> None:
        binding = self._session.binding
        binding.add_watch(handle, self.root, zookeeper.PERSISTENT_RECURSIVE, self._watcher)

    def _watch_again(self, handle: int, now: float) -> bool:
        """Watch in another session; say whether that was possible."""
        try:
            self._watch(handle)
        except zookeeper.SessionError:
            raise
        except zookeeper.ZooKeeperException as refusal:
            self._failures += 1
            self._due = now + pause(self._failures)
            if self._failures == 1:
                told = "the tree at %s is not kept up to date, will try again: %s"
                logger.warning(told, self.root, refusal)
            return False
        if self._failures:
            logger.info("the tree at %s is kept up to date again", self.root)
        self._failures = 0
        self._due = math.inf
        self._is_watched = True
        self._moment = None
        return True

    def _read(self, handle: int, deadline: float) -> bool:
        """Read what is due; say whether that was all."""
        binding, counts = self._session.binding, self._session.counts
        while True:
            while self._noted:
                self.agenda.note(self._noted.popleft())
                counts.watch_events += 1
            reads = self.agenda.next(MAX_AT_ONCE)
            self._is_reading = reads is not None
            if reads is None:
                self._is_verified = True
                return True
            self._read_at = time.monotonic()
            found = answers(handle, reads, binding)
            count = sum(map(len, reads))
            self._session.pace.note_answer(self._read_at, count)
            if self._is_verified:
                counts.reads_after_events += count
            else:
                counts.reads_after_gaps += count
            self.agenda.take(reads, found)
            # An inline worker is not called again by itself.
            if time.monotonic() >= deadline and not self._session.delivers_inline:
                return False

    def _plan_retry(self, now: float) -> None:
        """Look at what cannot be read again, later and later: no event need tell that it can."""
        if not self.agenda.refused:
            self._refusals = 0
            self._due = math.inf
        elif self._due == math.inf:
            self._refusals += 1
            self._due = now + pause(self._refusals) + len(self.agenda.refused) * RETRY_SECONDS

    def _tell(self) -> None:
        log = self.agenda.log
        owner = self.owner()
        if log and owner is not None:
            self.agenda.log = {}
            owner._take_changes(log)

    def _leave(self, handle: int) -> None:
        """Show nothing, as links lead nowhere, and have heard nothing until they do."""
        if self._is_watched or self.agenda.nodes.count:
            self._move(handle, self.root)
            self._tell()
        self._noted.clear()

    def _move(self, handle: int, root: str) -> None:
        """Follow links to another node: all that was there goes, and all there is comes."""
        former = self.agenda
        self.unwatch(handle)  # one that stays tells of nodes that are none of ours any more
        self.agenda = Agenda(root, self._depth, self._accepts)
        self._noted.clear()
        self._is_watched = False
        self._moment = None
        for path, _, _ in former.nodes.walk(former.nodes.root):
            note(former.log, path, REMOVED)
        self.agenda.log = former.log

    def _load(self, handle: int, agenda: Agenda) -> None:
        """Read all for the first time."""
        binding = self._session.binding
        if self._depth is None and self._accepts is None:
            agenda.load(binding.read_tree(handle, self.root, nested=True))
        else:
            agenda.note(self.root)
            read_all(handle, agenda, binding)
