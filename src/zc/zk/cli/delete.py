"""`zookeeper_delete`: delete a node and all below it."""

from __future__ import annotations

from argparse import Namespace

from zc.zk.cli import confirmation, connect, quotasleft
from zc.zk.cli.arguments import Parser, connection_and_rest
from zc.zk.cli.failures import INCOMPLETE, Failure
from zc.zk.cli.firstwords import first_path
from zc.zk.cli.output import print_line, tell
from zc.zk.cli.progress import progress, writing
from zc.zk.links import is_within
from zc.zk.operations import delete
from zc.zk.operations.plan import Plan
from zc.zk.operations.subtree import reserved
from zc.zk.session.session import Session
from zc.zk.tree.changes import KeepEphemeral

USAGE = "[-d] [-f] [-y] [options] [CONNECTION] PATH"
DETAILS = """\
CONNECTION is HOST:PORT, or several with commas in between. The nodes to delete are shown first,
and confirmed; nothing else is deleted then, and nothing at all when others have changed these
nodes meanwhile, except that of more than 500 nodes some may have gone. With --yes nothing is
shown, and what others add meanwhile goes too. Ephemeral nodes, which running programs need, and the
nodes above them stay, which is said, and makes the exit status 4, unless --force is given. Quotas
stay, too, for a node that is made anew; that is said, and zk quota delete takes them away. The
servers' own nodes, below /zookeeper, cannot be deleted."""
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
    path = first_path(words)
    with connect.session(options, connection) as session:
        own = reserved(session)
        if own is not None and is_within(path, own):
            raise Failure(f"{path} cannot be deleted: it is the servers' own")
        if options.yes and not options.dry_run:
            plan = _delete(options, session, path)
        else:
            with progress("read") as bar:
                plan = delete.make_plan(session, path, force=options.force, progress=bar)
            if options.dry_run:
                for line in plan.lines():
                    print_line(line)
                return _conclude(options, session, path, plan)
            confirmation.confirm(plan)
            with writing(options.name, "delete") as bar:
                confirmation.apply(plan, bar)
        for notice in plan.notices():
            tell(options.name, notice)
        return _conclude(options, session, path, plan)


def _conclude(options: Namespace, session: Session, path: str, plan: Plan) -> int:
    """Tell of nodes and quotas that stay, and return the status to end with."""
    left = [change.path for change in plan if isinstance(change, KeepEphemeral)]
    quotasleft.tell_of_those_below(
        options, session, path, lambda quota: not any(is_within(each, quota) for each in left)
    )
    if not left:
        return 0
    what = "ephemeral node" if len(left) == 1 else "ephemeral nodes"
    them = confirmation.pronoun(len(left))
    tell(options.name, f"{len(left)} {what} left: --force deletes {them}")
    return INCOMPLETE


def _delete(options: Namespace, session: Session, path: str) -> Plan:
    """Delete all that is there, also what others make meanwhile."""
    with writing(options.name, "delete") as bar:
        return delete.delete_tree(
            session,
            None,  # a command has no ephemeral nodes of its own
            path,
            force=options.force,
            progress=bar,
        )
