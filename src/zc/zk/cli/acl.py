"""`zk acl`: look at, and change, who may do what with nodes."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from collections.abc import Iterator
from typing import TYPE_CHECKING

import zookeeper
from zc.zk.cli import confirmation, connect
from zc.zk.cli.arguments import Parser, connection_and_rest
from zc.zk.cli.failures import INCOMPLETE, Failure, Misuse
from zc.zk.cli.firstwords import first_path, take_verb
from zc.zk.cli.losses import to_be_run_again
from zc.zk.cli.output import print_json, print_line, tell
from zc.zk.cli.permissions import acl, has_auth
from zc.zk.cli.progress import progress, writing
from zc.zk.cli.skipped import Skipped
from zc.zk.operations.acls import NodeAcl, Planning, change_acls, read_acls
from zc.zk.operations.identities import identities
from zc.zk.operations.real import real
from zc.zk.session.session import Session
from zc.zk.tree.access import allows, is_masked
from zc.zk.tree.aclchange import AclChange, Entries, with_identities
from zc.zk.tree.acltext import write_acl

if TYPE_CHECKING:
    from zookeeper.types import Acl, AclEntry, ProvenIdentity

USAGE = (
    "get|set|add|remove [-R] [-d] [-y] [--force] [--skip-unreadable] [--format FORMAT]\n   "
    " [options]"
    " [CONNECTION] PATH [ENTRIES]"
)
DETAILS = """\
CONNECTION is HOST:PORT, or several with commas in between. PATH is a node, with -R and all below
it; symbolic links in it are followed. ENTRIES are SCHEME:ID:PERMISSIONS, separated by commas, such
as world:anyone:r,auth::cdrwa; auth is you, as you have authenticated.

get prints a line a node, its path and its entries; servers show an x in the place of a digest to
those who may not administer the node, which is told, and what set does not take. set puts ENTRIES
in the place of those of a node; add permits more, and remove less, and an entry that is left
without any permission goes. With -R the plan is shown, and confirmed. Servers change one ACL at a
time: after an interruption, or a change by somebody else meanwhile, which is told, run it again. A
change after which you could not change the ACL again is refused, unless --force is given."""
EXAMPLES = """\
get -R zookeeper.example.com:2181 /fooservice
add zookeeper.example.com:2181 /fooservice world:anyone:r
set -R -d --credentials alice.txt zookeeper.example.com:2181 /fooservice auth::cdrwa"""

AGAIN = ": run it again"

KINDS = ("get", "set", "add", "remove")


def add_arguments(parser: Parser) -> None:
    parser.add_words(KINDS)
    parser.add_argument("-R", "--recursive", action="store_true", help="with all nodes below PATH")
    parser.add_dry_run_argument("print what would be changed, and change nothing")
    parser.add_yes_argument("with -R: change ACLs without asking for confirmation")
    parser.add_argument(
        "--force", action="store_true", help="change ACLs even if you cannot change them back"
    )
    parser.add_skip_argument()
    parser.add_report_argument()
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    kind = take_verb(options, KINDS)
    connection, words = connection_and_rest(options, 1 if kind == "get" else 2)
    path = first_path(words)
    if kind == "get":
        with connect.session(options, connection) as session:
            return _get(options, session, real(session, path))
    wanted = Entries(kind, _entries(options, words[1:]))
    with connect.session(options, connection) as session:
        return _change(options, session, real(session, path), wanted)


def _entries(options: Namespace, words: list[str]) -> list[AclEntry]:
    if not words:
        raise Misuse("which entries? ENTRIES are missing; --help tells more")
    try:
        entries = acl(words[0])
    except ArgumentTypeError as fault:
        raise Misuse(str(fault)) from fault
    if has_auth(entries):
        connect.require_identity(options)
    return entries


def _get(options: Namespace, session: Session, path: str) -> int:
    skipped = Skipped(options.name)
    masked = 0
    for node in _readable(options, session, path, skipped):
        hidden = is_masked(node.acl)
        masked += hidden
        if options.format == "json":
            told = {"path": node.path, "acl": list(node.acl), "aversion": node.aversion}
            print_json({**told, "masked": hidden})
        else:
            print_line(f"{node.path} {write_acl(node.acl)}")
    if masked:
        tell(
            options.name,
            f"the x in digest entries of {confirmation.nodes(masked)} is not theirs: servers show"
            " it in the place of a digest to those without the permission a (--credentials says who"
            " you are)",
        )
    return INCOMPLETE if skipped.conclude() else 0


def _change(options: Namespace, session: Session, path: str, wanted: Entries) -> int:
    known, are_all = identities(session)
    if has_auth(list(wanted.entries)):
        if are_all and (entries := with_identities(wanted.entries, known)):
            wanted = wanted._replace(entries=entries)
        elif wanted.kind == "remove":
            raise Misuse("these servers do not tell who you are: name who is meant, and not auth")
    skipped = Skipped(options.name)
    changes = _planned(options, session, path, wanted, skipped)
    if not options.force:
        for change in changes:
            if _is_ours(change.old, known) and not _is_ours(change.new, known):
                raise Failure(
                    f"{change.path}: you could not change its ACL again ({write_acl(change.new)});"
                    " --force changes it all the same"
                )
    if options.dry_run:
        _tell(options, changes)
    elif changes:
        if options.recursive and not options.yes:
            what, them = confirmation.nodes(len(changes)), confirmation.pronoun(len(changes))
            confirmation.ask(
                (change.line for change in changes),
                f"Change the ACL of {what}?",
                f"this changes the ACL of {what}: --dry-run shows {them}, --yes changes {them}",
            )
        _apply(options, session, changes)
    return INCOMPLETE if skipped.conclude() else 0


def _is_ours(acl: Acl, known: list[ProvenIdentity]) -> bool:
    """Say whether we may change the ACL of a node that has this one."""
    return allows(acl, zookeeper.PERM_ADMIN, known)


def _planned(
    options: Namespace, session: Session, path: str, wanted: Entries, skipped: Skipped
) -> list[AclChange]:
    changes = []
    planning = Planning(wanted)
    for node in _readable(options, session, path, skipped):
        try:
            change = planning.change(node)
        except ValueError as fault:
            raise Failure(str(fault)) from fault
        if change is not None:
            changes.append(change)
    return changes


def _readable(
    options: Namespace, session: Session, path: str, skipped: Skipped
) -> Iterator[NodeAcl]:
    """Yield nodes with their ACLs. Raises the refusal of one, unless it is to be skipped."""
    with progress("read") as bar:
        for node in read_acls(session, path, below=options.recursive, progress=bar):
            if node.refusal is None:
                yield node
            elif options.skip_unreadable:
                skipped(node.path, node.refusal)
            else:
                raise Failure(f"{node.refusal} (--skip-unreadable leaves out such nodes)")
            if node.is_closed and options.recursive:
                tell(options.name, f"{node.path}: what is below may not be seen, and is left out")
                skipped.paths.append(node.path)


def _apply(options: Namespace, session: Session, changes: list[AclChange]) -> None:
    """Make the changes. Raises Failure, which tells how many were made."""
    with to_be_run_again(), writing(options.name, "change ACLs") as bar:
        outcome = change_acls(session, changes, bar)
    if options.format == "json":
        _tell(options, [change for change in changes if change.path not in outcome.faults])
    for path, fault in outcome.faults.items():
        if len(changes) == 1:
            raise Failure(_described(path, fault)) from fault
        tell(options.name, _described(path, fault))
    if outcome.faults:
        told = f"{outcome.changed} of {len(changes)} ACLs were changed"
        raise Failure(told if all(map(_is_refusal, outcome.faults.values())) else f"{told}{AGAIN}")


def _is_refusal(fault: Exception) -> bool:
    """Say whether another run would fail as well."""
    return isinstance(fault, zookeeper.NoAuthException)


def _described(path: str, fault: Exception) -> str:
    if _is_refusal(fault):
        return f"{fault}: to change its ACL takes the permission a (--credentials says who you are)"
    if isinstance(fault, zookeeper.BadVersionException):
        return f"{path}: somebody else has changed its ACL{AGAIN}"
    return f"{fault}{AGAIN}"


def _tell(options: Namespace, changes: list[AclChange]) -> None:
    for change in changes:
        if options.format == "json":
            print_json({"path": change.path, "old": list(change.old), "acl": list(change.new)})
        else:
            print_line(change.line)
