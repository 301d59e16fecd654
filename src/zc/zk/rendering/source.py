"""The nodes that texts are made of, as templates need them: live ones, or others in tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class SourceNode(Protocol):
    """A node of a tree, as a source has it."""

    @property
    def path(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def data(self) -> str | None: ...
    @property
    def properties(self) -> Mapping[str, Any]: ...
    @property
    def children(self) -> Sequence[str]: ...
    @property
    def ephemeralOwner(self) -> int: ...
    @property
    def error(self) -> Exception | None: ...


class SourceTree(Protocol):
    """A tree, as a source has it."""

    def get(self, path: str, /) -> SourceNode | None: ...


class SourceProvider(Protocol):
    """A registered server, as a source has it."""

    @property
    def address(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def is_draining(self) -> bool: ...
    @property
    def properties(self) -> Mapping[str, Any]: ...


class Source(Protocol):
    """A reader of nodes, links followed. Raises NoNodeException, and others."""

    def tree(self, path: str, depth: int | None) -> tuple[str, SourceTree]:
        """Return the path of the node at the top, and the tree."""

    def children(self, path: str) -> Sequence[str]: ...
    def properties(self, path: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Return properties with links followed, and as they are stored."""

    def providers(self, path: str) -> Sequence[SourceProvider]: ...
    def exists(self, path: str) -> bool: ...
