"""Which words of a command are paths of nodes, by their places behind the connection.

Such a function takes the options of a command line and the number of its words. It returns a place
behind the words if the command has a node to look at when none is named.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Collection

Places = Callable[[Namespace, int], Collection[int]]


def none(options: Namespace, count: int) -> Collection[int]:
    """Say that there is none."""
    return ()


def first(options: Namespace, count: int) -> Collection[int]:
    """Return the first word, which may be left out."""
    return (0,)


def first_given(options: Namespace, count: int) -> Collection[int]:
    """Return the first word, without which there is no node."""
    return range(min(count, 1))


def second(options: Namespace, count: int) -> Collection[int]:
    """Return the second word, which may be left out."""
    return (1,)


def every(options: Namespace, count: int) -> Collection[int]:
    """Return all words; one may be left out."""
    return range(max(count, 1))


def every_given(options: Namespace, count: int) -> Collection[int]:
    """Return all words, or no node."""
    return range(count)


def source_and_target(options: Namespace, count: int) -> Collection[int]:
    """Return two words, with the connection of the second between them if there are three."""
    return (0, 2) if count == 3 else range(min(count, 2))


def behind_expression(options: Namespace, count: int) -> Collection[int]:
    """Return the word behind a regular expression, be that an option or a word."""
    return (1,) if options.regexp is None else (0,)
