"""A lock that one process of a fleet has at a time, with a fencing number.

It is had by the session whose node is the first in the queue below the lock's node
(`zc.zk.tree.lockqueue`). It is lost

- with the session;
- when somebody deletes the node;
- and, to be on the safe side, when there has been no connection for a third of the session timeout.
  The C client notices silence after two thirds of it, and the servers end the session after all of
  it: by then another process may have the lock.

The fencing number is the number of the change (czxid) that made the node. It grows from one holder
to the next, so a resource that remembers the largest one can refuse a holder of the past.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import zookeeper
from zc.zk.links import join
from zc.zk.session.retry import attempts
from zc.zk.session.session import Session
from zc.zk.session.state import State
from zc.zk.tree import lockqueue

if TYPE_CHECKING:
    from zookeeper.types import Acl

# How much of the session timeout may pass without a connection.
MAX_SILENCE = 1 / 3

# A queue is looked at so often (seconds) at the least, should news ever get lost.
LOOK_SECONDS = 60.0

# So often is a lease renewed while it lasts.
RENEWALS = 4

# Characters that are told of what another process says about itself.
MAX_TOLD = 100

# So often may servers delete the lock's node, when nobody has wanted it, just before ours is made.
MAX_ATTEMPTS = 5

_EPHEMERAL_SEQUENCE = zookeeper.EPHEMERAL | zookeeper.SEQUENCE


class Lock:
    """The lock at `path`, a node that is made if need be, for one session.

    Call `acquire`, then `wait_until_lost`, in any thread, and `release`.
    """

    def __init__(self, session: Session, path: str, acl: Acl) -> None:
        self._session = session
        self.path = path
        self._acl = acl
        self._data = json.dumps({"host": os.uname().nodename, "pid": os.getpid()})
        self._guid = uuid.uuid4().hex
        self._epoch = -1
        self._node: str | None = None
        self._is_news = False
        self.fencing_number = 0

    def acquire(self, seconds: float | None, told: Callable[[str], object]) -> bool:
        """Wait for the lock, for so long or for as long as it takes; say whether it is had.

        `told` is called with the path of the node of the holder, when there is another one. Raises
        NoNodeException when there is nothing above the lock's node, and SessionError when there is
        no connection for the session timeout.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        try:
            while True:
                for attempt in attempts(self._session):
                    with attempt:
                        before = self._look()
                if before is None:
                    return True
                told(before[0])
                left = LOOK_SECONDS if deadline is None else deadline - time.monotonic()
                if left <= 0:
                    self.release()
                    return False
                self._wait(min(left, LOOK_SECONDS))
        except BaseException:
            self.release()
            raise

    @property
    def lease_seconds(self) -> float:
        """How long the lock may be relied on after any moment at which it was known to be had."""
        return self._session.timeout_seconds() * MAX_SILENCE

    def wait_until_lost(
        self, is_over: Callable[[], bool], held: Callable[[], object] = lambda: None
    ) -> str | None:
        """Wait until the lock is lost, and return why; None when `is_over` first.

        Call `note_over` when that has become true. `held` is called while the lock is known to be
        held, often enough for the lease.
        """
        session = self._session
        while not is_over():
            if session.lives_in != self._epoch:
                return "the session is over"
            silence = session.silence()
            left = self.lease_seconds - silence
            if silence and left <= 0:
                return f"there has been no connection for {silence:.1f} seconds"
            if not silence and self._is_news:
                fault = self._look_at_own()
                if fault is not None:
                    return fault
                continue
            held()
            now = bool(silence), session.connects
            session.wait_for(
                partial(self._is_other, now, is_over),
                min(left, self.lease_seconds / RENEWALS),
            )
            if session.connects != now[1]:
                self._is_news = True
        return None

    def _is_other(self, known: tuple[bool, int], is_over: Callable[[], bool]) -> bool:
        """Say whether there is anything to look at; `known` are silence, and connects, so far."""
        session = self._session
        is_silent = bool(session.silence())
        return (
            is_over()
            or session.lives_in != self._epoch
            or (is_silent, session.connects) != known
            or (self._is_news and not is_silent)
        )

    def note_over(self) -> None:
        """Have `wait_until_lost` look again."""
        self._session.note_news()

    def release(self) -> None:
        """Let go of the lock, or of the place in the queue; the session's end does it, too."""
        node, self._node = self._node, None
        if node is None or self._session.lives_in != self._epoch or self._session.silence():
            return
        try:
            self._session.call(self._session.binding.delete, node)
        except zookeeper.ZooKeeperException:
            pass  # it is gone, or goes with the session

    def holder(self, node: str) -> str:
        """Return in words whose node it is."""
        try:
            data, _ = self._session.call(self._session.binding.get, node)
            found = json.loads(data or "")
            return f"process {str(found['pid'])[:MAX_TOLD]} on {str(found['host'])[:MAX_TOLD]}"
        except (zookeeper.ZooKeeperException, ValueError, TypeError, KeyError):
            return node

    def _look(self) -> tuple[str, str] | None:
        """Take a place in the queue, or look at it: None when it is the first one.

        Otherwise return the nodes of the holder, and of the one before ours, which is watched.
        """
        session = self._session
        if self._node is None or session.lives_in != self._epoch:
            self._enqueue()
        while True:
            self._is_news = False
            names = lockqueue.in_order(self._names())
            assert self._node is not None
            own = self._node.rpartition("/")[2]
            if own not in names:
                if session.lives_in == self._epoch:
                    node, self._node = self._node, None
                    raise zookeeper.error(
                        zookeeper.NONODE, node, "somebody has deleted this place in the queue"
                    )
                self._enqueue()
                continue
            place = names.index(own)
            if place == 0:
                stat = session.call(session.binding.exists, self._node, self._note)
                if stat is not None:
                    self.fencing_number = stat["czxid"]
                    return None
                continue
            before = join(self.path, names[place - 1])
            if session.call(session.binding.exists, before, self._note) is not None:
                return join(self.path, names[0]), before

    def _enqueue(self) -> None:
        """Have one node in the queue, in the session that there is.

        There may be one, by a request whose answer was lost. One of a former session is about to
        vanish.
        """
        session = self._session
        session.require_handle()
        epoch = session.epoch
        self._node = None
        for name in lockqueue.mine(self._names(), self._guid):
            node = join(self.path, name)
            stat = session.call(session.binding.exists, node)
            if stat is not None and self._node is None and session.is_ours(stat):
                self._node = node
            elif stat is not None:
                self._delete(node)
        if self._node is None:
            self._node = self._create()
        # If there has been another session meanwhile, all of this is done again.
        self._epoch = epoch

    def _create(self) -> str:
        start = join(self.path, self._guid + lockqueue.PREFIX)
        arguments = self._data, self._acl, _EPHEMERAL_SEQUENCE
        for _ in range(MAX_ATTEMPTS):
            try:
                return self._session.call(self._session.binding.create, start, *arguments)
            except zookeeper.NoNodeException:
                self._make_lock()
        return self._session.call(self._session.binding.create, start, *arguments)

    def _delete(self, node: str) -> None:
        try:
            self._session.call(self._session.binding.delete, node)
        except zookeeper.NoNodeException:
            pass

    def _make_lock(self) -> None:
        """Make the lock's node: a container, which servers delete when nobody wants it any more."""
        session = self._session
        try:
            session.call(session.binding.create, self.path, "", self._acl, zookeeper.CONTAINER)
        except zookeeper.NodeExistsException:
            pass
        except zookeeper.UnimplementedException:
            session.call(session.binding.create, self.path, "", self._acl, 0)

    def _names(self) -> list[str]:
        try:
            return self._session.call(self._session.binding.get_children, self.path)
        except zookeeper.NoNodeException:
            return []

    def _note(self, handle: int, kind: int, state: int, path: str) -> None:
        """Note an event, in the event thread."""
        self._is_news = True
        self._session.note_news()

    def _wait(self, seconds: float) -> None:
        session, epoch = self._session, self._epoch
        session.wait_for(
            lambda: (
                self._is_news
                or session.state is State.CLOSED
                or session.lives_in not in (epoch, None)
            ),
            seconds,
        )

    def _look_at_own(self) -> str | None:
        """Return why the lock is lost, if the node is not there any more."""
        session = self._session
        self._is_news = False
        assert self._node is not None
        try:
            stat = session.call(session.binding.exists, self._node, self._note)
        except zookeeper.SessionError:
            self._is_news = True  # the connection has just been lost, which is seen to next
            return None
        return None if stat is not None else f"somebody has deleted {self._node}"
