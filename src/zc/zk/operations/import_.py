"""Import: make nodes what a tree says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import zookeeper
from zc.zk.links import is_direct
from zc.zk.operations import subtree
from zc.zk.operations.plan import Plan
from zc.zk.session.retry import attempts
from zc.zk.session.session import Session
from zc.zk.tree.changes import AddNode, Change
from zc.zk.tree.diff import NodeState, plan_import
from zc.zk.tree.model import ParseNode
from zc.zk.watching.readers import resolve

if TYPE_CHECKING:
    from zookeeper.types import Acl, Progress


def make_plan(
    session: Session,
    tree: ParseNode,
    path: str,
    *,
    trim: bool | None,
    acl: Acl,
    progress: Progress | None = None,
) -> Plan:
    """Plan how the nodes below `path` become what `tree` says.

    Raises InvalidACLException before anything else for what is no ACL.
    """
    _check_acl(session, path, acl)
    present, zxid = subtree.read_present(session, path, tree.children, progress)
    if not present and path == "/":
        return Plan(session, _plan_from_nothing(session, tree, path), acl, zxid)
    if not present:
        try:
            for attempt in attempts(session):
                with attempt:
                    real_path = resolve(session, path)
        except zookeeper.NoNodeException:
            return Plan(session, _plan_from_nothing(session, tree, path), acl, zxid)
        path = real_path
        present, zxid = subtree.read_present(session, path, tree.children, progress)
    return Plan(session, plan_import(tree, path, present, trim), acl, zxid)


def _check_acl(session: Session, path: str, acl: Acl) -> None:
    """Raise what the binding says against an ACL, which is asked of no server."""
    where = path if is_direct(path) else "/"
    session.call(session.binding.check_operations, [("create", where, "", acl)])


def _plan_from_nothing(session: Session, tree: ParseNode, path: str) -> list[Change]:
    """Plan for a path that does not exist: it is made first, and the nodes above it."""
    names = [name for name in path.split("/") if name]
    ancestors = ["/" + "/".join(names[: count + 1]) for count in range(len(names))]
    if session.root:
        ancestors.insert(0, "/")
    for attempt in attempts(session):
        with attempt:
            answers = session.call(session.binding.get_many, ancestors)
    changes: list[Change] = [
        AddNode(ancestor, "")
        for ancestor, answer in zip(ancestors, answers, strict=True)
        if isinstance(answer, zookeeper.NoNodeException)
    ]
    changes += plan_import(tree, path, {path: NodeState("", 0, False)})
    return [
        AddNode(change.path, change.data, is_nested=index > 0)
        if isinstance(change, AddNode)
        else change
        for index, change in enumerate(changes)
    ]


def import_tree(
    session: Session,
    tree: ParseNode,
    path: str,
    *,
    trim: bool | None,
    acl: Acl,
    progress: Progress | None = None,
) -> Plan:
    """Plan and apply until no conflict with anybody else is left; return the last plan."""
    for attempt in attempts(session, subtree.CONFLICTS):
        plan = make_plan(session, tree, path, trim=trim, acl=acl, progress=progress)
        with attempt:
            plan.apply(progress)
    return plan
