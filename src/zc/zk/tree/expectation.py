"""The state of a node that somebody waits for, and what it lacks."""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from collections.abc import Sequence
from typing import NamedTuple

from zc.zk import codec
from zc.zk.tree.selection import Selection, Wanted


class Seen(NamedTuple):
    """A node as it was seen; its data and the number of its children only if they matter."""

    is_there: bool
    data: str | None = None
    children: int | None = None


class Expectation(NamedTuple):
    """A node that is there, has these properties, and at least so many children; or is gone."""

    is_gone: bool = False
    properties: Sequence[Wanted] = ()
    children: int | None = None

    @property
    def needs_data(self) -> bool:
        """Whether the node has to be read."""
        return bool(self.properties)

    def lack(self, seen: Seen) -> str:
        """Say in words what is not as expected; '' when all is."""
        if self.is_gone:
            return "it is there" if seen.is_there else ""
        if not seen.is_there:
            return "it is not there"
        for wanted in self.properties:
            if not Selection(properties=[wanted]).has_inside(seen.data):
                return _lack_of(wanted, codec.decode(seen.data))
        if self.children is not None and (seen.children or 0) < self.children:
            return f"it has {seen.children or 0} of {self.children} children"
        return ""


def _lack_of(wanted: Wanted, properties: codec.Properties) -> str:
    if wanted.name in properties:
        return f"its property {wanted.name!r} is {codec.to_json(properties[wanted.name])}"
    return f"it has no property {wanted.name!r}"
