"""Live objects: what they have in common.

A live object shows a view of one node, or of several when there are links. It takes the view from
the cache, is subscribed to all that it has read for it, the links it followed included, and takes
another one, from the beginning, when any of that changes. Its callbacks are told when the new view
has another fingerprint (`telling`).
"""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Collection
from contextlib import suppress
from typing import Any, ClassVar, Generic, TypeVar, cast

import zookeeper
from zc.zk.errors import LinkLoop, printable
from zc.zk.links import NotRead
from zc.zk.watching import callbacks, subscriptions
from zc.zk.watching.alike import refresh_alike
from zc.zk.watching.callbacks import Callback
from zc.zk.watching.dependencies import UNREAD, CachedNode, Care, Key, Kind
from zc.zk.watching.readers import NodeReader, SessionSource, WatchingSource
from zc.zk.watching.subscriptions import Subscriptions
from zc.zk.watching.telling import Telling

logger = logging.getLogger("zc.zk")


class View:
    """The state that live objects show. Views of the same have equal fingerprints.

    `answer` is what it is made of, if that is one node's. All objects that show no other node have
    the same view.
    """

    __slots__ = ("answer", "deleted", "real_path")

    def __init__(self, real_path: str, answer: Any = None, *, deleted: bool = False) -> None:
        self.real_path = real_path
        self.answer = answer
        self.deleted = deleted

    def fingerprint(self) -> object:
        """Return what differs between views that are to be told from one another."""
        raise NotImplementedError

    def differs_from(self, former: View) -> bool:
        """Say whether it is a change after a former view of the same object."""
        return self is not former and self.fingerprint() != former.fingerprint()


V = TypeVar("V", bound=View)


class LiveObject(Telling, Generic[V]):
    """The state at a path, kept up to date.

    `real_path` is what `path` led to. When the node is gone, and no links lead elsewhere, the
    object is `deleted` and has no data; it returns when the node does. Of callbacks see `Telling`:
    they are called with the object, and without it when it is deleted, if they can be.
    """

    _kind: ClassVar[Kind]  # what it shows of the node
    # Both guarded by the lock of `watches`: the view that is shown and its serial number.
    _view: V | None
    _serial = 0
    _complaint = ""
    # Whether the next complete view is to be told whatever it shows: the worker's.
    _is_told_then = False
    # The class of its views if some show one node only; then `_see_alone` makes these.
    _view_of_one: ClassVar[type[View] | None] = None

    def __init__(self, watches: Subscriptions, path: str, watch: bool = True) -> None:
        super().__init__(watches, path)
        self._key: Key = self._kind, self.path
        self._view = None
        if watch:
            self._subscription = watches.subscribe(self, CARE)
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

    def _see_alone(self, node: CachedNode, answer: Any) -> V | None:
        """Return the view of a cached node; None if it takes others as well."""
        return None

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

    def __repr__(self) -> str:
        deleted = "DELETED: " if self._view is not None and self._view.deleted else ""
        return printable(
            f"{deleted}zc.zk.{type(self).__name__}({self._watches.session.handle}, {self.path})"
        )

    def _refresh(self, tell: bool) -> None:
        """Take a new view, on the worker: something may have changed.

        If `tell`, that counts as a change anyway.
        """
        if self._shows_all():
            if tell and self._callbacks:
                self._note_change()
            return
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
        if self._complaint:
            self._complaint = ""
        if self._is_told_then:
            tell, self._is_told_then = True, False
        if changed or (tell and not was_deleted):
            self._note_change()

    def _shows_all(self) -> bool:
        """Say whether what has been read again is shown already, as after a lost session."""
        subscription, view, watches = self._subscription, self._view, self._watches
        if view is None or subscription is None or self._complaint or self._is_told_then:
            return False
        node = subscription.nodes.get(self._key)
        if node is None or node.view is not view or view.answer is not node.answer:
            return False  # as it is mostly, without the lock
        serial = next(watches.serials)
        with watches.lock:
            is_current = (
                self._view is view is node.view
                and view.answer is node.answer
                and len(subscription.nodes) == 1
                and serial > self._serial
            )
            if is_current:
                self._serial = serial  # views that were begun before do not count
        return is_current

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
        serial = next(self._watches.serials)
        view: V | None = None
        if subscription is not None and self._view_of_one is not None:
            # Mostly one node is all that it takes, and its path has no links in it.
            node = subscription.nodes.get(self._key)
            if node is not None:
                self._key = node.key  # one of two that are equal
                view = self._view_of(node)
        if view is not None:
            return self._show(view, serial, (self._key,), fresh=fresh)
        view, answers = self._read_view(serial, fresh=fresh)
        return self._show(view, serial, answers, fresh=fresh)

    def _view_of(self, node: CachedNode) -> V | None:
        """Return the view of one node, which objects share; None if it takes others as well."""
        answer, known = node.answer, node.view
        if known is not None and known.answer is answer and type(known) is self._view_of_one:
            return cast(V, known)
        if answer is UNREAD or isinstance(answer, zookeeper.ZooKeeperException):
            return None
        view = self._see_alone(node, answer)
        if view is not None:
            node.view = view
        return view

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
                with self._watches.lock:
                    # An earlier view of something must not count any more.
                    self._serial = max(self._serial, serial)
                raise
            return self._see_nothing(self._view.real_path), reader.answers

    def _show(self, view: V, serial: int, keys: Collection[Key], *, fresh: bool) -> bool:
        """Show a view of these nodes, if it counts; say whether it differs from the former."""
        subscription = self._subscription
        with self._watches.lock:
            if serial < self._serial:
                return False
            self._serial = serial
            previous, self._view = self._view, view
            is_whole = True
            if subscription is not None and not subscription.depends_on_just(keys):
                self._watches.watch_only(subscription, keys)
                # Another thread's view may have let go of nodes that only this one depends on.
                is_whole = subscription.has_ended or subscription.depends_on(keys)
            # A finaliser may have had the emulation's worker take one in this very thread.
            is_whole = is_whole and self._serial == serial
        changed = previous is not None and view.differs_from(previous)
        if changed and not is_whole:
            self._note_change()  # the view that is taken next may show the same, or fail
        return changed if is_whole else self._take_view(fresh=fresh)

    def _reader(self, *, fresh: bool = False) -> NodeReader:
        if self._subscription is None:
            watches = self._watches
            return NodeReader(SessionSource(watches.session, watches.decode, watches.straight))
        return NodeReader(WatchingSource(self._watches, self._subscription, fresh=fresh))

    def _tell(self, callback: Callback) -> None:
        if self._view is None or not self._view.deleted:
            callback(self)
        elif callbacks.needs_no_arguments(callback):
            callback()


# One for all, as there may be very many. One without callbacks has nobody to tell of a new session.
CARE = Care(
    LiveObject._refresh,
    LiveObject._after_fork,
    callbacks.urgency_of,
    hears_of_sessions=False,
    refresh_alike=refresh_alike,
)
