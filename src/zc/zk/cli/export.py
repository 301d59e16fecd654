"""`zookeeper_export`: a tree as text, JSON or YAML."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from functools import partial

from zc.zk.cli import nodewords
from zc.zk.cli.arguments import Parser, connection_and_rest, format_of, node_path
from zc.zk.cli.failures import INCOMPLETE, Misuse
from zc.zk.cli.losses import tell_losses
from zc.zk.cli.output import write_text
from zc.zk.cli.skipped import Skipped
from zc.zk.cli.subtree import tree_text
from zc.zk.links import as_told
from zc.zk.tree.syntax import is_node_name

USAGE = "[-e] [-o FILE] [options] [CONNECTION] [PATH]"
DETAILS = """\
CONNECTION is HOST:PORT, or several with commas in between, and PATH the top of what is written, by
default all. Symbolic links in PATH are followed. The node /zookeeper is left out, and so are
ephemeral nodes, unless asked for.

With --acls the ACL of a node is written where it is not that of its parent or, at the top, open to
everybody. Without --acls, nodes come back open to everybody: ACLs that forbid anything are told,
where 1,000 nodes at most are looked at, those whose ACL was changed first and then those at the
top; --strict looks at all of them, and is an error with one. Ephemeral nodes are marked as such.
Things that no import brings back, such as quotas and the counters of sequential nodes, are told.
Servers do not tell which nodes are containers or have a time to live: write `= container` or
`= ttl 90s` below them, or they come back as permanent nodes."""
EXAMPLES = """\
zookeeper.example.com:2181
zookeeper.example.com:2181 /fooservice -e
--acls --strict -o backup.json zookeeper.example.com:2181"""


def add_arguments(parser: Parser) -> None:
    parser.add_words(nodes=nodewords.first)
    parser.add_argument("-e", "--ephemeral", action="store_true", help="with ephemeral nodes")
    parser.add_argument(
        "--name",
        dest="name_of_top",
        type=as_told,
        metavar="NAME",
        help="write this name for the top node",
    )
    parser.add_argument("--acls", action="store_true", help="with the ACLs of nodes")
    parser.add_argument(
        "--no-kinds",
        action="store_true",
        help="do not mark ephemeral nodes, as earlier releases did not",
    )
    parser.add_strict_argument("write nothing if there is anything that no import brings back")
    parser.add_skip_argument()
    parser.add_output_argument()
    parser.add_format_argument("output")
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    connection, words = connection_and_rest(options, 1)
    path = node_path(words[0]) if words else "/"
    if options.name_of_top is not None and not is_node_name(options.name_of_top):
        raise Misuse(f"argument --name: no node can have this name: {options.name_of_top!r}")
    skipped = Skipped(options.name)
    text = tree_text(
        options,
        connection,
        path,
        skipped,
        what="export",
        ephemeral=options.ephemeral,
        name=options.name_of_top,
        acls=options.acls,
        kinds=not options.no_kinds,
        lost=partial(tell_losses, options, "not in what is written"),
        is_strict=options.strict,
    )
    format = format_of(options.output, options.format)
    write_text(options.output, [text] if format == "text" else _converted(text, format))
    return INCOMPLETE if skipped.conclude() else 0


def _converted(text: str, format: str) -> Iterable[str]:
    from zc.zk import formats

    return formats.render(formats.parse(text, formats.TEXT), format)
