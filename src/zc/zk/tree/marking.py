"""Plans of imports: ACLs and kinds of nodes, besides their data (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zc.zk.acl import OPEN_ACL_UNSAFE
from zc.zk.links import join
from zc.zk.tree.access import allows, has_auth, is_as_shown, is_masked, with_a_way_in
from zc.zk.tree.changes import AddNode, Change
from zc.zk.tree.markchanges import LeaveOut, SetAcl
from zc.zk.tree.marks import EPHEMERAL, Marks, distinct
from zc.zk.tree.model import ParseNode
from zc.zk.tree.sequence import is_sequential, named
from zookeeper.constants import NOCHILDRENFOREPHEMERALS, PERM_CREATE
from zookeeper.errors import error

if TYPE_CHECKING:
    from zc.zk.tree.exporting import Skip
    from zookeeper.types import Acl


class Marking:
    """All that is known, and asked for, about the marks of nodes.

    `acls` are those of nodes that are there, with their versions, or why they cannot be read.
    `reset` is the ACL that nodes get of whose the text says nothing, None if they keep theirs. With
    `ephemeral_as_permanent` permanent nodes are made of those that were ephemeral. `skip` is called
    for nodes that cannot be read, which are left as they are, with all below them; without it they
    are errors. `identities` are the session's, for which entries of the scheme `auth` stand.
    """

    __slots__ = ("acls", "ephemeral_as_permanent", "identities", "reset", "skip")

    def __init__(
        self,
        acls: Mapping[str, tuple[Acl, int] | Exception] | None = None,
        identities: Sequence[tuple[str, str]] = (),
        reset: Acl | None = None,
        ephemeral_as_permanent: bool = False,
        skip: Skip | None = None,
    ) -> None:
        self.acls = acls if acls is not None else {}
        self.identities = identities
        self.reset = reset
        self.ephemeral_as_permanent = ephemeral_as_permanent
        self.skip = skip

    def unreadable(self, path: str, fault: Exception) -> None:
        """Pass over a node that cannot be read, or raise why."""
        if self.skip is None:
            raise fault
        self.skip(path, fault)

    def is_left_out(self, node: ParseNode) -> bool:
        """Return whether a node is a registration, which is not made."""
        marks = node.marks
        return marks is not None and marks.kind == EPHEMERAL and not self.ephemeral_as_permanent

    def of_existing(self, path: str, node: ParseNode, inherited: Acl | None) -> list[Change]:
        """Return the changes of marks of a node that is there, whose kind servers do not tell."""
        wanted = acl_of(node, inherited) or self.reset
        found = self.acls.get(path)
        if wanted is None or found is None:
            return []
        if isinstance(found, Exception):
            self.unreadable(path, found)
            return []
        wanted, (acl, version) = distinct(wanted), found
        return (
            []
            if is_as_shown(wanted, acl, self.identities)
            else [SetAcl(path, acl, wanted, version)]
        )

    def new_nodes(self, node: ParseNode, path: str, inherited: Acl | None) -> list[Change]:
        """Plan a node that is not there, and all below it."""
        made: list[Change] = []
        to_do = [(node, path, inherited, False)]
        while to_do:
            node, path, inherited, is_nested = to_do.pop()
            if self.is_left_out(node):
                if node.children:
                    raise error(NOCHILDRENFOREPHEMERALS, path)
                made.append(LeaveOut(path))
                continue
            acl = acl_of(node, inherited)
            data = node if node.data_may_wait else node.data
            made.append(AddNode(path, data, is_nested, marks_to_make(node, acl)))
            to_do += [
                (node.children[name], join(path, name), acl, True)
                for name in sorted(node.children, reverse=True)
            ]
        return made


def acl_of(node: ParseNode, inherited: Acl | None) -> Acl | None:
    """Return the ACL that the text has for a node; None if it says nothing."""
    return inherited if node.marks is None or node.marks.acl is None else node.marks.acl


def marks_to_make(node: ParseNode, acl: Acl | None) -> Marks | None:
    """Return the marks that a new node gets."""
    marks = node.marks
    if marks is None or marks.kind in ("", EPHEMERAL):
        return None if acl is None else Marks(acl)
    return marks._replace(acl=acl)


def with_acls(
    tree: ParseNode, path: str, present: Mapping[str, Any], *, is_reset: bool
) -> list[str]:
    """Return the paths of nodes that are there whose ACLs a plan needs to know."""
    paths: list[str] = []
    to_do: list[tuple[ParseNode, str, Acl | None]] = [
        (child, join(path, name), None) for name, child in tree.children.items()
    ]
    while to_do:
        node, where, inherited = to_do.pop()
        state = present.get(where)
        if state is None or state.error is not None:
            continue
        acl = acl_of(node, inherited)
        if (acl is not None or is_reset) and not Marking().is_left_out(node):
            paths.append(where)
        to_do += [(child, join(where, name), acl) for name, child in node.children.items()]
    return paths


def has_acls(tree: ParseNode) -> bool:
    """Return whether a text says anything about ACLs."""
    return any(node.marks is not None and node.marks.acl is not None for _, node in tree.walk())


def is_about_us(tree: ParseNode, acl: Acl | None) -> bool:
    """Return whether an ACL of a text, or `acl`, is about the identity of the session."""
    acls = [node.marks.acl for _, node in tree.walk() if node.marks is not None]
    return any(each is not None and has_auth(each) for each in [acl, *acls])


def open_at_the_top(tree: ParseNode) -> None:
    """Have a text that tells all ACLs say so of the open ones at the top, which it leaves out."""
    for node in tree.children.values():
        marks = node.marks or Marks()
        if marks.acl is None:
            node.marks = marks._replace(acl=OPEN_ACL_UNSAFE)


def acls_in(tree: ParseNode) -> dict[str, tuple[Acl, int]]:
    """Return the ACLs that a text tells, by path, as if they had been read."""
    found: dict[str, tuple[Acl, int]] = {}
    to_do: list[tuple[ParseNode, str, Acl | None]] = [(tree, "/", None)]
    while to_do:
        node, path, inherited = to_do.pop()
        acl = acl_of(node, inherited)
        if acl is not None:
            found[path] = acl, 0
        to_do += [(child, join(path, name), acl) for name, child in node.children.items()]
    return found


def shut(changes: Iterable[Change]) -> list[AddNode]:
    """Return new nodes with children, in which not everybody may make these."""
    new = {change.path: change for change in changes if isinstance(change, AddNode)}
    parents = dict.fromkeys(path.rpartition("/")[0] or "/" for path in new)
    return [
        change
        for path in parents
        if (change := new.get(path)) is not None
        and change.marks is not None
        and change.marks.acl is not None
        and not allows(change.marks.acl, PERM_CREATE, [])
    ]


def with_ways_in(changes: list[Change], identities: Iterable[tuple[str, str]]) -> list[Change]:
    """Have children be made in new nodes whose ACL would not let the session do that.

    Such a node is made with an entry more, for the session alone, and gets its own ACL when all
    below it is there.
    """
    known = list(identities)
    instead: dict[str, AddNode] = {}
    after: list[Change] = []
    for change in shut(changes):
        assert change.marks is not None
        acl = change.marks.acl
        assert acl is not None
        if allows(acl, PERM_CREATE, known) or (meanwhile := with_a_way_in(acl, known)) is None:
            continue
        instead[change.path] = change.but(
            is_nested=change.is_nested, marks=change.marks._replace(acl=meanwhile)
        )
        after.append(SetAcl(change.path, meanwhile, acl, 0, is_of_new=True))
    return [instead.get(change.path, change) for change in changes] + after


def losses(changes: Iterable[Change]) -> list[str]:
    """Return a sentence for each kind of thing that a plan does not bring back."""
    left_out: list[str] = []
    counters: dict[str, None] = {}
    hidden: list[str] = []
    for change in changes:
        if isinstance(change, SetAcl) and not change.is_of_new and is_masked(change.new):
            hidden.append(change.path)
        if isinstance(change, LeaveOut):
            left_out.append(change.path)
        elif isinstance(change, AddNode):
            if change.marks is not None and is_masked(change.marks.acl or ()):
                hidden.append(change.path)
            if is_sequential(change.path):
                counters[change.path.rpartition("/")[0] or "/"] = None
    told = []
    if left_out:
        told.append(f"ephemeral nodes are not made again: {named(left_out)}")
    if hidden:
        told.append(f"ACLs without their hashes let nobody in: {named(hidden)}")
    if counters:
        told.append(f"sequence counters begin anew, below numbers in use: {named(list(counters))}")
    return told
