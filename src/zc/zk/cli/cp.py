"""`zk cp`: copy a node and all below it."""

from __future__ import annotations

from argparse import Namespace
from contextlib import ExitStack

from zc.zk.cli import connect, copying
from zc.zk.cli.arguments import Parser, connection_and_rest, is_connection
from zc.zk.cli.failures import Misuse
from zc.zk.links import as_told

USAGE = "[-d] [-v] [--merge] [--format FORMAT] [options] [CONNECTION] SOURCE [CONNECTION] TARGET"
DETAILS = """\
CONNECTION is HOST:PORT, or several with commas in between; a second one is where TARGET is, with
the same options. TARGET is the path of the copy, or, with a slash behind it, of the node to copy
into, as / is. Symbolic links in the paths are followed. Data and ACLs are copied. Ephemeral nodes,
which belong to programs that run, are not, which is said. Servers do not tell which nodes are
containers or have a time to live: copies are neither.

Up to 500 nodes and 500 KB are copied at once or not at all, and otherwise parents first; after an
interruption run it again. Nothing is overwritten: what is at TARGET may be part of the same copy,
and else is an error. Quotas are not copied, and numbers of sequential nodes begin anew."""
EXAMPLES = """\
zookeeper.example.com:2181 /fooservice /fooservice-old
old.example.com:2181 /fooservice new.example.com:2181 /
-d zookeeper.example.com:2181 /templates/web /services/"""


def add_arguments(parser: Parser) -> None:
    copying.add_copying_arguments(parser, "copied")
    parser.add_report_argument()
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    connection, words = connection_and_rest(options, 3)
    other = as_told(words.pop(1)) if len(words) > 1 and is_connection(words[1]) else None
    if len(words) != 2:
        raise Misuse("SOURCE and TARGET are needed; --help tells more")
    with ExitStack() as opened:
        is_one = other is None
        source = opened.enter_context(connect.session(options, connection, alone=is_one))
        target = source
        if other is not None:
            target = opened.enter_context(connect.session(options, other, alone=is_one))
        plan = copying.make_plan(options, source, (words[0], words[1]), target, is_move=False)
        if options.dry_run:
            copying.show(options, plan)
        else:
            copying.apply(options, plan, "copy")
    return 0
