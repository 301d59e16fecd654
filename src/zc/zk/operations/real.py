"""Paths with links in them, for single calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import zookeeper
from zc.zk.links import is_direct, join
from zc.zk.session.session import Session

T = TypeVar("T")


def at_node(session: Session, path: str, action: Callable[[str], T]) -> T:
    """Do something to the node at `path`, and, where there is none, to what links lead to.

    Raises NoNodeException with the path asked for, LinkLoop, and what `action` raises.
    """
    if is_direct(path):
        try:
            return action(path)
        except zookeeper.NoNodeException as missing:
            real_path = real(session, path)
            if real_path == path:
                raise missing
    else:
        real_path = real(session, path)
    return action(real_path)


def real(session: Session, path: str) -> str:
    """Return the path of the node that `path` leads to. Raises NoNodeException and LinkLoop."""
    from zc.zk.watching.readers import resolve  # seldom is there a link in the path

    return resolve(session, path)


def real_place(session: Session, path: str) -> str:
    """Return where a new node at `path` belongs, links above it followed."""
    if path == "/":
        return path
    parent, _, name = path.rpartition("/")
    return join(real(session, parent or "/"), name)


def at_place(session: Session, path: str) -> str:
    """Return the path of what is, or is to be, at `path`, links followed.

    Raises NoNodeException when there is nothing above it.
    """
    try:
        return real(session, path)
    except zookeeper.NoNodeException:
        return real_place(session, path)
