"""Live objects: what they have in common.

A live object takes looks at the servers. A look reads what the object needs, through the watches,
and so depends on all that it read, the links it followed included; when any of that changes, the
object takes another look, from the beginning. It tells its callbacks when it sees something else
than before.
"""

from __future__ import annotations

import itertools
import logging
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import zookeeper
from zc.zk.errors import CancelWatch, LinkLoop
from zc.zk.keeper import SESSION_TROUBLE
from zc.zk.links import check_path, is_direct
from zc.zk.nodes import Interest
from zc.zk.reading import LookReader
from zc.zk.watches import Watches

logger = logging.getLogger("zc.zk")

Callback = Callable[..., object]


class Look:
    """What a live object saw. Looks that saw the same have equal `essence`."""

    def __init__(self, real_path: str, essence: object, *, deleted: bool = False) -> None:
        self.real_path = real_path
        self.essence = essence
        self.deleted = deleted


L = TypeVar("L", bound=Look)
Self = TypeVar("Self", bound="LiveObject[Any]")


class LiveObject(ABC, Generic[L]):
    """What there is at a path, kept up to date for as long as the program holds the object.

    `path` is what was asked for, `real_path` what it led to; `callbacks` the list of functions to
    be called, with the object, when it has changed. When the node is gone, and no links lead
    elsewhere, the object is `deleted` and has no data; it returns when the node does.

    Callbacks are called in a thread of their own, those of all objects of a client one after
    another; in the meantime the data go on changing, and changes that come while an object waits
    for its turn are told in one call. A callback that raises an exception is logged and dropped;
    with CancelWatch it is dropped silently.
    """

    def __init__(self, watches: Watches, path: str, watch: bool = True) -> None:
        check_path(path)
        self.path = path
        self.callbacks: list[Callback] = []
        self._watches = watches
        self._lock = threading.Lock()
        self._serials = itertools.count(1)
        # All guarded by the lock: the last look and its serial number, how often the object has
        # changed, and whether a round of callbacks waits for its turn.
        self._look: L | None = None
        self._serial = 0
        self._changes = 0
        self._is_queued = False
        self._complaint = ""
        self._interest: Interest | None = None
        if watch:
            self._interest = watches.enter(self)
        try:
            while self._look is None:
                self._take_look(fresh=True)
        except BaseException:
            if self._interest is not None:
                watches.leave(self._interest)
            raise

    @abstractmethod
    def _see(self, reader: LookReader) -> L:
        """Take a look. Raises NoNodeException or LinkLoop when there is nothing to see."""

    @abstractmethod
    def _see_nothing(self, real_path: str) -> L:
        """The look at a node that is gone."""

    @property
    def _seen(self) -> L:
        assert self._look is not None
        return self._look

    @property
    def real_path(self) -> str:
        """The path of the node itself, links followed; where it was, when it is gone."""
        return self._seen.real_path

    @property
    def deleted(self) -> bool:
        """Whether the node is gone."""
        return self._seen.deleted

    def __call__(self: Self, callback: Callback) -> Self:
        """Call `callback` now, and again whenever something has changed; returns the object.

        So it can be used as a decorator. An exception from the first call propagates, and there
        will be no other calls then.
        """
        changes = self._changes
        self._tell(callback)
        self.callbacks.append(callback)
        if self._changes != changes:
            # The change may have found the list without the new callback.
            self._call_back_soon()
        return self

    def __repr__(self) -> str:
        deleted = "DELETED: " if self._look is not None and self._look.deleted else ""
        handle = self._watches.session.handle
        return f"{deleted}zc.zk.{type(self).__name__}({handle}, {self.path})"

    def begin_again(self) -> None:
        self._lock = threading.Lock()
        self._is_queued = False

    def look_again(self, tell: bool) -> None:
        """The keeper's call: something has changed, or, if `tell`, may have."""
        was_deleted = self._look is not None and self._look.deleted
        try:
            changed = self._take_look(fresh=False)
        except SESSION_TROUBLE:
            raise
        except zookeeper.ZooKeeperException as refusal:
            self._complain(refusal)
            return
        self._complaint = ""
        if changed or (tell and not was_deleted):
            self._note_change()

    def _follow(self, reader: LookReader, read: Callable[[str], Any]) -> tuple[str, Any]:
        """What `read` gives at our path, and the path after links were followed."""
        if is_direct(self.path):
            try:
                return self.path, read(self.path)
            except zookeeper.NoNodeException:
                pass  # there may be links in it
        real_path = reader.resolve(self.path)
        return real_path, read(real_path)

    def _take_look(self, *, fresh: bool) -> bool:
        """Whether something else than last time is to be seen.

        Looks may overlap. One that began before the one that counts is dropped: if it did see
        something newer, then that has fired a watch, and there will be another look.
        """
        if fresh and self._interest is not None:
            # A look at what is known takes no time. The keeper's could begin after one that asks
            # the servers, see less, and count: so first they are asked, and then there is a look.
            self._learn(self._interest)
            fresh = False
        serial = next(self._serials)
        reader = LookReader(self._watches, self._interest, fresh=fresh)
        look: L | None
        try:
            look = self._see(reader)
        except (zookeeper.NoNodeException, LinkLoop):
            if self._look is None:
                with self._lock:
                    # An earlier look that saw something must not count any more.
                    self._serial = max(self._serial, serial)
                raise
            look = self._see_nothing(self._look.real_path)
        with self._lock:
            if serial < self._serial:
                return False
            self._serial = serial
            previous, self._look = self._look, look
            if self._interest is not None:
                self._watches.retain(self._interest, reader.answers)
        return previous is not None and previous.essence != look.essence

    def _learn(self, interest: Interest) -> None:
        """Have what a look will need read from the servers now."""
        try:
            self._see(LookReader(self._watches, interest, fresh=True))
        except (zookeeper.NoNodeException, LinkLoop):
            pass  # which is known now

    def _complain(self, refusal: Exception) -> None:
        """Keep what was seen last, and log why, once."""
        if self._look is not None and self._complaint != str(refusal):
            self._complaint = str(refusal)
            logger.error("%r keeps its last data: %s", self, refusal)

    def _note_change(self) -> None:
        with self._lock:
            self._changes += 1
        # Whoever adds one from now on sees that there was a change.
        if self.callbacks:
            self._call_back_soon()

    def _call_back_soon(self) -> None:
        with self._lock:
            if self._is_queued:
                return
            self._is_queued = True
        reference = weakref.ref(self)

        def call_back() -> None:
            target = reference()
            if target is not None:
                target._call_back()

        self._watches.session.call_soon(call_back)

    def _call_back(self) -> None:
        with self._lock:
            self._is_queued = False
        for callback in list(self.callbacks):
            try:
                self._tell(callback)
            except CancelWatch:
                logger.debug("%r: %r wants no more calls", self, callback)
                self._drop(callback)
            except Exception:
                logger.exception("%r: callback %r failed and is dropped", self, callback)
                self._drop(callback)
            except BaseException:
                self._drop(callback)
                raise

    def _tell(self, callback: Callback) -> None:
        if not self.deleted:
            callback(self)
        elif _needs_no_arguments(callback):
            callback()

    def _drop(self, callback: Callback) -> None:
        try:
            self.callbacks.remove(callback)
        except ValueError:
            pass  # it has removed itself


def _needs_no_arguments(callback: Callback) -> bool:
    # A large module, for what few programs ever come to.
    import inspect

    try:
        inspect.signature(callback).bind()
    except (TypeError, ValueError):
        return False  # it does, or does not tell
    return True
