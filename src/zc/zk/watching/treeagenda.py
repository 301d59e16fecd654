"""The reads that a live tree has to do next, and what it makes of the answers.

Pure: `next` says what to read, `take` takes the answers in. Nothing of it is lost if a read fails,
as it is done with when it is answered. See docs/decisions/sessions/live-trees.txt for why this
misses nothing.

An event says "read again". A gap puts all nodes in doubt: the numbers in its stat tell whether a
node has changed, and whether the names of its children have, which are read only then.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from zc.zk.links import join
from zc.zk.watching.packedstats import packed
from zc.zk.watching.treechanges import ADDED, CHANGED, REMOVED, Log, note
from zc.zk.watching.treenodes import Entry, Nodes, signs
from zookeeper.errors import NoNodeException, ZooKeeperException

if TYPE_CHECKING:
    from zookeeper.types import Subtree

# Of a node with longer data (bytes) the stat is read first, by a request of its own. That costs a
# server more than many nodes at once do, but there is no such request for stats.
MAX_READ_ALONG = 8192

# The knowledge of a node that is wanted: its data, whether its children's names have changed, and
# these names even if they seem not to have. Nothing of these: its stat.
DATA, NAMES, LISTED = 1, 2, 4

# Nodes that are remembered whose names have changed as events alone say; all count as such then.
MAX_BELIEVED = 10_000


class Reads(NamedTuple):
    """Paths: of nodes to be read, of those whose stat is wanted, and of those whose names are."""

    nodes: list[str]
    stats: list[str]
    names: list[str]


class Answers(NamedTuple):
    """The answers, in the same order; an exception where a server says something else.

    (data, stat) of nodes, stats (None if there is no such node), lists of names.
    """

    nodes: Sequence[Any]
    stats: Sequence[Any]
    names: Sequence[Any]


class Agenda:
    """The nodes of a tree and what is to be read of them.

    `depth` is the number of levels below the root that belong to the tree, None for all; `accepts`
    says of a path whether it does, with what is below it. `log` has the changes that were noted.
    """

    def __init__(
        self, root: str, depth: int | None = None, accepts: Callable[[str], bool] | None = None
    ) -> None:
        self.nodes = Nodes(root)
        self.log: Log = {}
        # Nodes that are there and may not be read, for whom no event need come.
        self.refused: dict[str, None] = {}
        self._depth = depth
        self._accepts = accepts
        self._unread: dict[str, int] = {}
        self._unlisted: dict[str, None] = {}
        # Nodes with another number of children than is known, perhaps for a moment.
        self._suspects: dict[str, None] = {}
        self._doubted: Iterator[tuple[str, int, Entry]] | None = None
        # Nodes whose children have changed, of which events tell. A gap that is not known of yet
        # may have kept some back, and later stats are compared with one of after the gap then.
        self._believed: dict[str, None] = {}
        self._believes_all = False

    def load(self, subtree: "Subtree") -> None:
        """Take in a whole tree that was read at once, which has all nodes at any depth."""
        self.refused = dict.fromkeys(self.nodes.fill(subtree))

    def note(self, path: str) -> None:
        """Note an event: something has happened to a node."""
        if self._wants(path):
            self._add(path, DATA)

    def doubt(self) -> None:
        """Doubt all: events may have been missed."""
        if self.nodes.count == 0:
            self._add(self.nodes.root, DATA)
        self._doubted = self.nodes.walk(self.nodes.root)
        self._unlisted |= self._believed
        self._believed.clear()

    def retry(self) -> None:
        """Read again what was refused."""
        for path in self.refused:
            self._add(path, DATA | NAMES)

    def next(self, limit: int) -> Reads | None:
        """Return what to read next, about `limit` nodes; None if all is known."""
        if not self._unread and not self._unlisted:
            self._take_doubted(limit)
        if not self._unread and not self._unlisted:
            self._take_suspects()
        if not self._unread and not self._unlisted:
            return None
        due = list(islice(self._unread, limit))
        for path in due.copy():
            due += self._missing_above(path)
        nodes: list[str] = []
        stats: list[str] = []
        for path in due:
            (stats if self._is_stat_enough(path) else nodes).append(path)
        return Reads(nodes, stats, list(islice(self._unlisted, limit)))

    def take(self, reads: Reads, answers: Answers) -> None:
        """Take in the answers to what `next` has returned."""
        # Sorted by path: parents come before their children.
        for path, answer in sorted(zip(reads.nodes, answers.nodes, strict=True), key=_path):
            wanted = self._unread.pop(path, DATA)
            if isinstance(answer, ZooKeeperException):
                self._take_refusal(path, answer)
            else:
                data, stat = answer
                self._take_node(path, data, packed(stat), wanted)
        for path, stat in sorted(zip(reads.stats, answers.stats, strict=True), key=_path):
            self._take_stat(path, stat)
        for path, names in zip(reads.names, answers.names, strict=True):
            self._unlisted.pop(path, None)
            if isinstance(names, ZooKeeperException):
                self._take_refusal(path, names)
            else:
                self._take_names(path, names)

    # Choosing

    def _add(self, path: str, wanted: int) -> None:
        self._unread[path] = self._unread.get(path, 0) | wanted

    def _wants(self, path: str) -> bool:
        nodes = self.nodes
        if not nodes.covers(path):
            return False
        names = nodes.names(path)
        if self._depth is not None and len(names) > self._depth:
            return False
        if self._accepts is None:
            return True
        above = nodes.root
        for name in names:
            above = join(above, name)
            if not self._accepts(above):
                return False
        return True

    def _wants_children(self, path: str) -> bool:
        return self._depth is None or len(self.nodes.names(path)) < self._depth

    def _missing_above(self, path: str) -> Iterator[str]:
        """Yield nodes that must be there, for one below them is, and no event has told of."""
        while path != self.nodes.root:
            path = path.rpartition("/")[0] or "/"
            if path in self._unread or self.nodes.find(path) is not None:
                return
            self._add(path, DATA)
            yield path

    def _is_stat_enough(self, path: str) -> bool:
        """Say whether the stat is to be read alone: data are long, and may be as they were."""
        if self._unread[path] & DATA:
            return False
        entry = self.nodes.find(path)
        return (
            entry is not None
            and isinstance(entry[1], bytes)
            and signs(entry[1]).length > MAX_READ_ALONG
        )

    def _take_doubted(self, limit: int) -> None:
        if self._doubted is not None:
            wanted = NAMES | LISTED if self._believes_all else NAMES
            for path, _, _ in islice(self._doubted, limit):
                self._add(path, wanted)
            if not self._unread:
                self._doubted = None
                self._believes_all = False

    def _take_suspects(self) -> None:
        """Have names read that no event has told of: servers need not tell of all nodes."""
        suspects, self._suspects = self._suspects, {}
        for path in suspects:
            entry = self.nodes.find(path)
            if entry is not None and self._lacks_children(path, entry):
                self._unlisted[path] = None

    def _lacks_children(self, path: str, entry: Entry) -> bool:
        """Say whether a node has another number of children than its stat says."""
        if self._accepts is not None or not self._wants_children(path):
            return False
        stat = entry[1]
        return isinstance(stat, bytes) and signs(stat).children != len(entry[2] or ())

    # Taking answers in

    def _take_node(self, path: str, data: str | None, stat: bytes, wanted: int) -> None:
        try:
            former = self.nodes.put(path, data, stat)
        except KeyError:
            return  # the node above is gone: so is this one, or both have come since, with events
        self.refused.pop(path, None)
        known = former[1] if former is not None else None
        now = signs(stat)
        if former is None:
            note(self.log, path, ADDED)
            self._note_other_family(path)
        elif not isinstance(known, bytes):
            note(self.log, path, CHANGED)
        else:
            before = signs(known)
            if before[:2] != now[:2]:
                note(self.log, path, CHANGED)
            if before.czxid == now.czxid:
                self._compare_family(path, wanted, changed=before.names != now.names)
                return
            self._note_other_family(path)
        self._read_family(path, now.children)

    def _take_stat(self, path: str, stat: Mapping[str, int] | ZooKeeperException | None) -> None:
        wanted = self._unread.pop(path, 0)
        if stat is None:
            self._take_absence(path)
            return
        entry = self.nodes.find(path)
        if isinstance(stat, ZooKeeperException) or entry is None:
            self._add(path, wanted | DATA)
            return
        now = packed(stat)
        if not isinstance(entry[1], bytes) or signs(entry[1])[:2] != signs(now)[:2]:
            self._add(path, wanted | DATA)
        else:
            self._take_node(path, entry[0], now, wanted)

    def _take_refusal(self, path: str, refusal: ZooKeeperException) -> None:
        if isinstance(refusal, NoNodeException):
            self._take_absence(path)
            return
        try:
            former = self.nodes.put(path, None, refusal)
        except KeyError:
            return
        self.refused[path] = None
        if former is None:
            note(self.log, path, ADDED)
            self._note_other_family(path)
        elif isinstance(former[1], bytes) or former[1].code != refusal.code:
            note(self.log, path, CHANGED)

    def _take_absence(self, path: str) -> None:
        self.refused.pop(path, None)
        removed = self.nodes.remove(path)
        for each in removed:
            self.refused.pop(each, None)
            note(self.log, each, REMOVED)
        # Also one that has come and gone between two reads has changed the stat of the one above.
        self._note_other_family(path)

    def _take_names(self, path: str, names: Sequence[str]) -> None:
        entry = self.nodes.find(path)
        if entry is None:
            return
        self._believed.pop(path, None)
        known = entry[2] or {}
        for name in known.keys() - set(names):
            self._take_absence(join(path, name))
        for name in names:
            child = join(path, name)
            if name not in known and self._wants(child):
                self._add(child, DATA)

    def _note_other_family(self, path: str) -> None:
        """A node has come or gone: the stat of the one above it is another one."""
        above = path.rpartition("/")[0] or "/"
        if path != self.nodes.root and self.nodes.find(above) is not None:
            self._add(above, 0)

    def _compare_family(self, path: str, wanted: int, *, changed: bool) -> None:
        """Look after the children of a node that was there before."""
        entry = self.nodes.find(path)
        assert entry is not None
        if wanted & NAMES or self._doubted is not None:
            if changed or wanted & LISTED or self._lacks_children(path, entry):
                assert isinstance(entry[1], bytes)
                self._read_family(path, signs(entry[1]).children)
            return
        if changed:
            self._believe(path)
        if self._lacks_children(path, entry):
            self._suspects[path] = None

    def _believe(self, path: str) -> None:
        """Believe that events tell of the children that have come and gone, until the next gap."""
        if self._wants_children(path) and not self._believes_all:
            self._believed[path] = None
            if len(self._believed) > MAX_BELIEVED:
                self._believed.clear()
                self._believes_all = True

    def _read_family(self, path: str, count: int) -> None:
        """Have the names of a node's children read, if it has any."""
        if count == 0:
            self._take_names(path, ())
        elif self._wants_children(path):
            self._unlisted[path] = None


def _path(pair: tuple[str, Any]) -> str:
    return pair[0]
