"""Events of the library, and the functions that receive them.

`notify` receives the events of registrations. It is `zope.event.notify` if zope.event is installed,
and otherwise a function that does nothing. A program may replace it, so call it as
`event.notify(...)`: a reference to the function would miss the replacement.

`subscribers` is a list of functions that receive the events of clients, `ClientEvent`s. These do
not go to `notify`: functions written for earlier releases expect registrations only.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any


def _ignore(event: object) -> None:
    """Do nothing, in the place of zope.event.notify or a program's function."""


def _zope_notify() -> Callable[[object], None] | None:
    try:
        notify: Callable[[object], None] = importlib.import_module("zope.event").notify
    except ImportError:
        return None
    return notify


notify: Callable[[object], None] = _zope_notify() or _ignore

logger = logging.getLogger("zc.zk")

if TYPE_CHECKING:
    from typing import Protocol

    class Client(Protocol):
        """The members that the client of an event has for certain.

        The clients of this library are `zc.zk.ZooKeeper`s, or `zc.zk.aio.ZooKeeper`s, whose methods
        are to be awaited; `isinstance` tells type checkers so.
        """

        @property
        def handle(self) -> int | None: ...

        @property
        def connection_string(self) -> str: ...

        @property
        def state(self) -> int: ...

        def get_properties(self, path: str) -> Any: ...

        def resolve(self, path: str) -> Any: ...

        def is_ephemeral(self, path: str) -> Any: ...

        def close(self) -> Any: ...


class RegisteringServer:
    """A server is about to be registered; subscribers may add to its properties.

    `name` is the name of the new node, `host:port`, `path` its parent's path, and `properties` the
    mapping that becomes its data after all subscribers have been called. `is_withdrawn` becomes
    true when the program unregisters the server, or the servers refuse it.
    """

    is_withdrawn = False

    def __init__(self, name: str, path: str, properties: dict[str, Any]) -> None:
        self.name = name
        self.path = path
        self.properties = properties

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.path!r}, {self.properties!r})"


class ClientEvent:
    """Something has happened to `zk`, a client.

    Subscribers are called in the thread of the client's callbacks, in order with these, or by the
    client's loop, where they may be coroutine functions. A call comes after the event, so
    `zk.state` may have changed again. Later releases may have more kinds of events, so a subscriber
    checks the type.
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
    """There is a connection to a server that can only be read.

    The server is cut off from the others. Only clients with `read_only` connect to it. `Connected`
    follows when there is a server that can write.
    """


class Disconnected(SessionEvent):
    """The connection is lost. The session and its registrations may go on."""


class Expired(SessionEvent):
    """The session is over, or given up for want of a connection.

    A new session is opened. The ephemeral nodes of the old one go, or the new one replaces them.
    """


class Reestablished(SessionEvent):
    """Everything of the former session is in a new one.

    Registrations are made again, as far as the servers permit. Live objects are read again, and
    their callbacks called.
    """


class CallbackFailed(ClientEvent):
    """A callback of a live object, `watched`, has raised the exception `fault`.

    It is called again only if `is_kept`.
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


# A program adds and removes its functions.
subscribers: list[Callable[[ClientEvent], object]] = []


def tell(event: ClientEvent) -> None:
    """Call all subscribers; log those that fail."""
    for subscriber in list(subscribers):
        try:
            subscriber(event)
        except Exception:
            logger.exception("subscriber %r failed at %r", subscriber, event)
