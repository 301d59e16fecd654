"""The steps of a plan that are about the marks of nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zc.zk.errors import printable
from zc.zk.tree.access import only_grants
from zc.zk.tree.acltext import write_acl
from zc.zk.tree.changes import Change

if TYPE_CHECKING:
    from zookeeper.types import Acl, Operation


class SetAcl(Change):
    """Replace a node's ACL, `old`, read at `version`, by `new`.

    `is_of_new` if the same plan creates the node, with `old`, which lets its children be made.
    """

    __slots__ = ("is_of_new", "new", "old", "version")

    writes = True
    purpose = "get another ACL"

    def __init__(
        self, path: str, old: Acl, new: Acl, version: int, is_of_new: bool = False
    ) -> None:
        self.path = path
        self.old = old
        self.new = new
        self.version = version
        self.is_of_new = is_of_new

    def attributes(self) -> tuple[Any, ...]:
        return self.path, self.old, self.new, self.version, self.is_of_new

    def __hash__(self) -> int:
        return hash((self.path, self.version))

    @property
    def replaces(self) -> bool:
        return not self.is_of_new

    @property
    def opens(self) -> bool:
        """Whether it takes no permission away from anybody, so that it may come first."""
        return only_grants(self.old, self.new)

    def _lines(self) -> list[str]:
        return [f"{self.path} acl change from {write_acl(self.old)} to {write_acl(self.new)}"]

    def operation(self, acl: Acl) -> Operation:
        return ("set_acl", self.path, self.new, self.version)


class LeaveOut(Change):
    """Do not create a node that was ephemeral: the program that it belonged to does that."""

    __slots__ = ()

    purpose = "leave out, as they were ephemeral"

    def _lines(self) -> list[str]:
        return [f"wouldn't create {self.path} because it was ephemeral."]

    @property
    def notice(self) -> str:
        return printable(f"Not creating {self.path} because it was ephemeral.")
