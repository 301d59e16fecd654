"""Follow links over anything that can read nodes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zc.zk.errors import BadPropertyLink
from zc.zk.journey import Journey, Resolution

if TYPE_CHECKING:
    from zc.zk.propertylinks import LinkedProperty


class Resolver(ABC):
    """Follows links; subclasses say how nodes are read."""

    @abstractmethod
    def exists(self, path: str) -> object:
        """Return something true if there is a node at `path`, links not followed."""

    @abstractmethod
    def get_properties(self, path: str) -> Mapping[str, Any]:
        """Return the properties of the node at `path`, links as they stand.

        Raises NoNodeException when there is no such node.
        """

    def foresee(self, journey: Journey) -> None:  # noqa: B027
        """Hear of a journey on whose way a node has yet to be read.

        This is for resolvers that raise NotRead, and does nothing.
        """

    def resolve(self, path: str) -> str:
        """Return the path of the node that `path` leads to, links followed.

        Raises `zookeeper.NoNodeException` with the path asked for when there is none, and
        `LinkLoop` when links lead back to themselves, or are more than a thousand, and
        `zookeeper.BadArgumentsException` for what is no absolute path.
        """
        return self.resolution(path).path

    def resolution(self, path: str) -> Resolution:
        """Resolve a path, and tell which nodes the answer depends on."""
        return Journey(self, path).go()

    def follow_property_link(self, path: str, name: str, value: object) -> LinkedProperty:
        """Follow a property link of the node at `path` to its end.

        `path` has no links in it. Raises `BadPropertyLink` when the value is no link, or the link
        leads nowhere or back to itself.
        """
        from zc.zk.propertylinks import PropertyLinks

        found = PropertyLinks(self, 1).find(path, name, value)
        if isinstance(found, BadPropertyLink):
            raise found
        return found
