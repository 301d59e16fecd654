"""The common part of `zk cp` and `zk mv`: their words, and the telling of a plan."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator

from zc.zk.cli import confirmation, nodewords
from zc.zk.cli.arguments import Parser, node_path
from zc.zk.cli.failures import Failure
from zc.zk.cli.losses import to_be_run_again
from zc.zk.cli.output import print_json, print_line, tell, telling_what_was_done
from zc.zk.cli.progress import progress, writing
from zc.zk.links import join
from zc.zk.operations.copying import CopyPlan, Place, plan_copy
from zc.zk.operations.real import real, real_place
from zc.zk.operations.subtree import CONFLICTS
from zc.zk.operations.told import of_servers
from zc.zk.session.session import Session
from zc.zk.tree.copies import Different, size_of

# Ephemeral nodes that are told by their names.
MAX_TOLD = 10


def add_copying_arguments(parser: Parser, what: str) -> None:
    """Add the arguments that both have; `what` says what is done."""
    parser.add_words(nodes=nodewords.source_and_target)
    parser.add_dry_run_argument(f"print what would be {what}, and change nothing")
    parser.add_argument("-v", "--verbose", action="store_true", help="name every node")
    parser.add_argument(
        "--merge",
        action="store_true",
        help="nodes may be at TARGET: those that are as at SOURCE stay, others are made; none is"
        " overwritten",
    )


def make_plan(
    options: Namespace, source: Session, words: tuple[str, str], target: Session, *, is_move: bool
) -> CopyPlan:
    """Plan with the paths in `words`, links followed. Raises Failure.

    A move leaves a link as its source alone: what that leads to belongs where it is.
    """
    with of_servers(source, target):
        path = (real_place if is_move else real)(source, node_path(words[0]))
    name = path.rpartition("/")[2]
    goal = node_path(words[1])
    into = words[1].endswith("/") and name
    with of_servers(target, source):
        goal = join(real(target, goal), name) if into else real_place(target, goal)
    try:
        with progress("read") as bar:
            return plan_copy(
                Place(source, path),
                Place(target, goal),
                is_move=is_move,
                merge=options.merge,
                progress=bar,
            )
    except Different as conflict:
        where = "" if source is target else f"{target.connection_string}: "
        hint = "" if options.merge else " (--merge copies what is missing and overwrites nothing)"
        raise Failure(f"{where}{conflict}{hint}") from conflict
    except ValueError as fault:
        raise Failure(str(fault)) from fault


def show(options: Namespace, plan: CopyPlan) -> None:
    """Print what a plan would do."""
    if options.format == "json":
        print_json(described(plan))
        return
    for line in lines(plan, verbose=options.verbose):
        print_line(line)


def lines(plan: CopyPlan, *, verbose: bool = False) -> Iterator[str]:
    """Yield the lines that tell of a plan."""
    source, target = plan.source.path, plan.target.path
    done = len(plan.originals.nodes) - len(plan.copies)
    if plan.copies:
        size = size_of(copy.original for copy in plan.copies)
        total = "1 byte" if size == 1 else f"{size} bytes"
        yield f"copy {source} to {target}: {confirmation.nodes(len(plan.copies))}, {total}"
    if done:
        yield f"{target} has {confirmation.nodes(done)} of them already"
    if verbose:
        for copy in plan.copies:
            yield f"add {copy.path}"
    for path in plan.originals.ephemerals[:MAX_TOLD]:
        yield f"{path} is ephemeral and not copied"
    if (more := len(plan.originals.ephemerals) - MAX_TOLD) > 0:
        yield f"{more} more are ephemeral and not copied"
    if plan.deletions:
        yield f"delete {source}: {confirmation.nodes(len(plan.deletions))}"
    if verbose:
        for change in plan.deletions:
            yield f"delete {change.path}"
    if not plan.is_atomic:
        what = ", then compared, and then deleted" if plan.is_move else ""
        why = "more than one transaction can hold"
        if plan.is_begun:
            why = "done in part already"
        yield f"not at once: this is {why}; nodes are copied{what}"


def described(plan: CopyPlan) -> dict[str, object]:
    """Return what is told of a plan in JSON."""
    return {
        "source": plan.source.path,
        "target": plan.target.path,
        "copied": len(plan.copies),
        "bytes": size_of(copy.original for copy in plan.copies),
        "deleted": len(plan.deletions),
        "ephemeral": plan.originals.ephemerals,
        "atomic": plan.is_atomic,
    }


def apply(options: Namespace, plan: CopyPlan, what: str) -> None:
    """Do what was planned, and tell of it. Raises Failure."""
    try:
        with to_be_run_again(is_atomic=plan.is_atomic), writing(options.name, what) as bar:
            plan.apply(bar)
    except Different as conflict:
        raise Failure(f"{conflict}: run it again") from conflict
    except CONFLICTS as conflict:
        raise Failure(
            f"somebody else has changed what the plan was made from ({conflict}): run it again"
        ) from conflict
    if options.format == "json":
        with telling_what_was_done(f"{plan.target.path} is there"):
            print_json(described(plan))
    elif options.verbose:
        show(options, plan)
    if not plan.copies:
        tell(options.name, f"{plan.target.path} has had all of {plan.source.path} already")
    if left := len(plan.originals.ephemerals):
        tell(
            options.name,
            f"{confirmation.nodes(left)} not copied: ephemeral, as of programs that run",
        )


def confirm_move(plan: CopyPlan) -> None:
    """Show the plan of a move, and ask. Raises Failure and Misuse."""
    count = confirmation.nodes(len(plan.deletions))
    confirmation.ask(
        lines(plan),
        f"Move {count}?",
        f"this deletes {count} at the old place: --dry-run shows what is done, --yes does it",
    )
