"""Taking in answers, and telling which of them are news. Pure.

Subscribers are refreshed for an answer that differs from the one that they were refreshed for, and
whenever one of their nodes was read for a reason of its own: an event, or their wish. After a lost
session all nodes are read, most are as they were, and those who depend on them have nothing to do.
"""

from __future__ import annotations

from collections.abc import Iterable

import zookeeper
from zc.zk.watching.dependencies import UNREAD, Answer, CachedNode


def settle(answers: Iterable[tuple[CachedNode, Answer]], ticket: int) -> None:
    """Take in the answers to a read that drew `ticket`, with the lock."""
    for node, answer in answers:
        if ticket > node.ticket:
            node.ticket = ticket
            # The same answer is the same object, of which all views are made already.
            if node.answer != answer:
                node.answer = answer
                if isinstance(answer, zookeeper.NoNodeException):
                    node.decoded = node.good = node.view = None


def note_first(nodes: Iterable[CachedNode]) -> None:
    """Note that nodes were read by those who are the first to depend on them, with the lock."""
    for node in nodes:
        if node.told is None:
            node.told = node.answer


def ask(nodes: Iterable[CachedNode]) -> None:
    """Have subscribers refreshed when these have been read, whatever is read; with the lock."""
    for node in nodes:
        node.told = UNREAD


def take_untold(nodes: Iterable[CachedNode]) -> list[CachedNode]:
    """Return those whose subscribers have to be refreshed, with the lock.

    They count as told from then on.
    """
    untold = [node for node in nodes if node.told is not node.answer]
    for node in untold:
        node.told = node.answer
    return untold
