"""The nodes below a node, the largest of them, and how many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

import zookeeper
from zc.zk.operations import reading
from zc.zk.operations.survey import Found, survey
from zc.zk.session.retry import attempts
from zc.zk.session.session import Session
from zc.zk.tree.selection import Selection

if TYPE_CHECKING:
    from zookeeper.types import Progress, Stat

K = TypeVar("K")


class Selected(Generic[K]):
    """Whether a node is looked for, and what was kept of its data if so."""

    __slots__ = ("is_selected", "kept")

    def __init__(self, is_selected: bool, kept: K | None) -> None:
        self.is_selected = is_selected
        self.kept = kept


def everything(
    session: Session, path: str, *, depth: int | None = None, progress: Progress | None = None
) -> Iterator[Found[None]]:
    """Yield the node to which `path` leads, and all below it, at most `depth` levels."""
    real_path, _ = reading.locate(session, path)
    return survey(session, real_path, _nothing, depth=depth, progress=progress)


def below(
    session: Session, path: str, *, depth: int | None = None, progress: Progress | None = None
) -> Iterator[Found[None]]:
    """Yield all nodes below that to which `path` leads, at most `depth` levels.

    Raises the refusal if that node itself may not be read.
    """
    nodes = everything(session, path, depth=depth, progress=progress)
    top = next(nodes)
    if top.refusal is not None:
        raise top.refusal
    yield from nodes


def select(
    session: Session,
    path: str,
    selection: Selection,
    keep: Callable[[str | None], K],
    *,
    depth: int | None = None,
    progress: Progress | None = None,
) -> Iterator[Found[Selected[K]]]:
    """Yield the node to which `path` leads and all below, with what the selection says of each.

    `keep` makes of the data of selected nodes what is kept of them: many are read ahead. A node
    that may not be read is selected by its stat, unless it takes data to tell.
    """
    real_path, _ = reading.locate(session, path)

    def take(path: str, data: str | None, stat: Stat) -> Selected[K]:
        is_selected = selection.has_outside(path, stat) and selection.has_inside(data)
        return Selected(True, keep(data)) if is_selected else Selected(False, None)

    for found in survey(session, real_path, take, depth=depth, progress=progress):
        if found.value is not None:
            yield found
            continue
        is_selected = not selection.needs_data and selection.has_outside(found.path, found.stat)
        yield Found(found.path, found.depth, found.stat, Selected(is_selected, None), found.refusal)


def number_below(session: Session, path: str) -> int:
    """Return how many nodes are below that to which `path` leads, on all levels.

    A server that is too old to be asked has them read one by one.
    """
    real_path, _ = reading.locate(session, path)
    for attempt in attempts(session):
        with attempt:
            try:
                return session.call(session.binding.get_all_children_number, real_path)
            except zookeeper.UnimplementedException:
                return sum(1 for _ in below(session, real_path))
    raise AssertionError("the last attempt returns or raises")


def _nothing(path: str, data: str | None, stat: Stat) -> None:
    return None
