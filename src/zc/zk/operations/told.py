"""The account that work gives of itself when it is done again after a break."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import zookeeper
from zc.zk.operations import root
from zc.zk.operations.accounts import tell_with
from zc.zk.session.session import Session


@contextmanager
def of_servers(session: Session, other: Session) -> Iterator[None]:
    """Have an exception of a session name its servers, where there are those of another, too."""
    try:
        yield
    except zookeeper.ZooKeeperException as fault:
        if session is other:
            raise
        told = root.named(session, fault)
        told.args = (f"{session.connection_string}: {told.args[0]}", *told.args[1:])
        raise told from fault.__cause__


class Told:
    """Keeps the last account of a piece of work, for when the servers can tell no more."""

    def __init__(self) -> None:
        self._last = ""

    @contextmanager
    def noted(self, before: int, planned: int) -> Iterator[None]:
        """Note a break; its exception tells how many of `planned` changes came before the work."""
        try:
            yield
        except zookeeper.SessionError as fault:
            if before:
                tell_with(fault, f"before that: {before} of {planned}")
            self._last = str(fault)
            raise

    @contextmanager
    def with_the_last(self) -> Iterator[None]:
        """Have the exception of a break tell what was noted of the last one."""
        try:
            yield
        except zookeeper.SessionError as fault:
            tell_with(fault, f"after {self._last}")
            raise
