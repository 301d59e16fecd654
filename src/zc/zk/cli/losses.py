"""Things that do not come back, told before they are written, and work that a break has ended."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager

import zookeeper
from zc.zk.cli.failures import Failure
from zc.zk.cli.output import tell


def tell_losses(options: Namespace, beginning: str, losses: list[str]) -> None:
    """Tell of each, or raise Failure if `options` ask for that."""
    if losses and options.strict:
        raise Failure(f"{beginning}: {'; '.join(losses)}")
    for loss in losses:
        tell(options.name, f"{beginning}: {loss}")


@contextmanager
def to_be_run_again(*, is_atomic: bool = False) -> Iterator[None]:
    """Have the exception of a connection that is lost for good say what is to be done."""
    try:
        yield
    except zookeeper.SessionError as fault:
        advice = "run it again, which does the rest"
        if is_atomic:
            advice = "all of it was done or nothing: run it again if nothing was"
        fault.args = (f"{fault.args[0]} ({advice})", *fault.args[1:])
        raise
