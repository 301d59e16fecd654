"""The credentials that sessions of a client begin with, and which of them servers have accepted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zc.zk.session.state import StateMachine
    from zookeeper.types import Credential


class Credentials:
    """Pairs (scheme, credential), in the order in which they were given.

    They are kept from the call on that gives them, before an answer is known: a session that is
    opened meanwhile, after an expiry or for another root, is that of the same user. One that
    is refused ends its session, and must not end the next one too. Which one it was servers do not
    tell, so that all of those that none has accepted yet are dropped.
    """

    def __init__(self, machine: StateMachine) -> None:
        self._machine = machine
        self._are_accepted: dict[Credential, bool] = {}

    def __iter__(self) -> Iterator[Credential]:
        with self._machine.lock:
            return iter(list(self._are_accepted))

    def accept(self, accepted: Iterable[Credential]) -> None:
        """Note that servers have accepted these."""
        with self._machine.lock:
            self._are_accepted.update(dict.fromkeys(accepted, True))

    def expect(self, credential: Credential) -> None:
        """Keep one of which nothing is known yet."""
        with self._machine.lock:
            self._are_accepted.setdefault(credential, False)

    def withdraw(self, credential: Credential) -> None:
        """Drop one, unless it has been accepted."""
        with self._machine.lock:
            if not self._are_accepted.get(credential, True):
                del self._are_accepted[credential]

    def withdraw_all(self) -> set[Credential]:
        """Drop those that have not been accepted, and return them."""
        with self._machine.lock:
            dropped = {each for each, is_accepted in self._are_accepted.items() if not is_accepted}
            for each in dropped:
                del self._are_accepted[each]
            return dropped
