"""A source for one text, which has one state of each node.

Nodes may change while a text is made. A thing that is asked for again is as it was the first time,
so that no text has two values of a node. Different nodes may be of different times, as servers have
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from zc.zk.rendering.source import Source, SourceNode, SourceProvider, SourceTree

T = TypeVar("T")


class OneState:
    """The things that `source` has, each as it was when it was asked for first."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._known: dict[tuple[object, ...], Any] = {}

    def tree(self, path: str, depth: int | None) -> tuple[str, SourceTree]:
        def read() -> tuple[str, SourceTree]:
            top, tree = self._source.tree(path, depth)
            return top, _Tree(tree)

        return self._once(("tree", path, depth), read)

    def children(self, path: str) -> Sequence[str]:
        return self._once(("children", path), lambda: self._source.children(path))

    def properties(self, path: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        def read() -> tuple[Mapping[str, Any], Mapping[str, Any]]:
            linked, stored = self._source.properties(path)
            return _Properties(linked), stored

        return self._once(("properties", path), read)

    def providers(self, path: str) -> Sequence[SourceProvider]:
        return self._once(("providers", path), lambda: self._source.providers(path))

    def exists(self, path: str) -> bool:
        return self._once(("exists", path), lambda: self._source.exists(path))

    def _once(self, key: tuple[object, ...], read: Callable[[], T]) -> T:
        if key not in self._known:
            self._known[key] = read()
        known: T = self._known[key]
        return known


class _Tree:
    """A live tree, of which each node is looked at once."""

    def __init__(self, tree: SourceTree) -> None:
        self._tree = tree
        self._nodes: dict[str, SourceNode | None] = {}

    def get(self, path: str, /) -> SourceNode | None:
        if path not in self._nodes:
            self._nodes[path] = self._tree.get(path)
        return self._nodes[path]


class _Properties(Mapping[str, Any]):
    """Live properties, of which each is looked at once: links are followed when they are."""

    def __init__(self, live: Mapping[str, Any]) -> None:
        self._live = live
        self._values: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._values:
            self._values[name] = self._live[name]
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._live)

    def __len__(self) -> int:
        return len(self._live)
