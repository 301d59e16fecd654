"""A client of the engine, and what it watched before its connection broke."""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from zc.zk.testing.engine import acl as acls
from zc.zk.testing.engine.refusal import Refusal
from zc.zk.testing.engine.sessions import Session
from zookeeper.constants import PERM_READ


class Client:
    """One connection: its session, its identities, and where its events go."""

    def __init__(self, address: str, notify: Callable[[int, str], None]) -> None:
        self.address = address
        self.identities = [acls.Identity("ip", address)]
        self.session: Session | None = None
        self.notify = notify

    def add_identities(self, identities: Iterable[acls.Identity]) -> None:
        """Take note of what the client has proved to be; it may prove it again."""
        self.identities += [each for each in identities if each not in self.identities]

    def shown_identities(self) -> list[acls.Identity]:
        """List its identities, without the hash of its password."""
        return [
            acls.Identity(scheme, id.partition(":")[0] if scheme == "digest" else id)
            for scheme, id in self.identities
        ]

    def may_read(self, acl: acls.Entries) -> bool:
        try:
            acls.check(acl, PERM_READ, self.identities)
        except Refusal:
            return False
        return True


class Rewatch(NamedTuple):
    """The watches that a client had before its connection broke."""

    data: Sequence[str] = ()
    exists: Sequence[str] = ()
    children: Sequence[str] = ()
    persistent: Sequence[str] = ()
    recursive: Sequence[str] = ()
