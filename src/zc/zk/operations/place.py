"""The nodes that a plan is about, as they were read in a few round trips."""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import zookeeper
from zc.zk._speedups import is_same
from zc.zk.links import join
from zc.zk.operations.subtree import Seen, read_nodes, read_written, states_of
from zc.zk.owners import is_session
from zc.zk.session.retry import attempts
from zc.zk.session.session import Session
from zc.zk.tree.diff import AS_WANTED, NodeState
from zc.zk.tree.model import ParseNode

if TYPE_CHECKING:
    from zc.zk.tree.exporttext import Writer
    from zc.zk.tree.unparsed import Unparsed
    from zookeeper.types import Progress, Znode
else:
    Writer = Znode = Any  # large modules, for types

# More subtrees than this at one place are read together with all that is beside them.
MANY_SUBTREES = 20


class Leaf(NamedTuple):
    """A node without children, as `zookeeper.get_many` answers, as one of a subtree."""

    path: str
    data: str | None
    ephemeralOwner: int
    error: Exception | None
    depth: int = 0

    @property
    def name(self) -> str:
        return _name(self.path)


class Place:
    """The node at `path` and some of its children, with all below them, as they were read.

    `answers` are those of `get_many` about the children, by path, and `own` that about the node
    itself. Those that have children are in `trees`; in the place of these there is `everything`
    below the node where they are many. Nothing was read before the servers' change `zxid`. So many
    nodes of a tree as `known` has for it, by name, are what a text begins with; see `is_same`.
    `writers` were told of the nodes of `trees`, by name, as they came.
    """

    __slots__ = ("answers", "everything", "known", "own", "path", "trees", "writers", "zxid")

    def __init__(self, path: str, own: Any, answers: dict[str, Any], zxid: int) -> None:
        self.path = path
        self.own = own
        self.answers = answers
        self.trees: dict[str, Iterable[Znode]] = {}
        self.everything: Iterable[Znode] | None = None
        self.zxid = zxid
        self.known: Mapping[str, int] = {}
        self.writers: dict[str, Writer] = {}

    @property
    def names(self) -> list[str]:
        """The names of the children that were looked for, sorted."""
        return [*map(_name, self.answers)]

    @property
    def is_missing(self) -> bool:
        return isinstance(self.own, zookeeper.NoNodeException)

    @property
    def has_none(self) -> bool:
        """Whether none of the children is there."""
        return all(isinstance(each, zookeeper.NoNodeException) for each in self.answers.values())

    def tops(self) -> dict[str, Iterable[Znode | Leaf]]:
        """Return the children by name, each with all below it; none where they are many."""
        if self.everything is not None:
            return {}
        return {
            _name(path): self.trees[path] if path in self.trees else [_leaf(path, answer)]
            for path, answer in self.answers.items()
        }

    def seen(self, wanted: Mapping[str, ParseNode], *, of_all: bool = False) -> Seen:
        """Return the nodes' states by path, none if the node itself is missing.

        Nodes below a child that is as the one in `wanted`, with all below it, are left out unless
        `of_all`.
        """
        if self.is_missing:
            return Seen({}, self.zxid)
        states = {self.path: _state_of(self.own)}
        if self.everything is not None:
            below = _by_top(self.path, states_of(self.everything))
        else:
            below = {
                path: states_of(tree)
                if of_all or not self._is_as(wanted, path)
                else {path: AS_WANTED}
                for path, tree in self.trees.items()
            }
        for path, answer in self.answers.items():
            if path in below:
                states.update(below[path])
            elif not isinstance(answer, zookeeper.NoNodeException):
                states[path] = _state_of(answer)
        return Seen(states, self.zxid)

    def _is_as(self, wanted: Mapping[str, ParseNode], path: str) -> bool:
        """Return whether the node at `path`, which is one of `trees`, is seen to be as wanted."""
        name = _name(path)
        node = wanted.get(name)
        return node is not None and is_same(node, self.trees[path], self.known.get(name, 0))


def read_place(
    session: Session,
    path: str,
    names: Iterable[str],
    progress: "Progress | None" = None,
    text: "Unparsed | None" = None,
) -> Place:
    """Read the node at `path`, and those of its children that have these names.

    With a text that they are to be compared with, they are written meanwhile.
    """
    paths = [path, *(join(path, name) for name in sorted(names))]
    for attempt in attempts(session):
        with attempt:
            found = session.call(session.binding.get_many, paths)
    place = Place(path, found[0], dict(zip(paths[1:], found[1:], strict=True)), found.zxid)
    if place.is_missing:
        return place
    with_children = [
        child
        for child, answer in place.answers.items()
        if isinstance(answer, tuple) and answer[1]["numChildren"]
    ]
    if len(with_children) > MANY_SUBTREES:
        tree = read_nodes(session, path, progress)
        place.everything = tree
        place.zxid = min(place.zxid, tree.zxid)
        return place
    for child in with_children:
        name = _name(child)
        try:
            if text is None:
                tree = read_nodes(session, child, progress)
            else:
                new = partial(text.writer_of, name)
                tree, place.writers[name] = read_written(session, child, new, progress)
        except zookeeper.NoNodeException:
            place.trees[child] = []
        else:
            place.trees[child] = tree
            place.zxid = min(place.zxid, tree.zxid)
    return place


def _leaf(path: str, answer: Any) -> Leaf:
    if isinstance(answer, Exception):
        return Leaf(path, None, 0, answer)
    data, stat = answer
    return Leaf(path, data, stat["ephemeralOwner"], None)


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _by_top(path: str, everything: Mapping[str, NodeState]) -> dict[str, dict[str, NodeState]]:
    """Return the states below `path`, separately for each of its children."""
    start = len(path.rstrip("/")) + 1
    tops: dict[str, dict[str, NodeState]] = {}
    for node_path, state in everything.items():
        if node_path != path:
            name = node_path[start:].partition("/")[0]
            tops.setdefault(join(path, name), {})[node_path] = state
    return tops


def _state_of(answer: Any) -> NodeState:
    """Return the state of a node without children, from the answer of `zookeeper.get_many`."""
    if isinstance(answer, Exception):
        return NodeState(None, -1, False, [], answer)
    data, stat = answer
    return NodeState(data, stat["version"], is_session(stat["ephemeralOwner"]), [])
