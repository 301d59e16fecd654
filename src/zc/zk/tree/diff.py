"""Plans, as plain data: the changes that make nodes what a parsed tree says.

A plan is a list of changes, as `zc.zk.tree.changes` describes them: parents come before their
children where nodes are added, and after them where nodes are deleted.

Only differences are planned. A node stays as it is when its data are the same bytes, and also when
they stand for the same properties in another layout, unless the text gives the layout, or the data
as a whole.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from zc.zk import codec
from zc.zk._speedups import Outline, has_marks, new_nodes
from zc.zk.garbage import collected_later
from zc.zk.links import is_within, join
from zc.zk.owners import is_session
from zc.zk.tree.changes import (
    AddNode,
    Change,
    DeleteNode,
    KeepAncestor,
    KeepEphemeral,
    KeepExtra,
    SetData,
)
from zc.zk.tree.marking import Marking, acl_of
from zc.zk.tree.model import ParseNode
from zc.zk.tree.planned import Changes, Item
from zookeeper.constants import NOCHILDRENFOREPHEMERALS, NONODE
from zookeeper.errors import ZooKeeperException, error

if TYPE_CHECKING:
    from zookeeper.types import Acl


class NodeState(NamedTuple):
    """The state of one node in ZooKeeper; `children` are names, sorted."""

    data: str | None
    version: int
    is_ephemeral: bool
    children: Sequence[str] = ()
    error: Exception | None = None  # why the node could not be read
    is_as_wanted: bool = False  # with all below it; nothing else is known then


class KeepOwn(KeepExtra):
    """Leave a node of the servers' own, which is not trimmed, and say so."""

    __slots__ = ()

    purpose = "keep, as they are the servers' own"

    def _lines(self) -> list[str]:
        return [f"not trimmed, as it is the servers' own: {self.path}"]


AS_WANTED = NodeState(None, -1, False, is_as_wanted=True)


@collected_later
def snapshot(
    nodes: Iterable[tuple[str, str | None, int, int, Exception | None]],
) -> dict[str, NodeState]:
    """Map paths to states, from (path, data, version, owner, error).

    `nodes` come parents first and children sorted by name. `error` is None for a node that could
    be read.
    """
    states: dict[str, NodeState] = {}
    families: dict[str, list[str]] = {}
    for path, data, version, owner, fault in nodes:
        states[path] = NodeState(data, version, owner != 0 and is_session(owner), (), fault)
        parent, _, name = path.rpartition("/")
        if (family := families.get(parent)) is not None:
            family.append(name)
        elif name and (above := states.get(parent or "/")):
            family = families[parent] = [name]
            states[parent or "/"] = above._replace(children=family)
    return states


@collected_later
def plan_import(
    tree: ParseNode,
    path: str,
    present: Mapping[str, NodeState],
    trim: bool | None = None,
    marking: Marking | None = None,
    *,
    own: str | None = None,
) -> Changes:
    """Plan to make the nodes below `path` what `tree`, a parsed tree, says.

    `present` holds `path` itself, and those of its children that the tree mentions with all that
    is below them, unless `is_as_wanted`; other children of `path` are not looked at. Nodes below
    them that the tree does not mention are reported if `trim` is None, left alone if it is False,
    and deleted if it is True, except for ephemeral nodes and those above them. Ephemeral ones are
    not worth a word when they are extra themselves: servers come and go. `marking` is about ACLs
    and kinds of nodes, as `zc.zk.tree.marking` tells. Nothing is deleted at and below `own`, the
    servers' own node.

    Raises NoNodeException when there is no node at `path`, NoChildrenForEphemeralsException when
    the tree has children for an ephemeral node, and the error of a node that could not be read but
    must be known.
    """
    if path not in present:
        raise error(NONODE, path)
    plan: list[Item] = []
    is_marked = has_marks(tree)
    marking = marking or Marking()
    to_do = _children_to_do(tree, path, None)
    while to_do:
        node_path, node, inherited = to_do.pop()
        state = present.get(node_path)
        if state is None:
            if is_marked:
                plan += marking.new_nodes(node, node_path, inherited)
            else:
                plan += new_nodes(node, node_path, AddNode)
            continue
        if state.error is not None:
            marking.unreadable(node_path, state.error)
            continue
        if state.is_as_wanted:
            continue
        children = node.children
        if state.is_ephemeral and children:
            raise error(NOCHILDRENFOREPHEMERALS, node_path)
        if is_marked and marking.is_left_out(node):
            continue
        if (wanted := node.data) != state.data and _differs(node, wanted, state.data):
            plan.append(SetData(node_path, state.data, wanted, state.version))
        if is_marked or marking.reset is not None:
            plan += marking.of_existing(node_path, node, inherited)
        if trim is not False and state.children:
            for name in state.children:
                if name not in children:
                    plan += _extra(join(node_path, name), present, trim, marking, own)
        if children:
            to_do += _children_to_do(node, node_path, acl_of(node, inherited))
    return Changes(plan, path, tree)


def plan_outline(outline: Outline, path: str) -> Changes:
    """Plan to make all nodes of a text below `path`, where none of them is."""
    return Changes([*outline.new_nodes(path, AddNode)], path)


@collected_later
def plan_deletion(
    path: str,
    present: Mapping[str, NodeState],
    *,
    force: bool = False,
    ignore_if_ephemeral: bool = False,
) -> list[Change]:
    """Plan to delete the node at `path` and all below it, children first.

    Ephemeral nodes and those above them stay, unless `force` is true; `ignore_if_ephemeral` leaves
    out the remark when `path` itself is ephemeral. `present` holds all of the nodes. Raises the
    error of a node that could not be read, as there may be ephemeral ones below it.
    """
    state = _readable(present, path)
    if state is None:
        return []
    if ignore_if_ephemeral and state.is_ephemeral and not force:
        return []
    plan: list[Change] = []
    kept: set[str] = set()
    to_do = [(path, False)]
    while to_do:
        node_path, children_are_done = to_do.pop()
        state = _readable(present, node_path)
        if state is None:
            continue
        if state.children and not children_are_done:
            to_do.append((node_path, True))
            to_do += [(join(node_path, name), False) for name in reversed(state.children)]
        elif node_path in kept:
            plan.append(KeepAncestor(node_path))
            kept.add(_parent(node_path))
        elif state.is_ephemeral and not force:
            plan.append(KeepEphemeral(node_path))
            kept.add(_parent(node_path))
        else:
            plan.append(DeleteNode(node_path, state.version))
    return plan


def _children_to_do(
    node: ParseNode, path: str, acl: "Acl | None"
) -> "list[tuple[str, ParseNode, Acl | None]]":
    """Return the children with their paths, and the ACL from above, in reverse, for `list.pop`."""
    start = join(path, "")
    children = node.children
    return [(start + name, children[name], acl) for name in sorted(children, reverse=True)]


def _extra(
    path: str,
    present: Mapping[str, NodeState],
    trim: bool | None,
    marking: Marking,
    own: str | None,
) -> list[Change]:
    if trim and own is not None and is_within(path, own):
        return [KeepOwn(path)]
    if trim:
        try:
            return plan_deletion(path, present, ignore_if_ephemeral=True)
        except ZooKeeperException as fault:
            marking.unreadable(fault.path or path, fault)
            return []
    if (state := present.get(path)) is None or state.is_ephemeral:
        return []
    return [KeepExtra(path)]


def _differs(node: ParseNode, wanted: str | None, data: str | None) -> bool:
    """Return whether `wanted` must be written over other data in ZooKeeper."""
    if node.raw is not None or node.layout is not None:
        return True
    # Compared is what the written data will read as, whatever the node's class made of them.
    wanted_properties = codec.to_json(codec.decode(wanted))
    return wanted_properties != codec.to_json(codec.decode(data))


def _readable(present: Mapping[str, NodeState], path: str) -> NodeState | None:
    """Return a node's state, None if it is missing; raise its error, if any."""
    state = present.get(path)
    if state is not None and state.error is not None:
        raise state.error
    return state


def _parent(path: str) -> str:
    return path.rpartition("/")[0] or "/"
