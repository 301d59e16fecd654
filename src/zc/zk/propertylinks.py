"""Following property links, many at once.

A node may have thousands of them, and one may lead through the next: followed one by one, the work
would grow with the square of their number.
"""

from __future__ import annotations

from typing import NamedTuple

from zc.zk.errors import BadPropertyLink, LinkLoop
from zc.zk.links import (
    MOST_LINKS,
    PROPERTY_LINK,
    Journey,
    LinkedProperty,
    Nodes,
    NotRead,
    absolute,
    split_property_link,
)
from zookeeper.errors import BadArgumentsException, NoAuthException, NoNodeException

# All property links of a node together may lead through so many, beyond a few for each.
MOST_STEPS = 10 * MOST_LINKS

# Links at both ends of a loop that a message names.
LINKS_SHOWN = 10

# What says that a property link leads nowhere; a lost connection, say, does not.
_NOWHERE = (ValueError, LinkLoop, NoNodeException, NoAuthException, BadArgumentsException)


class _End(NamedTuple):
    """Where a property link ends, after so many links: in one of the others."""

    length: int
    found: LinkedProperty | None
    reason: str = ""
    cause: Exception | None = None
    unknown: NotRead | None = None

    def one_link_further(self) -> _End:
        if self.length < MOST_LINKS:
            return self._replace(length=self.length + 1)
        return _End(self.length, None, f"more than {MOST_LINKS} links")


class _Step(NamedTuple):
    """The next property link on the way."""

    path: str
    name: str
    value: object


class PropertyLinks:
    """Follows property links, many of one node, as things are at one moment.

    What several lead through is followed once, so that the work is proportional to their number,
    and bounded where they lead through very many nodes.
    """

    def __init__(self, nodes: Nodes, number: int) -> None:
        self._nodes = nodes
        self._ends: dict[tuple[str, str], _End] = {}
        self._paths: dict[str, str | Exception] = {}
        self._left = MOST_STEPS + 2 * number
        # All links of a node may be one chain: to walk it once tells how long the way is from each.
        self._longest_walk = MOST_LINKS + number

    def find(self, path: str, name: str, value: object) -> LinkedProperty | BadPropertyLink:
        """What the property link `name` with this value, of the node at `path`, leads to."""
        end = self._follow(_Step(path, name, value))
        if end.unknown is not None:
            raise end.unknown
        if end.found is not None:
            return end.found
        fault = BadPropertyLink(path, name, end.reason)
        fault.__cause__ = end.cause
        return fault

    def _follow(self, step: _Step) -> _End:
        way: dict[tuple[str, str], None] = {}
        end = None
        while end is None:
            here = step.path, step.name
            if here in way:
                end = _End(0, None, _loop([*way][[*way].index(here) :]))
            elif (end := self._ends.get(here)) is None:
                way[here] = None
                if len(way) > self._longest_walk:
                    return self._give_up([*way][:-MOST_LINKS])
                ahead = self._go(step)
                if isinstance(ahead, _End):
                    end = ahead
                else:
                    step = ahead
        for here in reversed(way):
            self._ends[here] = end = end.one_link_further()
        return end

    def _give_up(self, way: list[tuple[str, str]]) -> _End:
        """For the links on a way that are too far from the end, wherever that is."""
        end = _End(MOST_LINKS, None).one_link_further()
        self._ends.update(dict.fromkeys(way, end))
        return end

    def _go(self, step: _Step) -> _Step | _End:
        self._left -= 1
        if self._left < 0:
            return _End(0, None, f"more than {MOST_STEPS} links in all")
        try:
            target, name = split_property_link(step.value, step.name)
            path = self._resolve(absolute(step.path, target))
            properties = self._nodes.get_properties(path)
        except _NOWHERE as cause:
            return _End(0, None, str(cause), cause.with_traceback(None))
        except NotRead as unknown:
            return _End(0, None, unknown=unknown.with_traceback(None))
        if name in properties:
            return _End(0, LinkedProperty(properties[name], path, name))
        if name + PROPERTY_LINK in properties:
            return _Step(path, name, properties[name + PROPERTY_LINK])
        return _End(0, None, f"{path} has no property {name!r}")

    def _resolve(self, path: str) -> str:
        known = self._paths.get(path)
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
