"""`zk config`: the members of the ensemble, as its dynamic configuration has them."""

from __future__ import annotations

from argparse import Namespace

from zc.zk.cli import connect, nodewords
from zc.zk.cli.arguments import Parser, connection_and_rest
from zc.zk.cli.failures import Failure
from zc.zk.cli.output import print_json, print_line
from zc.zk.ensemble.configuration import members_of
from zc.zk.session.retry import attempts

USAGE = "[options] [CONNECTION]"
DETAILS = """\
CONNECTION is HOST:PORT, or several with commas in between; a path behind them does not matter. The
lines of /zookeeper/config are printed as the servers keep them: server.N=HOST:PORT:PORT:ROLE, with
the clients' port behind a semicolon, and the version, a hexadecimal zxid. As JSON it is one object.
A server that is alone has no members to tell of, which is an error."""
EXAMPLES = """\
zookeeper.example.com:2181
--format json zookeeper.example.com:2181"""


def add_arguments(parser: Parser) -> None:
    parser.add_words(nodes=nodewords.none)
    parser.add_report_argument()
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    connection, _ = connection_and_rest(options, 0)
    servers = connection.partition("/")[0]
    with connect.session(options, servers) as session:
        for attempt in attempts(session):
            with attempt:
                data, stat = session.call(session.binding.get_config)
    if not data:
        raise Failure(f"{servers}: there is no dynamic configuration: the server is alone")
    if options.format == "json":
        version, members = members_of(data)
        print_json({"version": version, "servers": members, "stat": stat})
    else:
        for line in data.rstrip("\n").split("\n"):
            print_line(line)
    return 0
