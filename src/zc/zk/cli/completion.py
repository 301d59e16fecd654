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
from zc.zk.cli.commands import COMMANDS
from zc.zk.links import join
from zc.zk.naturalorder import sorted_naturally

MAX_SECONDS = 1.0


def complete(parser: ArgumentParser) -> None:
    """Tell the shell what its command line can become, and end."""
    timer = threading.Timer(MAX_SECONDS, os._exit, [1])
    timer.daemon = True
    timer.start()
    logging.disable()  # the user is typing where it would go
    argcomplete.autocomplete(parser, default_completer=_Nodes())


def command_being_typed() -> str:
    """Return the command of a program with many, whose arguments a shell wants to complete.

    While its name is typed, that is completed, which ends the process.
    """
    before = os.environ.get("COMP_LINE", "")[: int(os.environ.get("COMP_POINT", "0"))]
    words = before.split()
    place = int(os.environ["_ARGCOMPLETE"])
    is_behind = len(words) > place + 1 or before[-1:].isspace()
    if is_behind and len(words) > place and words[place] in COMMANDS:
        # The parser of a command has to see what stands behind its name.
        os.environ["_ARGCOMPLETE"] = str(place + 1)
        return words[place]
    choices = [*COMMANDS, "help"]
    if is_behind and words[place : place + 1] == ["help"]:
        os.environ["_ARGCOMPLETE"] = str(place + 1)
        choices.remove("help")
    parser = ArgumentParser(add_help=False)
    parser.add_argument("command", choices=choices)
    argcomplete.autocomplete(parser)
    raise SystemExit(1)


class _Nodes(FilesCompleter):
    """Completes arguments to paths of nodes, or files where there is no node.

    The connection for a path is in the same argument, in one before it, or in the environment.
    """

    def __call__(self, prefix: str, **given: Any) -> list[str]:
        if given["action"].dest != "words":
            return super().__call__(prefix)
        options, first = given["parsed_args"], given["parser"].first_words
        words = list(options.words or ())
        if first and not words:
            return [word for word in first if word.startswith(prefix)]
        return self._nodes(prefix, options, words[bool(first) :]) or super().__call__(prefix)

    def _nodes(self, prefix: str, options: Namespace, words: list[str]) -> list[str]:
        server, slash, path = prefix.partition("/")
        if not slash:
            return []
        given = [server] if is_connection(server) else words
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
            for name in sorted_naturally(session.binding.get_children(handle, above or "/"))
            # A name made by anybody may do something to a terminal.
            if name.startswith(beginning) and name.isprintable()
        ]
        if len(paths) == 1:
            stat = session.binding.exists(handle, paths[0])
            if stat is not None and stat["numChildren"]:
                paths[0] += "/"
    return paths
