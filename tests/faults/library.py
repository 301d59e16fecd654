"""The interface of a ZooKeeper library to the clients of a fault run.

`with_zc_zk` has it made of zc.zk and `with_kazoo` of kazoo, so that both live through the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class Registered(Protocol):
    """A registered server."""

    @property
    def path(self) -> str:
        """Return the path of its node."""

    @property
    def properties(self) -> dict[str, Any]:
        """Return the properties of the node."""

    @property
    def acl(self) -> list[dict[str, Any]]:
        """Return the node's access control list, as the binding writes it."""

    def is_registered(self) -> bool:
        """Return whether the library says that the node is there, and its own."""

    def update(self, n: int) -> None:
        """Change the property `n`."""

    def unregister(self) -> None:
        """Remove the node."""


class LiveObject(Protocol):
    """Something that follows the server."""

    def value(self) -> Any:
        """Return what it shows; see `tests.faults.beliefs.Live`."""


Told = Callable[[Any], None]


class Library(Protocol):
    """A connected client of a library."""

    # Calls may raise these when connections break, and when others change the same nodes.
    @property
    def trouble(self) -> tuple[type[Exception], ...]: ...

    @property
    def conflicts(self) -> tuple[type[Exception], ...]: ...

    # True for a library that has links and property links; trees; lists of servers to pick from.
    has_links: bool
    has_trees: bool
    has_providers: bool
    # True for a library that makes ephemeral nodes of the program again in the next session, and
    # registered nodes that somebody deletes, at once.
    revives_nodes: bool
    # True for a library that lets callbacks take their time, and call the client.
    callbacks_may_block: bool

    def session(self) -> tuple[int, str]:
        """Return number and password of the session; the number is 0 for none."""

    def register(self, parent: str, name: str, properties: dict[str, Any]) -> Registered:
        """Register a server, for good: the library is to keep it there."""

    def follow(self, kind: str, path: str, told: Told | None) -> LiveObject:
        """Follow the 'children', 'properties' or 'providers' of a node, or its 'tree'.

        `told` gets new values."""

    def create(self, path: str, data: str, ephemeral: bool = False) -> None: ...

    def get(self, path: str) -> str: ...

    def set(self, path: str, data: str) -> None: ...

    def delete(self, path: str) -> None: ...

    def children(self, path: str) -> list[str]: ...

    def update(self, path: str, n: int) -> None:
        """Change the property `n` of a node, and leave its others."""

    def export(self, path: str) -> str: ...

    def import_(self, path: str, text: str) -> None: ...

    def sync(self, path: str) -> None: ...

    def newest(self, path: str) -> int:
        """Return the number of the latest change of a tree."""

    def delete_tree(self, path: str) -> None: ...

    def walk(self, path: str) -> list[str]: ...

    def close(self) -> None: ...
