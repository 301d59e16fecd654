"""Trees from servers, some of whose nodes may not be readable."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable

import zookeeper
from zc.zk.cli import connect
from zc.zk.cli.failures import Failure
from zc.zk.cli.progress import progress
from zc.zk.cli.skipped import Skipped


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
    # Imported here: --help needs no operation.
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
