"""Reading and changing the ACLs of many nodes.

Servers set no ACL in a transaction. So each is set by a request of its own, many under way at once,
each if the ACL is still the one that was read; what has become of those whose answer was lost is
looked at.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import zookeeper
from zc.zk.operations.accounts import tell_with
from zc.zk.operations.apply import CONSEQUENCES
from zc.zk.operations.survey import Found, survey
from zc.zk.session.retry import attempts
from zc.zk.session.session import Session
from zc.zk.tree.aclchange import AclChange, Entries, Lists, is_same

if TYPE_CHECKING:
    from zookeeper.types import Acl, Progress
else:
    Acl = Any  # a large module, for a type

# So many ACLs are read at a time.
MAX_AT_ONCE = 2000


class NodeAcl(NamedTuple):
    """The ACL of a node, and its version; or why it may not be read.

    With `is_closed` the node's children may not be seen.
    """

    path: str
    acl: Acl
    aversion: int
    refusal: zookeeper.ZooKeeperException | None = None
    is_closed: bool = False


class Outcome(NamedTuple):
    """How many ACLs were changed, and by path why others were not."""

    changed: int
    faults: dict[str, Exception]


def read_acls(
    session: Session, path: str, *, below: bool, progress: "Progress | None" = None
) -> Iterator[NodeAcl]:
    """Yield the ACL of the node at `path`, with `below` of all below it.

    Raises NoNodeException when there is no node at `path`.
    """
    lists = Lists()
    found = survey(session, path, lambda *_: None, depth=None if below else 0, progress=progress)
    while part := list(islice(found, MAX_AT_ONCE)):
        yield from _read(session, part, lists)


def _read(session: Session, part: list[Found[None]], lists: Lists) -> Iterator[NodeAcl]:
    paths = [node.path for node in part]
    for attempt in attempts(session):
        with attempt:
            answers = session.call(session.binding.get_acl_many, paths)
    for node, answer in zip(part, answers, strict=True):
        is_closed = node.refusal is not None
        if isinstance(answer, zookeeper.NoNodeException):
            continue
        if isinstance(answer, zookeeper.ZooKeeperException):
            yield NodeAcl(node.path, (), -1, answer, is_closed)
        else:
            stat, acl = answer
            yield NodeAcl(node.path, lists.one(acl), stat["aversion"], None, is_closed)


class Planning:
    """Plans changes of ACLs, each list of which is made once."""

    def __init__(self, wanted: Entries) -> None:
        self._wanted = wanted
        # By the id of the old one, which is kept so that nothing else gets it.
        self._made: dict[int, tuple[Acl, Acl | None]] = {}

    def change(self, node: NodeAcl) -> AclChange | None:
        """Return the change of a node's ACL; None if it is as wanted.

        Raises ValueError when nothing would be left of it.
        """
        made = self._made.get(id(node.acl))
        if made is None:
            wanted = self._wanted.applied_to(node.acl)
            made = node.acl, None if is_same(wanted, node.acl) else wanted
            self._made[id(node.acl)] = made
        _, new = made
        if new is None:
            return None
        if not new:
            raise ValueError(f"{node.path}: no entry would be left, and servers take no empty ACL")
        return AclChange(node.path, node.acl, new, node.aversion)


def change_acls(
    session: Session, changes: Sequence[AclChange], progress: "Progress | None" = None
) -> Outcome:
    """Change ACLs, each if it is still as it was planned. Nothing is undone after a failure."""
    left = list(changes)
    faults: dict[str, Exception] = {}
    try:
        for attempt in attempts(session):
            with attempt:
                if attempt.number > 1:
                    left = _still_to_do(session, left, faults)
                left, break_ = _change(session, left, faults, progress)
                if break_ is not None:
                    raise break_
    except zookeeper.ZooKeeperException as fault:
        done = len(changes) - len(left) - len(faults)
        told = f"done: {done or 'none'} of {len(changes)} changes of ACLs"
        if isinstance(fault, zookeeper.SessionError):
            told += f"; {len(left)} others may have been"
        tell_with(fault, told)
        raise
    return Outcome(len(changes) - len(faults), faults)


def _change(
    session: Session,
    changes: list[AclChange],
    faults: dict[str, Exception],
    progress: "Progress | None",
) -> tuple[list[AclChange], zookeeper.SessionError | None]:
    """Make changes, note the failures; return those that were cut off, and by what."""
    steps = [("set_acl", each.path, each.new, each.aversion) for each in changes]
    results = session.call(session.binding.write_many, steps, stop=False, progress=progress)
    break_: zookeeper.SessionError | None = None
    cut_off = []
    for change, result in zip(changes, results, strict=True):
        if isinstance(result, (zookeeper.SessionError, *CONSEQUENCES)):
            cut_off.append((change, result))
            if isinstance(result, zookeeper.SessionError):
                break_ = break_ or result
        elif isinstance(result, Exception):
            faults[change.path] = result
    if break_ is None:
        faults.update({change.path: result for change, result in cut_off})
        return [], None
    return [change for change, _ in cut_off], break_


def _still_to_do(
    session: Session, changes: list[AclChange], faults: dict[str, Exception]
) -> list[AclChange]:
    """Return those of changes that were cut off that have not happened; note what is in the way."""
    answers = session.call(session.binding.get_acl_many, [change.path for change in changes])
    left = []
    for change, answer in zip(changes, answers, strict=True):
        if isinstance(answer, Exception):
            faults[change.path] = answer
            continue
        stat, acl = answer
        if stat["aversion"] == change.aversion:
            left.append(change)
        elif stat["aversion"] != change.aversion + 1 or not _may_be(acl, change.new):
            faults[change.path] = zookeeper.error(zookeeper.BADVERSION, change.path)
    return left


def _may_be(acl: Acl, wanted: Acl) -> bool:
    """Say whether a server may have made an ACL of the one that was wanted."""
    return is_same(acl, wanted) or any(entry["scheme"] == "auth" for entry in wanted)
