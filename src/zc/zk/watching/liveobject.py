"""Live objects: what they have in common.

A live object shows a view of one node, or of several when there are links. It takes the view from
the cache, is subscribed to all that it has read for it, the links it followed included, and takes
another one, from the beginning, when any of that changes. Its callbacks are told when the new view
has another fingerprint.
"""

from __future__ import annotations

import itertools
import logging
import threading
import weakref
from abc import ABC, abstractmethod
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import zookeeper
from zc.zk.errors import LinkLoop
from zc.zk.links import NotRead, check_path
from zc.zk.watching import callbacks, subscriptions
from zc.zk.watching.callbacks import Callback, Failures
from zc.zk.watching.dependencies import UNREAD, CachedNode, Key, Kind, Subscription
from zc.zk.watching.readers import NodeReader, SessionSource, WatchingSource
from zc.zk.watching.subscriptions import Subscriptions

logger = logging.getLogger("zc.zk")


class View:
    """The state that a live object shows. Views of the same have equal fingerprints."""

    __slots__ = ("deleted", "fingerprint", "real_path")

    def __init__(self, real_path: str, fingerprint: object, *, deleted: bool = False) -> None:
        self.real_path = real_path
        self.fingerprint = fingerprint
        self.deleted = deleted


V = TypeVar("V", bound=View)
if TYPE_CHECKING:
    Self = TypeVar("Self", bound="LiveObject[Any]")


class LiveObject(ABC, Generic[V]):
    """The state at a path, kept up to date.

    That ends when the program drops the object. `path` is what was asked for, `real_path` what it
    led to; `callbacks` the list of functions to be called, with the object, when it has changed.
    When the node is gone, and no links lead elsewhere, the object is `deleted` and has no data; it
    returns when the node does.

    Callbacks are called in a thread of their own, those of all objects of a client one after
    another; in the meantime the data go on changing, and changes that come while an object waits
    for its turn are told in one call.

    A callback that raises CancelWatch is dropped. One that raises anything else is logged, counted
    in `failed_calls` and told as a `CallbackFailed` event. It is kept when that may pass by itself:
    a link that leads nowhere, a connection that is lost. Otherwise it is dropped, unless
    `keep_callbacks` is set. One that is kept is called at the next change and, if its failure was
    not about links, which are watched, after a pause.
    """

    _kind: ClassVar[Kind]  # what it shows of the node

    def __init__(self, watches: Subscriptions, path: str, watch: bool = True) -> None:
        check_path(path)
        self._watches = watches
        self.path = path
        self.callbacks: list[Callback] = []
        self.keep_callbacks = watches.keep_callbacks
        self.failed_calls = 0
        self._failures: Failures | None = None
        self._lock = threading.RLock()
        self._serials = itertools.count(1)
        # All guarded by the lock: the view that is shown and its serial number, how many there have
        # been, how often they differed, and whether a round of callbacks waits for its turn.
        self._view: V | None = None
        self._serial = 0
        self._views = 0
        self._changes = 0
        self._is_queued = False
        self._complaint = ""
        # Whether the next complete view is to be told whatever it shows: the worker's.
        self._is_told_then = False
        self._subscription: Subscription | None = None
        if watch:
            self._subscription = watches.subscribe(
                self,
                LiveObject._refresh,
                after_fork=LiveObject._after_fork,
                urgency=callbacks.urgency_of,
            )
        try:
            while self._view is None:
                self._take_view(fresh=True)
        except BaseException:
            if self._subscription is not None:
                watches.unsubscribe(self._subscription)
            raise

    @abstractmethod
    def _see(self, reader: NodeReader) -> V:
        """Return the view of the node that `path` leads to.

        Raises NoNodeException or LinkLoop when there is none, and NotRead as the reader does.
        """

    @abstractmethod
    def _see_cached(self, node: CachedNode, answer: Any) -> V | None:
        """Return the view of a cached node; None if it takes others as well."""

    @abstractmethod
    def _see_nothing(self, real_path: str) -> V:
        """Return the view of a node that is gone."""

    @property
    def _shown(self) -> V:
        if subscriptions.is_child and self._subscription is not None:
            self._watches.warn_of_fork()
        assert self._view is not None
        return self._view

    @property
    def real_path(self) -> str:
        """The path of the node itself, links followed; where it was, when it is gone."""
        return self._shown.real_path

    @property
    def deleted(self) -> bool:
        """Whether the node is gone."""
        return self._shown.deleted

    def __call__(self: Self, callback: Callback) -> Self:
        """Call `callback` now, and again whenever something has changed.

        It returns the object, so that it can be used as a decorator. An exception from the first
        call propagates, and there will be no other calls then. Raises TypeError when the object was
        made with watch=False.
        """
        if self._subscription is None:
            raise TypeError(
                f"{self!r} does not change, as it was made with watch=False: no callback is called"
            )
        changes = self._changes
        self._tell(callback)
        self.callbacks.append(callback)
        if self._changes != changes:
            # The change may have found the list without the new callback.
            self._note_change()
        return self

    def __del__(self) -> None:
        # In the middle of anything, perhaps of logging: so the worker logs.
        told = getattr(self, "callbacks", None)
        if told and self._subscription is not None and self._watches.session.is_kept_up:
            text = callbacks.of_one_that_is_gone(type(self).__name__, self.path, told)
            self._watches.session.tell(logging.WARNING, text)

    def __repr__(self) -> str:
        deleted = "DELETED: " if self._view is not None and self._view.deleted else ""
        return f"{deleted}zc.zk.{type(self).__name__}({self._watches.session.handle}, {self.path})"

    def _after_fork(self) -> None:
        self._lock = threading.RLock()
        self._is_queued = False

    def _refresh(self, tell: bool) -> None:
        """Take a new view, on the worker: something may have changed.

        If `tell`, that counts as a change anyway.
        """
        was_deleted = self._view is not None and self._view.deleted
        try:
            changed = self._take_view(fresh=False)
        except zookeeper.SessionError:
            raise
        except NotRead:
            # It is read together with what others lack, and these are told before.
            self._is_told_then = self._is_told_then or tell
            return
        except zookeeper.ZooKeeperException as refusal:
            if self._view is not None and self._complaint != str(refusal):
                self._complaint = str(refusal)
                logger.error("%r keeps its last data: %s", self, refusal)
            return
        self._complaint = ""
        tell, self._is_told_then = tell or self._is_told_then, False
        if changed or (tell and not was_deleted):
            self._note_change()

    def _take_view(self, *, fresh: bool) -> bool:
        """Show how things are; say whether that differs from what was shown.

        Views may be taken at the same time. One that was begun before the one that is shown is
        dropped: if it did show something newer, then that has fired a watch, and another view will
        be taken.
        """
        subscription = self._subscription
        if fresh and subscription is not None:
            # A view of what is cached takes no time. The worker's could begin after one that asks
            # the servers, see less, and count: so first they are asked, and then it is taken.
            with suppress(zookeeper.NoNodeException, LinkLoop):
                self._reader(fresh=True).complete(self._see)
        serial = next(self._serials)
        key = self._kind, self.path
        answers: dict[Key, Any] = {}
        view: V | None = None
        if subscription is not None and (node := subscription.nodes.get(key)) is not None:
            # Mostly one node is all that it takes, and its path has no links in it.
            answers[key] = answer = node.answer
            if answer is not UNREAD and not isinstance(answer, zookeeper.ZooKeeperException):
                view = self._see_cached(node, answer)
        if view is None:
            view, answers = self._read_view(serial, fresh=fresh)
        return self._show(view, serial, answers, fresh=fresh)

    def _read_view(self, serial: int, *, fresh: bool) -> tuple[V, dict[Key, Any]]:
        """Return a view, by way of links, and the answers that it is made of."""
        reader = self._reader()
        try:
            return reader.complete(self._see) if fresh else self._see(reader), reader.answers
        except NotRead:
            assert self._subscription is not None
            self._watches.watch_soon(self._subscription, reader.lacking, refresh=True)
            raise
        except (zookeeper.NoNodeException, LinkLoop):
            if self._view is None:
                with self._lock:
                    # An earlier view of something must not count any more.
                    self._serial = max(self._serial, serial)
                raise
            return self._see_nothing(self._view.real_path), reader.answers

    def _show(self, view: V, serial: int, answers: dict[Key, Any], *, fresh: bool) -> bool:
        """Show a view, if it counts; say whether it differs from the former."""
        subscription = self._subscription
        with self._lock:
            views = self._views
            if serial < self._serial:
                return False
            self._views += 1
            self._serial = serial
            previous, self._view = self._view, view
            if subscription is not None and subscription.nodes.keys() != answers.keys():
                self._watches.watch_only(subscription, answers)
            # Another thread's view may have let go of nodes that only this one depends on; or a
            # finaliser had the emulation's worker take one in this very thread.
            is_whole = self._views == views + 1 and (
                subscription is None
                or subscription.has_ended
                or answers.keys() <= subscription.nodes.keys()
            )
        changed = previous is not None and previous.fingerprint != view.fingerprint
        if changed and not is_whole:
            self._note_change()  # the view that is taken next may show the same, or fail
        return changed if is_whole else self._take_view(fresh=fresh)

    def _reader(self, *, fresh: bool = False) -> NodeReader:
        if self._subscription is None:
            return NodeReader(SessionSource(self._watches.session, self._watches.decode))
        return NodeReader(WatchingSource(self._watches, self._subscription, fresh=fresh))

    def _note_change(self) -> None:
        """Have the callbacks called, once for all changes that come until then."""
        with self._lock:
            self._changes += 1
            # A callback that is added from now on is added by one who sees that there was a change.
            if self._is_queued or not self.callbacks:
                return
            self._is_queued = True
        self._watches.session.call_soon(partial(callbacks.call_back, weakref.ref(self)))

    def _call(self, callback: Callback) -> None:
        try:
            self._tell(callback)
        except BaseException as fault:
            self._failures = self._failures or Failures(self._watches.session)
            self._failures.note(self, callback, fault)
            if not isinstance(fault, Exception):
                raise
        else:
            if self._failures is not None:
                self._failures.note_success(self, callback)

    def _tell(self, callback: Callback) -> None:
        if self._view is None or not self._view.deleted:
            callback(self)
        elif callbacks.needs_no_arguments(callback):
            callback()
