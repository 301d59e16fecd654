"""`zk du`: how many nodes there are in the parts of a tree, and how many bytes of data."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from zc.zk.cli import connect, nodewords
from zc.zk.cli.arguments import Parser
from zc.zk.cli.numbers import count
from zc.zk.cli.output import print_json, print_line
from zc.zk.cli.progress import looking
from zc.zk.cli.reports import CONNECTION_AND_TOP, Unreadable, connection_and_path
from zc.zk.operations import listing
from zc.zk.operations.survey import Found
from zc.zk.tree.usage import Usage, largest, usages

USAGE = "[--depth N] [--top N] [--by nodes|bytes] [options] [CONNECTION] [PATH]"
DETAILS = f"""\
{CONNECTION_AND_TOP}
Of this node, and of those one level below it, it is told how many nodes there are, how many of
these are ephemeral, and how many bytes their data have, all below included; PATH comes last.
--depth has it go further down, and --top tells of the largest alone. Of nodes that may not be read,
what is below them does not count, which is said, and makes the exit status 4."""
EXAMPLES = """\
zookeeper.example.com:2181
--depth 3 --top 10 zookeeper.example.com:2181
--format json zookeeper.example.com:2181 /fooservice"""


def add_arguments(parser: Parser) -> None:
    parser.add_words(nodes=nodewords.first)
    parser.add_argument(
        "--depth",
        type=count,
        default=1,
        metavar="N",
        help="tell of nodes N levels below PATH, too (default: %(default)s)",
    )
    parser.add_argument("--top", type=count, metavar="N", help="tell of the N largest of these")
    parser.add_argument(
        "--by",
        choices=("bytes", "nodes"),
        default="bytes",
        help="what makes one the largest (default: %(default)s)",
    )
    parser.add_report_argument()
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    connection, path = connection_and_path(options, "/")
    unreadable = Unreadable(options.name)

    with connect.session(options, connection) as session, looking() as bar:
        nodes = listing.everything(session, path, progress=bar)
        found = usages(_noted(nodes, unreadable), options.depth)
        if options.top is not None:
            found = iter(largest(found, options.top, by_nodes=options.by == "nodes"))
        for usage in found:
            _print(options, usage)
    return unreadable.status()


def _noted(nodes: Iterator[Found[Any]], unreadable: Unreadable) -> Iterator[Found[Any]]:
    for found in nodes:
        unreadable.note(found)
        yield found


def _print(options: Namespace, usage: Usage) -> None:
    if options.format == "json":
        print_json(
            {
                "path": usage.path,
                "nodes": usage.nodes,
                "ephemerals": usage.ephemerals,
                "bytes": usage.bytes,
            }
        )
    else:
        print_line(
            f"{usage.nodes:>9} nodes {usage.ephemerals:>7} ephemeral {usage.bytes:>12} bytes"
            f"  {usage.path}"
        )
