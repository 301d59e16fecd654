"""Access control lists, ready made.

An ACL is a list of dictionaries with the keys `perms` (bits of `zookeeper.PERM_*`), `scheme` and
`id`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zookeeper.constants import PERM_ALL, PERM_READ

if TYPE_CHECKING:
    from zookeeper.types import Acl, AclEntry


def world_permission(perms: int = PERM_READ) -> AclEntry:
    """The entry of an ACL that grants `perms`, bits of `zookeeper.PERM_*`, to everyone."""
    return {"perms": perms, "scheme": "world", "id": "anyone"}


def kept(acl: Acl) -> Acl:
    """A copy of an ACL, for use after the caller may have changed his.

    What is none stays as it is, for the binding to say so.
    """
    if not isinstance(acl, (list, tuple)):
        return acl
    entries: list[Any] = [entry.copy() if isinstance(entry, dict) else entry for entry in acl]
    return entries


OPEN_ACL_UNSAFE = [world_permission(PERM_ALL)]
READ_ACL_UNSAFE = [world_permission(PERM_READ)]
