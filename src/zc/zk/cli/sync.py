"""`zk sync`: wait until the server has all that the others had."""

from __future__ import annotations

from argparse import Namespace

from zc.zk.cli import connect, nodewords
from zc.zk.cli.arguments import Parser
from zc.zk.cli.reports import connection_and_path
from zc.zk.session.retry import attempts

USAGE = "[options] [CONNECTION] [PATH]"
DETAILS = """\
CONNECTION is HOST:PORT, or several with commas in between. The server of this session asks the
leader for all changes that it has not got; this ends when it has them. So it tells whether the
server can reach a leader, and for how long that takes. It concerns all nodes; PATH is what is named
in the request, by default the root."""
EXAMPLES = """\
zookeeper.example.com:2181"""


def add_arguments(parser: Parser) -> None:
    parser.add_words(nodes=nodewords.first)
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    connection, path = connection_and_path(options, "/")
    with connect.session(options, connection) as session:
        for attempt in attempts(session):
            with attempt:
                session.call(session.binding.sync, path)
    return 0
