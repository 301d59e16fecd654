"""What has to change for nodes to become what a parsed tree says, as plain data.

A plan is a list of changes in the order in which to make them, and print them: parents before
their children where nodes are added, after them where nodes are deleted. Each change knows the
state it was computed from, as versions, so that applying it fails rather than undoes what somebody
else did meanwhile.

Only differences are planned. A node stays as it is when its data are the same bytes, and also when
they stand for the same properties in another layout, unless the text gives the data as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from zc.zk import nodedata
from zc.zk.links import LINK, PROPERTY_LINK, join
from zc.zk.tree.model import ParseNode
from zookeeper.constants import NOCHILDRENFOREPHEMERALS, NONODE
from zookeeper.errors import error

Acl = list[dict[str, Any]]
# An operation as `zookeeper.multi` and `zookeeper.write_many` take it.
Operation = tuple[Any, ...]


class NodeState(NamedTuple):
    """What is in ZooKeeper at one path; `children` are names, sorted."""

    data: str | None
    version: int
    is_ephemeral: bool
    children: Sequence[str] = ()
    error: Exception | None = None  # why the node could not be read


@dataclass(frozen=True)
class Change:
    """One step of a plan, about the node at `path`.

    `str()` is what a dry run prints for it, which may be several lines.
    """

    path: str

    @property
    def notice(self) -> str:
        """What is printed when the plan is applied; mostly nothing, ''."""
        return ""

    def operation(self, acl: Acl) -> Operation | None:
        """What to do, for `zookeeper.multi`; None for a node that is left alone.

        `acl` is for nodes that are created.
        """
        return None


@dataclass(frozen=True)
class AddNode(Change):
    """Create a node; `is_nested` says that its parent is created by the same plan."""

    data: str | None
    is_nested: bool = False

    def __str__(self) -> str:
        return f"add {self.path}"

    def details(self) -> list[str]:
        """A line for each property that the new node will have."""
        return _property_changes(self.path, {}, nodedata.decode(self.data, self.path))

    def operation(self, acl: Acl) -> Operation:
        return ("create", self.path, self.data, acl, 0)


@dataclass(frozen=True)
class SetData(Change):
    """Replace a node's data, `old`, read at `version`, by `new`."""

    old: str | None
    new: str | None
    version: int

    def __str__(self) -> str:
        lines = _property_changes(self.path, nodedata.decode(self.old), nodedata.decode(self.new))
        return "\n".join(lines) or f"{self.path} data change from {self.old!r} to {self.new!r}"

    def operation(self, acl: Acl) -> Operation:
        return ("set", self.path, self.new, self.version)


@dataclass(frozen=True)
class DeleteNode(Change):
    """Delete a node, read at `version`, whose children have been deleted before."""

    version: int

    def __str__(self) -> str:
        return f"would delete {self.path}."

    def operation(self, acl: Acl) -> Operation:
        return ("delete", self.path, self.version)


@dataclass(frozen=True)
class KeepExtra(Change):
    """Leave a node that the text does not mention, and say so."""

    def __str__(self) -> str:
        return f"extra path not trimmed: {self.path}"

    @property
    def notice(self) -> str:
        return str(self)


@dataclass(frozen=True)
class KeepEphemeral(Change):
    """Leave an ephemeral node, which whoever owns it still needs."""

    def __str__(self) -> str:
        return f"wouldn't delete {self.path} because it's ephemeral."

    @property
    def notice(self) -> str:
        return f"Not deleting {self.path} because it's ephemeral."


@dataclass(frozen=True)
class KeepAncestor(Change):
    """Leave a node because there is an ephemeral one below it."""

    def __str__(self) -> str:
        return f"{self.path} not deleted due to ephemeral descendent."

    @property
    def notice(self) -> str:
        return str(self)


def snapshot(
    nodes: Iterable[tuple[str, str | None, int, bool, Exception | None]],
) -> dict[str, NodeState]:
    """The state of nodes by path, from (path, data, version, is_ephemeral, error).

    `nodes` come parents first and children sorted by name. `error` is None for a node that could
    be read.
    """
    states: dict[str, NodeState] = {}
    for path, data, version, is_ephemeral, fault in nodes:
        parent, _, name = path.rpartition("/")
        if name and (above := states.get(parent or "/")):
            assert isinstance(above.children, list)
            above.children.append(name)
        states[path] = NodeState(data, version, is_ephemeral, [], fault)
    return states


def plan_import(
    tree: ParseNode, path: str, present: Mapping[str, NodeState], trim: bool | None = None
) -> list[Change]:
    """The changes that make the nodes below `path` what `tree`, a parsed tree, says.

    `present` holds `path` itself, and those of its children that the tree mentions with all that
    is below them; other children of `path` are not looked at. Nodes below them that the tree does
    not mention are reported if `trim` is None, left alone if it is False, and deleted if it is
    True, except for ephemeral nodes and those above them. Ephemeral ones are not worth a word when
    they are extra themselves: servers come and go.

    Raises NoNodeException when there is no node at `path`, NoChildrenForEphemeralsException when
    the tree has children for an ephemeral node, and the error of a node that could not be read but
    must be known.
    """
    if path not in present:
        raise error(NONODE, path)
    plan: list[Change] = []
    to_do = _children_to_do(tree, path)
    while to_do:
        node_path, node = to_do.pop()
        state = _readable(present, node_path)
        if state is None:
            plan += _additions(node, node_path)
            continue
        if state.is_ephemeral and node.children:
            raise error(NOCHILDRENFOREPHEMERALS, node_path)
        if _differs(node, state.data):
            plan.append(SetData(node_path, state.data, node.data, state.version))
        if trim is not False:
            for name in state.children:
                if name not in node.children:
                    plan += _extra(join(node_path, name), present, trim)
        to_do += _children_to_do(node, node_path)
    return plan


def plan_deletion(
    path: str,
    present: Mapping[str, NodeState],
    *,
    force: bool = False,
    ignore_if_ephemeral: bool = False,
) -> list[Change]:
    """The changes that delete the node at `path` and all below it, children first.

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
        if not children_are_done:
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


def operations(plan: Iterable[Change], acl: Acl) -> list[Operation]:
    """What to do for a plan, in order, for `zookeeper.multi` or `zookeeper.write_many`."""
    steps = (change.operation(acl) for change in plan)
    return [operation for operation in steps if operation is not None]


def messages(
    plan: Iterable[Change], *, dry_run: bool = False, verbose: bool = False
) -> Iterator[str]:
    """Yield the lines to print for a plan, when it is applied or, for a dry run, is not.

    Of a new subtree a dry run shows the top only; `verbose` adds the nodes in it and all
    their properties.
    """
    for change in plan:
        if not dry_run:
            if change.notice:
                yield change.notice
        elif not isinstance(change, AddNode):
            yield from str(change).split("\n")
        elif verbose:
            yield str(change)
            yield from change.details()
        elif not change.is_nested:
            yield str(change)


def _children_to_do(node: ParseNode, path: str) -> list[tuple[str, ParseNode]]:
    """The children with their paths, the first one last, as `list.pop` takes them."""
    return [(join(path, name), node.children[name]) for name in sorted(node.children, reverse=True)]


def _additions(top: ParseNode, top_path: str) -> Iterator[AddNode]:
    to_do = [(top_path, top)]
    while to_do:
        path, node = to_do.pop()
        yield AddNode(path, node.data, is_nested=node is not top)
        to_do += _children_to_do(node, path)


def _extra(path: str, present: Mapping[str, NodeState], trim: bool | None) -> list[Change]:
    if trim:
        return plan_deletion(path, present, ignore_if_ephemeral=True)
    if (state := present.get(path)) is None or state.is_ephemeral:
        return []
    return [KeepExtra(path)]


def _differs(node: ParseNode, data: str | None) -> bool:
    """Whether the node's data in ZooKeeper have to be written."""
    wanted = node.data
    if wanted == data:
        return False
    if node.raw is not None:
        return True
    # Compared is what the written data will read as, whatever the node's class made of them.
    wanted_properties = nodedata.to_json(nodedata.decode(wanted))
    return wanted_properties != nodedata.to_json(nodedata.decode(data))


def _property_changes(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """A line for each difference: removals and changes by name, then additions by name."""
    lines = []
    for key in sorted(old):
        if key not in new:
            lines.append(f"{path} remove {_described(key, old[key])}")
        elif nodedata.to_json(old[key]) != nodedata.to_json(new[key]):
            lines.append(f"{path} {_change(key, old[key], new[key])}")
    lines += [f"{path} add {_described(key, new[key])}" for key in sorted(new) if key not in old]
    return lines


def _described(key: str, value: object) -> str:
    for suffix in (LINK, PROPERTY_LINK):
        if key.endswith(suffix) and isinstance(value, str):
            return f"link {key} {value}"
    return f"property {key} = {value!r}"


def _change(key: str, old: object, new: object) -> str:
    for suffix in (LINK, PROPERTY_LINK):
        if key.endswith(suffix) and isinstance(old, str) and isinstance(new, str):
            return f"{key.removesuffix(suffix)} link change from {old} to {new}"
    return f"{key} change from {old!r} to {new!r}"


def _readable(present: Mapping[str, NodeState], path: str) -> NodeState | None:
    """The state of a node, None if it is not there; raises the error of an unreadable one."""
    state = present.get(path)
    if state is not None and state.error is not None:
        raise state.error
    return state


def _parent(path: str) -> str:
    return path.rpartition("/")[0] or "/"
