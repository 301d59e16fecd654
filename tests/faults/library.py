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
        """The path of its node."""

    @property
    def properties(self) -> dict[str, Any]:
        """The properties of the node."""

    @property
    def acl(self) -> list[dict[str, Any]]:
        """The node's access control list, as the binding writes it."""

    def is_registered(self) -> bool:
        """Whether the library says that the node is there, and is its own."""

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

    # What calls may raise when connections break, and when others change the same nodes.
    @property
    def trouble(self) -> tuple[type[Exception], ...]: ...

    @property
    def conflicts(self) -> tuple[type[Exception], ...]: ...

    # Whether there are links, property links and trees.
    has_links: bool
    has_trees: bool
    # Whether ephemeral nodes that the program makes itself return in the next session, and
    # registered ones that somebody deletes, at once.
    revives_nodes: bool
    # Whether callbacks may take their time, and call the client.
    callbacks_may_block: bool

    def session(self) -> tuple[int, str]:
        """Number and password of the current session; the number is 0 if there is none."""

    def register(self, parent: str, name: str, properties: dict[str, Any]) -> Registered:
        """Register a server, for good: what that takes is the library's business."""

    def follow(self, kind: str, path: str, told: Told | None) -> LiveObject:
        """Follow the 'children' or the 'properties' of a node; `told` gets each new value."""

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
        """The number of the latest change of a tree."""

    def delete_tree(self, path: str) -> None: ...

    def walk(self, path: str) -> list[str]: ...

    def close(self) -> None: ...
