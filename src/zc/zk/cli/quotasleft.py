"""Quotas of nodes that a command deletes: servers keep these, which is told."""

from __future__ import annotations

import os.path
from argparse import Namespace
from collections.abc import Collection
from typing import TYPE_CHECKING

import zookeeper
from zc.zk.cli.output import tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from zc.zk.session.session import Session

# Quotas that are told by their paths.
MAX_TOLD = 10


def tell_of_those_below(
    options: Namespace,
    session: Session,
    path: str,
    is_gone: Callable[[str], bool] = lambda path: True,
) -> None:
    """Tell of quotas of a node and those below, as far as these are gone, or are about to go.

    Nothing is said where the servers' nodes of quotas may not be read.
    """
    from zc.zk.operations.quotas import quotas_of

    try:
        with quotas_of(session) as quotas:
            left = [quota for quota in quotas.paths_within(path) if is_gone(quota)]
    except zookeeper.NoAuthException:
        return
    except zookeeper.ZooKeeperException as fault:
        tell(options.name, f"whether quotas are left is not known: {fault}")
        return
    for quota in left[:MAX_TOLD]:
        tell(options.name, f"the quota of {quota} stays: `zk quota delete` takes it away")
    if (more := len(left) - MAX_TOLD) > 0:
        tell(options.name, f"{more} more quotas stay: `zk quota list` shows them")


def tell_of_those_of(options: Namespace, session: Session, deleted: Collection[str]) -> None:
    """Do the same for the nodes that a plan deletes, if it deletes any."""
    if deleted:
        top = os.path.commonpath(deleted)
        tell_of_those_below(options, session, top, set(deleted).__contains__)
