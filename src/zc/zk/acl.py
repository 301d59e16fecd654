"""Ready-made access control lists (ACLs).

An ACL is a list of dictionaries with the keys `perms` (bits of `zookeeper.PERM_*`), `scheme` and
`id`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zookeeper.constants import PERM_ALL, PERM_READ

if TYPE_CHECKING:
    from zookeeper.types import Acl, AclEntry


def world_permission(perms: int = PERM_READ) -> AclEntry:
    """Make an entry that grants `perms`, bits of `zookeeper.PERM_*`, to all."""
    return {"perms": perms, "scheme": "world", "id": "anyone"}


def kept(acl: Acl) -> Acl:
    """Copy an ACL, for use after the caller may have changed the original.

    A value that is no ACL is returned as it is: the binding says what is wrong with it.
    """
    if not isinstance(acl, (list, tuple)):
        return acl
    entries: list[Any] = [entry.copy() if isinstance(entry, dict) else entry for entry in acl]
    return entries


OPEN_ACL_UNSAFE = [world_permission(PERM_ALL)]
READ_ACL_UNSAFE = [world_permission(PERM_READ)]
