"""The one list of figures of clients, by which all others are made.

A family has a name, from which those that Prometheus and OpenTelemetry want are made, and a
function that reads it from a client. To read asks no server and takes no lock; so two figures may
be of moments a little apart. Counters go on over sessions and connections, and only grow.

Labels have few values each, which are known beforehand but for the client's name. There is none for
paths: a program may have any number of them, and the log names the one that is in trouble.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import zookeeper
from zc.zk.metrics.durations import Histogram, Values
from zc.zk.metrics.measuring import Measured, clients
from zc.zk.registration.step import OnDeletion, RegistrationState
from zc.zk.session.state import State
from zc.zk.watching.dependencies import Kind

PREFIX = "zookeeper_client_"

COUNTER = "counter"
GAUGE = "gauge"
HISTOGRAM = "histogram"

SECONDS = "seconds"

# Of these a client that is measured has one, or is about to.
SESSION_STATES = (
    State.CONNECTING, State.CONNECTED, State.READ_ONLY, State.SUSPENDED, State.LOST,
)  # fmt: skip

NODE_STATES = (
    RegistrationState.PENDING,
    RegistrationState.REGISTERED,
    RegistrationState.WAITING,
    RegistrationState.REFUSED,
)

WATCHES = (*(kind.value for kind in Kind), "tree")

# By their classes; a program may have others, which are made of these.
LIVE_OBJECTS = ("Children", "Properties", "Providers", "Tree")
OTHERS = "other"

Number = float
Value = Number | Histogram
Readings = Iterable[tuple[Values, Value]]


class Sample(NamedTuple):
    """One figure, with the values of the family's labels; the first is the client's name."""

    values: Values
    value: Value


class Family(NamedTuple):
    """The figures of one kind, of all clients.

    `unit` is "seconds", or in braces what is counted. `labels` has those besides `client`.
    """

    name: str
    kind: str
    unit: str
    told: str
    labels: tuple[str, ...]
    read: Callable[[Measured], Readings]

    @property
    def full_name(self) -> str:
        """The name in Prometheus."""
        unit = "_seconds" if self.unit == SECONDS else ""
        return f"{PREFIX}{self.name}{unit}{'_total' if self.kind == COUNTER else ''}"

    @property
    def all_labels(self) -> tuple[str, ...]:
        """The names of all labels."""
        return ("client", *self.labels)

    def samples(self) -> Iterator[Sample]:
        """Yield the figures of all clients that are measured."""
        for client in clients():
            try:
                readings = list(self.read(client))
            except zookeeper.ZooKeeperException:
                continue  # its handle has been closed just now
            for values, value in readings:
                yield Sample((client.name, *values), value)


def figures() -> list[tuple[Family, list[Sample]]]:
    """Return all figures of all clients that are measured and open."""
    return [(family, list(family.samples())) for family in FAMILIES]


# ---- how they are read


def _one(read: Callable[[Measured], Number]) -> Callable[[Measured], Readings]:
    return lambda client: [((), read(client))]


def _states(client: Measured) -> Readings:
    state = client.session.state
    return [((each.value,), int(each is state)) for each in SESSION_STATES]


def _reads(client: Measured) -> Readings:
    counts = client.session.counts
    return [(("event",), counts.reads_after_events), (("gap",), counts.reads_after_gaps)]


def _watches(client: Measured) -> Readings:
    kinds = client.watches.count_watches()
    return [((kind,), kinds[kind]) for kind in WATCHES]


def _live_objects(client: Measured) -> Readings:
    kinds = client.watches.count_objects()
    others = sum(count for kind, count in kinds.items() if kind not in LIVE_OBJECTS)
    return [*(((kind.lower(),), kinds[kind]) for kind in LIVE_OBJECTS), ((OTHERS,), others)]


def _nodes(client: Measured, *, tracked: bool) -> Readings:
    registry = client.ephemerals.if_any
    nodes = [] if registry is None else registry.nodes()
    states = Counter(
        node.state
        for node in nodes
        if node.desired is not None and (node.on_deletion is OnDeletion.IGNORE) is tracked
    )
    return [((state.value,), states[state]) for state in NODE_STATES]


def _registrations(client: Measured) -> Readings:
    return _nodes(client, tracked=False)


def _ephemeral_nodes(client: Measured) -> Readings:
    return _nodes(client, tracked=True)


def _event_thread(client: Measured) -> Number:
    handle = client.session.handle
    return 0.0 if handle is None else client.session.binding.event_thread_busy(handle)


FAMILIES = (
    Family(
        "state", GAUGE, "{client}", "1 for the state of the session, 0 for all others.", ("state",),
        _states,
    ),
    Family(
        "connects", COUNTER, "{connection}", "Connections made.", (),
        _one(lambda client: client.session.connects),
    ),
    Family(
        "disconnects", COUNTER, "{connection}", "Connections lost.", (),
        _one(lambda client: client.session.counts.disconnects),
    ),
    Family(
        "sessions", COUNTER, "{session}", "Sessions begun.", (),
        _one(lambda client: client.session.epoch),
    ),
    Family(
        "lost_sessions", COUNTER, "{session}", "Sessions that expired, or were over otherwise.", (),
        _one(lambda client: client.session.counts.lost_sessions),
    ),
    Family(
        "disconnected", GAUGE, SECONDS, "For how long there has been no connection.", (),
        _one(lambda client: client.session.silence()),
    ),
    Family(
        "session_timeout", GAUGE, SECONDS, "The session timeout, as agreed with the servers.", (),
        _one(lambda client: client.session.timeout_seconds()),
    ),
    Family(
        "call_duration", HISTOGRAM, SECONDS,
        "How long calls took, those of the client's upkeep included.", ("call", "outcome"),
        lambda client: client.calls.read().items(),
    ),
    Family(
        "watches", GAUGE, "{watch}",
        "Watches of live objects and registrations; those of the program's own are not among them.",
        ("kind",), _watches,
    ),
    Family(
        "watch_events", COUNTER, "{event}", "Events of these watches that were seen to.", (),
        _one(lambda client: client.session.counts.watch_events),
    ),
    Family(
        "keeper_reads", COUNTER, "{node}",
        "Nodes read again: after an event, or a gap in which events may have been missed.",
        ("after",), _reads,
    ),
    Family(
        "live_objects", GAUGE, "{object}", "Live objects that the program has.", ("kind",),
        _live_objects,
    ),
    Family(
        "registrations", GAUGE, "{node}", "Nodes of registered servers, by how they stand.",
        ("state",), _registrations,
    ),
    Family(
        "ephemeral_nodes", GAUGE, "{node}",
        "Other ephemeral nodes of the program that later sessions have too.", ("state",),
        _ephemeral_nodes,
    ),
    Family(
        "callback_queue", GAUGE, "{callback}", "Callbacks that wait to be called.", (),
        _one(lambda client: client.queue.length),
    ),
    Family(
        "callback_delay", HISTOGRAM, SECONDS, "How long callbacks waited to be called.", (),
        lambda client: client.delays.read().items(),
    ),
    Family(
        "callback_busy", GAUGE, SECONDS,
        "For how long the callback has been going on that others wait for.", (),
        _one(lambda client: client.queue.busy_seconds),
    ),
    Family(
        "failed_callbacks", COUNTER, "{callback}", "Callbacks of live objects that raised.", (),
        _one(lambda client: client.session.counts.failed_callbacks),
    ),
    Family(
        "event_thread_busy", GAUGE, SECONDS,
        "For how long a watcher or completion of the program has kept all events waiting.", (),
        _one(_event_thread),
    ),
)  # fmt: skip
