"""Things that an export leaves behind, and no import brings back (pure).

Ephemeral nodes are none of them: nobody but their programs makes these again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zc.zk.acl import OPEN_ACL_UNSAFE
from zc.zk.links import is_at_or_below
from zc.zk.tree.sequence import is_sequential, named

if TYPE_CHECKING:
    from typing import Protocol

    from zookeeper.types import Acl

    class Node(Protocol):
        """A node that is left out."""

        @property
        def path(self) -> str: ...
        @property
        def depth(self) -> int: ...
        @property
        def data(self) -> str | None: ...


# Below it the servers keep quotas, under the paths that they are for.
QUOTA = "/zookeeper/quota"
LIMITS = "/zookeeper_limits"

# These are there by themselves.
SERVERS_OWN = ("/zookeeper", QUOTA, "/zookeeper/config")


class LeftBehind:
    """Gathers what is left behind, while nodes are exported."""

    def __init__(self) -> None:
        self._counters: dict[str, None] = {}
        self._quotas: list[str] = []
        self._others: list[str] = []
        self._of_top: list[str] = []
        self._acls: list[str] = []
        self._are_all_acls = True

    def note_number(self, path: str) -> None:
        """Note a node whose name ends with a number: its parent may count sequential ones."""
        if is_sequential(path):
            self._counters[path.rpartition("/")[0] or "/"] = None

    def note_left_out(self, node: Node, acl: Acl | Exception | None) -> None:
        """Note the top, if that is left out, or a node of the servers' own."""
        path = node.path
        if node.depth == 0:
            if node.data:
                self._of_top.append(f"the data of {path}")
            if acl is not None and acl != OPEN_ACL_UNSAFE:
                self._of_top.append(f"the ACL of {path}")
        elif path.endswith(LIMITS):
            self.note_quota(path)
        elif path not in SERVERS_OWN and not is_at_or_below(path, QUOTA):
            self._others.append(path)

    def note_quota(self, path: str) -> None:
        """Note the node that has the limits of a quota."""
        self._quotas.append(path.removeprefix(QUOTA).removesuffix(LIMITS) or "/")

    def note_acl(self, path: str, *, is_top: bool) -> None:
        """Note a node whose ACL is not the open one that an import gives; the top has no name."""
        if is_top:
            self._of_top.append(f"the ACL of {path}")
        else:
            self._acls.append(path)

    def note_unseen_acls(self) -> None:
        """Note that there are more nodes than those whose ACLs were looked at."""
        self._are_all_acls = False

    def sentences(self) -> list[str]:
        """Return a sentence for each kind of thing."""
        told = list(self._of_top)
        if self._acls:
            count = f"{'' if self._are_all_acls else 'at least '}{len(self._acls)}"
            nodes = "node" if len(self._acls) == 1 else "nodes"
            told.append(f"ACLs of {count} {nodes} (--acls writes them): {named(self._acls)}")
        if self._counters:
            told.append(f"the counters of sequential nodes: {named(list(self._counters))}")
        if self._quotas:
            told.append(f"quotas: {named(self._quotas)}")
        if self._others:
            told.append(f"nodes of the servers' own: {named(self._others)}")
        return told
