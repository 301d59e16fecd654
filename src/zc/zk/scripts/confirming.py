"""Asking before something is deleted."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from zc.zk.errors import printable
from zc.zk.scripts.failures import Failure, Misuse
from zc.zk.scripts.output import is_terminal


def confirm(plan: Iterable[str], count: int) -> None:
    """Show a plan that deletes `count` nodes, and ask whether to go on.

    Raises Failure if the answer is not yes, and Misuse if there is nobody to ask.
    """
    what = "1 node" if count == 1 else f"{count} nodes"
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        raise Misuse(f"this deletes {what}: --dry-run shows them, --yes deletes them")
    for line in plan:
        sys.stderr.write(f"{printable(line)}\n")
    sys.stderr.write(f"Delete {what}? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Failure("nothing was changed")
