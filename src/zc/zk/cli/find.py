"""`zk find`: the nodes of a tree that are as somebody wants them."""

from __future__ import annotations

from argparse import Namespace
from functools import partial
from itertools import islice

from zc.zk.cli import connect, nodewords
from zc.zk.cli.arguments import Parser
from zc.zk.cli.criteria import add_criteria, regular_expression, selection
from zc.zk.cli.output import print_json, print_line
from zc.zk.cli.progress import looking
from zc.zk.cli.reports import (
    CONNECTION_AND_TOP,
    Unreadable,
    connection_and_path,
    selected,
)
from zc.zk.operations import listing
from zc.zk.tree import facts

USAGE = "[-l] [--name PATTERN] [--kind KIND] [--property NAME[=LITERAL]] ... [CONNECTION] [PATH]"
DETAILS = f"""\
{CONNECTION_AND_TOP}
This node and all below are looked at, and the paths of those that are all that is asked for are
printed as they are found, depth first. Nothing found is exit status 0, as of find(1). Of a node
that may not be read neither data nor children are known: that is said, and makes it 4."""
EXAMPLES = """\
--name 'p*' --kind ephemeral zookeeper.example.com:2181 /fooservice
--property type=web --older 30d zookeeper.example.com:2181
-l --owner 0x1000a2b3c4d0001 zookeeper.example.com:2181"""


def add_arguments(parser: Parser) -> None:
    parser.add_words(nodes=nodewords.first)
    add_criteria(parser)
    parser.add_argument(
        "--data",
        type=partial(regular_expression, ignore_case=False),
        metavar="REGEX",
        help="its data match this regular expression somewhere",
    )
    parser.add_argument("-l", "--long", action="store_true", help="tell about each as ls -l does")
    parser.add_report_argument()
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    connection, path = connection_and_path(options, "/")
    unreadable = Unreadable(options.name)
    wanted = selection(options, options.data)
    with connect.session(options, connection) as session, looking() as bar:
        nodes = listing.select(
            session, path, wanted, _nothing_of, depth=options.depth, progress=bar
        )
        for found, _ in islice(selected(nodes, unreadable), options.limit):
            if options.format == "json":
                print_json(facts.as_members(found.path, found.stat))
            else:
                print_line(facts.as_row(found.path, found.stat) if options.long else found.path)
    return unreadable.status()


def _nothing_of(data: str | None) -> None:
    return None
