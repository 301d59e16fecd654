"""Events of the library, and how programs hear of them.

`notify` gets the events of registrations. It is `zope.event.notify` when zope.event is installed,
and else a function that does nothing. Applications may put a function of their own in its place, so
call it as `event.notify(...)`: a reference taken beforehand would miss that.

`subscribers` is a list of functions that get what happens to clients, which is `ClientEvent`s.
These do not go to `notify`: functions that stand there since earlier releases know nothing but
registrations, and take every event for one.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from typing import Any, Protocol


def _ignore(event: object) -> None:
    """Stands in for zope.event.notify, or the application's own function."""


def _zope_notify() -> Callable[[object], None] | None:
    try:
        notify: Callable[[object], None] = importlib.import_module("zope.event").notify
    except ImportError:
        return None
    return notify


notify: Callable[[object], None] = _zope_notify() or _ignore

logger = logging.getLogger("zc.zk")


class RegisteringServer:
    """A server is about to be registered; subscribers may add to its properties.

    `name` is the name of the node to be, `host:port`, `path` its parent's path and `properties` the
    mapping that becomes its data after all subscribers have been called.
    """

    def __init__(self, name: str, path: str, properties: dict[str, Any]) -> None:
        self.name = name
        self.path = path
        self.properties = properties

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.path!r}, {self.properties!r})"


class Client(Protocol):
    """What every client in an event has.

    The clients of this library are `zc.zk.ZooKeeper`s; `isinstance` tells type checkers so.
    """

    @property
    def handle(self) -> int | None: ...

    @property
    def connection_string(self) -> str: ...

    @property
    def state(self) -> int: ...

    def get_properties(self, path: str) -> dict[str, Any]: ...

    def resolve(self, path: str) -> str: ...

    def is_ephemeral(self, path: str) -> bool: ...

    def close(self) -> None: ...


class ClientEvent:
    """Something has happened to `zk`, a client.

    Subscribers are called in the thread of the client's callbacks, in order with these. They hear
    of it after the event: `zk.state` may be another one already. There may be more kinds of events
    in later releases, so subscribers look at the type.
    """

    def __init__(self, zk: Client) -> None:
        self.zk = zk

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.zk!r})"


class SessionEvent(ClientEvent):
    """Something has happened to the session of `zk`, a client."""


class Connected(SessionEvent):
    """There is a connection: for the first time, again, or in a new session."""


class ReadOnly(SessionEvent):
    """There is a connection to a server that is cut off from the others: reading works.

    Only clients that were made with `read_only` come to that. `Connected` follows when there is a
    server that can write.
    """


class Disconnected(SessionEvent):
    """The connection is lost. The session, and with it all registrations, may go on."""


class Expired(SessionEvent):
    """The session is over, or has been without a connection for too long; a new one is opened.

    Its ephemeral nodes are gone, or go with it, unless the new session makes them its own.
    """


class Reestablished(SessionEvent):
    """In a new session everything is as it was in the one before.

    Registrations have been made again, as far as the servers let them be. Live objects have been
    read again, and their callbacks called.
    """


class CallbackFailed(ClientEvent):
    """A callback of a live object, `watched`, has raised the exception `fault`.

    Unless `is_kept`, it is not called any more.
    """

    def __init__(
        self, zk: Client, watched: object, callback: object, fault: BaseException, is_kept: bool
    ) -> None:
        super().__init__(zk)
        self.watched = watched
        self.callback = callback
        self.fault = fault
        self.is_kept = is_kept

    def __repr__(self) -> str:
        kept = "kept" if self.is_kept else "dropped"
        return f"{type(self).__name__}({self.watched!r}, {self.callback!r}, {self.fault!r}: {kept})"


# A program adds its functions, and takes them out again.
subscribers: list[Callable[[ClientEvent], object]] = []


def tell(event: ClientEvent) -> None:
    """Call all subscribers; one that fails is logged, and the others are called."""
    for subscriber in list(subscribers):
        try:
            subscriber(event)
        except Exception:
            logger.exception("subscriber %r failed at %r", subscriber, event)
