"""Paths with links in them, for single calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import zookeeper
from zc.zk.links import LINK, is_direct, is_path, join
from zc.zk.session.retry import attempts
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

    Raises NoNodeException when there is nothing above it, and for a link that leads nowhere.
    """
    try:
        return real(session, path)
    except zookeeper.NoNodeException:
        place = real_place(session, path)
        target = link_at(session, place)
        if target is not None:
            raise leads_nowhere(place, target) from None
        return place


def place_to_make(session: Session, path: str) -> str:
    """Return where to make a node and what is missing above it, for `path` to lead there.

    Links are followed as far as there are any: a node in the place of one would hide it. Raises
    NoNodeException for a link that leads nowhere.
    """
    place, names = "/", path.split("/")[1:]
    while names:
        above = [place]
        for name in names:
            above.append(join(above[-1], name))
        for attempt in attempts(session):
            with attempt:
                answers = session.call(session.binding.get_many, above)
        there = _number_present(answers)
        if there in (0, len(above)):  # without the root of the connection, or with all
            return above[-1]
        link, target = above[there], _target(answers[there - 1], names[there - 1])
        if target is None:
            return above[-1]
        names = names[there:]
        try:
            place = real(session, link)
        except zookeeper.NoNodeException:
            raise leads_nowhere(link, target) from None
    return place


def link_at(session: Session, place: str) -> str | None:
    """Return what a link at `place`, where there is no node, is to; None without one.

    None also if the node above, of which `place` has the real path, is not there or may not be
    read.
    """
    parent, _, name = place.rpartition("/")
    for attempt in attempts(session):
        with attempt:
            (answer,) = session.call(session.binding.get_many, [parent or "/"])
    return _target(answer, name)


def leads_nowhere(link: str, target: str) -> zookeeper.ZooKeeperException:
    return zookeeper.error(zookeeper.NONODE, target, f"the link {link} leads there")


def _number_present(answers: Sequence[Any]) -> int:
    """Return how many nodes are there before the first one that is missing."""
    for number, answer in enumerate(answers):
        if isinstance(answer, zookeeper.NoNodeException):
            return number
    return len(answers)


def _target(answer: Any, name: str) -> str | None:
    """Return what a link in a node is to, from the answer of `zookeeper.get_many`."""
    if isinstance(answer, Exception):
        return None
    from zc.zk import codec  # commands that make no nodes start without it

    target = codec.decode(answer[0]).get(name + LINK)
    return target if is_path(target) else None
