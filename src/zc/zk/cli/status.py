"""`zk status`: how each server of a connection string is doing."""

from __future__ import annotations

import time
from argparse import Namespace
from functools import partial
from typing import Any

from zc.zk.cli import connect, nodewords
from zc.zk.cli.arguments import Parser, connection_and_rest
from zc.zk.cli.output import print_json, print_line
from zc.zk.ensemble.asking import Asked
from zc.zk.ensemble.reports import Report, short_version
from zc.zk.ensemble.status import Status, status_of_each
from zc.zk.ensemble.words import Unanswered
from zc.zk.errors import Error
from zc.zk.session.state import State
from zc.zk.spans import in_words
from zookeeper.errors import ZooKeeperException

USAGE = "[--timeout SECONDS] [options] [CONNECTION]"
DETAILS = """\
CONNECTION is HOST:PORT, or several with commas in between. Each of these servers is asked itself,
all at the same time, and no one holds the others up: its role, its version, the number of the last
change that it knows of (zxid) and how many changes it is behind the newest, the latency of its
answers to clients (mean and largest), connections, nodes, and how long it took to answer now. It is
asked by the four-letter words srvr, mntr or stat, and where it answers none of them, by a session,
which tells less. A server that does not answer is named with the reason. Exit status 1 if one does
not serve."""
EXAMPLES = """\
zk1.example.com:2181,zk2.example.com:2181,zk3.example.com:2181
--format json --tls-ca ca.pem zk1.example.com:2281"""


def add_arguments(parser: Parser) -> None:
    parser.add_words(nodes=nodewords.none)
    parser.add_report_argument()
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    connection, _ = connection_and_rest(options, 0)
    servers = connect.servers(connection)
    tls = connect.tls(options)
    with connect.quiet(options):
        found = status_of_each(servers, tls, options.timeout, partial(_read, options))
    width = max(len(each.server) for each in found)
    for each in found:
        if options.format == "json":
            print_json(_members(each))
        else:
            print_line(f"{each.server:{width}}  {_words(each)}")
    return 1 if any(each.answer is None for each in found) else 0


def _read(options: Namespace, server: str, deadline: float) -> Report:
    """Learn what a session tells of its server: that it serves, and its zxid."""
    try:
        session = connect.session_with(options, server, deadline)
    except (Error, ZooKeeperException) as fault:
        raise Unanswered(f"it answers no four-letter words, and {fault}") from fault
    try:
        zxid = session.call(session.binding.get_many, ["/"]).zxid
        is_cut_off = session.state is State.READ_ONLY
        return Report(role="read-only" if is_cut_off else "unknown role", zxid=zxid)
    except ZooKeeperException as fault:
        raise Unanswered(f"it answers no four-letter words, and {fault}") from fault
    finally:
        session.close()


def _words(asked: Asked[Status]) -> str:
    if asked.answer is None:
        return f"does not serve: {asked.fault}"
    status, report = asked.answer, asked.answer.report
    parts = [f"{report.role:10}"]
    if report.version is not None:
        parts.append(short_version(report.version))
    if report.zxid is not None:
        behind = "an epoch behind" if status.lag is None else f"{status.lag} behind"
        parts.append(f"zxid {report.zxid:#x}, {behind}")
    if report.latency is not None:
        parts.append(f"latency {report.latency[1]:g} ms, at most {report.latency[2]:g}")
    if report.connections is not None:
        parts.append(f"{report.connections} connections")
    if report.nodes is not None:
        parts.append(f"{report.nodes} nodes")
    if status.seconds is not None:
        parts.append(f"answered in {1000 * status.seconds:.0f} ms")
    if status.tls is not None:
        parts.append(status.tls)
    if status.expires is not None:
        left = status.expires - time.time()
        parts.append(f"certificate for {in_words(left)}" if left > 0 else "certificate expired")
    if status.source == "session":
        parts.append("by a session, as it answers no four-letter words")
    return "  ".join(parts)


def _members(asked: Asked[Status]) -> dict[str, Any]:
    """Return what is known of a server; null is not known."""
    if asked.answer is None:
        return {"server": asked.server, "serves": False, "reason": asked.fault}
    status, report = asked.answer, asked.answer.report
    least, mean, most = report.latency or (None, None, None)
    return {
        "server": asked.server,
        "serves": True,
        "role": report.role,
        "version": report.version,
        "zxid": report.zxid,
        "behind": status.lag,
        "latency": {"min": least, "mean": mean, "max": most},
        "connections": report.connections,
        "outstanding": report.outstanding,
        "nodes": report.nodes,
        "received": report.received,
        "sent": report.sent,
        "answered_in": status.seconds,
        "tls": status.tls,
        "certificate_expires": status.expires,
        "asked_by": status.source,
    }
