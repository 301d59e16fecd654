"""`zookeeper_diff`: the differences between two trees, in files or servers."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterator
from contextlib import nullcontext

from zc.zk.cli import connect, nodewords
from zc.zk.cli.arguments import CONNECTION_VARIABLE, Parser, is_connection
from zc.zk.cli.failures import DIFFERENCES, INCOMPLETE, Misuse
from zc.zk.cli.input import read_tree
from zc.zk.cli.output import print_line, tell
from zc.zk.cli.skipped import MAX_TOLD, Skipped
from zc.zk.cli.subtree import tree_text
from zc.zk.links import as_told
from zc.zk.tree.changes import Change, KeepExtra, messages
from zc.zk.tree.diff import plan_import, snapshot
from zc.zk.tree.marking import Marking, acls_in, has_acls, open_at_the_top
from zc.zk.tree.model import ParseNode, TreeResolver
from zc.zk.tree.parse import parse_tree

USAGE = "[-e] [-v] [--all | --part] [--exit-code] [options] [OLD] NEW"
DETAILS = """\
OLD and NEW are each a tree: in a file (text, JSON or YAML), in standard input (-), or on servers,
as HOST:PORT or HOST:PORT/PATH, several with commas in between. Of servers all is compared that is
below PATH. OLD is by default what ZC_ZK_CONNECTION_STRING names.

Each line is a change that makes NEW of OLD. Between a file and servers, in this order, all is
compared that they have, as somebody who looks for what has drifted wants it; with --part only
those top-level nodes that the file has. Between servers and a file that is what is compared, as it
is what an import looks at; with --all it is everything."""
EXAMPLES = """\
zookeeper.example.com:2181 tree.txt
zookeeper.example.com:2181/fooservice test.example.com:2181/fooservice
--exit-code yesterday.json today.json"""


def add_arguments(parser: Parser) -> None:
    parser.add_words(nodes=nodewords.none)
    parser.add_argument("-e", "--ephemeral", action="store_true", help="with ephemeral nodes")
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="tell all about nodes that come or go"
    )
    parser.add_argument(
        "--exit-code", action="store_true", help="end with 3 if there are differences"
    )
    parser.add_argument(
        "--acls",
        action="store_true",
        help="compare ACLs, as is done anyway where a file has some",
    )
    top_level = parser.add_mutually_exclusive_group()
    top_level.add_argument(
        "--all", action="store_true", help="compare all top-level nodes, as of a file and a server"
    )
    top_level.add_argument(
        "--part",
        action="store_true",
        help="compare the top-level nodes of the file only, as of a server and a file",
    )
    parser.add_skip_argument()
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
    are_both_on_servers = all(map(is_connection, sides))
    skipped = [Skipped(options.name, side if are_both_on_servers else "") for side in sides]
    files = [None if is_connection(side) else read_tree(side, options.format) for side in sides]
    acls = options.acls or any(tree is not None and has_acls(tree) for tree in files)
    trees = []
    for side, file, left_out in zip(sides, files, skipped, strict=True):
        with connect.naming(as_told(side)) if are_both_on_servers else nullcontext():
            trees.append(_tree(options, side, file, left_out, acls=acls))
    old, new = trees
    for path in [path for each in skipped for path in each.paths]:
        # Nothing is known of it, so it is neither there nor not.
        _drop(old, path)
        _drop(new, path)
    _choose_top_level(options, sides, old, new)
    differs = False
    for line in _lines(old, new, options.verbose, acls=acls):
        print_line(line)
        differs = True
    incomplete = [each.conclude() for each in skipped]
    if differs and options.exit_code:
        return DIFFERENCES
    return INCOMPLETE if any(incomplete) else 0


def _tree(
    options: Namespace, side: str, file: ParseNode | None, skipped: Skipped, *, acls: bool
) -> ParseNode:
    if file is None:
        text = tree_text(
            options, as_told(side), "/", skipped, ephemeral=options.ephemeral, acls=acls
        )
        file = parse_tree(text)
    elif not options.acls:
        return file  # it tells nothing about nodes at the top without an ACL
    if acls:
        open_at_the_top(file)
    return file


def _drop(tree: ParseNode, path: str) -> None:
    above, _, name = path.rpartition("/")
    node = TreeResolver(tree).find(above or "/")
    if node is not None:
        node.children.pop(name, None)


def _choose_top_level(options: Namespace, sides: list[str], old: ParseNode, new: ParseNode) -> None:
    """Drop top-level nodes that are not to be compared: a file need not hold all."""
    from_server, to_server = map(is_connection, sides)
    if from_server == to_server or options.all:
        return
    server, file = (old, new) if from_server else (new, old)
    if to_server and not options.part:
        return
    names = sorted(set(server.children) - set(file.children))
    for name in names:
        del server.children[name]
    if names and not options.part:
        told = ", ".join(f"/{name}" for name in names[:MAX_TOLD])
        more = f" and {len(names) - MAX_TOLD} more" if len(names) > MAX_TOLD else ""
        tell(options.name, f"not compared, as not in the file: {told}{more} (--all compares them)")


def _lines(old: ParseNode, new: ParseNode, verbose: bool, *, acls: bool) -> Iterator[str]:
    """Yield a line a difference; the top only of new or gone subtrees, if terse."""
    present = snapshot((node.path, node.data, 0, 0, None) for _, node in old.walk())
    marking = Marking(acls_in(old) if acls else {}, ephemeral_as_permanent=True)
    changes: list[Change] = [
        KeepExtra(f"/{name}") for name in sorted(old.children) if name not in new.children
    ]
    changes += plan_import(new, "/", present, marking=marking)
    for change in changes:
        if not isinstance(change, KeepExtra):
            yield from messages([change], dry_run=True, verbose=verbose)
            continue
        yield f"delete {change.path}"
        if verbose:
            nodes = TreeResolver(old).node(change.path).walk()
            yield from (f"delete {node.path}" for depth, node in nodes if depth)
