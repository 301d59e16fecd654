"""The clients that are measured, and what is measured of each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from zc.zk.errors import printable
from zc.zk.metrics.durations import Durations
from zc.zk.metrics.timedbinding import TimedBinding
from zc.zk.metrics.timedcalls import TimedCalls
from zc.zk.session.calling import closed
from zc.zk.session.state import State

if TYPE_CHECKING:
    from typing import Any, Protocol

    from zc.zk.registration.ephemerals import Ephemerals
    from zc.zk.session.session import Session
    from zc.zk.watching.subscriptions import Subscriptions
    from zookeeper.binding import Binding

    class Client(Protocol):
        """A blocking client, as far as it is measured."""

        _session: Session
        _ephemerals: Ephemerals
        watches: Subscriptions


class Measured:
    """One client and its figures, under a name that no other client has.

    It keeps the client's session, and not the client, which is noticed when the program drops it.
    """

    def __init__(self, client: Client) -> None:
        self.session = client._session
        self.watches = client.watches
        self.ephemerals = client._ephemerals
        self.calls = Durations("call_duration")
        self.delays = Durations("callback_delay")
        self.queue = TimedCalls(self.session.announcements.callbacks, self.delays)

    @property
    def name(self) -> str:
        """The value of the label `client`; can be set, to what `measure` takes."""
        return self.calls.client

    @name.setter
    def name(self, name: str) -> None:
        _require_text(name)
        if name in _names_beside(self.session):
            raise ValueError(f"another client is measured under the name {name!r}")
        self.calls.client = self.delays.client = name

    def begin(self) -> None:
        """Have calls and callbacks timed from now on."""
        session = self.session
        session.announcements.callbacks = self.queue
        session.call_soon = self.queue.put
        session.call_all_soon = self.queue.put_all
        session.binding = cast("Binding", TimedBinding(session.binding, self.calls))

    def __repr__(self) -> str:
        return f"<measured client {printable(self.name)}: {self.session.state.value}>"


# By the id of the session, which is kept.
_measured: dict[int, Measured] = {}


def measure(client: Any, name: str | None = None) -> Measured:
    """Have a client measured from now on, a blocking or an asynchronous one that is open.

    `name` is the value of the label `client` in all its figures, by default the connection string,
    with a number behind it if another client has that already. A second call gives it another name.

    A client that is dropped without `close` is open, and so goes on to be told of.

    Raises TypeError or ValueError if the name is no text, is empty or cannot be held by UTF-8,
    ValueError if another client has it, and ClosingException if the client is closed.
    """
    if hasattr(client, "_ready"):
        client = client._ready()  # the blocking client in an asynchronous one
    session: Session | None = getattr(client, "_session", None)
    if session is None:
        raise TypeError(f"a client is measured, not {type(client).__name__}")
    session.check_process()
    if session.state is State.CLOSED:
        raise closed()
    made = Measured(client)
    default = _free(session.connection_string, _names_beside(session))
    made.name = default if name is None else name
    measured = _measured.setdefault(id(session), made)  # one step: of two threads, one begins
    if measured is made:
        measured.begin()
    elif name is not None:
        measured.name = name
    return measured


def clients() -> list[Measured]:
    """Return those that are measured and open, in the order in which they came.

    Clients of the parent process are left out after a fork, until they are open again here.
    """
    for key, each in list(_measured.items()):
        if each.session.state is State.CLOSED:
            _measured.pop(key, None)
    return [each for each in list(_measured.values()) if not each.session.is_forked]


def _names_beside(session: Session) -> set[str]:
    return {each.name for each in clients() if each.session is not session}


def _require_text(name: object) -> None:
    # One that cannot be written breaks each scrape, also of what the program counts itself.
    if not isinstance(name, str):
        raise TypeError(f"a client's name must be str, not {type(name).__name__}")
    if not name:
        # To Prometheus that is no label, and `client != ""` of a query leaves the client out.
        raise ValueError("a client's name must not be empty")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise ValueError(f"a client's name that UTF-8 cannot hold: {name!r}") from None


def _free(name: str, taken: Iterable[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}#{number}"
    return free
