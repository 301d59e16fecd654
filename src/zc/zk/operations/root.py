"""The root behind the servers of a connection string, while it does not exist.

All paths of a client are below it, so no call of that client can make it. A session without a root
does, with the same credentials, and is closed again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import zookeeper
from zc.zk.session.retry import attempts
from zc.zk.session.session import Session

if TYPE_CHECKING:
    from zookeeper.types import Acl


def is_missing(session: Session) -> bool:
    """Say whether the client has a root, and there is no such node."""
    if not session.root:
        return False
    for attempt in attempts(session):
        with attempt:
            found = session.call(session.binding.exists, "/")
    return found is None


def named(session: Session, missing: zookeeper.ZooKeeperException) -> Exception:
    """Return the exception for a node that is missing, which says so if it is the root."""
    if isinstance(missing, zookeeper.NoNodeException) and session.root:
        fault = f"the root {session.root} does not exist"
        try:
            is_told = fault in str(missing) or session.call(session.binding.exists, "/")
        except zookeeper.ZooKeeperException:
            return missing
        if not is_told:
            return zookeeper.error(missing.code, missing.path, fault)
    return missing


@contextmanager
def outside(session: Session) -> Iterator[Session]:
    """Open a session without a root, to the same servers with the same credentials.

    Raises ConnectionLossException when there is none within the session timeout.
    """
    other = session.elsewhere(session.connection_string.strip().partition("/")[0])
    other.open()
    try:
        if not other.wait_until_connected(session.timeout_seconds(), patient=True):
            _, reason = other.why_there_is_none()
            raise zookeeper.error(zookeeper.CONNECTIONLOSS, session.root, reason)
        yield other
    finally:
        other.close()


def make(session: Session, acl: Acl) -> None:
    """Create the root, and what is missing above it; blank, and not ephemeral.

    Raises the servers' refusal, with the path as they know it.
    """
    names = session.root.split("/")[1:]
    steps = [("create", "/" + "/".join(names[: count + 1]), "", acl) for count in range(len(names))]
    with outside(session) as other:
        results = other.call(other.binding.write_many, steps, batch=1, stop=False)
    # One above may be refused because it is there, and may not be written to.
    for result in results[-1:]:
        if isinstance(result, Exception) and not isinstance(result, zookeeper.NodeExistsException):
            refused = [each for each in results if isinstance(each, zookeeper.NoAuthException)]
            raise refused[0] if refused else result
    # Our own server may be behind the one that did it.
    for attempt in attempts(session):
        with attempt:
            session.call(session.binding.sync, "/")
