"""Servers that fail, and are out for a while.

The pause doubles from one failure to the next (backoff), and is spread at random (jitter), so that
a thousand consumers do not come back to a server that is just starting all at once. Nothing here
reads a clock: the caller says what time it is.

No lock: what is known of a server is one tuple, replaced as a whole.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection

FIRST_PAUSE_SECONDS = 1.0
MAX_PAUSE_SECONDS = 60.0

# This share of the servers is never out, however many fail: rather a try than no answer.
KEPT_SHARE = 0.5


class Outliers:
    """The servers that have failed last, by address."""

    def __init__(
        self, kept_share: float = KEPT_SHARE, chance: Callable[[], float] = random.random
    ) -> None:
        if not 0 < kept_share <= 1:
            raise ValueError(f"a share of the servers is above 0 and at most 1, not {kept_share}")
        self._kept_share = kept_share
        self._chance = chance
        # How often it has failed in a row, and until when it is out.
        self._failed: dict[str, tuple[int, float]] = {}
        # Another object whenever a server goes out or comes back.
        self.version = object()

    def note_failure(self, address: str, now: float) -> None:
        """Take a server out. While it is, its failures are those of calls made before."""
        failures, until = self._failed.get(address, (0, now))
        if now < until:
            return
        if now > until + MAX_PAUSE_SECONDS:
            failures = 0  # it has been well for long, and nobody has said so
        longest = min(MAX_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(failures, 20))
        self._failed[address] = failures + 1, now + longest / 2 * (1 + self._chance())
        self.version = object()

    def note_success(self, address: str) -> None:
        """Let a server in again, and forget its failures."""
        if address in self._failed:
            self._failed.pop(address, None)
            self.version = object()

    def forget(self, registered: Collection[str]) -> None:
        """Forget servers that are gone: those that come back begin anew."""
        for address in list(self._failed):
            if address not in registered:
                self._failed.pop(address, None)

    def out_of(self, addresses: Collection[str], now: float) -> dict[str, float]:
        """Return which of these are out, and until when.

        If more have failed than may be out, those that would be back first are in.
        """
        failed = self._failed
        if not failed:
            return {}
        out = [
            (until, address)
            for address, (_, until) in list(failed.items())
            if until > now and address in addresses
        ]
        most = int(len(addresses) * (1 - self._kept_share))
        return {address: until for until, address in sorted(out, reverse=True)[:most]}
