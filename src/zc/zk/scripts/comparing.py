"""`zookeeper_diff`: what is different between two trees, in files or on servers."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterator

from zc.zk.exporting import export_tree
from zc.zk.scripts import connecting
from zc.zk.scripts.arguments import CONNECTION_VARIABLE, Parser, is_connection
from zc.zk.scripts.failures import DIFFERENCES, Misuse
from zc.zk.scripts.input import read_tree
from zc.zk.scripts.output import print_line
from zc.zk.scripts.progress import progress
from zc.zk.tree.changes import Change, KeepExtra, messages
from zc.zk.tree.diff import plan_import, snapshot
from zc.zk.tree.model import ParseNode, TreeResolver
from zc.zk.tree.parse import parse_tree

USAGE = "[-e] [-v] [--exit-code] [options] [OLD] NEW"
DETAILS = """\
OLD and NEW are each a tree: in a file (text, JSON or YAML), in standard input (-), or on servers,
as HOST:PORT or HOST:PORT/PATH, several with commas in between. Of servers all is compared that is
below PATH. OLD is by default what ZC_ZK_CONNECTION_STRING names.

Each line is a change that makes NEW of OLD. A file need not tell of everything: compared with it
are those top-level nodes on servers that it has."""
EXAMPLES = """\
zookeeper.example.com:2181 tree.txt
zookeeper.example.com:2181/fooservice test.example.com:2181/fooservice
--exit-code yesterday.json today.json"""


def add_arguments(parser: Parser) -> None:
    parser.add_words()
    parser.add_argument("-e", "--ephemeral", action="store_true", help="with ephemeral nodes")
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="tell all about nodes that come or go"
    )
    parser.add_argument(
        "--exit-code", action="store_true", help="end with 3 if there are differences"
    )
    parser.add_format_argument("files")
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    sides = list(options.words)
    if len(sides) == 1 and (connection := os.environ.get(CONNECTION_VARIABLE)):
        sides.insert(0, connection)
    if len(sides) != 2:
        raise Misuse("two trees to compare are needed; --help tells more")
    if sides == ["-", "-"]:
        raise Misuse("only one of the trees can be standard input")
    old, new = (_tree(options, side) for side in sides)
    if is_connection(sides[0]) and not is_connection(sides[1]):
        _keep(old, new)
    elif is_connection(sides[1]) and not is_connection(sides[0]):
        _keep(new, old)
    status = 0
    for line in _lines(old, new, options.verbose):
        print_line(line)
        if options.exit_code:
            status = DIFFERENCES
    return status


def _tree(options: Namespace, side: str) -> ParseNode:
    if not is_connection(side):
        return read_tree(side, options.format)
    with connecting.session(options, side) as session, progress("read") as bar:
        text = export_tree(session, "/", ephemeral=options.ephemeral, name=None, progress=bar)
    return parse_tree(text)


def _keep(tree: ParseNode, other: ParseNode) -> None:
    """Drop the top-level nodes that `other` does not have."""
    for name in set(tree.children) - set(other.children):
        del tree.children[name]


def _lines(old: ParseNode, new: ParseNode, verbose: bool) -> Iterator[str]:
    """A line for each difference; of subtrees that come or go the top only, unless `verbose`."""
    present = snapshot((node.path, node.data, 0, False, None) for _, node in old.walk())
    changes: list[Change] = [
        KeepExtra(f"/{name}") for name in sorted(old.children) if name not in new.children
    ]
    changes += plan_import(new, "/", present)
    for change in changes:
        if not isinstance(change, KeepExtra):
            yield from messages([change], dry_run=True, verbose=verbose)
            continue
        yield f"delete {change.path}"
        if verbose:
            nodes = TreeResolver(old).node(change.path).walk()
            yield from (f"delete {node.path}" for depth, node in nodes if depth)
