"""The contents of the servers, read by kazoo, which shares no code with us."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException, NoNodeError
from kazoo.handlers.threading import KazooTimeoutError

from tests.deadlines import scaled
from tests.faults.logins import Logins, for_kazoo
from tests.secured import Keys

# Reads may raise these while the service is still finding itself.
TROUBLE = (KazooException, KazooTimeoutError)

SESSION_SECONDS = 10.0


@dataclass(frozen=True)
class Node:
    """A node on the servers.

    `owner` is the number of an ephemeral node's session, else 0.
    """

    data: str
    owner: int
    acl: list[dict[str, Any]]
    children: list[str]

    def properties(self) -> dict[str, Any]:
        """Return the data as properties: JSON, or nothing."""
        return dict(json.loads(self.data)) if self.data else {}


Truth = Mapping[str, Node]


class Servers:
    """A session at a run's root, to the servers without proxies in between."""

    def __init__(self, client: KazooClient, root: str) -> None:
        self._client = client
        self._root = root

    def create(self, nodes: Mapping[str, str]) -> None:
        """Create nodes, parents first; overwrite those that are there already."""
        for path, data in {"": "", **nodes}.items():
            if self._client.exists(self._root + path):
                self._client.set(self._root + path, data.encode())
            else:
                self._client.create(self._root + path, data.encode())

    def prove_that_it_works(self) -> None:
        """Write and read; raise when the service is not reachable."""
        self._client.set(self._root, b"reached")
        self._client.sync(self._root)

    def read(self) -> Truth:
        """Return all nodes below the root, by path, as new as the leader's."""
        self._client.sync(self._root)
        found: dict[str, Node] = {}
        level = ["/"]
        while level:
            answers = {
                path: (
                    self._client.get_async(self._real(path)),
                    self._client.get_children_async(self._real(path)),
                    self._client.get_acls_async(self._real(path)),
                )
                for path in level
            }
            for path, (get, get_children, get_acls) in answers.items():
                try:
                    (data, stat), names, (acl, _) = get.get(), get_children.get(), get_acls.get()
                except NoNodeError:
                    continue
                found[path] = Node(
                    data.decode(),
                    stat.ephemeralOwner & (2**64 - 1),
                    [{"perms": a.perms, "scheme": a.id.scheme, "id": a.id.id} for a in acl],
                    sorted(names),
                )
            level = [
                f"{path.rstrip('/')}/{name}"
                for path in level
                if path in found
                for name in found[path].children
            ]
        return found

    def _real(self, path: str) -> str:
        return self._root if path == "/" else self._root + path


@contextmanager
def connected(
    hosts: str, root: str, keys: Keys | None = None, logins: Logins | None = None
) -> Iterator[Servers]:
    """Open a session for the `with` block. Raises one of TROUBLE."""
    secured = keys.for_kazoo() if keys else {}
    login = for_kazoo(logins.credentials() if logins else None)
    client = KazooClient(hosts, timeout=scaled(SESSION_SECONDS), **secured, **login)
    client.start(scaled(SESSION_SECONDS))
    try:
        yield Servers(client, root)
    finally:
        client.stop()
        client.close()
