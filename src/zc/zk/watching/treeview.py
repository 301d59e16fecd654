"""The questions that a live tree answers, all from memory, without a request."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from typing import TYPE_CHECKING

from zc.zk.links import check_path, join
from zc.zk.tree.exporting import RESERVED, check_name, name_of_top
from zc.zk.watching.treenode import TreeNode
from zc.zk.watching.treenodes import Nodes
from zookeeper.constants import NONODE
from zookeeper.errors import error

if TYPE_CHECKING:
    from zc.zk.tree.changes import Change


class TreeView(Mapping[str, TreeNode]):
    """A tree that is in memory, and may change at any time: a mapping from paths to `TreeNode`.

    `path` is what was asked for.
    """

    path: str

    @property
    @abstractmethod
    def _nodes(self) -> Nodes:
        """Return the nodes that there are now."""

    @property
    @abstractmethod
    def _is_at_root(self) -> bool:
        """Return whether paths begin at the servers' own root."""

    def __getitem__(self, path: str) -> TreeNode:
        entry = self._nodes.find(path) if isinstance(path, str) else None
        if entry is None:
            raise KeyError(path)
        return TreeNode(path, 0, entry)

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and self._nodes.find(path) is not None

    def __len__(self) -> int:
        return self._nodes.count

    def __iter__(self) -> Iterator[str]:
        nodes = self._nodes
        return (path for path, _, _ in nodes.walk(nodes.root))

    def nodes(self, path: str | None = None) -> Iterator[TreeNode]:
        """Yield the node at `path`, by default the top one, and all nodes below it."""
        nodes = self._nodes
        top = nodes.root if path is None else path
        return (TreeNode(path, depth, entry) for path, depth, entry in nodes.walk(top))

    def values(self) -> ValuesView[TreeNode]:
        return _Values(self)

    def items(self) -> ItemsView[str, TreeNode]:
        return _Items(self)

    # That of the object: a tree that is equal to another one need not be so later on.
    __hash__ = object.__hash__

    def search(self, pattern: str) -> Iterator[TreeNode]:
        """Yield the nodes whose paths match a pattern.

        In it `*` stands for any characters but slashes, `**` for any, and `?` for one.
        """
        from zc.zk.tree.pattern import beginning, compiled

        matches = compiled(pattern).fullmatch
        nodes = self._nodes
        top = beginning(pattern)
        if not nodes.covers(top):
            top = nodes.root
        for path, _, entry in nodes.walk(top):
            if matches(path):
                yield TreeNode(path, 0, entry)

    def export(
        self, path: str | None = None, *, ephemeral: bool = False, name: str | None = None
    ) -> str:
        """Return the node at `path`, by default the top one, and all below it as text.

        It is the text of `ZooKeeper.export_tree`, whose arguments these are. Raises
        NoNodeException if there is no such node, and the error of one that cannot be read.
        """
        from zc.zk.tree.exporttext import export_text

        check_name(name)
        top = self._present(path)
        if top.error is not None:
            raise top.error
        shown = name_of_top(self.path, top.path) if path is None else top.name
        return export_text(
            self.nodes(top.path),
            shown if name is None else name,
            RESERVED if top.path == "/" and self._is_at_root else None,
            ephemeral=ephemeral,
        )

    def diff(self, text: str, path: str | None = None, trim: bool | None = None) -> list[Change]:
        """Return the changes that would make the nodes below `path` what `text` says.

        They are those of `ZooKeeper.plan_import`, whose arguments these are; `str` of a change
        tells it. Raises what that raises.
        """
        from zc.zk.tree.diff import plan_import, snapshot
        from zc.zk.tree.parse import parse_tree

        tree = parse_tree(text)
        top = self._present(path)
        nodes = [top]
        for name in sorted(tree.children):
            nodes += self.nodes(join(top.path, name))
        present = snapshot(
            (node.path, node.data, _version(node), node.ephemeralOwner, node.error)
            for node in nodes
        )
        own = RESERVED if self._is_at_root else None
        return list(plan_import(tree, top.path, present, trim, own=own))

    def _present(self, path: str | None) -> TreeNode:
        if path is not None:
            check_path(path)
        node = self.get(self._nodes.root if path is None else path)
        if node is None:
            raise error(NONODE, self.path if path is None else path)
        return node


class _Items(ItemsView[str, TreeNode]):
    _mapping: TreeView

    def __iter__(self) -> Iterator[tuple[str, TreeNode]]:
        return ((node.path, node) for node in self._mapping.nodes())


class _Values(ValuesView[TreeNode]):
    _mapping: TreeView

    def __iter__(self) -> Iterator[TreeNode]:
        return self._mapping.nodes()


def _version(node: TreeNode) -> int:
    stat = node.stat
    return -1 if stat is None else stat["version"]
