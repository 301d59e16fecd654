"""The sessions of an ensemble, put together from what each server tells of its connections."""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from zc.zk.ensemble import reports, words
from zc.zk.ensemble.admin import ask_admin
from zc.zk.ensemble.asking import Asked, ask_each
from zc.zk.ensemble.words import Address, Refused

if TYPE_CHECKING:
    from zookeeper.tls import TLS


class SessionFacts(NamedTuple):
    """A session; its connection, None while it has none; its ephemeral nodes, None if not told."""

    id: int
    server: str | None
    connection: reports.Connection | None
    ephemerals: list[str] | None


class _Told(NamedTuple):
    """The news of one server: connections of its own, ephemeral nodes of all."""

    connections: list[reports.Connection]
    ephemerals: dict[int, list[str]] | None


def sessions_of(
    servers: Sequence[tuple[str, int]], tls: "TLS | None", seconds: float, admin: int | None = None
) -> tuple[list[SessionFacts], dict[str, str]]:
    """Return the sessions, by their ids, and why which servers tell nothing.

    `admin` is the port of the admin servers, which are asked then, and not by four-letter words. A
    session without a connection is known by its ephemeral nodes alone.
    """

    def ask(server: str, address: Address, deadline: float) -> _Told:
        if admin is not None:
            return _Told(
                reports.of_admin_connections(ask_admin(address, admin, "connections", deadline)),
                reports.ephemerals_of_admin_dump(ask_admin(address, admin, "dump", deadline)),
            )
        connections = reports.of_cons(words.ask(address, "cons", tls, deadline).text)
        try:
            dump = words.ask(address, "dump", tls, deadline).text
        except Refused:
            return _Told(connections, None)
        return _Told(connections, reports.ephemerals_of_dump(dump))

    asked = ask_each(servers, ask, seconds)
    faults = {each.server: each.fault for each in asked if each.fault is not None}
    return merged(asked), faults


def merged(asked: Sequence[Asked[_Told]]) -> list[SessionFacts]:
    """Return the sessions that servers tell of, by their ids."""
    places: dict[int, tuple[str, reports.Connection]] = {}
    ephemerals: dict[int, list[str]] | None = None
    for each in asked:
        if each.answer is None:
            continue
        for connection in each.answer.connections:
            other = places.get(connection.session)
            # A client that has moved may have left a connection that its server has yet to miss.
            if other is None or (connection.since or 0) > (other[1].since or 0):
                places[connection.session] = each.server, connection
        if each.answer.ephemerals is not None:
            ephemerals = {**each.answer.ephemerals, **(ephemerals or {})}
    found = []
    for id in sorted({*places, *(ephemerals or {})}):
        nodes = None if ephemerals is None else ephemerals.get(id, [])
        place = places.get(id)
        if place is None:
            found.append(SessionFacts(id, None, None, nodes))
        else:
            found.append(SessionFacts(id, *place, nodes))
    return found
