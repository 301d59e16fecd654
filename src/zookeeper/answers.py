"""What was read at once, and how new it is."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


class Answers(list[T]):
    """One answer for each path that was asked for, in that order.

    zxid: the number of the last change that the server knew of when it gave the first answer; 0
        when nothing was asked. All answers are at least that new. A later reading in which it is
        the same proves that nothing at all has changed in between, with any node.
    """

    zxid: int = 0
