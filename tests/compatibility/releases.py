"""The servers that the library is for, by release, and what each of them lacks."""

from __future__ import annotations

from collections.abc import Iterator, Set
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.awkward import awkward, give_new_sessions, hang_up_at
from tests.embedded import embedded
from tests.servers import standalone
from tests.tcpproxy import TcpProxy
from tests.wireframes import Op

FETCHED = Path(__file__).parents[2] / "build" / "servers"

# Things by the names that docs/explanation/servers.txt has for them.
SINCE_3_5 = {"create2", "remove_watches", "reconfig", "container", "ttl"}
SINCE_3_6 = {"tree", "add_watch", "get_ephemerals", "get_all_children_number"}
SINCE_3_7 = {"whoami"}


@dataclass(frozen=True)
class Release:
    """A kind of server.

    missing: what the client tells of by UnimplementedException.
    hangs_up_at: what the server ends the connection at whenever it is asked.
    """

    name: str
    missing: Set[str] = frozenset()
    hangs_up_at: Set[str] = frozenset()


RELEASES = {
    release.name: release
    for release in [
        Release("3.4", SINCE_3_5 | SINCE_3_6 | SINCE_3_7),
        Release("3.8"),
        Release("3.9"),
        Release(
            "keeper",
            SINCE_3_6 | SINCE_3_7 | {"remove_watches"},
            frozenset({"create2", "container", "ttl"}),
        ),
        Release("own"),
    ]
}

# A server that behaves as older releases of ClickHouse Keeper do: it ends the connection at what it
# does not know, SetWatches included, and gives a new session to a client that resumes one.
_UNKNOWN_TO_KEEPER = [
    Op.CREATE2, Op.RECONFIG, Op.CHECK_WATCHES, Op.REMOVE_WATCHES, Op.CREATE_CONTAINER,
    Op.CREATE_TTL, Op.MULTI_READ, Op.SET_WATCHES, Op.GET_EPHEMERALS, Op.GET_ALL_CHILDREN_NUMBER,
    Op.SET_WATCHES2, Op.ADD_WATCH, Op.WHO_AM_I,
]  # fmt: skip


@contextmanager
def running(name: str) -> Iterator[TcpProxy]:
    """Run a server, and yield the network to it; skip the test where it cannot be had."""
    with ExitStack() as stack:
        if name in ("own", "keeper"):
            where = stack.enter_context(embedded()).connection_string
        else:
            where = stack.enter_context(
                standalone(keys=None, release=_jars(name))
            ).connection_string
        proxy = stack.enter_context(TcpProxy(where))
        if name == "keeper":
            proxy.on_request = awkward(*map(hang_up_at, _UNKNOWN_TO_KEEPER), give_new_sessions)
        yield proxy


def _jars(name: str) -> list[Path]:
    """Return the jars of a release that is not this machine's."""
    if name == "3.8":
        return []
    jars = sorted((FETCHED / name).glob("*.jar"))
    if not jars:
        pytest.skip(f"ZooKeeper {name} is not there: scripts/fetch-servers")
    return jars
