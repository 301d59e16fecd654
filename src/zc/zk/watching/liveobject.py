"""Live objects: what they have in common.

A live object takes looks at the servers. A look reads what the object needs, through the watches,
and so depends on all that it read, the links it followed included; when any of that changes, the
object takes another look, from the beginning. It tells its callbacks when it sees something else
than before.
"""

from __future__ import annotations

import itertools
import logging
import os
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any, Generic, TypeVar

import zookeeper
from zc.zk.errors import CancelWatch, LinkError, LinkLoop
from zc.zk.event import CallbackFailed
from zc.zk.links import NotRead, check_path, is_direct
from zc.zk.session.backoff import pause
from zc.zk.watching.cache import Interest
from zc.zk.watching.dependencies import Watches
from zc.zk.watching.readers import LookReader

logger = logging.getLogger("zc.zk")

# What a callback can raise for things as they are at the moment, and not by a mistake in it.
MAY_PASS = (LinkError, zookeeper.SessionError)

Callback = Callable[..., object]


class Look:
    """What a live object saw. Looks that saw the same have equal `essence`."""

    def __init__(self, real_path: str, essence: object, *, deleted: bool = False) -> None:
        self.real_path = real_path
        self.essence = essence
        self.deleted = deleted


# Whether this process was forked: one that was not need not ask at each read which one it is.
_is_child = False


def _note_fork() -> None:
    global _is_child
    _is_child = True


os.register_at_fork(after_in_child=_note_fork)

L = TypeVar("L", bound=Look)
Self = TypeVar("Self", bound="LiveObject[Any]")


class LiveObject(ABC, Generic[L]):
    """What there is at a path, kept up to date for as long as the program holds the object.

    `path` is what was asked for, `real_path` what it led to; `callbacks` the list of functions to
    be called, with the object, when it has changed. When the node is gone, and no links lead
    elsewhere, the object is `deleted` and has no data; it returns when the node does.

    Callbacks are called in a thread of their own, those of all objects of a client one after
    another; in the meantime the data go on changing, and changes that come while an object waits
    for its turn are told in one call.

    A callback that raises CancelWatch is dropped. One that raises anything else is logged, counted
    in `failed_calls` and told as a `CallbackFailed` event. It is kept when that may pass by itself:
    a link that leads nowhere, a connection that is lost. Otherwise it is dropped, unless
    `keep_callbacks` is set. One that is kept is called at the next change and, if its failure was
    not about links, which are watched, after a pause.
    """

    def __init__(self, watches: Watches, path: str, watch: bool = True) -> None:
        check_path(path)
        self.path = path
        self.callbacks: list[Callback] = []
        self.keep_callbacks = watches.keep_callbacks
        self.failed_calls = 0
        self._failing: dict[int, _Failure] = {}  # by the callback's id
        self._watches = watches
        self._lock = threading.RLock()
        self._serials = itertools.count(1)
        # All guarded by the lock: the last look and its serial number, how often the object has
        # changed, and whether a round of callbacks waits for its turn.
        self._look: L | None = None
        self._serial = 0
        self._looks = 0
        self._changes = 0
        self._is_queued = False
        self._complaint = ""
        # Whether the next complete look is to be told whatever it sees: the keeper's.
        self._is_told_then = False
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
        """Take a look. Raises NoNodeException or LinkLoop when there is nothing to see.

        And NotRead, as the reader does.
        """

    @abstractmethod
    def _see_nothing(self, real_path: str) -> L:
        """The look at a node that is gone."""

    @property
    def _seen(self) -> L:
        if _is_child and self._interest is not None:
            self._watches.warn_of_fork()
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
        will be no other calls then. Raises TypeError when the object was made with watch=False.
        """
        if self._interest is None:
            raise TypeError(
                f"{self!r} does not change, as it was made with watch=False: no callback is called"
            )
        changes = self._changes
        self._tell(callback)
        self.callbacks.append(callback)
        if self._changes != changes:
            # The change may have found the list without the new callback.
            self._call_back_soon()
        return self

    def __del__(self) -> None:
        # In the middle of anything, perhaps of logging: so it is the keeper who logs.
        callbacks = getattr(self, "callbacks", None)
        if callbacks and self._interest is not None and self._watches.session.is_kept_up:
            self._watches.session.tell(
                logging.WARNING,
                f"zc.zk.{type(self).__name__}({self.path}) is gone, as nobody refers to it, and its"
                f" callbacks are not called any more: {', '.join(map(_name_of, callbacks))}",
            )

    def __repr__(self) -> str:
        deleted = "DELETED: " if self._look is not None and self._look.deleted else ""
        handle = self._watches.session.handle
        return f"{deleted}zc.zk.{type(self).__name__}({handle}, {self.path})"

    def begin_again(self) -> None:
        self._lock = threading.RLock()
        self._is_queued = False

    def look_again(self, tell: bool) -> None:
        """The keeper's call: something has changed, or, if `tell`, may have."""
        was_deleted = self._look is not None and self._look.deleted
        try:
            changed = self._take_look(fresh=False)
        except zookeeper.SessionError:
            raise
        except NotRead:
            # It is read together with what others lack, and these are told before.
            self._is_told_then = self._is_told_then or tell
            return
        except zookeeper.ZooKeeperException as refusal:
            self._complain(refusal)
            return
        self._complaint = ""
        tell, self._is_told_then = tell or self._is_told_then, False
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
        serial = next(self._serials)
        reader = LookReader(self._watches, self._interest, fresh=self._interest is None)
        look: L | None
        try:
            look = reader.complete(self._see) if fresh else self._see(reader)
        except NotRead:
            reader.postpone()
            raise
        except (zookeeper.NoNodeException, LinkLoop):
            if self._look is None:
                with self._lock:
                    # An earlier look that saw something must not count any more.
                    self._serial = max(self._serial, serial)
                raise
            look = self._see_nothing(self._look.real_path)
        with self._lock:
            looks = self._looks
            if serial < self._serial:
                return False
            self._looks += 1
            self._serial = serial
            previous, self._look = self._look, look
            if self._interest is not None:
                self._watches.retain(self._interest, reader.answers)
            is_overtaken = self._looks != looks + 1
        if is_overtaken:
            # In this very thread, where a finaliser had the emulation's keeper take a look, which
            # may have been replaced by this one, or lost what it depends on.
            return self._take_look(fresh=fresh)
        return previous is not None and previous.essence != look.essence

    def _learn(self, interest: Interest) -> None:
        """Have what a look will need read from the servers now."""
        try:
            LookReader(self._watches, interest, fresh=True).complete(self._see)
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
            self._call(callback)

    def _call(self, callback: Callback) -> None:
        try:
            self._tell(callback)
        except CancelWatch:
            logger.debug("%r: %r wants no more calls", self, callback)
            self._drop(callback)
        except Exception as fault:
            self._note_failure(callback, fault)
        except BaseException as fault:
            self._drop(callback)
            self._announce_failure(callback, fault, is_kept=False)
            raise
        else:
            if self._failing and self._failing.pop(id(callback), None) is not None:
                logger.info("%r: callback %r works again", self, callback)

    def _note_failure(self, callback: Callback, fault: Exception) -> None:
        is_kept = self.keep_callbacks or isinstance(fault, MAY_PASS)
        if not is_kept:
            logger.error("%r: callback %r failed and is dropped", self, callback, exc_info=fault)
            self._drop(callback)
        else:
            failure = self._failing.setdefault(id(callback), _Failure(callback))
            if failure.is_news(fault):
                logger.error("%r: callback %r failed and is kept", self, callback, exc_info=fault)
            if not (isinstance(fault, LinkError) or failure.is_called_again):
                self._call_again(failure)
        self._announce_failure(callback, fault, is_kept)

    def _announce_failure(self, callback: Callback, fault: BaseException, is_kept: bool) -> None:
        self.failed_calls += 1
        self._watches.session.announce(
            partial(CallbackFailed, watched=self, callback=callback, fault=fault, is_kept=is_kept)
        )

    def _call_again(self, failure: _Failure) -> None:
        """Call a callback after a pause, unless it has succeeded or is gone by then."""
        reference = weakref.ref(self)
        failure.is_called_again = True

        def call_again() -> None:
            failure.is_called_again = False
            target = reference()
            if target is None or target._failing.get(id(failure.callback)) is not failure:
                return
            if any(callback is failure.callback for callback in target.callbacks):
                target._call(failure.callback)
            else:  # the program has taken it out of the list
                del target._failing[id(failure.callback)]

        self._watches.session.call_soon(call_again, pause(failure.count))

    def _tell(self, callback: Callback) -> None:
        if not self.deleted:
            callback(self)
        elif _needs_no_arguments(callback):
            callback()

    def _drop(self, callback: Callback) -> None:
        self._failing.pop(id(callback), None)
        try:
            self.callbacks.remove(callback)
        except ValueError:
            pass  # it has removed itself


class _Failure:
    """A callback that has failed, so many times in a row."""

    def __init__(self, callback: Callback) -> None:
        self.callback = callback
        self.count = 0
        self.is_called_again = False
        self._told = ""

    def is_news(self, fault: Exception) -> bool:
        """Whether it has failed in another way than the last time."""
        self.count += 1
        former, self._told = self._told, repr(fault)
        return former != self._told


def _name_of(callback: Callback) -> str:
    """How a callback is called in a log line; nothing of the program's is called for it."""
    name = getattr(callback, "__qualname__", None)
    return name if isinstance(name, str) else object.__repr__(callback)


def _needs_no_arguments(callback: Callback) -> bool:
    # A large module, for what few programs ever come to.
    import inspect

    try:
        inspect.signature(callback).bind()
    except (TypeError, ValueError):
        return False  # it does, or does not tell
    return True
