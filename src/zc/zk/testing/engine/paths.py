"""Paths of znodes, as the server reads them.

`/` is stored under '' as well, which makes '' the parent of `/a` without a special case.
"""

from __future__ import annotations

import re
from typing import Final

from zc.zk.testing.engine.refusal import Refusal
from zookeeper import constants

ROOT: Final = "/"
SYSTEM: Final = "/zookeeper"
QUOTA: Final = "/zookeeper/quota"
CONFIG: Final = "/zookeeper/config"

UNDELETABLE: Final = frozenset([ROOT, SYSTEM, QUOTA, CONFIG])

# Java looks at UTF-16 units: what is beyond the basic plane is two surrogates to it.
_FORBIDDEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\uf8ff\ufff0-\uffff\U00010000-\U0010ffff]|//|/\\.{1,2}(?:/|$)"
)


def validate(path: str) -> None:
    """Refuse a text that cannot be the path of a node."""
    if path != ROOT and (path[:1] != "/" or path[-1] == "/" or _FORBIDDEN.search(path)):
        raise Refusal(constants.BADARGUMENTS)


def parent(path: str) -> str:
    """Return the path of the parent, '' for that of `/a`."""
    return path[: path.rindex("/")]


def parent_to_create_in(path: str) -> str:
    """Return the parent of a node to create, whose own path is checked later."""
    if "/" not in path or "\0" in path:
        raise Refusal(constants.BADARGUMENTS)
    return parent(path)


def parent_to_delete_from(path: str) -> str:
    """Return the parent of a node to delete; the server's own nodes stay."""
    if "/" not in path or "\0" in path or path in UNDELETABLE:
        raise Refusal(constants.BADARGUMENTS)
    return parent(path)


def name(path: str) -> str:
    """Return the last part of a path."""
    return path[path.rindex("/") + 1 :]
