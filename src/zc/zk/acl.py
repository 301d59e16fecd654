"""Access control lists, ready made.

An ACL is a list of dictionaries with the keys `perms` (bits of `zookeeper.PERM_*`), `scheme` and
`id`.
"""

from __future__ import annotations

from typing import Any

from zookeeper.constants import PERM_ALL, PERM_READ


def world_permission(perms: int = PERM_READ) -> dict[str, Any]:
    """The entry of an ACL that grants `perms`, bits of `zookeeper.PERM_*`, to everyone."""
    return {"perms": perms, "scheme": "world", "id": "anyone"}


OPEN_ACL_UNSAFE = [world_permission(PERM_ALL)]
READ_ACL_UNSAFE = [world_permission(PERM_READ)]
