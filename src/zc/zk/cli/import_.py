"""`zookeeper_import`: make nodes what a file says."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from zc.zk._speedups import has_marks
from zc.zk.cli import confirmation, connect, nodewords
from zc.zk.cli.arguments import Parser, connection_and_rest, node_path
from zc.zk.cli.failures import DIFFERENCES, INCOMPLETE
from zc.zk.cli.input import read_import
from zc.zk.cli.output import print_line, tell
from zc.zk.cli.permissions import add_acl_arguments, has_auth, never_matched
from zc.zk.cli.progress import progress, writing
from zc.zk.cli.skipped import Skipped
from zc.zk.imports import Later

if TYPE_CHECKING:
    from zc.zk.cli import losses
    from zc.zk.operations import import_
    from zc.zk.operations.plan import Plan
    from zc.zk.session.session import Session
    from zc.zk.tree import marking, model
    from zc.zk.tree.unparsed import Unparsed
else:
    # --help needs none of them, and most imports bring back all.
    losses = Later("zc.zk.cli.losses")
    import_ = Later("zc.zk.operations.import_")
    marking, model = Later("zc.zk.tree.marking"), Later("zc.zk.tree.model")

USAGE = "[-d] [-t] [-p PERM] [options] [CONNECTION] [FILE [PATH]]"
DETAILS = """\
CONNECTION is HOST:PORT, or several with commas in between. FILE has the tree, as text, JSON or
YAML; it is standard input if it is - or left out. PATH is where the top-level nodes of the tree
belong, by default the root; it is created if need be.

Only differences are written: all at once if they are no more than 500 nodes and 500 KB, and in
order otherwise. Nodes below those in FILE that FILE does not mention are reported, or deleted with
--trim, unless they or nodes below them are ephemeral, or the servers' own, below /zookeeper. Of the
top-level nodes of PATH only those in FILE are looked at. Quotas of nodes that are deleted stay,
which is said.

Nodes that are created get the ACL that FILE has for them, or else that of --acl; nodes that are
there get the one of FILE, and keep their own if it has none, unless --reset-acls is given. Nodes
that are marked as ephemeral are not made, as they belonged to programs. All that does not come back
is told before anything is written.

At a terminal, an import that deletes nodes or changes data shows its plan and asks, and then does
just that. Elsewhere it refuses to delete without --yes, and asks nothing."""
EXAMPLES = """\
zookeeper.example.com:2181 tree.txt
-d -t zookeeper.example.com:2181 tree.txt /fooservice
--credentials alice.txt --acl auth::cdrwa zookeeper.example.com:2181 tree.yaml"""


def add_arguments(parser: Parser) -> None:
    parser.add_words(nodes=nodewords.second)
    parser.add_dry_run_argument("print what would be changed, and change nothing")
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="with -d: tell all about new nodes"
    )
    parser.add_argument(
        "--exit-code", action="store_true", help="with -d: end with 3 if there is anything to do"
    )
    parser.add_argument(
        "-t", "--trim", action="store_true", help="delete nodes that FILE does not mention"
    )
    parser.add_yes_argument()
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="do not report nodes that are not trimmed"
    )
    parser.add_argument(
        "--ephemeral-as-permanent",
        action="store_true",
        help="make permanent nodes of those that are marked as ephemeral",
    )
    parser.add_strict_argument("change nothing if there is anything that does not come back")
    parser.add_skip_argument()
    parser.add_format_argument("file")
    add_acl_arguments(parser)
    parser.add_argument(
        "--reset-acls",
        action="store_true",
        help="give the ACL of --acl to nodes that are there, too, where FILE has none for them",
    )
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    connection, words = connection_and_rest(options, 2)
    file = words[0] if words else "-"
    path = node_path(words[1]) if len(words) > 1 else "/"
    if has_auth(options.acl):
        connect.require_identity(options)
    tree = read_import(file, options.format)
    if isinstance(tree, model.ParseNode) and has_marks(tree):
        if marking.is_about_us(tree, None):
            connect.require_identity(options, "an ACL in the file")
        losses.tell_losses(options, "an ACL in the file", never_matched(tree))
    skipped = Skipped(options.name)
    how = import_.Options(
        trim=_trim(options),
        reset_acls=options.reset_acls,
        ephemeral_as_permanent=options.ephemeral_as_permanent,
        skip=skipped if options.skip_unreadable else None,
        review=_Review(options),
    )
    with connect.session(options, connection) as session:
        if options.dry_run:
            plan = _plan(options, session, tree, path, how)
            status = _show(options, plan)
            _tell_of_quotas(options, session, plan)
            return INCOMPLETE if skipped.conclude() and not status else status
        if (options.trim or confirmation.can_ask()) and not options.yes:
            plan = _import_confirmed(options, session, tree, path, how)
        else:
            plan = _import(options, session, tree, path, how)
        for notice in plan.notices():
            tell(options.name, notice)
        _tell_of_quotas(options, session, plan)
    return INCOMPLETE if skipped.conclude() else 0


def _tell_of_quotas(options: Namespace, session: Session, plan: Plan) -> None:
    """Tell of the quotas that deleted nodes leave behind."""
    if deletions := plan.deletions:
        from zc.zk.cli import quotasleft

        quotasleft.tell_of_those_of(options, session, deletions)


class _Review:
    """Tells what a plan does not bring back, once, or raises Failure."""

    def __init__(self, options: Namespace) -> None:
        self._options = options
        self._told: list[str] = []

    def __call__(self, plan: Plan) -> None:
        if lost := [loss for loss in plan.losses if loss not in self._told]:
            self._told += lost
            losses.tell_losses(self._options, "does not come back", lost)


def _import_confirmed(
    options: Namespace,
    session: Session,
    tree: model.ParseNode | Unparsed,
    path: str,
    how: import_.Options,
) -> Plan:
    """Import once the user has agreed to what is deleted or replaced: just that, or nothing."""
    plan = _plan(options, session, tree, path, how)
    if not confirmation.confirm(plan, overwriting=True) and not options.trim:
        return _import(options, session, tree, path, how, plan)
    with writing(options.name, "import") as bar:
        confirmation.apply(plan, bar)
    return plan


def _import(
    options: Namespace,
    session: Session,
    tree: model.ParseNode | Unparsed,
    path: str,
    how: import_.Options,
    plan: Plan | None = None,
) -> Plan:
    """Import, also after a conflict with others; `plan` is one that has been made already."""
    with writing(options.name, "import") as bar:
        return import_.import_tree(
            session, tree, path, acl=options.acl, options=how, progress=bar, plan=plan
        )


def _plan(
    options: Namespace,
    session: Session,
    tree: model.ParseNode | Unparsed,
    path: str,
    how: import_.Options,
) -> Plan:
    with progress("read") as bar:
        plan = import_.make_plan(session, tree, path, acl=options.acl, options=how, progress=bar)
    if how.review is not None:
        how.review(plan)
    return plan


def _show(options: Namespace, plan: Plan) -> int:
    for line in plan.lines(verbose=options.verbose):
        print_line(line)
    has_changes = any(change.operation(options.acl) is not None for change in plan)
    return DIFFERENCES if options.exit_code and has_changes else 0


def _trim(options: Namespace) -> bool | None:
    """Return `trim` for the library: True deletes, False is silent, None reports."""
    if options.trim:
        return True
    return False if options.quiet else None
