"""The commands: `zookeeper_export`, or `python -m zc.zk export`, and so on.

A command reads its arguments, does one thing, and returns the status that its process is to end
with: None, which is 0, when all went well, 1 after an error, 2 when it was called in a way that
makes no sense, 3 when it was asked to look for differences and found some. Standard output gets the
data that were asked for and nothing else; what is said to the user goes to standard error.

The functions here are the entry points. They take the arguments behind the command's name, by
default those of the process. Programs and suites call them, too, with whatever is in the place of
`sys.stdin` and `sys.stdout` at that time. Each command is a module of its own, which is imported
when the command is called: starting quickly matters for what is called in loops.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

Arguments = Sequence[str] | None

# Where each command is, and what it does.
COMMANDS = {
    "export": ("export", "write the nodes below a path as text, JSON or YAML"),
    "import": ("import_", "make the nodes below a path what a file says"),
    "validate": ("validate", "check files that are to be imported"),
    "diff": ("diff", "compare files and servers"),
    "set_property": ("set_property", "set properties of a node"),
    "delete": ("delete", "delete a node and all below it"),
    "watch": ("watch", "follow the children and properties of nodes"),
    "graph": ("graph", "draw services and the links between them"),
    "browse": ("browse", "show the tree in a web browser, live"),
    "server": ("server", "run a server for development and tests"),
}


def export(arguments: Arguments = None) -> int | None:
    return _run("export", arguments)


def import_(arguments: Arguments = None) -> int | None:
    return _run("import", arguments)


def validate(arguments: Arguments = None) -> int | None:
    return _run("validate", arguments)


validate_ = validate


def diff(arguments: Arguments = None) -> int | None:
    return _run("diff", arguments)


def set_property(arguments: Arguments = None) -> int | None:
    return _run("set_property", arguments)


def delete(arguments: Arguments = None) -> int | None:
    return _run("delete", arguments)


def watch(arguments: Arguments = None) -> int | None:
    return _run("watch", arguments)


def graph(arguments: Arguments = None) -> int | None:
    return _run("graph", arguments)


def browse(arguments: Arguments = None) -> int | None:
    return _run("browse", arguments)


def server(arguments: Arguments = None) -> int | None:
    return _run("server", arguments)


def main(arguments: Arguments = None) -> int | None:
    """`python -m zc.zk COMMAND ...`."""
    command, *rest = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if command in COMMANDS:
        return _run(command, rest, f"python -m zc.zk {command}")
    from zc.zk.cli import runner

    return runner.conclude("python -m zc.zk", lambda: _tell_of_commands(command)) or None


def _tell_of_commands(command: str) -> int:
    from zc.zk.cli.failures import Misuse
    from zc.zk.cli.output import STANDARD, write_text

    if command not in ("-h", "--help"):
        raise Misuse(f"no such command: {command!r}; --help lists them")
    width = max(map(len, COMMANDS))
    summaries = "".join(f"  {name:{width}}  {summary}\n" for name, (_, summary) in COMMANDS.items())
    text = (
        f"usage: python -m zc.zk COMMAND ...\n\n{summaries}\n"
        "`python -m zc.zk COMMAND --help` tells more. Each is also a command of its own,\n"
        "zookeeper_COMMAND.\n"
    )
    write_text(STANDARD, [text])
    return 0


def _run(command: str, arguments: Arguments, name: str | None = None) -> int | None:
    from zc.zk.cli import runner

    module, summary = COMMANDS[command]
    status = runner.run(
        f"zc.zk.cli.{module}",
        name or f"zookeeper_{command}",
        summary,
        list(sys.argv[1:] if arguments is None else arguments),
    )
    return status or None
