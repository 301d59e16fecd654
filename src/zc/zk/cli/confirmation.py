"""Asking before something is deleted, and doing just what was shown."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

from zc.zk.cli.failures import Failure, Misuse
from zc.zk.cli.output import is_terminal, say
from zc.zk.operations.subtree import CONFLICTS

if TYPE_CHECKING:
    from zc.zk.operations.plan import Plan
    from zookeeper.types import Progress

# So many lines of a plan are shown before the question.
MAX_LINES = 60


def confirm(plan: Plan) -> None:
    """Show a plan, and ask whether to go on, if it deletes anything.

    Raises Failure if the answer is not yes, and Misuse if there is nobody to ask.
    """
    count = len(plan.deletions)
    if not count:
        return
    what = "1 node" if count == 1 else f"{count} nodes"
    ask(
        plan.lines(),
        f"Delete {what}?",
        f"this deletes {what}: --dry-run shows them, --yes deletes them",
    )


def ask(lines: Iterable[str], question: str, unasked: str) -> None:
    """Show the lines of a plan, and ask whether to go on.

    Raises Failure if the answer is not yes, and Misuse, which tells `unasked`, if there is nobody
    to ask.
    """
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        raise Misuse(unasked)
    rest = iter(lines)
    for line in islice(rest, MAX_LINES):
        say(line)
    if more := sum(1 for _ in rest):
        say(f"... and {more} more, which --dry-run prints")
    say(f"{question} [y/N] ", end="")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Failure("nothing was changed")


def apply(plan: Plan, progress: Progress | None) -> None:
    """Do what was shown, or nothing.

    Raises Failure when somebody else has changed the nodes concerned; where one transaction cannot
    hold the plan, it tells what has been done.
    """
    try:
        plan.apply(progress)
    except CONFLICTS as conflict:
        raise Failure(
            f"somebody else has changed what the plan was made from ({conflict}): run it again"
        ) from conflict
