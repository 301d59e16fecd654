"""Nodes as text to be edited, and written back if nobody else has changed them meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import zookeeper
from zc.zk.links import is_direct
from zc.zk.operations import import_
from zc.zk.operations.export import export_tree
from zc.zk.operations.plan import Plan
from zc.zk.operations.setdata import as_bytes, set_data
from zc.zk.session.retry import attempts
from zc.zk.session.session import Session
from zc.zk.tree.parse import parse_tree
from zc.zk.tree.render import render
from zc.zk.tree.reparented import reparented

if TYPE_CHECKING:
    from zc.zk.tree.model import ParseNode
    from zookeeper.types import Acl, Stat


class Changed(Exception):
    """Somebody else has changed what was being edited."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path}: somebody else has changed it meanwhile")


class NodeText:
    """A node as text: its properties as in a tree file, or, if `raw`, its data as they are.

    Raises ValueError for raw data that are no text.
    """

    def __init__(self, session: Session, path: str, *, raw: bool) -> None:
        self._session = session
        self._path = path
        self._is_raw = raw
        self._data, self._stat = self._read()
        self._name = path.rpartition("/")[2] or "root"
        if not raw:
            self.text = "".join(render([(0, self._name, self._data)]))
            return
        self.text = self._data or ""
        if not _is_text(self.text):
            raise ValueError(f"{path}: its data are no text: `zk get -o FILE` and `zk set -f FILE`")

    def write(self, text: str) -> bool:
        """Write the node as the text says; return whether there was anything to write.

        Raises ValueError for text that says nothing about a node, and Changed.
        """
        data = self._raw(text) if self._is_raw else self._parsed(text)
        if as_bytes(data) == as_bytes(self._data):
            return False
        if self._read()[1]["czxid"] != self._stat["czxid"]:
            raise Changed(self._path)  # another node, whose versions begin anew
        try:
            set_data(self._session, self._path, data, self._stat["version"])
        except (zookeeper.BadVersionException, zookeeper.NoNodeException) as conflict:
            raise Changed(self._path) from conflict
        return True

    def _read(self) -> tuple[str | None, Stat]:
        try:
            for attempt in attempts(self._session):
                with attempt:
                    found = self._session.call(self._session.binding.get, self._path)
        except zookeeper.NoNodeException as missing:
            if hasattr(self, "_stat"):
                raise Changed(self._path) from missing
            raise
        return found

    def _raw(self, text: str) -> str | None:
        # Editors end the last line of a file, be it that it had no end.
        if text.endswith("\n") and not self.text.endswith("\n"):
            text = text[:-1]
        return None if not text and self._data is None else text

    def _parsed(self, text: str) -> str | None:
        tree = parse_tree(text)
        node: ParseNode | None = tree.children.get(self._name)
        if node is None or len(tree.children) != 1 or node.children:
            raise ValueError(f"there is to be one node, /{self._name}, and nothing else")
        return node.data


class SubtreeText:
    """A node and all below it as text, without ephemeral nodes."""

    def __init__(self, session: Session, path: str, acl: Acl) -> None:
        if path == "/" or not is_direct(path):
            raise ValueError(f"{path}: a node below the root is needed")
        self._session = session
        self._path = path
        self._acl = acl
        self.text = self._export()

    def plan(self, text: str) -> Plan:
        """Plan to make the nodes what the text says, all others below are deleted.

        Raises ValueError for text that cannot be read, and Changed.
        """
        parent, _, name = self._path.rpartition("/")
        tree = parse_tree(text)
        if set(tree.children) != {name}:
            raise ValueError(f"there is to be one node at the top, /{name}")
        # The nodes are read for the plan first, so that it is made of what is compared here.
        options = import_.Options(trim=True)
        plan = import_.make_plan(self._session, tree, parent or "/", acl=self._acl, options=options)
        if self._export() != self.text:
            raise Changed(self._path)
        return plan

    def moved(self, text: str) -> list[tuple[str, str]]:
        """Return old and new paths of nodes that a text puts below another, as theirs is gone."""
        return list(reparented(parse_tree(self.text), parse_tree(text)))

    def _export(self) -> str:
        return export_tree(self._session, self._path, ephemeral=False, name=None)


def _is_text(text: str) -> bool:
    return "\0" not in text and not any("\udc80" <= character <= "\udcff" for character in text)
