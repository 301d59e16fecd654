"""The library's own exceptions.

    Exception
    ├── CancelWatch                 not an error: a callback's way to say "enough"
    └── Error
        ├── FailedConnect           no session within the time allowed
        ├── LinkError
        │   ├── LinkLoop            symbolic links that lead back to themselves
        │   └── BadPropertyLink     a property link that leads nowhere
        └── TreeSyntaxError         a line of tree text that cannot be read (also a ValueError)

What ZooKeeper or its client refuses is a `zookeeper.ZooKeeperException`.
"""

from __future__ import annotations

_LONGEST_EXCERPT = 200  # characters of a line that are worth printing


class CancelWatch(Exception):
    """Raised by a callback of a watch object that wants no further calls."""


class Error(Exception):
    """What all errors of the library itself have in common."""


class FailedConnect(Error):
    """No session could be had; the text says with which servers and why."""


class LinkError(Error):
    """A link that cannot be followed."""


class LinkLoop(LinkError):
    """Symbolic links that lead back to themselves.

    `paths` is the tuple of the links' own paths, in the order they were followed; the last one is
    the link at which following stopped, as a rule one that is in the tuple before.
    """

    def __init__(self, paths: tuple[str, ...]) -> None:
        super().__init__(paths)
        self.paths = paths

    def __str__(self) -> str:
        return " -> ".join(self.paths)


class BadPropertyLink(LinkError):
    """A property link that cannot be followed.

    `path` is the node that has the link, `name` the name of the linked property (without the
    ` =>`) and `reason` what is wrong, in words. The exception that got in the way, if any, is the
    `__cause__`.
    """

    def __init__(self, path: str, name: str, reason: str) -> None:
        super().__init__(path, name, reason)
        self.path = path
        self.name = name
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path} {self.name} =>: {self.reason}"


class TreeSyntaxError(Error, ValueError):
    """A line of tree text that cannot be read.

    `lineno` counts from 1, `line` is the whole line as it stands in the text, and `reason` says
    what is wrong with it.
    """

    def __init__(self, lineno: int, line: str, reason: str) -> None:
        super().__init__(lineno, line, reason)
        self.lineno = lineno
        self.line = line
        self.reason = reason

    def __str__(self) -> str:
        return f"line {self.lineno}: {self.reason}: {excerpt(self.line)}"


def excerpt(value: object) -> str:
    """`value` as it is written in Python, for a message, cut when it is long."""
    if isinstance(value, str) and len(value) > _LONGEST_EXCERPT:
        return f"{value[:_LONGEST_EXCERPT]!r}..."
    return repr(value)


def printable(text: str) -> str:
    """`text` with what would break a line, or command a terminal, made harmless.

    Each line that is printed goes through here.
    """
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable()
        else character.encode("unicode_escape", "surrogatepass").decode()
        for character in text
    )
