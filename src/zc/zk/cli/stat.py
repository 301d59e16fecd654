"""`zk stat`: all that servers tell of nodes beside their data."""

from __future__ import annotations

import time
from argparse import Namespace

from zc.zk.cli import connect, nodewords
from zc.zk.cli.arguments import Parser
from zc.zk.cli.output import print_json, print_line
from zc.zk.cli.reports import CONNECTION_AND_PATH, connection_and_paths, each
from zc.zk.operations import reading
from zc.zk.tree import facts

USAGE = "[--format FORMAT] [options] [CONNECTION] PATH..."
DETAILS = f"""\
{CONNECTION_AND_PATH}. No permission is needed. Times are those of this place. As JSON it is one
object a node, with the servers' own names and numbers in its member "stat"; times there are in
milliseconds since 1970. A PATH that is not there is told, and makes the exit status 1; the others
are looked at all the same."""
EXAMPLES = """\
zookeeper.example.com:2181 /fooservice
--format json zookeeper.example.com:2181 /fooservice /barservice"""


def add_arguments(parser: Parser) -> None:
    parser.add_words(nodes=nodewords.every)
    parser.add_report_argument()
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    connection, paths = connection_and_paths(options)
    with connect.session(options, connection) as session:

        def report(asked: str) -> None:
            path, stat = reading.locate(session, asked)
            if options.format == "json":
                print_json(facts.as_members(path, stat))
                return
            for line in facts.as_lines(path, stat, time.time()):
                print_line(line)

        return each(options, paths, report)
