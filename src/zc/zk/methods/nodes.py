"""Single nodes, with what the library makes of them, as methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import zookeeper
from zc.zk.acl import OPEN_ACL_UNSAFE
from zc.zk.imports import importing
from zc.zk.links import LINK, check_path, check_target, without_slash
from zc.zk.methods.passing import Methods, tells_of_root
from zc.zk.owners import is_session

if TYPE_CHECKING:
    from zookeeper.types import Acl, Data


class Nodes(Methods):
    """The methods about one node that are more than a function of the binding."""

    @tells_of_root
    def get_properties(self, path: str) -> dict[str, Any]:
        """Return the properties of the node at `path` now, as stored: links are not followed.

        They are what a live object shows, also when the data have become bad JSON.
        """
        data, _ = self._session.call(self._session.binding.get, path)
        return self.watches.decode(data, path)

    @tells_of_root
    def is_ephemeral(self, path: str) -> bool:
        """Say whether the node at `path` is an ephemeral one. Raises NoNodeException."""
        _, stat = self._session.call(self._session.binding.get, path)
        return is_session(stat["ephemeralOwner"])

    def create_recursive(self, path: str, data: Data = "", acl: Acl = OPEN_ACL_UNSAFE) -> None:
        """Create a node, not ephemeral, and the nodes above it that are missing, which are blank.

        These may be the root of the connection string, and what is above that.

        Raises NodeExistsException when there is a node at `path`.
        """
        try:
            self._session.call(self._session.binding.create, path, data, acl, 0)
        except zookeeper.NoNodeException:
            with importing:
                from zc.zk.operations import root, subtree

            if root.is_missing(self._session):
                root.make(self._session, acl)
                if path == "/":
                    self._session.call(self._session.binding.set, path, data)
                    return
            subtree.create_ancestors(self._session, path, acl)
            self._session.call(self._session.binding.create, path, data, acl, 0)

    @tells_of_root
    def resolve(self, path: str) -> str:
        """Return the real path of the node that `path` leads to, links followed.

        Raises NoNodeException with the path asked for, and LinkLoop. See `zc.zk.links`.
        """
        with importing:
            from zc.zk.watching.readers import resolve

        return resolve(self._session, path, self.watches.decode)

    @tells_of_root
    def ln(self, source: str, destination: str) -> None:
        """Create a symbolic link at `destination` that leads to `source`.

        When `destination` ends with a slash, the link in it has the name of the source. A source
        that does not begin with a slash is relative to the node that the link is in.

        Raises NoNodeException when there is nothing that could hold the link, and ValueError for
        one without a name.
        """
        source = without_slash(source)
        check_target(source)
        check_path(without_slash(destination))
        base, _, name = destination.rpartition("/")
        if not name:
            name = source.rpartition("/")[2]
        if not name:
            raise ValueError(f"the link needs a name: {destination!r} -> {source!r}")
        with importing:
            from zc.zk.watching.properties import Properties

        Properties(self.watches, base or "/", watch=False).update({name + LINK: source})
