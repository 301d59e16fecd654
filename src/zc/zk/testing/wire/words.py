"""Four letter words: questions of operators and tools, on the clients' port."""

from __future__ import annotations

import os
import platform
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timezone
from typing import Final

from zc.zk.testing.wire.ops import Op
from zc.zk.testing.wire.service import Connection, Service

# Tools take it apart to find out what the server can do.
VERSION: Final = "3.8.0-zc.zk.testing, built on 2024-12-29 17:54 UTC"

_OPS: Final = {op.value: op.name for op in Op}


def answer(service: Service, asking: Connection, word: bytes) -> str | None:
    """Answer a word that came by the connection `asking`; None if it is none."""
    function = _WORDS.get(word)
    return function(service, asking) if function else None


def _ruok(service: Service, asking: Connection) -> str:
    return "imok"


def _isro(service: Service, asking: Connection) -> str:
    return "rw"


def _srvr(service: Service, asking: Connection) -> str:
    return f"Zookeeper version: {VERSION}\n" + _state(service)


def _stat(service: Service, asking: Connection) -> str:
    clients = "".join(f" {_client(connection)})\n" for connection in service.connections)
    return f"Zookeeper version: {VERSION}\nClients:\n{clients}\n" + _state(service)


def _cons(service: Service, asking: Connection) -> str:
    return "".join(f" {_client(c)}{_session(service, c)})\n" for c in service.connections) + "\n"


def _state(service: Service) -> str:
    return _lines(
        "Latency min/avg/max: 0/0.0/0",
        f"Received: {service.requests_received()}",
        f"Sent: {service.frames_sent()}",
        f"Connections: {len(service.connections)}",
        "Outstanding: 0",
        f"Zxid: {service.engine.zxid:#x}",
        "Mode: standalone",
        f"Node count: {len(service.engine.tree.nodes)}",
    )


def _client(connection: Connection) -> str:
    host, port = connection.address
    interested = 1 if connection.session else 0
    counts = f"queued=0,recved={connection.received},sent={connection.sent}"
    return f"/{host}:{port}[{interested}]({counts}"


def _session(service: Service, connection: Connection) -> str:
    session = connection.session
    if session is None:
        return ""
    op = _OPS.get(connection.last_op or 0, "NA")
    return (
        f",sid={session.id:#x},lop={op},est={connection.since},to={session.timeout}"
        f",lcxid={connection.last_xid & 0xFFFFFFFF:#x},lzxid={service.engine.zxid:#x}"
    )


def _mntr(service: Service, asking: Connection) -> str:
    tree, watches = service.engine.tree, service.engine.watches
    values = {
        "version": VERSION,
        "server_state": "standalone",
        "num_alive_connections": len(service.connections),
        "global_sessions": len(service.engine.sessions),
        "outstanding_requests": 0,
        "avg_latency": 0.0,
        "min_latency": 0,
        "max_latency": 0,
        "packets_received": service.requests_received(),
        "packets_sent": service.frames_sent(),
        "znode_count": len(tree.nodes),
        "ephemerals_count": sum(map(len, tree.ephemerals.values())),
        "watch_count": len(watches.data) + len(watches.children),
        "approximate_data_size": sum(
            len(path) + len(node.data or b"") for path, node in tree.nodes.items()
        ),
        "uptime": service.engine.clock() - service.started,
    }
    return _lines(*(f"zk_{name}\t{value}" for name, value in values.items()))


def _conf(service: Service, asking: Connection) -> str:
    limits = service.engine.limits
    return _lines(
        f"clientPort={service.port}",
        f"minSessionTimeout={limits.shortest}",
        f"maxSessionTimeout={limits.longest}",
        f"jute.maxbuffer={service.max_request}",
        "maxClientCnxns=0",
        "serverId=0",
    )


def _envi(service: Service, asking: Connection) -> str:
    return _lines(
        "Environment:",
        f"zookeeper.version={VERSION}",
        f"host.name={socket.gethostname()}",
        f"python.version={platform.python_version()}",
        f"python.home={sys.prefix}",
        f"os.name={platform.system()}",
        f"os.arch={platform.machine()}",
        f"os.version={platform.release()}",
        f"user.dir={os.getcwd()}",
    )


def _dump(service: Service, asking: Connection) -> str:
    sessions, ephemerals = service.engine.sessions, service.engine.tree.ephemerals
    lines = ["SessionTracker dump:", f"Session Sets ({len(sessions)})/({len(sessions)}):"]
    for session in sessions:
        lines += [f"1 expire at {_time(session.deadline)}:", f"\t{session.id:#x}"]
    lines += ["ephemeral nodes dump:", f"Sessions with Ephemerals ({len(ephemerals)}):"]
    for id, paths in ephemerals.items():
        lines += [f"{id:#x}:", *(f"\t{path}" for path in paths)]
    lines += ["Connections dump:", f"Connections ({len(service.connections)}):"]
    for connection in service.connections:
        host, port = connection.address
        id = connection.session.id if connection.session else 0
        lines.append(f"\tip: /{host}:{port} sessionId: {id:#x}")
    return _lines(*lines)


def _wchs(service: Service, asking: Connection) -> str:
    watched = list(_watched(service))
    connections = {session for _, session in watched}
    paths = {path for path, _ in watched}
    return _lines(
        f"{len(connections)} connections watching {len(paths)} paths",
        f"Total watches:{len(watched)}",
    )


def _wchp(service: Service, asking: Connection) -> str:
    return _grouped((path, f"{session:#x}") for path, session in _watched(service))


def _wchc(service: Service, asking: Connection) -> str:
    return _grouped((f"{session:#x}", path) for path, session in _watched(service))


def _watched(service: Service) -> Iterator[tuple[str, int]]:
    """Yield watched paths and sessions; twice where children are watched, too."""
    watches = service.engine.watches
    for table in (watches.data, watches.children):
        for path, watchers in table.paths():
            for watcher in watchers:
                session = watcher.session
                yield path, session.id if session else 0


def _grouped(pairs: Iterable[tuple[str, str]]) -> str:
    groups: dict[str, list[str]] = {}
    for group, item in pairs:
        groups.setdefault(group, []).append(item)
    return "".join(_lines(name, *(f"\t{item}" for item in groups[name])) for name in groups)


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc).strftime(
        "%a %b %d %H:%M:%S UTC %Y"
    )


def _lines(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


_WORDS: Final[dict[bytes, Callable[[Service, Connection], str]]] = {
    b"ruok": _ruok,
    b"isro": _isro,
    b"srvr": _srvr,
    b"stat": _stat,
    b"cons": _cons,
    b"mntr": _mntr,
    b"conf": _conf,
    b"envi": _envi,
    b"dump": _dump,
    b"wchs": _wchs,
    b"wchp": _wchp,
    b"wchc": _wchc,
}
