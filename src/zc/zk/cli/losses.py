"""Things that a backup or a restore does not bring back, told before it is written."""

from __future__ import annotations

from argparse import Namespace

from zc.zk.cli.failures import Failure
from zc.zk.cli.output import tell


def tell_losses(options: Namespace, beginning: str, losses: list[str]) -> None:
    """Tell of each, or raise Failure if `options` ask for that."""
    if losses and options.strict:
        raise Failure(f"{beginning}: {'; '.join(losses)}")
    for loss in losses:
        tell(options.name, f"{beginning}: {loss}")
