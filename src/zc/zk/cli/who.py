"""`zk who`: you to the servers, the session that owns a node, and all sessions."""

from __future__ import annotations

import time
from argparse import Namespace
from typing import Any

from zc.zk import owners
from zc.zk.cli import connect, nodewords
from zc.zk.cli.arguments import Parser, connection_and_rest, node_path
from zc.zk.cli.failures import Failure, Misuse
from zc.zk.cli.listening import port
from zc.zk.cli.output import print_json, print_line, tell
from zc.zk.ensemble.sessions import SessionFacts, sessions_of
from zc.zk.naturalorder import sorted_naturally
from zc.zk.operations import reading
from zc.zk.session.retry import attempts
from zc.zk.spans import in_words
from zc.zk.tree.facts import counted, moment

USAGE = "[--sessions] [--admin PORT] [options] [CONNECTION] [PATH...]"
DETAILS = """\
CONNECTION is HOST:PORT, or several with commas in between. Without PATH it is told which identities
the servers know you by. Of PATHs, which are ephemeral nodes, it is the session that owns each, and
what servers tell of it: where its client is, to which of the servers of CONNECTION it is connected
and since when, and how many ephemeral nodes it has. With --sessions it is that of all sessions.
Servers tell of them by the four-letter words cons and dump, if their setting
4lw.commands.whitelist allows it, or by their admin servers (--admin); one that does not tell is
named, and makes the exit status 1 with --sessions."""
EXAMPLES = """\
zookeeper.example.com:2181
--admin 8080 zookeeper.example.com:2181 /fooservice/providers/10.0.0.1:8080
--sessions zk1.example.com:2181,zk2.example.com:2181,zk3.example.com:2181"""


def add_arguments(parser: Parser) -> None:
    parser.add_words(nodes=nodewords.every_given)
    parser.add_argument("--sessions", action="store_true", help="tell of all sessions")
    parser.add_argument(
        "--admin",
        type=port,
        metavar="PORT",
        help="ask the servers' admin servers, by HTTP at this port (8080 unless it was changed),"
        " and not by four-letter words",
    )
    parser.add_report_argument()
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    connection, words = connection_and_rest(options, len(options.words))
    paths = list(map(node_path, words))
    if options.sessions:
        if paths:
            raise Misuse("--sessions tells of all sessions, whatever the path; --help tells more")
        return _tell_of_sessions(options, connection)
    if paths:
        return _tell_of_owners(options, connection, paths)
    return _tell_of_identity(options, connection)


def _tell_of_identity(options: Namespace, connection: str) -> int:
    with connect.session(options, connection) as session:
        for attempt in attempts(session):
            with attempt:
                identities = session.call(session.binding.whoami)
                id, _ = session.call(session.binding.client_id)
    if options.format == "json":
        identity = [{"scheme": scheme, "id": name} for scheme, name in identities]
        print_json({"session": owners.session_name(id), "identities": identity})
    else:
        for scheme, name in identities:
            print_line(f"{scheme}:{name}")
    return 0


def _tell_of_owners(options: Namespace, connection: str, paths: list[str]) -> int:
    owned: list[tuple[str, int]] = []
    with connect.session(options, connection) as session:
        for asked in paths:
            path, stat = reading.locate(session, asked)
            owner = stat["ephemeralOwner"]
            if not owners.is_session(owner):
                raise Failure(f"{path} is {owners.kind(owner)}: no session owns it")
            owned.append((path, owner & owners.BITS))
        found, faults = _sessions(options, connection)
    known = {each.id: each for each in found}
    for path, id in owned:
        facts = known.get(id, SessionFacts(id, None, None, None))
        if options.format == "json":
            print_json({"path": path, **_members(facts)})
            continue
        print_line(path)
        for line in _lines(facts, is_certain=not faults):
            print_line(f"  {line}")
    _tell_faults(options, faults)
    return 0


def _tell_of_sessions(options: Namespace, connection: str) -> int:
    found, faults = _sessions(options, connection)
    for facts in found:
        if options.format == "json":
            print_json(_members(facts))
        else:
            print_line("  ".join(_lines(facts, is_certain=not faults)))
    _tell_faults(options, faults)
    return 1 if faults else 0


def _sessions(options: Namespace, connection: str) -> tuple[list[SessionFacts], dict[str, str]]:
    return sessions_of(
        connect.servers(connection), connect.tls(options), options.timeout, options.admin
    )


def _tell_faults(options: Namespace, faults: dict[str, str]) -> None:
    for server, fault in faults.items():
        tell(options.name, f"{server} does not tell of its sessions: {fault}")


def _lines(facts: SessionFacts, *, is_certain: bool) -> list[str]:
    lines = [f"session {owners.session_name(facts.id)}"]
    connection = facts.connection
    if connection is not None:
        since = connection.since
        when = f" since {moment(since)} ({in_words(_age(since))})" if since is not None else ""
        lines.append(f"client {connection.client}, connected to {facts.server}{when}")
        if connection.timeout is not None:
            lines.append(f"timeout {in_words(connection.timeout / 1000)}")
    elif is_certain:
        lines.append("not connected to any of these servers")
    if facts.ephemerals is not None:
        lines.append(counted(len(facts.ephemerals), "ephemeral node"))
    return lines


def _members(facts: SessionFacts) -> dict[str, Any]:
    connection = facts.connection
    return {
        "session": owners.session_name(facts.id),
        "client": connection and connection.client,
        "server": facts.server,
        "connected_since": connection and connection.since,
        "timeout": connection and connection.timeout,
        "ephemerals": None if facts.ephemerals is None else sorted_naturally(facts.ephemerals),
    }


def _age(milliseconds: int) -> float:
    return max(0.0, time.time() - milliseconds / 1000)
