"""Import: make nodes what a tree says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import zookeeper
from zc.zk._speedups import Outline, has_marks
from zc.zk.errors import LossError
from zc.zk.links import is_direct, is_within, join
from zc.zk.operations.identities import told_identities
from zc.zk.operations.manyacls import read_acls
from zc.zk.operations.place import Place, read_place
from zc.zk.operations.plan import Plan
from zc.zk.operations.subtree import CONFLICTS, reserved
from zc.zk.session.retry import attempts
from zc.zk.session.session import Session
from zc.zk.session.state import CONNECTED
from zc.zk.tree.changes import AddNode
from zc.zk.tree.diff import NodeState, plan_import, plan_outline
from zc.zk.tree.marking import Marking, is_about_us, shut, with_acls, with_ways_in
from zc.zk.tree.model import ParseNode
from zc.zk.tree.planned import Changes, Item
from zc.zk.tree.unparsed import Unparsed

if TYPE_CHECKING:
    from zc.zk.tree.exporting import Skip
    from zookeeper.types import Acl, Progress


class Options:
    """How to import; see `zc.zk.ZooKeeper.import_tree`.

    `review` is called with each plan before it is applied, and may raise.
    """

    __slots__ = ("ephemeral_as_permanent", "reset_acls", "review", "skip", "strict", "trim")

    def __init__(
        self,
        trim: bool | None = None,
        reset_acls: bool = False,
        ephemeral_as_permanent: bool = False,
        strict: bool = False,
        skip: Skip | None = None,
        review: Callable[[Plan], object] | None = None,
    ) -> None:
        self.trim = trim
        self.reset_acls = reset_acls
        self.ephemeral_as_permanent = ephemeral_as_permanent
        self.strict = strict
        self.skip = skip
        self.review = review


def make_plan(
    session: Session,
    tree: ParseNode | Unparsed,
    path: str,
    *,
    acl: Acl,
    options: Options,
    progress: Progress | None = None,
) -> Plan:
    """Plan how the nodes below `path` become what `tree` says.

    Raises TreeSyntaxError before anything else, and then InvalidACLException for what is no ACL.
    """
    place = None
    if isinstance(tree, Unparsed):
        if _may_need_no_parsing(session, tree, path, options):
            place = _first_look(session, tree, path, acl, progress)
            if tree.is_export_of(place.tops(), place.writers):
                return Plan(session, Changes([]), acl, place.zxid)
            place.known, place.writers = tree.known, {}
            if place.has_none and (outline := tree.outline()) is not None:
                if place.is_missing and path != "/":
                    place = _behind_links(session, place, outline.names, progress)
                if place.has_none:
                    return Plan(session, _plan_outline(session, outline, place), acl, place.zxid)
        tree = tree.parse()
    _check_acl(session, path, acl)
    if place is None or place.names != sorted(tree.children):
        place = read_place(session, path, tree.children, progress)
    if place.is_missing and path != "/":
        place = _behind_links(session, place, tree.children, progress)
    is_marked = has_marks(tree)
    seen = place.seen(tree.children, of_all=is_marked or options.reset_acls)
    path = place.path
    del place  # which takes a lot of memory where the nodes are many
    marking = Marking(
        reset=acl if options.reset_acls else None,
        ephemeral_as_permanent=options.ephemeral_as_permanent,
        skip=options.skip,
    )
    if is_marked or options.reset_acls:
        _add_acls(session, tree, path, seen.states, marking, progress)
    if seen.states:
        own = reserved(session)
        changes = plan_import(tree, path, seen.states, options.trim, marking, own=own)
    else:
        path = _place(session, path)
        made = plan_import(tree, path, {path: NodeState("", 0, False)}, marking=marking)
        changes = _with_ancestors(session, path, made)
    if is_marked and shut(changes):
        changes = Changes([*with_ways_in(list(changes), told_identities(session) or [])])
    return Plan(session, changes, acl, seen.zxid)


def _may_need_no_parsing(session: Session, text: Unparsed, path: str, options: Options) -> bool:
    """Say whether nothing is to be done if the text is an export, and it is known without a wait.

    Servers' own nodes are told of, whatever the text. Where there is no connection to wait for
    faults of the text are told at once.
    """
    if text.is_parsed or options.reset_acls or session.state not in CONNECTED:
        return False
    own = reserved(session)
    return own is None or not any(is_within(join(path, name), own) for name in text.names)


def _first_look(
    session: Session, text: Unparsed, path: str, acl: Acl, progress: Progress | None
) -> Place:
    """Read the nodes that a text is about. Raises its faults rather than what else is wrong."""
    try:
        _check_acl(session, path, acl)
        return read_place(session, path, text.names, progress, text)
    except Exception:
        text.parse()
        raise


def _behind_links(
    session: Session, place: Place, names: Iterable[str], progress: Progress | None
) -> Place:
    """Return the place that links lead to, that itself if they lead nowhere."""
    from zc.zk.watching.readers import resolve

    try:
        for attempt in attempts(session):
            with attempt:
                path = resolve(session, place.path)
    except zookeeper.NoNodeException:
        return place
    place = read_place(session, path, names, progress)
    if place.is_missing:
        raise zookeeper.error(zookeeper.NONODE, path)
    return place


def _add_acls(
    session: Session,
    tree: ParseNode,
    path: str,
    present: dict[str, NodeState],
    marking: Marking,
    progress: Progress | None,
) -> None:
    """Add to the marking all that is known of the ACLs that a plan is about, if any."""
    paths = with_acls(tree, path, present, is_reset=marking.reset is not None)
    if not paths:
        return
    marking.acls = _acls(session, paths, progress)
    if is_about_us(tree, marking.reset):
        marking.identities = told_identities(session) or []


def _check_acl(session: Session, path: str, acl: Acl) -> None:
    """Raise what the binding says against an ACL, which is asked of no server."""
    where = path if is_direct(path) else "/"
    session.call(session.binding.check_operations, [("create", where, "", acl)])


def _acls(
    session: Session, paths: list[str], progress: Progress | None
) -> dict[str, tuple[Acl, int] | Exception]:
    """Read the ACLs of nodes, with their versions; nothing of those that have vanished."""
    answers = read_acls(session, paths, progress)
    return {
        path: answer if isinstance(answer, Exception) else (answer[1], answer[0]["aversion"])
        for path, answer in zip(paths, answers, strict=True)
        if not isinstance(answer, zookeeper.NoNodeException)
    }


def _place(session: Session, path: str) -> str:
    """Return where the missing node `path` is to be made. Raises NoNodeException."""
    from zc.zk.operations.real import place_to_make

    return place_to_make(session, path) if is_direct(path) else path


def _plan_outline(session: Session, outline: Outline, place: Place) -> Changes:
    """Plan to make all nodes of a text at a place that has none of them."""
    if not place.is_missing:
        return plan_outline(outline, place.path)
    path = _place(session, place.path)
    return _with_ancestors(session, path, plan_outline(outline, path))


def _with_ancestors(session: Session, path: str, planned: Changes) -> Changes:
    """Plan for a path that does not exist: it is made first, and the nodes above it."""
    names = [name for name in path.split("/") if name]
    ancestors = ["/" + "/".join(names[: count + 1]) for count in range(len(names))]
    if session.root:
        ancestors.insert(0, "/")
    for attempt in attempts(session):
        with attempt:
            answers = session.call(session.binding.get_many, ancestors)
    made: list[Item] = [
        AddNode(ancestor, "", is_nested=False)
        for ancestor, answer in zip(ancestors, answers, strict=True)
        if isinstance(answer, zookeeper.NoNodeException)
    ]
    made += planned.items
    return planned.of(
        [
            change.but(is_nested=index > 0, marks=change.marks)
            if isinstance(change, AddNode)
            else change
            for index, change in enumerate(made)
        ]
    )


def require_no_losses(plan: Plan) -> None:
    """Raise LossError for a plan that does not bring back all."""
    if plan.losses:
        raise LossError("; ".join(plan.losses))


def import_tree(
    session: Session,
    tree: ParseNode | Unparsed,
    path: str,
    *,
    acl: Acl,
    options: Options,
    progress: Progress | None = None,
    plan: Plan | None = None,
) -> Plan:
    """Plan and apply until no conflict with anybody else is left; return the last plan.

    `plan` is the first one if the caller has made it already.
    """
    for attempt in attempts(session, CONFLICTS):
        made = plan or make_plan(session, tree, path, acl=acl, options=options, progress=progress)
        if options.strict:
            require_no_losses(made)
        if options.review is not None:
            options.review(made)
        plan = None
        with attempt:
            made.apply(progress)
    return made
