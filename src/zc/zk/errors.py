"""The library's own exceptions, which show their public names.

    CancelWatch                     not an error: a callback wants no more calls
    Error
    ├── FailedConnect               there is no session within the time allowed
    │   └── WrongArgument           an argument makes none, by its type; also a TypeError
    ├── LinkError
    │   ├── LinkLoop                symbolic links lead back to themselves
    │   └── BadPropertyLink         a property link leads nowhere
    ├── TreeSyntaxError             tree text cannot be read; also a ValueError
    ├── LossError                   an import would not bring back all, and has not begun
    ├── NoProvider                  no registered server can be called
    ├── FormatUnavailable           `zc.zk.formats`: the library of a format is not installed
    ├── GraphvizError               `zc.zk.graphvis`: Graphviz cannot draw
    ├── RenderError                 `zc.zk.rendering`: a template cannot be rendered
    ├── BadArgument                 `zc.zk.rendering`: a function cannot use what it was given
    ├── TooFew                      `zc.zk.rendering`: it needs more providers, or children
    ├── Unsafe                      `zc.zk.rendering`: a value could end a line of the file
    ├── SettingsError               `zc.zk.rendering`: a file of settings cannot be used
    └── SnapshotError               `zc.zk.testing.snapshot`: a data file cannot be used

A refusal of the servers or of the C client is a `zookeeper.ZooKeeperException`.
"""

from __future__ import annotations

__all__ = [
    "BadPropertyLink",
    "CancelWatch",
    "Error",
    "FailedConnect",
    "LinkError",
    "LinkLoop",
    "LossError",
    "NoProvider",
    "TreeSyntaxError",
]

_MAX_EXCERPT = 200  # characters of a line that are worth printing


class CancelWatch(Exception):
    """A callback of a live object raises this to get no further calls."""


class Error(Exception):
    """The base of the library's own errors."""


class FailedConnect(Error):
    """There is no session; the text says with which servers and why."""


class WrongArgument(FailedConnect, TypeError):
    """An argument is of a type that makes no session, and never will.

    A TypeError, as of every function; and a FailedConnect, as in earlier releases.
    """


class LossError(Error):
    """An import that would not bring back all that its text tells; nothing has been written."""


class LinkError(Error):
    """A link that cannot be followed."""


class LinkLoop(LinkError):
    """Symbolic links that lead back to themselves.

    `paths` is the tuple of the links' own paths, in the order in which they were followed. The last
    one is the link at which following stopped, as a rule one that comes earlier in the tuple.
    """

    def __init__(self, paths: tuple[str, ...]) -> None:
        super().__init__(paths)
        self.paths = paths

    def __str__(self) -> str:
        return printable(" -> ".join(self.paths))


class BadPropertyLink(LinkError):
    """A property link that cannot be followed.

    `path` is the node that has the link, `name` the name of the linked property, without the ` =>`,
    and `reason` says in words what is wrong. The exception behind it, if any, is the `__cause__`.
    """

    def __init__(self, path: str, name: str, reason: str) -> None:
        super().__init__(path, name, reason)
        self.path = path
        self.name = name
        self.reason = reason

    def __str__(self) -> str:
        return printable(f"{self.path} {self.name} =>: {self.reason}")


class NoProvider(Error):
    """There is no server to call at `path`.

    `registered` counts those that are registered; of these `draining` take no new work, `out` have
    failed just now, and `unusable` have names that are no addresses. `tried` were not wanted again.
    `age` is how many seconds ago ZooKeeper has told.
    """

    def __init__(
        self,
        path: str,
        *,
        registered: int,
        draining: int = 0,
        out: int = 0,
        unusable: int = 0,
        tried: int = 0,
        age: float = 0.0,
    ) -> None:
        super().__init__(path, registered, draining, out, unusable, tried, age)
        self.path = path
        self.registered = registered
        self.draining = draining
        self.out = out
        self.unusable = unusable
        self.tried = tried
        self.age = age

    def __reduce__(self) -> tuple[object, ...]:
        return _no_provider, self.args

    def __str__(self) -> str:
        counts = {
            "draining": self.draining,
            "out after failures": self.out,
            "without an address": self.unusable,
            "tried already": self.tried,
        }
        told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        text = f"no server to call at {self.path}: {self.registered} registered"
        if told:
            text += f" ({told})"
        if self.age:
            text += f", as of {self.age:.0f} seconds ago, as there is no connection to ZooKeeper"
        return printable(text)


def _no_provider(
    path: str, registered: int, draining: int, out: int, unusable: int, tried: int, age: float
) -> NoProvider:
    """Make one of its arguments, for pickles."""
    return NoProvider(
        path,
        registered=registered,
        draining=draining,
        out=out,
        unusable=unusable,
        tried=tried,
        age=age,
    )


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


for _class in (
    CancelWatch, Error, FailedConnect, LinkError, LinkLoop, BadPropertyLink, NoProvider,
    TreeSyntaxError,
):  # fmt: skip
    _class.__module__ = "zc.zk"  # the public name, in tracebacks, representations and pickles


def excerpt(value: object) -> str:
    """Write `value` as Python does, for a message, cut when it is long."""
    if isinstance(value, str) and len(value) > _MAX_EXCERPT:
        return f"{value[:_MAX_EXCERPT]!r}..."
    return repr(value)


def printable(text: str) -> str:
    """Escape the characters of `text` that break a line or command a terminal.

    Each line that is printed goes through here.
    """
    if text.isprintable():
        return text
    from zookeeper.printing import printable  # commands start quickly without the extension

    return printable(text)
