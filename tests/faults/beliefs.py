"""The beliefs of a client process: everything that the checker compares, as JSON."""

from __future__ import annotations

from typing import Any, TypedDict


class Registration(TypedDict):
    """An ephemeral node that the client wants, and takes for its own if `registered`."""

    path: str
    properties: dict[str, Any]
    acl: list[dict[str, Any]]
    registered: bool


class Live(TypedDict):
    """A live object: what it shows, and what its callback was told last.

    `kind` says what `value` is: 'children', sorted names; 'properties', with property links
    followed, where a link that leads nowhere is `BROKEN`; 'data', with links as they are. It is
    None for a node that is gone. `silent` has no callback.
    """

    kind: str
    path: str
    value: Any
    told: Any
    silent: bool


class SlowCall(TypedDict):
    """A call that took longer than it may, or is still going on: `ended` is None then.

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
