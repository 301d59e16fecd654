"""Events of the library: `notify` passes them on, to whoever wants to know.

`notify` is `zope.event.notify` when zope.event is installed, and else a function that does
nothing. Applications may put a function of their own in its place, so call it as
`event.notify(...)`: a reference taken beforehand would miss that.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any


def _ignore(event: object) -> None:
    """Stands in for zope.event.notify, or the application's own function."""


def _zope_notify() -> Callable[[object], None] | None:
    try:
        notify: Callable[[object], None] = importlib.import_module("zope.event").notify
    except ImportError:
        return None
    return notify


notify: Callable[[object], None] = _zope_notify() or _ignore


class RegisteringServer:
    """A server is about to be registered; subscribers may add to its properties.

    `name` is the name of the node to be, `host:port`, `path` its parent's path and `properties` the
    mapping that becomes its data after all subscribers have been called.
    """

    def __init__(self, name: str, path: str, properties: dict[str, Any]) -> None:
        self.name = name
        self.path = path
        self.properties = properties

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.path!r}, {self.properties!r})"
