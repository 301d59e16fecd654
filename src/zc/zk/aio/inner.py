"""The blocking client within an asynchronous one: it waits, and calls the program, on the loop."""

from __future__ import annotations

import inspect
import logging
import weakref
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import zookeeper
from zc.zk import event
from zc.zk.aio.answers import Answers
from zc.zk.aio.bridge import Bridge
from zc.zk.aio.home import Home
from zc.zk.aio.loopcalls import LoopCalls
from zc.zk.client import ZooKeeper as Blocking

if TYPE_CHECKING:
    from zc.zk.session.announcements import MakeEvent
    from zookeeper.binding import Binding

logger = logging.getLogger("zc.zk")


class Inner(Blocking):
    """The client that does the work; `face` is the one that the program has.

    That is not kept alive by this one, which the session keeps: so it is noticed when the program
    drops it.
    """

    def __init__(self, home: Home, face: Any, wait_seconds: float, **arguments: Any) -> None:
        self.home = home
        self.initial_connection_wait = wait_seconds
        self._face = weakref.ref(face)
        self._calls = LoopCalls(home)
        binding: Binding = arguments.pop("binding", None) or cast("Binding", zookeeper)
        self.answers = Answers(home, self._seconds)
        self._bridge = Bridge(binding, self.answers)
        super().__init__(**arguments, binding=cast("Binding", self._bridge))

    def later(self, name: str) -> Callable[..., object]:
        """Return a function of the binding that does not wait, with the handle in front.

        It is that of a method which only passes arguments on, without the frames in between.
        """
        binding: object = self._session.binding
        if binding is self._bridge:  # and nothing in front of it, by which the client is measured
            binding = self._bridge.binding
        return partial(getattr(binding, name), self._session.require_handle())

    def _seconds(self) -> float:
        return self._session.timeout_seconds()

    @property
    def is_inline(self) -> bool:
        """Whether calls do not wait, as those of an emulation."""
        return self._bridge.is_inline

    def _announce(self, happened: MakeEvent) -> None:
        face = self._face()
        if face is None:
            return
        told = happened(face)
        for subscriber in list(event.subscribers):
            try:
                result = subscriber(told)
            except Exception:
                logger.exception("subscriber %r failed at %r", subscriber, told)
            else:
                if inspect.isawaitable(result):
                    self.home.follow(result, "subscriber %r failed at %r", subscriber, told)


def begun(
    home: Home, face: object, wait_seconds: float, arguments: dict[str, Any]
) -> tuple[Inner, Callable[[], None]]:
    """Return a client that is not open yet, and what opens it."""
    inner = Inner.__new__(Inner)
    return inner, partial(Inner.__init__, inner, home, face, wait_seconds, **arguments)
