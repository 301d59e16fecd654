"""The common parts of commands that only look: paths, results as lines, nodes left out."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from zc.zk.cli.arguments import connection_and_rest, node_path
from zc.zk.cli.failures import INCOMPLETE, in_words
from zc.zk.cli.firstwords import first_path, require_path
from zc.zk.cli.output import tell
from zc.zk.cli.skipped import MAX_TOLD
from zc.zk.errors import LinkLoop
from zookeeper.errors import NoAuthException, NoNodeException

if TYPE_CHECKING:
    from zc.zk.operations.listing import Selected
    from zc.zk.operations.survey import Found

K = TypeVar("K")

CONNECTION_AND_PATH = """\
CONNECTION is HOST:PORT, or several with commas in between. Symbolic links in PATH are followed"""
CONNECTION_AND_TOP = f"{CONNECTION_AND_PATH}; the default is the root."


def connection_and_path(options: Namespace, default: str | None = None) -> tuple[str, str]:
    """Return the connection and the one path among the words.

    Raises Misuse if there is none, and no default.
    """
    connection, words = connection_and_rest(options, 1)
    return connection, first_path(words or ([] if default is None else [default]))


def connection_and_paths(options: Namespace) -> tuple[str, list[str]]:
    """Return the connection and the paths among the words. Raises Misuse if there are none."""
    connection, words = connection_and_rest(options, len(options.words))
    require_path(words)
    return connection, list(map(node_path, words))


def each(options: Namespace, paths: Iterable[str], report: Callable[[str], None]) -> int:
    """Report on each of several nodes, and return the status to end with.

    Where there is none, or links to it lead nowhere, that is told, and the others come all the
    same. Other failures, such as a lost connection, are raised.
    """
    status = 0
    for path in paths:
        try:
            report(path)
        except (NoNodeException, NoAuthException, LinkLoop) as fault:
            tell(options.name, in_words(fault))
            status = 1
    return status


def selected(
    nodes: Iterable[Found[Selected[K]]], unreadable: Unreadable
) -> Iterator[tuple[Found[Selected[K]], K | None]]:
    """Yield the nodes that are looked for, and what was kept of each."""
    for found in nodes:
        unreadable.note(found)
        if found.value is not None and found.value.is_selected:
            yield found, found.value.kept


def for_reading(data: str) -> str:
    """Return data, or a part of them, with bytes that are no text as escapes."""
    return data.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


class Unreadable:
    """Nodes that could not be read, told to the user as they come."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._count = 0

    def note(self, found: Found[Any]) -> None:
        """Tell of a node if it, or what is below it, could not be read."""
        if found.refusal is not None:
            self._count += 1
            if self._count <= MAX_TOLD:
                tell(self._name, f"not looked into: {found.refusal}")

    def status(self) -> int:
        """Tell how many more there are, and return the status to end with."""
        if (more := self._count - MAX_TOLD) > 0:
            tell(self._name, f"not looked into: {more} more")
        return INCOMPLETE if self._count else 0
