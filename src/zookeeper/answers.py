"""The answers of a bulk read, and how new they are."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


class Answers(list[T]):
    """One answer for each path of a bulk read, in the order of the paths.

    zxid: the number of the last change that the server knew of when it gave the first answer, or 0
        when there were no paths. All answers are at least that new. If a later read has the same
        zxid, nothing has changed in between, with any node.
    """

    zxid: int = 0
