"""Property links, many of which are followed at once.

A node may have thousands of property links, and each may lead through the next one. If each were
followed by itself, the work would grow with the square of their number.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from typing import TYPE_CHECKING, Any, NamedTuple

from zc.zk.errors import BadPropertyLink, LinkLoop
from zc.zk.journey import MAX_LINKS, Journey
from zc.zk.links import PROPERTY_LINK, NotRead, absolute, is_direct, split_property_link
from zookeeper.errors import BadArgumentsException, NoAuthException, NoNodeException

if TYPE_CHECKING:
    from zc.zk.journey import Nodes

# All property links of a node together may lead through so many others, and a few more for each.
MAX_STEPS = 10 * MAX_LINKS

# A message names so many links at each end of a loop.
LINKS_SHOWN = 10

# Errors which show that a property link leads nowhere; a lost connection, for one, does not.
_NOWHERE = (ValueError, LinkLoop, NoNodeException, NoAuthException, BadArgumentsException)


class LinkedProperty(NamedTuple):
    """The value that a property link leads to.

    `path` is the node, without links, and `name` the property at the end.
    """

    value: Any
    path: str
    name: str


class _End:
    """The end of a property link, which is `length` links away."""

    __slots__ = ("cause", "found", "length", "reason", "unknown")

    def __init__(
        self,
        length: int,
        found: LinkedProperty | None,
        reason: str = "",
        cause: Exception | None = None,
        unknown: bool = False,
    ) -> None:
        self.length = length
        self.found = found
        self.reason = reason
        self.cause = cause
        self.unknown = unknown

    def one_link_further(self) -> "_End":
        if self.length < MAX_LINKS:
            return _End(self.length + 1, self.found, self.reason, self.cause, self.unknown)
        return _End(self.length, None, f"more than {MAX_LINKS} links")


# A property link on the way: the path of its node, its name and its value.
_Step = tuple[str, str, object]


class PropertyLinks:
    """Follows many property links of one node, for one state of all nodes.

    A link that several others lead through is followed once. So the work is proportional to their
    number, and it is bounded where they lead through very many nodes.
    """

    def __init__(self, nodes: "Nodes", number: int) -> None:
        self._nodes = nodes
        self._ends: dict[tuple[str, str], _End] = {}
        self._paths: dict[str, str | Exception] = {}
        self._left = MAX_STEPS + 2 * number
        # All links of a node may form one chain: one walk along it gives the distance from each.
        self._longest_walk = MAX_LINKS + number

    def find(self, path: str, name: str, value: object) -> LinkedProperty | BadPropertyLink:
        """Find the value that a property link of the node at `path` leads to."""
        end = self._follow((path, name, value))
        if end.unknown:
            # A new one: an exception refers to frames once raised, and these to all that is here.
            raise NotRead
        if end.found is not None:
            return end.found
        fault = BadPropertyLink(path, name, end.reason)
        fault.__cause__ = end.cause
        return fault

    def _follow(self, step: _Step) -> "_End":
        way: dict[tuple[str, str], None] = {}
        end = None
        while end is None:
            here = step[:2]
            if here in way:
                end = _End(0, None, _loop([*way][[*way].index(here) :]))
            elif (end := self._ends.get(here)) is None:
                way[here] = None
                if len(way) > self._longest_walk:
                    return self._give_up([*way][:-MAX_LINKS])
                ahead = self._go(step)
                if isinstance(ahead, _End):
                    del way[here]
                    self._ends[here] = end = ahead
                else:
                    step = ahead
        for here in reversed(way):
            self._ends[here] = end = end.one_link_further()
        return end

    def _give_up(self, way: list[tuple[str, str]]) -> "_End":
        """Note for the links on a way that they are too far from any end."""
        end = _End(MAX_LINKS, None).one_link_further()
        self._ends.update(dict.fromkeys(way, end))
        return end

    def _go(self, step: _Step) -> _Step | _End:
        at, link, value = step
        self._left -= 1
        if self._left < 0:
            return _End(1, None, f"more than {MAX_STEPS} links in all")
        try:
            target, name = split_property_link(value, link)
            path = self._resolve(absolute(at, target))
            properties = self._nodes.get_properties(path)
        except _NOWHERE as cause:
            return _End(1, None, str(cause), cause.with_traceback(None))
        except NotRead:
            return _End(1, None, unknown=True)
        if name in properties:
            return _End(1, LinkedProperty(properties[name], path, name))
        if name + PROPERTY_LINK in properties:
            return path, name, properties[name + PROPERTY_LINK]
        return _End(1, None, f"{path} has no property {name!r}")

    def _resolve(self, path: str) -> str:
        known = self._paths.get(path)
        if known is None and is_direct(path) and self._nodes.exists(path):
            self._paths[path] = known = path  # as most do, without a symbolic link in them
        if known is None:
            journey = Journey(self._nodes, path)
            try:
                known = journey.go().path
            except (*_NOWHERE, NotRead) as fault:
                known = fault.with_traceback(None)
            self._left -= journey.count
            self._paths[path] = known
        if isinstance(known, Exception):
            raise known
        return known


def _loop(links: list[tuple[str, str]]) -> str:
    shown = [f"{path} {name}" for path, name in [*links, links[0]]]
    if len(shown) > 2 * LINKS_SHOWN:
        left_out = f"({len(shown) - 2 * LINKS_SHOWN} more)"
        shown[LINKS_SHOWN:-LINKS_SHOWN] = [left_out]
    return "leads back to itself: " + " => ".join(shown)
