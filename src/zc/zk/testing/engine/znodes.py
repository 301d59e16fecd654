"""The tree of znodes: the stored nodes, and nothing of permissions.

Every change can be undone: a transaction that fails half-way leaves the tree as it was.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from collections.abc import Callable, Iterator
from typing import NamedTuple

from zc.zk import owners
from zc.zk.testing.engine import acl as acls
from zc.zk.testing.engine import paths, quotas
from zc.zk.testing.engine.refusal import Refusal
from zookeeper import constants


class StatRecord(NamedTuple):
    """A node's numbers, in the order of the protocol."""

    czxid: int
    mzxid: int
    ctime: int
    mtime: int
    version: int
    cversion: int
    aversion: int
    ephemeralOwner: int
    dataLength: int
    numChildren: int
    pzxid: int


class Znode:
    """One node. `creations` counts all children so far, for sequential ones."""

    __slots__ = (
        "acl", "aversion", "children", "creations", "ctime", "czxid", "data", "mtime", "mzxid",
        "owner", "pzxid", "version",
    )  # fmt: skip

    def __init__(
        self, data: bytes | None, acl: acls.Entries, owner: int, zxid: int, time: int
    ) -> None:
        self.data = data
        self.acl = acl
        self.owner = owner
        self.czxid = self.mzxid = self.pzxid = zxid
        self.ctime = self.mtime = time
        self.version = self.aversion = self.creations = 0
        # A dict and not a set, for an order that is the same in each run.
        self.children: dict[str, None] = {}

    def stat(self) -> StatRecord:
        children = len(self.children)
        return StatRecord(
            self.czxid,
            self.mzxid,
            self.ctime,
            self.mtime,
            self.version,
            # One for each creation of a child, and one for each deletion: of all that were created
            # those are deleted that are not there.
            2 * self.creations - children,
            self.aversion,
            self.owner if owners.is_session(self.owner) else 0,
            len(self.data) if self.data is not None else 0,
            children,
            self.pzxid,
        )


class Tree:
    """All nodes, by path."""

    def __init__(self, with_config: bool) -> None:
        self.nodes: dict[str, Znode] = {}
        # Nodes that may have to go by themselves; ephemerals by session.
        self.ephemerals: dict[int, dict[str, None]] = {}
        self.containers: dict[str, None] = {}
        self.with_ttl: dict[str, None] = {}
        self._limited = quotas.LimitedPaths()
        # While a transaction runs: how to take its changes back, the latest last.
        self._undo: list[Callable[[], object]] | None = None
        self._plant(with_config)

    def _plant(self, with_config: bool) -> None:
        # Under both of its names, as its children's parent is called "": see `paths`.
        root = Znode(b"", acls.OPEN, owners.PERSISTENT, 0, 0)
        self.nodes[""] = self.nodes[paths.ROOT] = root
        for path in (paths.SYSTEM, paths.QUOTA, *([paths.CONFIG] if with_config else [])):
            self.nodes[path] = Znode(b"", acls.OPEN, owners.PERSISTENT, 0, 0)
            self.nodes[paths.parent(path)].children[paths.name(path)] = None
        if with_config:
            self.nodes[paths.CONFIG].acl = acls.READ_ONLY
            self.nodes[paths.CONFIG].aversion = -1

    def node(self, path: str) -> Znode:
        """Return the node at a path. Refuses when there is none."""
        try:
            return self.nodes[path]
        except KeyError:
            raise Refusal(constants.NONODE) from None

    def below(self, path: str) -> Iterator[str]:
        """Yield the paths of all descendants of a node."""
        pending = [path.rstrip("/")]
        while pending:
            parent = pending.pop()
            for name in self.nodes[parent].children:
                child = f"{parent}/{name}"
                yield child
                pending.append(child)

    def abandoned(self, time: int) -> list[str]:
        """List the containers that were emptied, and nodes past their time to live."""
        nodes = self.nodes
        paths = [path for path in self.containers if nodes[path].creations]
        for path in self.with_ttl:
            node = nodes[path]
            if time - node.mtime > (owners.ttl(node.owner) or 0):
                paths.append(path)
        return [path for path in paths if not nodes[path].children]

    def replant(self, nodes: dict[str, Znode]) -> None:
        """Replace all nodes. Raises LookupError if one has no parent."""
        root = nodes[paths.ROOT]
        self.nodes = {"": root, paths.ROOT: root}
        for path, node in nodes.items():
            if path != paths.ROOT:
                self._attach(path, node)

    # Changes. Whether they are allowed has been decided.

    def create(
        self, path: str, data: bytes | None, acl: acls.Entries, owner: int, zxid: int, time: int
    ) -> StatRecord:
        """Create a node, and return a stat of the data given.

        So it does also where the server puts data of its own in their place.
        """
        parent_path = paths.parent(path)
        parent = self.nodes[parent_path]
        former_pzxid = parent.pzxid
        node = Znode(data, acl, owner, zxid, time)
        stat = node.stat()
        self._attach(path, node)
        parent.creations += 1
        parent.pzxid = zxid
        if self._undo is not None:

            def undo() -> None:
                self._detach(path)
                parent.creations -= 1
                parent.pzxid = former_pzxid

            self._undo.append(undo)
        if path.startswith(paths.QUOTA) and paths.name(path) == quotas.STATS:
            self._count(quotas.limited_path(parent_path))
        self._account(path, 1, len(data or b""))
        return stat

    def delete(self, path: str, zxid: int) -> None:
        parent = self.nodes[paths.parent(path)]
        former_pzxid = parent.pzxid
        node = self._detach(path)
        parent.pzxid = zxid
        if self._undo is not None:

            def undo() -> None:
                self._attach(path, node)
                parent.pzxid = former_pzxid

            self._undo.append(undo)
        self._account(path, -1, -len(node.data or b""))

    def set_data(self, path: str, data: bytes | None, version: int, zxid: int, time: int) -> Znode:
        node = self.nodes[path]
        former = node.data, node.version, node.mzxid, node.mtime
        node.data, node.version, node.mzxid, node.mtime = data, version, zxid, time
        if self._undo is not None:

            def undo() -> None:
                node.data, node.version, node.mzxid, node.mtime = former

            self._undo.append(undo)
        self._account(path, 0, len(data or b"") - len(former[0] or b""))
        return node

    def set_acl(self, path: str, acl: acls.Entries, version: int) -> Znode:
        node = self.nodes[path]
        node.acl, node.aversion = acl, version
        return node

    # Transactions

    def begin(self) -> None:
        """Begin a transaction: changes from here on can be taken back."""
        self._undo = []

    def commit(self) -> None:
        """Keep the changes."""
        self._undo = None

    def roll_back(self) -> None:
        """Take the changes back."""
        undo, self._undo = self._undo, None
        for step in reversed(undo or ()):
            step()

    # Indexes

    def _attach(self, path: str, node: Znode) -> None:
        self.nodes[path] = node
        name = paths.name(path)
        parent_path = paths.parent(path)
        self.nodes[parent_path].children[name] = None
        owner = node.owner
        if owner != owners.PERSISTENT:
            if owners.is_session(owner):
                self.ephemerals.setdefault(owner, {})[path] = None
            else:
                (self.containers if owner == owners.CONTAINER else self.with_ttl)[path] = None
        if name == quotas.LIMITS and path.startswith(paths.QUOTA):
            self._limited.add(quotas.limited_path(parent_path))

    def _detach(self, path: str) -> Znode:
        node = self.nodes.pop(path)
        name = paths.name(path)
        parent_path = paths.parent(path)
        del self.nodes[parent_path].children[name]
        owner = node.owner
        if owner != owners.PERSISTENT:
            if owners.is_session(owner):
                of_session = self.ephemerals[owner]
                del of_session[path]
                if not of_session:
                    del self.ephemerals[owner]
            else:
                del (self.containers if owner == owners.CONTAINER else self.with_ttl)[path]
        if name == quotas.LIMITS and path.startswith(paths.QUOTA):
            self._limited.discard(quotas.limited_path(parent_path))
        return node

    # Quotas

    def _count(self, limited: str) -> None:
        """Write the stats of a limited path, with or without a node there."""
        count = size = 0
        if limited in self.nodes:
            for path in (limited, *self.below(limited)):
                count += 1
                size += len(self.nodes[path].data or b"")
        self._write_stats(quotas.stats_node(limited), quotas.counted(count, size))

    def _account(self, path: str, count: int, size: int) -> None:
        limited = self._limited.around(path)
        if limited is None:
            return
        stats = self.nodes.get(quotas.stats_node(limited))
        if stats is not None:
            self._write_stats(quotas.stats_node(limited), quotas.changed(stats.data, count, size))

    def _write_stats(self, path: str, data: bytes) -> None:
        node = self.nodes[path]
        former = node.data
        node.data = data
        if self._undo is not None:
            self._undo.append(lambda: setattr(node, "data", former))
