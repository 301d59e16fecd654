"""Places for readers of the page's events: a bounded number, shared fairly.

Each open page holds a place for as long as it is open. A site elsewhere can have a visitor's
browser open connections to this one, although it cannot read what comes; and one machine can open
as many as it likes. So the places without the page's key, which only a reader of the page has, are
few, and when all places are taken the address with the most of them gives its oldest one to an
address with fewer.
"""

from __future__ import annotations

import threading
from collections import Counter


class Place:
    """One place; `is_revoked` once somebody else has got it."""

    def __init__(self, address: str, has_key: bool) -> None:
        self.address = address
        self.has_key = has_key
        self.is_revoked = False


class Places:
    """At most `most` places, `most_without_key` of them for readers without key."""

    def __init__(self, most: int, most_without_key: int) -> None:
        self._most = most
        self._most_without_key = most_without_key
        self._lock = threading.Lock()
        self._taken: list[Place] = []  # the oldest first

    def take(self, address: str, has_key: bool) -> Place | None:
        """Give a place to a reader at `address`, or None when there is none for it."""
        with self._lock:
            if not has_key and self._without_key() >= self._most_without_key:
                return None
            if len(self._taken) >= self._most and not self._revoke_for(address):
                return None
            place = Place(address, has_key)
            self._taken.append(place)
            return place

    def leave(self, place: Place) -> None:
        """Free the place, unless it has been revoked."""
        with self._lock:
            if place in self._taken:
                self._taken.remove(place)

    def _without_key(self) -> int:
        return sum(not place.has_key for place in self._taken)

    def _revoke_for(self, address: str) -> bool:
        """Free the oldest place of an address that has more than `address` would."""
        held = Counter(place.address for place in self._taken)
        greedy, count = held.most_common(1)[0]
        if count <= held[address] + 1:
            return False
        oldest = next(place for place in self._taken if place.address == greedy)
        self._taken.remove(oldest)
        oldest.is_revoked = True
        return True
