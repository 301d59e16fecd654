"""Which nodes somebody looks for: by name, kind, age, owner, properties and data."""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from zc.zk import codec, owners
from zc.zk.links import LINK, PROPERTY_LINK

if TYPE_CHECKING:
    from zookeeper.types import Stat

_WILD = re.compile(r"\*|\?|[^*?]+")
_MEANS = {"*": ".*", "?": "."}


class Wanted(NamedTuple):
    """A property that a node is to have; with any value, unless one is wanted."""

    name: str
    has_value: bool = False
    value: Any = None

    def is_in(self, properties: codec.Properties) -> bool:
        """Say whether properties as they are stored have it; a link is one by its name alone."""
        if not self.has_value:
            return any(self.name + arrow in properties for arrow in ("", LINK, PROPERTY_LINK))
        if self.name not in properties:
            return False
        # As JSON, by which 1, True and 1.0 differ.
        return codec.as_read({"": properties[self.name]}) == codec.as_read({"": self.value})


class Selection(NamedTuple):
    """The properties of a node that is looked for; None or nothing stands for anything.

    Times are milliseconds, by the servers' clock. `kinds` are of `owners.KINDS`.
    """

    name: re.Pattern[str] | None = None
    path: re.Pattern[str] | None = None
    kinds: Sequence[str] = ()
    owner: int | None = None
    changed_after: float | None = None
    changed_before: float | None = None
    created_after: float | None = None
    created_before: float | None = None
    properties: Sequence[Wanted] = ()
    data: re.Pattern[str] | None = None

    @property
    def needs_data(self) -> bool:
        """Whether a node has to be read to be known."""
        return bool(self.properties) or self.data is not None

    def has_outside(self, path: str, stat: "Stat") -> bool:
        """Say whether it is so by all but the data."""
        owner = stat["ephemeralOwner"]
        return (
            _matches(self.name, path.rpartition("/")[2])
            and _matches(self.path, path)
            and (not self.kinds or owners.kind(owner) in self.kinds)
            and (self.owner is None or owner & owners.BITS == self.owner)
            and _is_within(stat["mtime"], self.changed_after, self.changed_before)
            and _is_within(stat["ctime"], self.created_after, self.created_before)
        )

    def has_inside(self, data: str | None) -> bool:
        """Say whether it is so by the data."""
        if self.data is not None and self.data.search(data or "") is None:
            return False
        if not self.properties:
            return True
        try:
            properties = codec.decode_strictly(data)
        except ValueError:
            properties = {codec.STRING_VALUE: data}
        return all(wanted.is_in(properties) for wanted in self.properties)


def name_pattern(text: str) -> re.Pattern[str]:
    """Return what matches names by a pattern, in which * is any characters and ? is one."""
    parts = (_MEANS.get(part) or re.escape(part) for part in _WILD.findall(text))
    return re.compile("".join(parts), re.DOTALL)


def _matches(pattern: re.Pattern[str] | None, text: str) -> bool:
    return pattern is None or pattern.fullmatch(text) is not None


def _is_within(time: int, after: float | None, before: float | None) -> bool:
    return (after is None or time >= after) and (before is None or time <= before)
