"""The steps of a plan, and what is printed about each, word for word.

A plan is a list of changes in the order in which to make them, and print them. Each knows the state
it was computed from, as versions, so that applying it fails rather than undoes what somebody else
did meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from zc.zk import codec
from zc.zk._speedups import OutlinedNode
from zc.zk.errors import printable
from zc.zk.garbage import collected_later
from zc.zk.imports import importing
from zc.zk.tree.marks import Marks
from zc.zk.tree.model import ParseNode

if TYPE_CHECKING:
    from zookeeper.types import Acl, Operation

# Data of so many characters fit into any request.
SHORT_DATA = 100_000

# Nodes of a text, which make their data when they are asked for.
_OF_TEXT = (ParseNode, OutlinedNode)


class Change:
    """One step of a plan, about the node at `path`.

    `str()` is what a dry run prints for it, which may be several lines; whatever is in names and
    values, there are no other characters in it than printable ones and the line feeds between
    these lines. Changes of the same kind with the same attributes are equal.
    """

    # Plans may have a million changes, and small commands no time to import `dataclasses`.
    __slots__ = ("path",)

    # Whether there is an operation for it.
    writes: ClassVar[bool] = False
    # The end of "5 nodes to ...".
    purpose: ClassVar[str] = "see to"

    def __init__(self, path: str) -> None:
        self.path = path

    @property
    def replaces(self) -> bool:
        """Whether something is lost by it that was there."""
        return False

    @property
    def is_sure(self) -> bool:
        """Whether its operation can be made, and sent, at any time, so may wait."""
        return False

    def attributes(self) -> tuple[Any, ...]:
        """Return the constructor's arguments, in order."""
        return (self.path,)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        assert isinstance(other, Change)
        return self.attributes() == other.attributes()

    def __hash__(self) -> int:
        return hash(self.attributes())

    def __repr__(self) -> str:
        return f"{type(self).__name__}{self.attributes()}"

    def lines(self) -> list[str]:
        """Return the lines that a dry run prints."""
        return [*map(printable, self._lines())]

    def _lines(self) -> list[str]:
        """Return the same, with all characters of names and values."""
        raise NotImplementedError

    def __str__(self) -> str:
        return "\n".join(self.lines())

    @property
    def notice(self) -> str:
        """The line that is printed when the plan is applied; mostly none, ''."""
        return ""

    def operation(self, acl: Acl) -> Operation | None:
        """Return the operation for `multi`; None for a node that is left alone.

        `acl` is for nodes that are created.
        """
        return None


class AddNode(Change):
    """Create a node; `is_nested` if the same plan creates its parent.

    Its data may be given as the node of a text, whose data they are then, made when they are asked
    for. It is permanent, with the ACL that is given for all new nodes, unless `marks` tell others.
    """

    __slots__ = ("_data", "is_nested", "marks")

    writes = True
    purpose = "add"

    def __init__(
        self,
        path: str,
        data: str | ParseNode | OutlinedNode | None,
        is_nested: bool = False,
        marks: Marks | None = None,
    ) -> None:
        self.path = path
        self._data = data
        self.is_nested = is_nested
        self.marks = marks

    def but(self, *, is_nested: bool, marks: Marks | None) -> AddNode:
        """Return the same change, with these attributes."""
        return AddNode(self.path, self._data, is_nested, marks)

    @property
    def data(self) -> str | None:
        return self._data.data if isinstance(self._data, _OF_TEXT) else self._data

    @property
    def is_sure(self) -> bool:
        if self.marks is not None:
            return False
        if isinstance(self._data, _OF_TEXT):
            return self._data.data_may_wait
        # Servers refuse no printable ASCII in a name.
        is_plain = self.path.isascii() and self.path.isprintable()
        return is_plain and len(self.path) <= SHORT_DATA and _is_short(self._data)

    def attributes(self) -> tuple[Any, ...]:
        given = self.path, self.data, self.is_nested
        return given if self.marks is None else (*given, self.marks)

    def __hash__(self) -> int:
        return hash((self.path, self.is_nested))

    def _lines(self) -> list[str]:
        return [f"add {self.path}", *(self.marks.additions(self.path) if self.marks else [])]

    def details(self) -> list[str]:
        """Return a line for each property that the new node will have."""
        # Imported here, and below: most plans have no line about data.
        with importing:
            from zc.zk.tree.differences import property_changes
        lines = property_changes(self.path, {}, codec.decode(self.data, self.path))
        return [*map(printable, lines)]

    def operation(self, acl: Acl) -> Operation:
        data = self.data
        marks = self.marks
        return ("create", self.path, data, *(marks.to_create(acl) if marks else (acl, 0)))


class SetData(Change):
    """Replace a node's data, `old`, read at `version`, by `new`."""

    __slots__ = ("new", "old", "version")

    writes = True
    purpose = "change"

    def __init__(self, path: str, old: str | None, new: str | None, version: int) -> None:
        self.path = path
        self.old = old
        self.new = new
        self.version = version

    @property
    def replaces(self) -> bool:
        return True

    @property
    def is_sure(self) -> bool:
        return _is_short(self.new)

    def attributes(self) -> tuple[Any, ...]:
        return self.path, self.old, self.new, self.version

    def _lines(self) -> list[str]:
        with importing:
            from zc.zk.tree.differences import property_changes, value_change
        old, new = (codec.decode(data, self.path) for data in (self.old, self.new))
        lines = property_changes(self.path, old, new)
        return lines or value_change(f"{self.path} data", self.old, self.new)

    def operation(self, acl: Acl) -> Operation:
        return ("set", self.path, self.new, self.version)


class DeleteNode(Change):
    """Delete a node, read at `version`, whose children have been deleted before."""

    __slots__ = ("version",)

    writes = True
    purpose = "delete"

    def __init__(self, path: str, version: int) -> None:
        self.path = path
        self.version = version

    @property
    def replaces(self) -> bool:
        return True

    @property
    def is_sure(self) -> bool:
        return True

    def attributes(self) -> tuple[Any, ...]:
        return self.path, self.version

    def _lines(self) -> list[str]:
        return [f"would delete {self.path}."]

    def operation(self, acl: Acl) -> Operation:
        return ("delete", self.path, self.version)


class KeepExtra(Change):
    """Leave a node that the text does not mention, and say so."""

    __slots__ = ()

    purpose = "keep, as they are not to be trimmed"

    def _lines(self) -> list[str]:
        return [f"extra path not trimmed: {self.path}"]

    @property
    def notice(self) -> str:
        return str(self)


class KeepEphemeral(Change):
    """Leave an ephemeral node, which its owner still needs."""

    __slots__ = ()

    purpose = "keep, as they are ephemeral"

    def _lines(self) -> list[str]:
        return [f"wouldn't delete {self.path} because it's ephemeral."]

    @property
    def notice(self) -> str:
        return printable(f"Not deleting {self.path} because it's ephemeral.")


class KeepAncestor(Change):
    """Leave a node because there is an ephemeral one below it."""

    __slots__ = ()

    purpose = "keep, as there are ephemeral ones below"

    def _lines(self) -> list[str]:
        return [f"{self.path} not deleted due to ephemeral descendent."]

    @property
    def notice(self) -> str:
        return str(self)


@collected_later
def operations(plan: Iterable[Change], acl: Acl) -> list[Operation]:
    """Yield a plan's operations, in order, for `multi` or `write_many`."""
    steps = (change.operation(acl) for change in plan)
    return [operation for operation in steps if operation is not None]


def messages(
    plan: Iterable[Change], *, dry_run: bool = False, verbose: bool = False
) -> Iterator[str]:
    """Yield the lines to print for a plan, applied or, in a dry run, not.

    Of a new subtree a dry run shows the top only; `verbose` adds the nodes in it and all
    their properties.
    """
    for change in plan:
        if not dry_run:
            if change.notice:
                yield change.notice
        elif not isinstance(change, AddNode):
            yield from change.lines()
        elif verbose:
            yield from change.lines()
            yield from change.details()
        elif not change.is_nested:
            yield from change.lines()


def _is_short(data: str | None) -> bool:
    return data is None or len(data) <= SHORT_DATA
