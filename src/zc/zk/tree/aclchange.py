"""Changes of access control lists, as plain data."""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from zc.zk.errors import printable
from zc.zk.tree.access import PROVED
from zc.zk.tree.acltext import write_acl

if TYPE_CHECKING:
    from zookeeper.types import Acl, AclEntry, ProvenIdentity
else:
    Acl = AclEntry = Any  # a large module, for a type


class Entries(NamedTuple):
    """Entries, and what is to become of ACLs by them: `kind` is set, add or remove."""

    kind: str
    entries: Sequence[AclEntry]

    def applied_to(self, acl: Acl) -> list[AclEntry]:
        """Return what becomes of an ACL."""
        return _KINDS[self.kind](acl, self.entries)


class AclChange(NamedTuple):
    """The change of the ACL of the node at `path`, whose version was `aversion`."""

    path: str
    old: Acl
    new: Acl
    aversion: int

    @property
    def line(self) -> str:
        """The line that tells of it."""
        return printable(
            f"{self.path} acl change from {write_acl(self.old)} to {write_acl(self.new)}"
        )


class Lists:
    """ACLs by their content: among a million nodes few are different, and each is kept once."""

    def __init__(self) -> None:
        self._known: dict[tuple[tuple[int, str, str], ...], Acl] = {}

    def one(self, acl: Acl) -> Acl:
        """Return the list that stands for all with this content."""
        key = tuple((entry["perms"], entry["scheme"], entry["id"]) for entry in acl)
        return self._known.setdefault(key, acl)


def is_same(one: Acl, other: Acl) -> bool:
    """Say whether two ACLs permit the same, whatever the order of entries."""
    return _permitted(one) == _permitted(other)


def with_identities(
    entries: Iterable[AclEntry], identities: "Sequence[ProvenIdentity]"
) -> list[AclEntry]:
    """Return entries with the identities of a session in the place of `auth`, as servers do it.

    None at all if there is no identity that proves anything: servers refuse that.
    """
    proven = [identity for identity in identities if identity[0] in PROVED]
    found: list[AclEntry] = []
    for entry in entries:
        if entry["scheme"] != "auth":
            found.append(entry)
        elif not proven:
            return []
        else:
            found += [
                {"perms": entry["perms"], "scheme": scheme, "id": id} for scheme, id in proven
            ]
    return found


def _permitted(acl: Acl) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for entry in acl:
        key = entry["scheme"], entry["id"]
        found[key] = found.get(key, 0) | entry["perms"]
    return found


def _set(acl: Acl, entries: Sequence[AclEntry]) -> list[AclEntry]:
    return list(entries)


def _add(acl: Acl, entries: Sequence[AclEntry]) -> list[AclEntry]:
    return _listed(_permitted([*acl, *entries]))


def _remove(acl: Acl, entries: Sequence[AclEntry]) -> list[AclEntry]:
    taken = _permitted(entries)
    left = {key: perms & ~taken.get(key, 0) for key, perms in _permitted(acl).items()}
    return _listed({key: perms for key, perms in left.items() if perms})


def _listed(permitted: dict[tuple[str, str], int]) -> list[AclEntry]:
    return [{"perms": perms, "scheme": key[0], "id": key[1]} for key, perms in permitted.items()]


_KINDS: dict[str, Callable[[Acl, Sequence[AclEntry]], list[AclEntry]]] = {
    "set": _set,
    "add": _add,
    "remove": _remove,
}
