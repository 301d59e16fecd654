"""The ACLs of many nodes in a few round trips. A module of its own: commands that export use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import zookeeper
from zc.zk.session.retry import attempts
from zc.zk.session.session import Session

if TYPE_CHECKING:
    from zookeeper.types import AclEntry, Progress, Stat


def read_acls(
    session: Session, paths: list[str], progress: Progress | None = None
) -> list[tuple[Stat, list[AclEntry]] | zookeeper.ZooKeeperException]:
    """Read ACLs, or why each cannot be read."""
    for attempt in attempts(session):
        with attempt:
            found = session.call(session.binding.get_acl_many, paths, progress=progress)
    return found
