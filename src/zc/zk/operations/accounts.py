"""How much of a plan has been done when it fails, in words."""

from __future__ import annotations

from collections.abc import Mapping

import zookeeper
from zc.zk.tree.changes import AddNode, Change, DeleteNode, SetData
from zc.zk.tree.markchanges import SetAcl
from zc.zk.tree.planned import Item

_KINDS: dict[type[Change], str] = {
    AddNode: "creations",
    SetData: "changes of data",
    DeleteNode: "deletions",
    SetAcl: "changes of ACLs",
}


def account(
    done: Mapping[type[Change], int], planned: Mapping[type[Change], int], uncertain: int
) -> str:
    """Return in words how much has been done by kind, and how much more may have been."""
    parts = [
        f"{done[kind] or 'none'} of {planned[kind]} {name}"
        for kind, name in _KINDS.items()
        if planned.get(kind)
    ]
    told = f"done: {', '.join(parts)}"
    return f"{told}; {uncertain} others may have been" if uncertain else told


def tell_with(fault: zookeeper.ZooKeeperException, account: str) -> None:
    """Have the message of an exception say how much has been done."""
    fault.args = (f"{fault.args[0]} ({account})", *fault.args[1:])


def kind_of(item: Item) -> type[Change]:
    """Return what an item of a plan counts as: a copy is a creation."""
    return next((kind for kind in _KINDS if isinstance(item, kind)), AddNode)
