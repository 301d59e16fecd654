"""Quotas of paths: reading, setting and deleting them, each in one transaction.

They are kept at the servers' own root, whatever the root of the connection string is; so a session
without a root reads and writes them.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import zookeeper
from zc.zk.acl import OPEN_ACL_UNSAFE
from zc.zk.links import is_within
from zc.zk.naturalorder import sorted_naturally
from zc.zk.operations import root
from zc.zk.operations.subtree import CONFLICTS
from zc.zk.session.retry import attempts
from zc.zk.session.session import Session
from zc.zk.tree import quotatext


class Quota(NamedTuple):
    """The limits of a path by name, and what of them is used: a count of nodes, and bytes."""

    path: str
    limits: Mapping[str, int]
    used: Mapping[str, int]


class _Kept(NamedTuple):
    """The nodes that quotas are kept in, by path."""

    data: dict[str, str | None]
    versions: dict[str, int]


class Quotas:
    """The quotas of a service, with paths as a session has them; see `quotas_of`."""

    def __init__(self, session: Session, top: str) -> None:
        self._session = session
        self._root = top

    def all(self) -> list[Quota]:
        """Return the quotas of all paths that the session can name."""
        kept = self._read()
        limited = quotatext.limited_paths(kept.data)
        return [
            self._quota(kept, path)
            for path in sorted_naturally(limited)
            if is_within(path, self._root or "/")
        ]

    def paths_within(self, path: str) -> list[str]:
        """Return the paths of a node and of those below it that have quotas, in natural order."""
        full = self._full(path)
        below = quotatext.QUOTAS if full == "/" else f"{quotatext.QUOTAS}{full}"
        return [
            limited[len(self._root) :] or "/"
            for limited in sorted_naturally(quotatext.limited_paths(self._read(below).data))
        ]

    def around(self, path: str) -> Quota | None:
        """Return the quota that holds for a node: its own, or that of a node above it."""
        kept = self._read()
        full = self._full(path)
        for limited in quotatext.limited_paths(kept.data):
            if is_within(full, limited):
                return self._quota(kept, limited)
        return None

    def set(self, path: str, changes: Mapping[str, int | None]) -> Quota:
        """Change limits of a path, None for no limit, and return its quota then.

        Raises NoNodeException when there is no node at `path`, Overlapping, and ValueError when no
        limit is left.
        """
        full = self._full(path)
        if full == "/" or is_within(full, "/zookeeper"):
            raise ValueError(f"{path} cannot have a quota: it is the servers' own")
        for attempt in attempts(self._session, CONFLICTS):
            kept = self._read()
            with attempt:
                if self._session.call(self._session.binding.exists, full) is None:
                    raise ValueError(f"there is no node {path}")
                quotatext.check_alone(full, quotatext.limited_paths(kept.data))
                now = quotatext.read_numbers(kept.data.get(quotatext.limits_node(full)))
                wanted = {**now, **changes}
                limits = {name: limit for name, limit in wanted.items() if limit is not None}
                if not limits:
                    raise ValueError(f"{path} would have no limit: delete its quota")
                steps = quotatext.setting(full, limits, kept.versions, OPEN_ACL_UNSAFE)
                self._session.call(self._session.binding.multi, steps)
        return self._quota(self._read(), full)

    def delete(self, path: str) -> bool:
        """Take the quota of a path away; say whether there was one."""
        full = self._full(path)
        was_there = False
        for attempt in attempts(self._session, CONFLICTS):
            kept = self._read()
            with attempt:
                was_there = was_there or quotatext.limits_node(full) in kept.data
                steps = quotatext.removal(full, kept.versions)
                if steps:
                    self._session.call(self._session.binding.multi, steps)
        return was_there

    def _read(self, top: str = quotatext.QUOTAS) -> _Kept:
        try:
            for attempt in attempts(self._session):
                with attempt:
                    tree = self._session.call(self._session.binding.read_tree, top)
        except zookeeper.NoNodeException:
            return _Kept({}, {})
        for node in tree:
            if node.error is not None:
                raise node.error
        return _Kept(
            {node.path: node.data for node in tree}, {node.path: node.version for node in tree}
        )

    def _quota(self, kept: _Kept, full: str) -> Quota:
        return Quota(
            full[len(self._root) :] or "/",
            quotatext.read_numbers(kept.data.get(quotatext.limits_node(full))),
            quotatext.read_numbers(kept.data.get(quotatext.stats_node(full))),
        )

    def _full(self, path: str) -> str:
        return (self._root + path).rstrip("/") or "/"


@contextmanager
def quotas_of(session: Session) -> Iterator[Quotas]:
    """Yield the quotas of a session's service."""
    if not session.root:
        yield Quotas(session, "")
        return
    with root.outside(session) as other:
        yield Quotas(other, session.root.rstrip("/"))
