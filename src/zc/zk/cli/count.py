"""`zk count`: how many children nodes have, or how many nodes are below them."""

from __future__ import annotations

from argparse import Namespace

from zc.zk.cli import connect, nodewords
from zc.zk.cli.arguments import Parser
from zc.zk.cli.output import print_json, print_line
from zc.zk.cli.reports import CONNECTION_AND_PATH, connection_and_paths, each
from zc.zk.operations import listing, reading

USAGE = "[-R] [options] [CONNECTION] PATH..."
DETAILS = f"""\
{CONNECTION_AND_PATH}. A number is printed: of the children of PATH, or with -R of all nodes below
it; with several PATHs a line for each, with the path behind. The servers count, and no permission
is needed. A PATH that is not there is told, and makes the exit status 1; the others are counted all
the same."""
EXAMPLES = """\
zookeeper.example.com:2181 /fooservice/providers
-R zookeeper.example.com:2181 /fooservice /barservice"""


def add_arguments(parser: Parser) -> None:
    parser.add_words(nodes=nodewords.every)
    parser.add_argument("-R", "--recursive", action="store_true", help="count all nodes below PATH")
    parser.add_report_argument()
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    connection, paths = connection_and_paths(options)
    with connect.session(options, connection) as session:

        def report(path: str) -> None:
            if options.recursive:
                number = listing.number_below(session, path)
            else:
                number = reading.locate(session, path)[1]["numChildren"]
            if options.format == "json":
                print_json({"path": path, "below" if options.recursive else "children": number})
            else:
                print_line(f"{number}" if len(paths) == 1 else f"{number:>9}  {path}")

        return each(options, paths, report)
