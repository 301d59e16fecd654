"""`zookeeper_watch`: a line a change of nodes, for people or as JSON, or a command that is run."""

from __future__ import annotations

import json
import select
import sys
import time
from argparse import Namespace
from functools import partial
from typing import TYPE_CHECKING, Any

from zc.zk.cli import connect, connectionnews, nodewords
from zc.zk.cli.arguments import (
    CHANGES_VARIABLE,
    CONNECTION_VARIABLE,
    PATHS_VARIABLE,
    Parser,
)
from zc.zk.cli.hookarguments import add_hook_arguments, timing
from zc.zk.cli.nodeevents import Event, lines, members
from zc.zk.cli.output import print_json, print_line, tell
from zc.zk.cli.reports import connection_and_paths
from zc.zk.cli.runplan import RunPlan
from zc.zk.spans import in_words

if TYPE_CHECKING:
    from zc.zk.cli.watchinbox import Following, Inbox

USAGE = "[-c] [-p] [-R] [--format text|json | --exec COMMAND] [options] [CONNECTION] PATH..."
DETAILS = """\
CONNECTION is HOST:PORT, or several with commas in between. PATHs are the nodes to follow; symbolic
links are followed, and so are property links. With -R it is all nodes below PATHs, too, by one
watch each; property links are not followed then. The first lines tell what is there, as if it came
just then; the others what changes, until you interrupt it. Where there is no node yet, it is waited
for. Connections and sessions may be lost in the meantime: what has changed then is told afterwards.

With --exec nothing is printed, and a command is run, one at a time, first with what is there. It
reads the changes since the former run, one of each node, from its standard input: a JSON object a
line, with path, change (added, changed or removed) and properties. ZC_ZK_CHANGES has their number,
and ZC_ZK_PATHS their paths, one a line, unless these are longer than 64 kB. If the command fails,
the changes are told again, together with those that came meanwhile. Commands end with this one,
also by kill -9."""
EXAMPLES = """\
zookeeper.example.com:2181 /fooservice/providers
-p zookeeper.example.com:2181 /fooservice /barservice
-R --format json zookeeper.example.com:2181 /fooservice
-R --exec 'make -C /etc/foo' zookeeper.example.com:2181 /fooservice"""

# How often (seconds) to look whether somebody still reads what is written.
LOOK_SECONDS = 0.5

# Bytes of paths that a variable of the environment can well hold.
MAX_PATHS_BYTES = 1 << 16


def add_arguments(parser: Parser) -> None:
    parser.add_words(nodes=nodewords.every)
    parser.add_argument("-c", "--children", action="store_true", help="follow the children only")
    parser.add_argument("-p", "--properties", action="store_true", help="the properties only")
    parser.add_argument(
        "-R", "--recursive", action="store_true", help="follow all nodes below them, too"
    )
    parser.add_argument(
        "--changes", action="store_true", help="do not tell what is there at the beginning"
    )
    parser.add_argument("--no-time", action="store_true", help="lines without date and time")
    parser.add_argument(
        "--no-wait", action="store_true", help="end with 1 if a node is not there at the beginning"
    )
    parser.add_report_argument()
    add_hook_arguments(parser, "something has changed")
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    connection, paths = connection_and_paths(options)
    plan = RunPlan(timing(options)) if options.exec is not None else None
    with connect.client(options, connection) as zk, connectionnews.told(zk, options.name):
        from zc.zk.cli.watchinbox import Following, Inbox

        inbox = Inbox(plan)
        follow = partial(
            _follower_class(options),
            zk,
            note=inbox.note,
            children=options.children or not options.properties,
            properties=options.properties or not options.children,
        )
        following = Following(zk, inbox, follow, options.name, waits=not options.no_wait)
        inbox.is_muted = options.changes
        for path in paths:
            following.begin(path)
        inbox.is_muted = False
        if plan is None:
            _print_until_nobody_reads(options, inbox, following)
        else:
            _run_commands(options, connection, inbox, following)
    return 0


def _follower_class(options: Namespace) -> Any:
    if options.recursive:
        from zc.zk.cli.treefollowing import TreeFollower

        return TreeFollower
    from zc.zk.cli.nodefollowing import NodeFollower

    return NodeFollower


def _print_until_nobody_reads(options: Namespace, inbox: Inbox, following: Following) -> None:
    reader = select.poll()
    try:
        if sys.stdout is not None:
            reader.register(sys.stdout, 0)
    except (TypeError, OSError):
        pass  # no file: something that a program has put in its place
    while True:
        inbox.wait(LOOK_SECONDS)
        following.go_on()
        events = inbox.take()
        if not events and reader.poll(0):
            raise BrokenPipeError
        for event in events:
            _print(options, event)


def _print(options: Namespace, event: Event) -> None:
    now = time.time()
    if options.format == "json":
        when = {} if options.no_time else {"time": _in_utc(now)}
        print_json({**when, **members(event)})
        return
    beginning = "" if options.no_time else time.strftime("%Y-%m-%d %H:%M:%S ", time.localtime(now))
    for line in lines(event):
        print_line(beginning + line)


def _in_utc(now: float) -> str:
    milliseconds = int(now * 1000) % 1000
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{milliseconds:03}Z"


def _run_commands(options: Namespace, connection: str, inbox: Inbox, following: Following) -> None:
    from zc.zk.cli import hook  # those who only look do not wait for it

    limit = options.exec_timeout or hook.DEFAULT_LIMIT_SECONDS
    while True:
        inbox.wait(LOOK_SECONDS)
        following.go_on()
        events = inbox.take()
        if not events:
            continue
        given = "".join(f"{json.dumps(members(event))}\n" for event in events).encode()
        variables = {CONNECTION_VARIABLE: connection, **_variables(events)}
        fault = hook.run(options.exec, variables, given, limit=limit)
        if not fault:
            inbox.note_success()
            continue
        pause = inbox.note_failure(events)
        then = f"again in {in_words(pause)}" if pause is not None else "given up until a change"
        tell(options.name, f"{options.exec!r}: {fault}; {then}")


def _variables(events: list[Event]) -> dict[str, str | bytes]:
    """Return the variables that tell a command of events; none that is too long for one."""
    variables: dict[str, str | bytes] = {CHANGES_VARIABLE: str(len(events))}
    # As servers have them, whatever the locale.
    paths = "\n".join(event.path for event in events).encode("utf-8", "surrogateescape")
    if len(paths) <= MAX_PATHS_BYTES:
        variables[PATHS_VARIABLE] = paths
    return variables
