"""The beliefs of a client process, for the checker to compare, as JSON."""

from __future__ import annotations

from typing import Any, TypedDict


class Registration(TypedDict):
    """An ephemeral node that the client wants; its own one if `registered`."""

    path: str
    properties: dict[str, Any]
    acl: list[dict[str, Any]]
    registered: bool


class Live(TypedDict):
    """A live object: its shown value, and the last one its callback was told.

    `kind` says what `value` is: 'children', sorted names; 'properties', with property links
    followed, where a link that leads nowhere is `BROKEN`; 'data', with links as they are;
    'providers', the properties of each registered server by its address; 'tree', data and owner of
    each node from `path` on, by path. It is None for a node that is gone.
    `silent` has no callback.
    """

    kind: str
    path: str
    value: Any
    told: Any
    silent: bool


class SlowCall(TypedDict):
    """A call that took longer than it may, or still goes on: no `ended` then.

    Times are seconds of the system's monotonic clock, which all processes share.
    """

    name: str
    began: float
    ended: float | None
    seconds_allowed: float


class Belief(TypedDict):
    """All that a client believes, at one moment."""

    session: int
    registrations: list[Registration]
    unknown: list[str]
    live: list[Live]
    slow_calls: list[SlowCall]
    errors: list[str]
    threads: int
    descriptors: int
    counts: dict[str, int]


# The value of a property link that leads nowhere.
BROKEN = "<leads nowhere>"
