"""`zk shell`: the commands line by line, in one session, from a current node."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager

from zc.zk.cli import connect, nodewords
from zc.zk.cli.arguments import Parser
from zc.zk.cli.failures import Failure
from zc.zk.cli.output import is_terminal, tell
from zc.zk.cli.reports import CONNECTION_AND_TOP, connection_and_path
from zc.zk.cli.shelllines import Ended, Lines
from zc.zk.operations import reading

USAGE = "[--write] [-c LINE]... [options] [CONNECTION] [PATH]"
DETAILS = f"""\
{CONNECTION_AND_TOP}
It is the current node: paths in lines are seen from there, and `..` is the node above. A line is a
command of zk without the connection, with quotes and backslashes as in a shell, such as
`ls -l providers`; commands that look at a node take the current one if none is named. There are
besides: cd, pwd, help, exit, and write. Nothing may be changed, but for dry runs, until --write or
the line `write on`; the prompt shows it. All lines have one session, but for commands that keep
watches, nodes or locks, or have options for another connection.

At a terminal Tab completes commands, options and paths; Ctrl-C ends a command, and Ctrl-D the
shell. The history is in ~/.local/state/zc.zk/shell-history (XDG_STATE_HOME); a line that begins
with a blank, or mentions a password or the like, does not go there. It needs prompt_toolkit.
Elsewhere lines are taken from -c, or standard input; the first that fails ends it, with its status.
A line that begins with # is a comment."""
EXAMPLES = """\
zookeeper.example.com:2181 /fooservice
-c 'cd /fooservice' -c 'ls -l' zookeeper.example.com:2181
--write zookeeper.example.com:2181 < lines.txt"""


def add_arguments(parser: Parser) -> None:
    parser.add_words(nodes=nodewords.first)
    parser.add_argument("--write", action="store_true", help="permit to change nodes")
    parser.add_argument(
        "-c", "--command", action="append", metavar="LINE", help="run this line; may be repeated"
    )
    parser.add_server_arguments()


def run(options: Namespace) -> int:
    connection, path = connection_and_path(options, "/")
    asks = options.command is None and is_terminal(sys.stdin) and is_terminal(sys.stdout)
    if asks:
        _require_prompt_toolkit()
    with connect.session(options, connection) as session:
        reading.locate(session, path)
        lines = Lines(options, session, path)
        if asks:
            from zc.zk.cli import shellprompt

            shellprompt.run(options, lines)
            return 0
        if options.command is not None:
            return _run_all(options, lines, iter(options.command), "-c")
        with _standard_input() as given:
            return _run_all(options, lines, given, "standard input, line")


def _require_prompt_toolkit() -> None:
    try:
        import prompt_toolkit  # noqa: F401
    except ImportError as fault:
        raise Failure(
            f"at a terminal the shell needs prompt_toolkit ({fault}): pip install 'zc.zk[shell]';"
            " without it there is -c LINE"
        ) from fault


def _run_all(options: Namespace, lines: Lines, given: Iterator[str], where: str) -> int:
    """Run lines up to the first that fails, and return its status."""
    try:
        for number, line in enumerate(given, 1):
            if status := lines.run(line.rstrip("\n")):
                tell(options.name, f"{where} {number}: it failed, and no more lines are run")
                return status
    except Ended:
        pass
    return 0


@contextmanager
def _standard_input() -> Iterator[Iterator[str]]:
    """Yield the lines of standard input, which no command, and no program of theirs, sees."""
    stream = sys.stdin
    if stream is None:
        raise Failure("standard input is closed")
    try:
        number = stream.fileno()
    except (AttributeError, OSError, ValueError):
        number = None  # a stream of text, which a program has put there
    sys.stdin = None
    try:
        if number is None:
            yield iter(stream)
            return
        own = os.dup(number)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, number)
        os.close(null)
        try:
            with open(own, encoding="utf-8", errors="surrogateescape", closefd=False) as source:
                yield source
        finally:
            os.dup2(own, number)
            os.close(own)
    finally:
        sys.stdin = stream
