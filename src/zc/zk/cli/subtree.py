"""Trees from servers, some of whose nodes may not be readable."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable

import zookeeper
from zc.zk.cli import connect
from zc.zk.cli.failures import Failure
from zc.zk.cli.output import tell
from zc.zk.cli.progress import progress

# Nodes that are told by their names.
MAX_TOLD = 10


class Skipped:
    """The paths of nodes that were left out, told to the user as they come.

    `place` is told with them: where they are, if that is one of several.
    """

    def __init__(self, name: str, place: str = "") -> None:
        self.paths: list[str] = []
        self._name = name
        self._from = f" of {place}" if place else ""

    def __call__(self, path: str, fault: Exception) -> None:
        self.paths.append(path)
        if len(self.paths) <= MAX_TOLD:
            tell(self._name, f"left out{self._from}, with all below it: {fault}")

    def conclude(self) -> bool:
        """Tell how many more there are. Whether there are any."""
        if (more := len(self.paths) - MAX_TOLD) > 0:
            tell(self._name, f"left out{self._from}, with all below them: {more} more")
        return bool(self.paths)


def tree_text(
    options: Namespace,
    connection: str,
    path: str,
    skipped: Skipped,
    *,
    what: str = "read",
    ephemeral: bool,
    name: str | None = None,
    acls: bool = False,
    kinds: bool = True,
    lost: Callable[[list[str]], object] | None = None,
    is_strict: bool = False,
) -> str:
    """Export a server's tree; without unreadable nodes if `options` say so.

    Otherwise one of them raises Failure. `lost` is told what is not, with `is_strict` all of it.
    """
    # Imported here: an import has skipped nodes, too, and exports none.
    from zc.zk.operations.export import export_tree

    with connect.session(options, connection) as session, progress(what) as bar:
        try:
            return export_tree(
                session,
                path,
                ephemeral=ephemeral,
                name=name,
                acls=acls,
                kinds=kinds,
                progress=bar,
                skip=skipped if options.skip_unreadable else None,
                lost=lost,
                is_strict=is_strict,
            )
        except zookeeper.NoAuthException as refusal:
            hint = "" if options.skip_unreadable else " (--skip-unreadable leaves out such nodes)"
            raise Failure(f"{refusal}{hint}") from refusal
