"""When to read what has changed: the one place of the policy of spread and coalescing.

Thousands of clients hear of the same thing in the same second: that a server is back, that a list
has changed. Each of them then asks for little, and all of it together is a herd. Nobody
tells a client how many others there are; but the time that a server takes to answer does. So no
read waits for long where answers come as quickly as they usually do, and where they come late a
client keeps away for a multiple of the time that it was kept waiting.

- *Urgency.* A read that a caller waits for, the first one of a node, and each that a registration
  needs goes out at once (AT_ONCE). Those come next that callbacks are told of (TOLD), and last
  those of objects that are only there to be looked at (SHOWN).
- *Spread.* After an answer that was late by some time, what is not urgent waits for a part, drawn
  at random, of a window (jitter): that time multiplied by the urgency's weight, up to the limit
  that the user has set. One answer in time ends the window; a late one begins another, but nothing
  waits beyond the limit in all. So clients together leave a part of the servers' time to what is
  urgent, and those that have waited longest stay away longest.
- *Coalescing.* A node that has been read because it changed is read again after `min_interval` at
  the earliest, or after the window. It is not watched in between: more changes cost nothing, and
  the read that follows shows the last one. The first change after a quiet time is read at once.

An answer is late by what it took beyond the usual, which follows the quickest ones, and beyond an
allowance for what was asked for: a network far away and a large list are no crowd.

To use it, where something other than the cache of nodes reads because of events: take the
session's `pace`; tell it of each answer by `note_answer`; and before a read that an event has
caused, ask `due` for the moment, on the monotonic clock, before which it is not to go out. A duty
returns in how many seconds it wants to be called for that. Where events are delivered inline
nothing can come back later, and `due` is never in the future.

Connections themselves do not wait for this. A session ends without one, and with it registrations,
so they are urgent; the C core spreads them by attempts that have failed (race.c, pauses.c).
"""

from __future__ import annotations

import enum
import os
import time
from collections.abc import Callable

from zc.zk.session.backoff import NEVER

# Seconds. At once: a program that makes one change after the other, and waits to see each, is to
# wait for servers only; and where these have too much to do, the window keeps reads apart.
MIN_INTERVAL = 0.0

# Seconds. Small systems do not notice it beside the trouble that makes answers late; ten thousand
# clients want more, and can have it.
MAX_SPREAD = 2.0

# Answers may be late by this for any reason, as a pause of the server's or the client's own work.
ALLOWED_SECONDS = 0.05

# A node in a bulk read takes a hundredth of this, where it is small and the network near.
ALLOWED_SECONDS_A_NODE = 0.001

# No network takes longer, and so the first answer of all may be found to be late.
MAX_USUAL_SECONDS = 0.3

# The usual rises by so much of what an answer took longer: another server may be further away.
RISE = 0.02


class Urgency(enum.IntEnum):
    """How long something may wait, as a weight of the time that an answer was late by."""

    AT_ONCE = 0
    TOLD = 2
    SHOWN = 4


class Heard:
    """The news that answers bring: the last one came at `at`, and was `late` by so many seconds.

    `part`, from 0 to 1, says how much of a window this client waits.
    """

    __slots__ = ("at", "late", "part", "usual")

    def __init__(
        self,
        usual: float = MAX_USUAL_SECONDS,
        late: float = 0.0,
        at: float = 0.0,
        part: float = 0.0,
    ) -> None:
        self.usual = usual
        self.late = late
        self.at = at
        self.part = part


def after_answer(heard: Heard, seconds: float, nodes: int, at: float) -> Heard:
    """Return what has been told with an answer that came at `at`, and took so long."""
    allowed = ALLOWED_SECONDS + ALLOWED_SECONDS_A_NODE * nodes
    late = max(0.0, seconds - heard.usual - allowed)
    usual = min(seconds, heard.usual + (seconds - heard.usual) * RISE, MAX_USUAL_SECONDS)
    return Heard(usual, late, at)


def window(heard: Heard, urgency: Urgency, max_spread: float) -> float:
    """Return over how many seconds clients that have heard this are to spread themselves."""
    return min(heard.late * urgency, max_spread)


def checked_seconds(name: str, seconds: object) -> float:
    """Return a number of seconds that a user has set. Raises TypeError and ValueError."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise TypeError(f"{name} is a number of seconds, not {seconds!r}")
    if not 0 <= seconds < NEVER:
        raise ValueError(f"{name} is a finite number of seconds from 0, not {seconds!r}")
    return float(seconds)


def random_part() -> float:
    """Return a number from 0 to below 1; `random` would have to be imported for it."""
    return int.from_bytes(os.urandom(4), "big") / 2**32


class Pace:
    """The pace of one client: its user's limits, and what it has heard.

    `min_interval` and `max_spread` are in seconds; 0 of both reads everything at once. It may be
    used by any thread: what was heard is replaced as a whole.
    """

    def __init__(self, min_interval: float = MIN_INTERVAL, max_spread: float = MAX_SPREAD) -> None:
        self.min_interval = checked_seconds("min_interval", min_interval)
        self.max_spread = checked_seconds("spread", max_spread)
        self.is_inline = False
        self.heard = Heard()
        # Nodes that other requests of this client are about, which answers come behind.
        self.asked_besides = 0

    def note_answer(self, asked_at: float, nodes: int = 1) -> None:
        """Note that a server has just answered what it was asked for so many nodes then."""
        now = time.monotonic()
        heard = after_answer(self.heard, now - asked_at, nodes + self.asked_besides, now)
        if heard.late:
            heard.part = random_part()
        self.heard = heard

    def due(self, read_at: float, since: float, urgency: Callable[[], Urgency]) -> float:
        """Return when to read what was last read, for a change, at `read_at`.

        `since` is when it was known to have changed again; `urgency` is called only if it matters.
        """
        heard = self.heard
        due = -NEVER if self.is_inline else read_at + self.min_interval
        if not heard.late and due < heard.at:
            return due
        how_urgent = urgency()
        if self.is_inline or how_urgent is Urgency.AT_ONCE:
            return -NEVER
        waits_until = heard.at + window(heard, how_urgent, self.max_spread) * heard.part
        # Each late answer begins another window; nothing waits for more than one of the longest.
        return max(due, min(waits_until, since + self.max_spread))
