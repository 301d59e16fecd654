"""Requests of the binding's functions to an emulated server."""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from zookeeper.types import Watcher
else:
    Watcher = Any  # a large module, for a type


class Watch(NamedTuple):
    """A watch that a request sets if it succeeds, `exists` also without a node."""

    kind: int
    path: str
    watcher: Watcher
    missing_too: bool = False


class Request(NamedTuple):
    """Something to ask the server.

    `perform` returns what a completion gets after handle and code; `failed` is that for errors.
    With `offline_too` it is called without a connection, with None, and not refused.
    """

    path: str | None
    perform: Callable[[Any], tuple[Any, ...]]
    failed: tuple[Any, ...] = ()
    watch: Watch | None = None
    offline_too: bool = False
