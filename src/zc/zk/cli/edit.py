"""`zk edit`: change a node, or all nodes below a path, in an editor."""

from __future__ import annotations

from argparse import Namespace

from zc.zk.cli import confirmation, connect, editor, quotasleft
from zc.zk.cli.arguments import Parser, connection_and_rest
from zc.zk.cli.failures import Failure
from zc.zk.cli.firstwords import first_path
from zc.zk.cli.output import tell
from zc.zk.cli.permissions import add_acl_arguments, has_auth
from zc.zk.cli.progress import writing
from zc.zk.operations.editing import Changed, NodeText, SubtreeText
from zc.zk.operations.real import real
from zc.zk.session.session import Session

# Nodes that are told by their names.
MAX_TOLD = 10

USAGE = "[-R | --raw] [-y] [-p PERM | --acl ENTRIES] [options] [CONNECTION] PATH"
DETAILS = """\
CONNECTION is HOST:PORT, or several with commas in between. The editor is what VISUAL or EDITOR
says, or vi. It shows the node at PATH as in a tree file; with --raw its data as they are; with -R
the nodes below it, too, but no ephemeral ones. Your changes are written back, unless somebody else
has changed the same meanwhile; your text is then kept in a file, which is named. After a mistake
you are asked whether the editor is to open again; where nobody can be asked, that is the end. With
-R, nodes that you take out are deleted, after a confirmation. Take out the lines of a node with
those of all nodes below it: deeper lines that stay belong to the node above them, and these nodes
move there, which is told before the question."""
EXAMPLES = """\
zookeeper.example.com:2181 /fooservice
-R zookeeper.example.com:2181 /fooservice"""


def add_arguments(parser: Parser) -> None:
    parser.add_words()
    group = parser.add_mutually_exclusive_group()
    group.add_argument("-R", "--recursive", action="store_true", help="with the nodes below PATH")
    group.add_argument("--raw", action="store_true", help="edit the data as they are")
    parser.add_yes_argument("with -R: delete without asking for confirmation")
    add_acl_arguments(parser)
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    connection, words = connection_and_rest(options, 1)
    path = first_path(words)
    if has_auth(options.acl):
        connect.require_identity(options)
    with connect.session(options, connection) as session:
        try:
            if not _edit(options, session, real(session, path)):
                tell(options.name, "nothing was changed")
        except Changed as conflict:
            raise Failure(str(conflict)) from conflict
    return 0


def _edit(options: Namespace, session: Session, path: str) -> bool:
    try:
        if not options.recursive:
            node = NodeText(session, path, raw=options.raw)
        else:
            tree = SubtreeText(session, path, options.acl)
    except ValueError as fault:
        raise Failure(str(fault)) from fault
    if not options.recursive:
        return editor.edit(options.name, node.text, node.write)

    def write(text: str) -> None:
        plan = tree.plan(text)
        moved = tree.moved(text)
        for old, new in moved[:MAX_TOLD]:
            tell(options.name, f"{old} moves to {new}, as the line of the node above is gone")
        if (more := len(moved) - MAX_TOLD) > 0:
            tell(options.name, f"{more} more nodes move")
        if not options.yes:
            confirmation.confirm(plan, has_dry_run=False)
        with writing(options.name, "write") as bar:
            confirmation.apply(plan, bar)
        for notice in plan.notices():
            tell(options.name, notice)
        quotasleft.tell_of_those_of(options, session, plan.deletions)

    return editor.edit(options.name, tree.text, write)
