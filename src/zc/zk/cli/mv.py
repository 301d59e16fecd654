"""`zk mv`: move a node and all below it."""

from __future__ import annotations

from argparse import Namespace

from zc.zk.cli import connect, copying, quotasleft
from zc.zk.cli.arguments import Parser, connection_and_rest
from zc.zk.cli.failures import Misuse

USAGE = "[-d] [-v] [-y] [--merge] [--format FORMAT] [options] [CONNECTION] SOURCE TARGET"
DETAILS = """\
CONNECTION is HOST:PORT, or several with commas in between. TARGET is the new path, or, with a
slash behind it, that of the node to move into, as / is. Symbolic links above the nodes are
followed, and are not moved themselves. The plan is shown, and confirmed. Data and ACLs are
kept, but servers do not tell which nodes are containers or have a time to live. Quotas stay at the
old place, which is said. Ephemeral nodes belong to programs that run: with one of them nothing is
moved.

Up to 250 nodes and 500 KB are moved at once or not at all. More are copied, compared, and only
then deleted at the old place, each if nobody has changed it meanwhile; after an interruption run it
again. Nothing is overwritten: what is at TARGET may be part of the same move, and else is an
error."""
EXAMPLES = """\
zookeeper.example.com:2181 /fooservice /barservice
-d zookeeper.example.com:2181 /fooservice /attic/"""


def add_arguments(parser: Parser) -> None:
    copying.add_copying_arguments(parser, "moved")
    parser.add_yes_argument("move without asking for confirmation")
    parser.add_report_argument()
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    connection, words = connection_and_rest(options, 2)
    if len(words) != 2:
        raise Misuse("SOURCE and TARGET are needed; --help tells more")
    with connect.session(options, connection) as session:
        plan = copying.make_plan(options, session, (words[0], words[1]), session, is_move=True)
        if options.dry_run:
            copying.show(options, plan)
        else:
            if not options.yes:
                copying.confirm_move(plan)
            copying.apply(options, plan, "move")
        quotasleft.tell_of_those_below(options, session, plan.source.path)
    return 0
