"""How objects that are kept up to date tell a program of their changes: their callbacks."""

from __future__ import annotations

import logging
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from zc.zk.links import check_path
from zc.zk.watching import callbacks
from zc.zk.watching.callbacks import Callback, Failures
from zc.zk.watching.subscriptions import Subscriptions

if TYPE_CHECKING:
    from zc.zk.watching.dependencies import Subscription

    Self = TypeVar("Self", bound="Telling")


class Telling(ABC):
    """An object that is kept up to date until the program drops it.

    `path` is what was asked for, `callbacks` the list of functions to be called when it has
    changed.

    Callbacks are called in a thread of their own, those of all objects of a client one after
    another; in the meantime the data go on changing, and changes that come while an object waits
    for its turn are told in one call.

    A callback that raises CancelWatch is dropped. One that raises anything else is logged, counted
    in `failed_calls` and told as a `CallbackFailed` event. It is kept when that may pass by itself:
    a link that leads nowhere, a connection that is lost. Otherwise it is dropped, unless
    `keep_callbacks` is set. One that is kept is called at the next change and, if its failure was
    not about links, which are watched, after a pause.
    """

    # Of the class as long as they are like this, as there may be very many objects.
    keep_callbacks = False
    failed_calls = 0
    _callbacks: list[Callback] | None = None
    _failures: Failures | None = None
    _subscription: Subscription | None = None
    # Guarded by the lock of `watches`, of which each client has one: how often it has changed, and
    # whether a round of callbacks waits for its turn.
    _changes = 0
    _is_queued = False
    # The call of the callbacks, for `call_soon`. Made once, or the collector would look at each.
    _round: Callable[[], object] | None = None

    def __init__(self, watches: Subscriptions, path: str) -> None:
        check_path(path)
        self._watches = watches
        self.path = path
        if watches.keep_callbacks:
            self.keep_callbacks = True

    @property
    def callbacks(self) -> list[Callback]:
        """The functions to be called when it has changed; can be changed, and set."""
        callbacks = self._callbacks
        if callbacks is None:
            self._hear_of_sessions()
            # In one step: another thread may come here, too.
            callbacks = vars(self).setdefault("_callbacks", [])
        return callbacks

    @callbacks.setter
    def callbacks(self, callbacks: list[Callback]) -> None:
        self._hear_of_sessions()
        self._callbacks = callbacks

    def _hear_of_sessions(self) -> None:
        if self._subscription is not None:
            self._subscription.hears_of_sessions = True

    @abstractmethod
    def _tell(self, callback: Callback) -> None:
        """Call a callback."""

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
        told = self._callbacks
        if told and self._subscription is not None and self._watches.session.is_kept_up:
            text = callbacks.of_one_that_is_gone(type(self).__name__, self.path, told)
            self._watches.session.tell(logging.WARNING, text)

    def _after_fork(self) -> None:
        self._is_queued = False

    def _note_change(self) -> None:
        """Have the callbacks called, once for all changes that come until then."""
        with self._watches.lock:
            due = self._count_change()
        if due is not None:
            self._watches.session.call_soon(due)

    def _count_change(self) -> Callable[[], object] | None:
        """Count a change, with the lock; return the round of callbacks that is due for it.

        None if one is queued, or there are no callbacks. One that is returned counts as queued.
        """
        self._changes += 1
        # A callback that is added from now on is added by one who sees that there was a change.
        if self._is_queued or not self._callbacks:
            return None
        self._is_queued = True
        if self._round is None:
            subscription = self._subscription
            reference = weakref.ref(self) if subscription is None else subscription.owner
            self._round = partial(callbacks.call_back, reference)
        return self._round

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
