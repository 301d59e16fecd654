"""The commands: `zk export`, or `python -m zc.zk export`, or `zookeeper_export`, and so on.

A command reads its arguments, does one thing, and returns the status that its process is to end
with: None, which is 0, when all went well, 1 after an error, 2 when it was called in a way that
makes no sense, 3 when it was asked to look for differences and found some. Standard output gets the
data that were asked for and nothing else; what is said to the user goes to standard error.

The functions here are the entry points. They take the arguments behind the command's name, by
default those of the process. Programs and suites call them, too, with whatever is in the place of
`sys.stdin` and `sys.stdout` at that time. Each command is a module of its own, which is imported
when the command is called: starting quickly matters for what is called in loops.
`zc.zk.cli.commands` lists them.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Sequence

from zc.zk.cli.commands import COMMANDS, overview, versions

Arguments = Sequence[str] | None

# More objects than the imports of a command make, of which none is garbage.
OBJECTS_OF_A_START = 50_000


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


def lock(arguments: Arguments = None) -> int | None:
    return _run("lock", arguments)


def render(arguments: Arguments = None) -> int | None:
    return _run("render", arguments)


def zk(arguments: Arguments = None) -> int | None:
    """`zk COMMAND ...`."""
    return _program("zk", arguments)


def main(arguments: Arguments = None) -> int | None:
    """`python -m zc.zk COMMAND ...`."""
    return _program("python -m zc.zk", arguments)


def _program(program: str, arguments: Arguments) -> int | None:
    given = _words(arguments)
    if not given and "_ARGCOMPLETE" in os.environ:
        # A shell runs it so, which wants to complete a command line.
        from zc.zk.cli.completion import command_being_typed

        return _run(command_being_typed(), [])
    command, *rest = given or ["--help"]
    if command == "help" and len(rest) == 1 and rest[0] in COMMANDS:
        command, rest = rest[0], ["--help"]
    if command in COMMANDS:
        return _run(command, rest, f"{program} {command}")
    from zc.zk.cli import runner

    return runner.conclude(program, lambda: _tell_of_program(program, command, rest)) or None


def _tell_of_program(program: str, word: str, rest: list[str]) -> int:
    from zc.zk.cli.failures import Misuse
    from zc.zk.cli.output import STANDARD, write_text

    asked, more = (rest[0], rest[1:]) if word == "help" and rest else (word, rest)
    if asked not in (*COMMANDS, "help", "-h", "--help", "--version"):
        if asked.startswith("-"):
            raise Misuse(f"options come behind the command: {asked!r}; --help lists commands")
        raise Misuse(f"no such command: {asked!r}; --help lists them")
    if more and word in ("help", "--version"):
        raise Misuse(f"too many arguments, from {more[0]!r}; --help tells more")
    text = versions(program) if word == "--version" else overview(program)
    write_text(STANDARD, [text])
    return 0


def _words(arguments: Arguments) -> list[str]:
    """Return the arguments given, or those of the process, which is a command's own then.

    Such a process looks for garbage less often while it starts, and no more when it ends, when its
    memory is given back in any case: that was a tenth of a short command's instructions.
    """
    if arguments is not None:
        return list(arguments)
    gc.set_threshold(OBJECTS_OF_A_START)
    atexit.register(gc.freeze)
    return sys.argv[1:]


def _run(command: str, arguments: Arguments, name: str | None = None) -> int | None:
    words = _words(arguments)
    from zc.zk.cli import runner

    found = COMMANDS[command]
    module = f"zc.zk.cli.{found.module}"
    status = runner.run(module, name or f"zookeeper_{command}", found.summary, words)
    return status or None
