"""Places for readers of the page's events: a bounded number, shared fairly.

Each open page holds a place for as long as it is open. A site elsewhere can have a visitor's
browser open connections to this one, although it cannot read what comes; and one machine can open
as many as it likes. So the places without the page's key, which only a reader of the page has, are
few, and when all places are taken, or all without the key, the address with the most of them gives
one to an address with fewer: its oldest, first of those without the key. Readers behind a proxy are
one address, which keeps what it has as long as nobody else has fewer.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence


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
            if not has_key:
                others = [place for place in self._taken if not place.has_key]
                if len(others) >= self._most_without_key and not self._revoke_for(address, others):
                    return None
            if len(self._taken) >= self._most and not self._revoke_for(address, self._taken):
                return None
            place = Place(address, has_key)
            self._taken.append(place)
            return place

    def leave(self, place: Place) -> None:
        """Free the place, unless it has been revoked."""
        with self._lock:
            if place in self._taken:
                self._taken.remove(place)

    def _revoke_for(self, address: str, among: Sequence[Place]) -> bool:
        """Free a place of an address that has more of these than `address` would."""
        held = Counter(place.address for place in among)
        greedy, count = held.most_common(1)[0]
        if count <= held[address] + 1:
            return False
        # The first of the least is the oldest.
        given = min((place for place in among if place.address == greedy), key=_has_key)
        self._taken.remove(given)
        given.is_revoked = True
        return True


def _has_key(place: Place) -> bool:
    return place.has_key
