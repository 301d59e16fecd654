"""Telling the user of a command that goes on, and follows something, how the connection is."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import zookeeper
from zc.zk.cli.output import tell
from zc.zk.session.state import CONNECTION_LOST

if TYPE_CHECKING:
    from zc.zk.client import ZooKeeper

_STATES = {
    zookeeper.CONNECTING_STATE: "the connection is lost",
    zookeeper.CONNECTED_STATE: "connected again",
}


@contextmanager
def told(zk: ZooKeeper, name: str) -> Iterator[None]:
    """Tell, in the name of a command, of connections that are lost and come back."""
    zk.set_watcher(partial(_tell_of_session, name))
    with _not_told_twice():
        yield


@contextmanager
def _not_told_twice() -> Iterator[None]:
    """Drop log records about a lost connection, which the command tells itself."""

    def is_news(record: logging.LogRecord) -> bool:
        return CONNECTION_LOST not in record.getMessage()

    logger = logging.getLogger("zc.zk")
    logger.addFilter(is_news)
    try:
        yield
    finally:
        logger.removeFilter(is_news)


def _tell_of_session(name: str, handle: int, type: int, state: int, path: str) -> None:
    if state in _STATES:
        tell(name, _STATES[state])
