"""`zookeeper_delete`: delete a node and all below it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator

from zc.zk.ephemeral import Ephemerals
from zc.zk.scripts import connecting
from zc.zk.scripts.arguments import Parser, connection_and_rest, node_path
from zc.zk.scripts.confirming import confirm
from zc.zk.scripts.failures import Misuse
from zc.zk.scripts.output import print_line
from zc.zk.scripts.progress import progress
from zc.zk.scripts.running import tell
from zc.zk.session import Session
from zc.zk.treework import delete_tree
from zc.zk.watches import Watches

USAGE = "[-d] [-f] [-y] [options] [CONNECTION] PATH"
DETAILS = """\
CONNECTION is HOST:PORT, or several with commas in between. What is deleted is shown first, and has
to be confirmed. Ephemeral nodes, which running programs need, and the nodes above them stay, unless
--force is given."""
EXAMPLES = """\
zookeeper.example.com:2181 /fooservice
-d -f zookeeper.example.com:2181 /fooservice/providers"""


def add_arguments(parser: Parser) -> None:
    parser.add_words()
    parser.add_dry_run_argument("print what would be deleted, and delete nothing")
    parser.add_argument("-f", "--force", action="store_true", help="delete ephemeral nodes too")
    parser.add_yes_argument()
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    connection, words = connection_and_rest(options, 1)
    if not words:
        raise Misuse("which node? PATH is missing; --help tells more")
    path = node_path(words[0])
    with connecting.session(options, connection) as session:
        if options.dry_run or not options.yes:
            plan = list(_delete(options, session, path, dry_run=True))
            if options.dry_run:
                for line in plan:
                    print_line(line)
                return 0
            deletions = sum(line.startswith("would delete ") for line in plan)
            if deletions:
                confirm(plan, deletions)
        for notice in _delete(options, session, path):
            tell(options.name, notice)
    return 0


def _delete(
    options: Namespace, session: Session, path: str, *, dry_run: bool = False
) -> Iterator[str]:
    with progress("read" if dry_run else "delete") as bar:
        yield from delete_tree(
            session,
            Ephemerals(session, Watches(session)),
            path,
            dry_run=dry_run,
            force=options.force,
            ignore_if_ephemeral=False,
            progress=bar,
        )
