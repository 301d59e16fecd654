"""`zk ls`: the children of a node, or all nodes below it."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import TYPE_CHECKING

from zc.zk.cli import connect, nodewords
from zc.zk.cli.arguments import Parser
from zc.zk.cli.failures import Misuse
from zc.zk.cli.numbers import count
from zc.zk.cli.output import is_terminal, print_json, print_line
from zc.zk.cli.reports import (
    CONNECTION_AND_TOP,
    Unreadable,
    connection_and_path,
)
from zc.zk.imports import Later

if TYPE_CHECKING:
    from zc.zk.operations import listing, reading
    from zc.zk.operations.survey import Found
    from zc.zk.tree import facts
else:
    # A list of names needs one of them, and --help none.
    listing, reading = Later("zc.zk.operations.listing"), Later("zc.zk.operations.reading")
    facts = Later("zc.zk.tree.facts")

USAGE = "[-l] [-F] [-R] [--depth N] [options] [CONNECTION] [PATH]"
DETAILS = f"""\
{CONNECTION_AND_TOP}
Names come in their natural order, p2 before p10: the children's, or with -R the paths of all nodes
below PATH. On a terminal, or with -F, nodes with children have a slash behind, and ephemeral ones
are marked; servers tell nobody which nodes are containers or have a time to live. Nodes that may
not be read are listed; with -R the nodes below them are not, which is said, and makes the exit
status 4."""
EXAMPLES = """\
zookeeper.example.com:2181
-l zookeeper.example.com:2181 /fooservice/providers
-R --format json zookeeper.example.com:2181 /fooservice"""


def add_arguments(parser: Parser) -> None:
    parser.add_words(nodes=nodewords.first)
    parser.add_argument(
        "-l",
        "--long",
        action="store_true",
        help="tell kind, version, number of children, bytes and time of the last change",
    )
    parser.add_argument("-F", "--mark", action="store_true", help="mark kinds of nodes")
    parser.add_argument("-R", "--recursive", action="store_true", help="list all nodes below PATH")
    parser.add_argument(
        "--depth", type=count, metavar="N", help="with -R, list no more than N levels"
    )
    parser.add_report_argument()
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    connection, path = connection_and_path(options, "/")
    if options.depth is not None and not options.recursive:
        raise Misuse("--depth is about -R, which lists what is below the children")
    is_marked = options.mark or is_terminal(sys.stdout)
    needs_stats = options.long or is_marked or options.recursive or options.format == "json"
    depth = options.depth if options.recursive else 1
    unreadable = Unreadable(options.name)
    with connect.session(options, connection) as session:
        if not needs_stats:
            for name in reading.child_names(session, path):
                print_line(name)
            return 0
        for found in listing.below(session, path, depth=depth):
            if options.recursive and found.depth != depth:
                unreadable.note(found)
            _print(options, found, is_marked=is_marked)
    return unreadable.status()


def _print(options: Namespace, found: Found[None], *, is_marked: bool) -> None:
    if options.format == "json":
        print_json(facts.as_members(found.path, found.stat))
        return
    name = found.path if options.recursive else found.name
    if options.long:
        print_line(facts.as_row(name, found.stat))
    else:
        print_line(facts.marked(name, found.stat) if is_marked else name)
