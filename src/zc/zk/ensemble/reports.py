"""The answers of servers to four-letter words, and of their admin servers, taken apart.

A part that is missing is None.

The text comes from a server, so anything may be in it, and nothing that is odd is an error.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
import re
from typing import Any, NamedTuple

_LATENCY = re.compile(r"([0-9.]+)/([0-9.]+)/([0-9.]+)")
_NUMBER = re.compile(r"[0-9]{1,19}")
_ZXID = re.compile(r"0x([0-9a-f]{1,16})")
_CONNECTION = re.compile(r" ?/?(?P<client>\S+?)\[[0-9a-fA-F]+\]\((?P<counts>[^()]*)\)")
_SESSION = re.compile(r"0x([0-9a-f]{1,16}):")

_SIGNED = re.compile(r"-?[0-9]{1,19}")

ZXID_COUNTER_BITS = 32
SESSION_BITS = (1 << 64) - 1


class Report(NamedTuple):
    """How a server is doing. Latencies are milliseconds, since it started or was reset."""

    role: str | None = None
    version: str | None = None
    zxid: int | None = None
    latency: tuple[float, float, float] | None = None
    connections: int | None = None
    outstanding: int | None = None
    nodes: int | None = None
    received: int | None = None
    sent: int | None = None


class Connection(NamedTuple):
    """A connection of a server, and its session; times are milliseconds."""

    client: str
    session: int
    timeout: int | None
    since: int | None
    last_operation: str | None


def of_srvr(text: str) -> Report:
    """Take apart the answer to `srvr`, or to `stat`."""
    values = dict(_pairs(text, ": "))
    latency = _LATENCY.fullmatch(values.get("Latency min/avg/max", ""))
    role = values.get("Mode")
    if "READ-ONLY mode" in text:
        role = "read-only"
    return Report(
        role=role,
        version=values.get("Zookeeper version"),
        zxid=_zxid(values.get("Zxid")),
        latency=_latency(*latency.groups()) if latency else None,
        connections=_number(values.get("Connections")),
        outstanding=_number(values.get("Outstanding")),
        nodes=_number(values.get("Node count")),
        received=_number(values.get("Received")),
        sent=_number(values.get("Sent")),
    )


def of_mntr(text: str) -> Report:
    """Take apart the answer to `mntr`, which lacks the zxid in most releases."""
    values = dict(_pairs(text, "\t"))
    latency = (values.get(f"zk_{which}_latency", "") for which in ("min", "avg", "max"))
    return Report(
        role=values.get("zk_server_state"),
        version=values.get("zk_version"),
        zxid=_zxid(values.get("zk_last_processed_zxid")),
        latency=_latency(*latency),
        connections=_number(values.get("zk_num_alive_connections")),
        outstanding=_number(values.get("zk_outstanding_requests")),
        nodes=_number(values.get("zk_znode_count")),
        received=_number(values.get("zk_packets_received")),
        sent=_number(values.get("zk_packets_sent")),
    )


def of_cons(text: str) -> list[Connection]:
    """Take apart the answer to `cons`: connections that have a session."""
    found = []
    for line in text.splitlines():
        match = _CONNECTION.fullmatch(line.strip())
        if match is None:
            continue
        values = dict(part.partition("=")[::2] for part in match["counts"].split(","))
        session = _zxid(values.get("sid"))
        if session:
            found.append(
                Connection(
                    match["client"],
                    session,
                    _number(values.get("to")),
                    _number(values.get("est")),
                    values.get("lop"),
                )
            )
    return found


def ephemerals_of_dump(text: str) -> dict[int, list[str]]:
    """Take apart the answer to `dump`: ephemeral nodes by session, of the whole ensemble."""
    found: dict[int, list[str]] = {}
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("Sessions with Ephemerals"):
            break
    nodes: list[str] | None = None
    for line in lines:
        if match := _SESSION.fullmatch(line):
            nodes = found.setdefault(int(match[1], 16), [])
        elif line.startswith("\t/") and nodes is not None:
            nodes.append(line[1:])
        else:
            break
    return found


def of_admin_connections(answer: Any) -> list[Connection]:
    """Take apart the answer of an admin server about connections: those that have a session."""
    found = []
    for part in "connections", "secure_connections":
        for each in _list(_member(answer, part)):
            session = _member(each, "session_id")
            if _is_number(session) and session != 0:
                since, timeout = _member(each, "established"), _member(each, "session_timeout")
                operation = _member(each, "last_operation")
                found.append(
                    Connection(
                        str(_member(each, "remote_socket_address")).lstrip("/"),
                        session & SESSION_BITS,
                        timeout if _is_number(timeout) else None,
                        since if _is_number(since) else None,
                        operation if isinstance(operation, str) else None,
                    )
                )
    return found


def ephemerals_of_admin_dump(answer: Any) -> dict[int, list[str]]:
    """Take apart its answer to `dump`: ephemeral nodes by session, of the whole ensemble."""
    by_session = _member(answer, "session_id_to_ephemeral_paths")
    return {
        int(id) & SESSION_BITS: [path for path in _list(paths) if isinstance(path, str)]
        for id, paths in (by_session.items() if isinstance(by_session, dict) else ())
        if isinstance(id, str) and _SIGNED.fullmatch(id)
    }


def short_version(version: str) -> str:
    """Return the numbers of a version, without what it was built from and when."""
    match = re.match(r"[0-9]+(?:\.[0-9]+)*", version)
    return match[0] if match else version[:40]


def lag(zxid: int, newest: int) -> int | None:
    """Return how many changes a server is behind; None if that is a whole epoch or more."""
    if zxid >> ZXID_COUNTER_BITS != newest >> ZXID_COUNTER_BITS:
        return None
    return newest - zxid


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _pairs(text: str, sign: str) -> list[tuple[str, str]]:
    return [
        (name, value.strip())
        for line in text.splitlines()
        for name, found, value in [line.partition(sign)]
        if found
    ]


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and _NUMBER.fullmatch(text) else None


def _zxid(text: str | None) -> int | None:
    match = _ZXID.fullmatch(text) if text is not None else None
    return int(match[1], 16) if match else None


def _latency(*texts: str) -> tuple[float, float, float] | None:
    try:
        least, mean, most = map(float, texts)
    except ValueError:
        return None
    return least, mean, most
