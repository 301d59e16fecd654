"""Paths, and the text of symbolic links and property links; `zc.zk.journey` follows them.

A symbolic link is a property named `name ->` of the node in which it appears; its value is the
path that it leads to. A property link is a property named `name =>`; its value is a path, followed
by a space and the name of the property there if that name differs. A relative path starts at the
node that has the link. `.` and `..` work as in Unix: `..` after a link is the parent of the node
that the link leads to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zc.zk.errors import excerpt
from zookeeper.constants import BADARGUMENTS
from zookeeper.errors import error

if TYPE_CHECKING:
    from typing import TypeGuard

LINK = " ->"
PROPERTY_LINK = " =>"


def join(base: str, name: str) -> str:
    """Make the path of the child `name` of the node at `base`."""
    return f"/{name}" if base == "/" else f"{base}/{name}"


def parent_of(path: str) -> str:
    """Return the path of the node above the one at `path`; `/` has itself."""
    return path.rpartition("/")[0] or "/"


def is_within(path: str, top: str) -> bool:
    """Say whether an absolute path is that of `top`, or below it."""
    return path == top or path.startswith(top.rstrip("/") + "/")


def stored_name(name: str) -> str:
    """Return a property's name as it is stored: a link has a blank before its arrow."""
    for arrow in ("->", "=>"):
        if name.endswith(arrow):
            return f"{name.removesuffix(arrow).rstrip()} {arrow}"
    return name


def is_at_or_below(path: str, top: str) -> bool:
    """Return whether a path is that of a node, or of one below it."""
    return path == top or path.startswith("/" if top == "/" else f"{top}/")


def as_told(text: str) -> str:
    """Decode `text` as servers do, whose text is UTF-8.

    A program's arguments hold surrogates for bytes that the locale cannot decode. They make the
    same request as the decoded characters, but do not equal the name in the answer.
    """
    if text.isascii():
        return text
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text  # it has no bytes, and to send it is an error


def is_path(text: object) -> TypeGuard[str]:
    """Say whether `text` is a path, absolute or relative, for a link.

    Such a path has no blank components.
    """
    if not isinstance(text, str) or not text or "\0" in text:
        return False
    return text == "/" or all(text.removeprefix("/").split("/"))


def without_slash(path: str) -> str:
    """Return `path` without the one slash that may be behind it."""
    if isinstance(path, str) and len(path) > 1 and path.endswith("/") and path[-2] != "/":
        return path[:-1]
    return path


def check_target(path: str) -> None:
    """Raise what `check_path` raises for a path, absolute or relative, that no link can lead to."""
    if not is_path(path):
        is_relative = isinstance(path, str) and path[:1] not in ("", "/")
        check_path(f"/{path}" if is_relative else path)


def check_path(path: str) -> None:
    """Raise BadArgumentsException for a path that cannot be followed.

    The exception says why. A path with `.` and `..` can be followed. Raises TypeError unless the
    path is a str.
    """
    if not isinstance(path, str):
        raise TypeError(f"a path must be str, not {type(path).__name__}")
    if path.startswith("/") and is_path(path):
        return
    if not path:
        fault = "a path must not be empty"
    elif not path.startswith("/"):
        fault = "a path must start with '/'"
    elif "\0" in path:
        fault = "a path must not hold a null character"
    elif "//" in path:
        fault = "a path must not hold '//'"
    else:
        fault = "a path must not end with '/'"
    raise error(BADARGUMENTS, path, fault)


def is_direct(path: str) -> bool:
    """Say whether servers can find `path`, which then has no `.` or `..`."""
    return "/." not in path or not {".", ".."}.intersection(path.split("/"))


def split_property_link(value: object, name: str) -> tuple[str, str]:
    """Split the value of the property link `name` into path and property.

    Raises ValueError unless the value is `path` or `path property`.
    """
    words = value.split() if isinstance(value, str) else []
    if len(words) not in (1, 2) or not is_path(words[0]):
        raise ValueError(f"neither a path nor a path and a property: {excerpt(value)}")
    return words[0], words[1] if len(words) == 2 else name


class NotRead(Exception):
    """A resolver raises this if it has yet to read the node, and notes that."""


def absolute(base: str, path: str) -> str:
    """Make `path`, which may be relative to the node at `base`, absolute."""
    return path if path.startswith("/") else join(base, path)
