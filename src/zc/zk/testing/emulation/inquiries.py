"""The binding's functions that ask servers for more: of the session, a tree, the ensemble."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from zc.zk.testing.emulation import arguments
from zc.zk.testing.emulation.asking import Asking
from zc.zk.testing.emulation.reads import CONFIG_NODE
from zc.zk.testing.emulation.request import Request
from zc.zk.testing.engine import Client
from zookeeper import constants

if TYPE_CHECKING:
    from zookeeper.types import (
        DataCompletion,
        IdentitiesCompletion,
        NumberCompletion,
        ProvenIdentity,
        Stat,
        StringsCompletion,
    )


class Inquiries(Asking):
    def get_ephemerals(self, h: int, path: str = "/", *, timeout: float | None = None) -> list[str]:
        """Return the paths of the session's own ephemeral nodes at or below a path."""
        paths: list[str] = self._now(h, self._get_ephemerals(h, path), timeout)[0]
        return paths

    def aget_ephemerals(
        self, h: int, path: str = "/", completion: StringsCompletion | None = None
    ) -> Literal[0]:
        """Do the same as get_ephemerals; `completion(handle, code, paths)`."""
        return self._later(h, self._get_ephemerals(h, path), completion)

    def _get_ephemerals(self, h: int, path: str) -> Request:
        handle, where = self._find(h, path)
        below = where.rstrip("/") + "/"

        def perform(client: Client) -> tuple[Any, ...]:
            paths = self._server.engine.ephemerals(client, where)
            own = [found for found in paths if found == where or found.startswith(below)]
            return (sorted(map(handle.client_path, own)),)

        return Request(path, perform, (None,))

    def get_all_children_number(self, h: int, path: str, *, timeout: float | None = None) -> int:
        """Count the nodes below a node, at any depth."""
        number: int = self._now(h, self._get_all_children_number(h, path), timeout)[0]
        return number

    def aget_all_children_number(
        self, h: int, path: str, completion: NumberCompletion | None = None
    ) -> Literal[0]:
        """Do the same as get_all_children_number; `completion(handle, code, number)`."""
        return self._later(h, self._get_all_children_number(h, path), completion)

    def _get_all_children_number(self, h: int, path: str) -> Request:
        _, where = self._find(h, path)
        engine = self._server.engine
        return Request(path, lambda client: (engine.count_descendants(client, where),), (None,))

    def whoami(self, h: int, *, timeout: float | None = None) -> list[ProvenIdentity]:
        """Return what the server takes the session for, as `(scheme, id)`."""
        identities: list[ProvenIdentity] = self._now(h, self._whoami(), timeout)[0]
        return identities

    def awhoami(self, h: int, completion: IdentitiesCompletion | None = None) -> Literal[0]:
        """Do the same as whoami; `completion(handle, code, identities)`."""
        return self._later(h, self._whoami(), completion)

    def _whoami(self) -> Request:
        return Request(None, lambda client: (list(map(tuple, client.shown_identities())),), (None,))

    def reconfig(
        self, h: int, joining: str | None = None, leaving: str | None = None,
        members: str | None = None, version: int = -1, *, timeout: float | None = None,
    ) -> tuple[str | None, Stat]:  # fmt: skip
        """Raise UnimplementedException: a server that is alone has no ensemble."""
        request = self._reconfig(h, joining, leaving, members, version)
        data, stat = self._now(h, request, timeout)
        return data, stat

    def areconfig(
        self, h: int, joining: str | None = None, leaving: str | None = None,
        members: str | None = None, version: int = -1, completion: DataCompletion | None = None,
    ) -> Literal[0]:  # fmt: skip
        """Do the same as reconfig; `completion(handle, code, data, stat)`."""
        return self._later(h, self._reconfig(h, joining, leaving, members, version), completion)

    def _reconfig(
        self, h: int, joining: object, leaving: object, members: object, version: object
    ) -> Request:
        self._server.find(h)
        if (members is None) == (joining is None and leaving is None):
            raise arguments.bad(
                CONFIG_NODE, "either members, or servers that join or leave, are needed"
            )
        if isinstance(version, bool) or not isinstance(version, int):
            raise TypeError(f"a version must be an int, not {type(version).__name__}")
        servers = {"joining": joining, "leaving": leaving, "members": members}
        for name, value in servers.items():
            if value is not None and b"\0" in arguments.encoded(value, name, CONFIG_NODE):
                raise arguments.bad(CONFIG_NODE, f"{name} must not hold a null character")
        engine = self._server.engine

        def perform(client: Client) -> tuple[Any, ...]:
            raise engine.refuse_write(constants.UNIMPLEMENTED)

        return Request(CONFIG_NODE, perform, (None, None))
