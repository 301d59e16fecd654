"""Completions of arguments in a shell: options, files, and paths of nodes.

Nobody waits long for a completion that may not come: the process is there for nothing else, and
ends when its time is up.
"""

from __future__ import annotations

import logging
import os
import threading
from argparse import ArgumentParser, Namespace
from typing import Any

import argcomplete
from argcomplete.completers import FilesCompleter

from zc.zk.cli import connect
from zc.zk.cli.arguments import connection_and_rest, is_connection
from zc.zk.links import join

MAX_SECONDS = 1.0


def complete(parser: ArgumentParser) -> None:
    """Tell the shell what its command line can become, and end."""
    timer = threading.Timer(MAX_SECONDS, os._exit, [1])
    timer.daemon = True
    timer.start()
    logging.disable()  # the user is typing where it would go
    argcomplete.autocomplete(parser, default_completer=_Nodes())


class _Nodes(FilesCompleter):
    """Completes arguments to paths of nodes, or files where there is no node.

    The connection for a path is in the same argument, in one before it, or in the environment.
    """

    def __call__(self, prefix: str, **given: Any) -> list[str]:
        is_option = given["action"].dest != "words"
        nodes = [] if is_option else self._nodes(prefix, given["parsed_args"])
        return nodes or super().__call__(prefix)

    def _nodes(self, prefix: str, options: Namespace) -> list[str]:
        server, slash, path = prefix.partition("/")
        if not slash:
            return []
        given = [server] if is_connection(server) else list(options.words or ())
        try:
            connection, _ = connection_and_rest(Namespace(words=given), len(given))
            return [server + each for each in _paths(options, connection, slash + path)]
        except Exception:  # there is no place for a message: the user is typing
            return []


def _paths(options: Namespace, connection: str, prefix: str) -> list[str]:
    """Return paths that begin with `prefix`; a single parent has a slash behind."""
    above, _, beginning = prefix.rpartition("/")
    with connect.session(options, connection) as session:
        handle = session.require_handle()
        paths = [
            join(above or "/", name)
            for name in sorted(session.binding.get_children(handle, above or "/"))
            # A name made by anybody may do something to a terminal.
            if name.startswith(beginning) and name.isprintable()
        ]
        if len(paths) == 1:
            stat = session.binding.exists(handle, paths[0])
            if stat is not None and stat["numChildren"]:
                paths[0] += "/"
    return paths
