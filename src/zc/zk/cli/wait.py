"""`zk wait`: wait until a node is there, is gone, or is as somebody needs it."""

from __future__ import annotations

from argparse import Namespace

from zc.zk.cli import connect, nodewords
from zc.zk.cli.arguments import Parser
from zc.zk.cli.criteria import wanted
from zc.zk.cli.failures import Failure, Misuse
from zc.zk.cli.numbers import count, span
from zc.zk.cli.reports import CONNECTION_AND_PATH, connection_and_path
from zc.zk.operations.awaiting import wait_until
from zc.zk.spans import in_words
from zc.zk.tree.expectation import Expectation

DEFAULT_DEADLINE = 60.0

USAGE = "[--gone | --property NAME[=LITERAL] | --children N] [--deadline TIME] ... PATH"
DETAILS = f"""\
{CONNECTION_AND_PATH}, as they change. Without more it waits until the node is there. It is told of
changes by the servers (watches), and goes on when connections and sessions are lost meanwhile. When
--deadline has passed it says what is lacking, and ends with 1. --timeout is about the connection to
begin with, which has to be there in that time."""
EXAMPLES = """\
zookeeper.example.com:2181 /fooservice
--children 3 --deadline 5m zookeeper.example.com:2181 /fooservice/providers
--property state=ready zookeeper.example.com:2181 /fooservice
--gone zookeeper.example.com:2181 /fooservice/lock"""


def add_arguments(parser: Parser) -> None:
    parser.add_words(nodes=nodewords.first)
    parser.add_argument("--gone", action="store_true", help="wait until there is no such node")
    parser.add_argument(
        "--property",
        action="append",
        default=[],
        type=wanted,
        metavar="NAME[=LITERAL]",
        help="wait until it has this property, or link; or with this value, as in a tree file; a"
        " value that is no literal stands for itself; may be repeated",
    )
    parser.add_argument(
        "--children",
        type=count,
        metavar="N",
        help="wait until it has N children or more, such as registered servers",
    )
    parser.add_argument(
        "--deadline",
        type=span,
        default=DEFAULT_DEADLINE,
        metavar="TIME",
        help="give up after this time, such as 90s or 1h (default: 60s)",
    )
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    connection, path = connection_and_path(options)
    if options.gone and (options.property or options.children is not None):
        raise Misuse("a node that is gone has neither properties nor children")
    expectation = Expectation(options.gone, tuple(options.property), options.children)
    with connect.client(options, connection) as zk:
        lack = wait_until(zk.watches, path, expectation, options.deadline)
    if lack:
        raise Failure(f"{path}: {lack}, after {in_words(options.deadline)}")
    return 0
