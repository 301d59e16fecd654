"""Asking before something is deleted or overwritten, and doing just what was shown."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from zc.zk.cli.failures import Failure, Misuse
from zc.zk.cli.output import is_terminal, say

if TYPE_CHECKING:
    from zc.zk.operations.plan import Plan
    from zookeeper.types import Progress

# So many lines of a plan are shown before the question; of a longer one what they come to.
MAX_LINES = 60


def can_ask() -> bool:
    """Return whether there is a person to be asked."""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


def confirm(plan: Plan, *, overwriting: bool = False, has_dry_run: bool = True) -> bool:
    """Show a plan, and ask whether to go on, if it deletes anything.

    With `overwriting` also if it replaces data, where there is somebody to ask. Returns whether it
    has asked. Raises Failure if the answer is not yes, and Misuse if nobody can be asked about
    deletions. The option --dry-run is named if the command has it.
    """
    deleted = len(plan.deletions)
    replaced = sum(change.replaces for change in plan) - deleted if overwriting else 0
    if not deleted and not (replaced and can_ask()):
        return False
    them = pronoun(deleted)
    shown = f"--dry-run shows {them}, " if has_dry_run else ""
    question = f"Delete {nodes(deleted)}" if deleted else f"Change {nodes(replaced)}"
    if deleted and replaced:
        question += f" and change {replaced}"
    ask(
        plan.lines(),
        f"{question}?",
        f"this deletes {nodes(deleted)}: {shown}--yes deletes {them}",
        partial(_summary, plan),
        has_dry_run=has_dry_run,
    )
    return True


def _summary(plan: Plan) -> Iterable[str]:
    # Imported here: only large plans are summed up.
    from zc.zk.tree.summary import summary

    return summary(list(plan))


def ask(
    lines: Iterable[str],
    question: str,
    unasked: str,
    sum_up: Callable[[], Iterable[str]] | None = None,
    *,
    has_dry_run: bool = True,
) -> None:
    """Show the lines of a plan, and ask whether to go on.

    Of very many lines the first are shown, or those that `sum_up` returns; all if the answer asks
    for them. Raises Failure if the answer is not yes, and Misuse, which tells `unasked`, if there
    is nobody to ask.
    """
    if not can_ask():
        raise Misuse(unasked)
    everything = list(lines)
    more = len(everything) - MAX_LINES
    printed = ", which --dry-run prints" if has_dry_run else ""
    if more > 0 and sum_up is not None:
        say(f"{len(everything):,} lines{printed}:")
    for line in sum_up() if more > 0 and sum_up is not None else everything[:MAX_LINES]:
        say(line)
    if more > 0 and sum_up is None:
        say(f"... and {more} more{printed}")
    while True:
        say(f"{question} [{'y/N, l lists all' if more > 0 else 'y/N'}] ", end="")
        answer = sys.stdin.readline().strip().lower()
        if answer in ("y", "yes"):
            return
        if not (more > 0 and answer in ("l", "list")):
            raise Failure("nothing was changed")
        for line in everything:
            say(line)


def nodes(count: int) -> str:
    """Return in words how many nodes there are."""
    return "1 node" if count == 1 else f"{count} nodes"


def pronoun(count: int) -> str:
    """Return the word for so many nodes that have been named."""
    return "it" if count == 1 else "them"


def apply(plan: Plan, progress: Progress | None) -> None:
    """Do what was shown, or nothing.

    Raises Failure when somebody else has changed the nodes concerned; where one transaction cannot
    hold the plan, it tells what has been done.
    """
    from zc.zk.operations.subtree import CONFLICTS

    try:
        plan.apply(progress)
    except CONFLICTS as conflict:
        raise Failure(
            f"somebody else has changed what the plan was made from ({conflict}): run it again"
        ) from conflict
