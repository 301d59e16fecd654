"""Counts of events in the life of a client, from its beginning.

Plain numbers, which only grow, over all sessions and connections. They are of rare events, so that
counting costs nothing that can be measured. Each is increased by one thread alone, or with the
state machine's lock held, and read without a lock; see `zc.zk.metrics`.
"""

from __future__ import annotations


class Counts:
    """The counts of one client, besides those that its state machine has."""

    __slots__ = (
        "disconnects",
        "failed_callbacks",
        "lost_sessions",
        "reads_after_events",
        "reads_after_gaps",
        "watch_events",
    )

    def __init__(self) -> None:
        # With the state machine's lock: connections that broke, and sessions that were over before
        # the program wanted that.
        self.disconnects = 0
        self.lost_sessions = 0
        # By what calls callbacks: those that raised.
        self.failed_callbacks = 0
        # By the session's worker: events of watches that it has seen to, and nodes that it has read
        # again, as an event named them, or as events may have been missed.
        self.watch_events = 0
        self.reads_after_events = 0
        self.reads_after_gaps = 0
