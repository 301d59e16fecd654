"""The permissions that ACLs grant, and what that means for a plan (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from zc.zk.patterns import pattern
from zookeeper.constants import PERM_ADMIN, PERM_CREATE

if TYPE_CHECKING:
    from zookeeper.types import Acl, AclEntry

# The schemes of identities that an entry of the scheme `auth` stands for.
PROVED = ("digest", "x509", "sasl")

# Servers hide the hashes of digests from clients that may not administer a node.
_MASKED = pattern("[^:]*:x")


def is_masked(acl: Acl) -> bool:
    """Return whether hashes are missing in an ACL that a server has shown."""
    return any(_is_masked(entry) for entry in acl)


def is_as_shown(wanted: Acl, shown: Acl, identities: Iterable[tuple[str, str]] = ()) -> bool:
    """Return whether an ACL may be the one that a server has shown.

    Entries of the scheme `auth` stand for the `identities`, which are as `whoami` tells them.
    """
    expanded = [each for entry in wanted for each in _expanded(entry, identities)]
    return len(expanded) == len(shown) and all(
        entry == seen
        or (_is_masked(entry if is_ours else seen) and _masked(entry) == _masked(seen))
        for (entry, is_ours), seen in zip(expanded, shown, strict=True)
    )


def has_auth(acl: Acl) -> bool:
    """Return whether an ACL is about the identity of the session that sets it."""
    return any(entry["scheme"] == "auth" for entry in acl)


def _expanded(
    entry: AclEntry, identities: Iterable[tuple[str, str]]
) -> list[tuple[AclEntry, bool]]:
    """Return what a server makes of an entry, and whether it is of an identity of ours."""
    if entry["scheme"] != "auth":
        return [(entry, False)]
    return [
        ({**entry, "scheme": scheme, "id": f"{id}:x" if scheme == "digest" else id}, True)
        for scheme, id in identities
        if scheme in PROVED
    ]


def only_grants(old: Acl, new: Acl) -> bool:
    """Return whether all that `old` allows is allowed by `new`."""
    allowed: dict[tuple[str, str], int] = {}
    for entry in new:
        who = entry["scheme"], entry["id"]
        allowed[who] = allowed.get(who, 0) | entry["perms"]
    everyone = allowed.get(("world", "anyone"), 0)
    return all(
        not entry["perms"] & ~(allowed.get((entry["scheme"], entry["id"]), 0) | everyone)
        for entry in old
    )


def allows(acl: Acl, permission: int, identities: Iterable[tuple[str, str]]) -> bool:
    """Return whether a session with these identities is allowed that.

    `whoami` tells no hashes, so a user of `digest` is taken for the one of that name in the ACL,
    unless the identity has the hash, too.
    """
    known = list(identities)
    if any(scheme == "super" for scheme, _ in known):
        return True
    return any(entry["perms"] & permission and _is_for(entry, known) for entry in acl)


def with_a_way_in(acl: Acl, identities: Iterable[tuple[str, str]]) -> Acl | None:
    """Return an ACL by which the session may make children too, and replace the ACL afterwards.

    Nobody else is let in. None where servers know the session by nothing.
    """
    known = dict(reversed(list(identities)))
    entry: AclEntry = {"perms": PERM_CREATE | PERM_ADMIN, "scheme": "auth", "id": ""}
    if not any(scheme in known for scheme in PROVED):
        if "ip" not in known:
            return None
        entry = {**entry, "scheme": "ip", "id": known["ip"]}
    return [*acl, entry]


def _is_for(entry: AclEntry, identities: list[tuple[str, str]]) -> bool:
    scheme, id = entry["scheme"], entry["id"]
    if scheme == "world":
        return True
    if scheme == "auth":
        return any(known in PROVED for known, _ in identities)
    if scheme == "digest":
        return (scheme, id) in identities or (scheme, id.partition(":")[0]) in identities
    if scheme == "ip":
        return any(known == "ip" and _is_within(address, id) for known, address in identities)
    return (scheme, id) in identities


def _is_within(address: str, network: str) -> bool:
    import ipaddress  # slow

    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _is_masked(entry: AclEntry) -> bool:
    return entry["scheme"] == "digest" and _MASKED.fullmatch(entry["id"]) is not None


def _masked(entry: AclEntry) -> AclEntry:
    if entry["scheme"] != "digest":
        return entry
    return {**entry, "id": re.sub(":.*", ":x", entry["id"], flags=re.DOTALL)}
