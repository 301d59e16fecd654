"""One run of a command: arguments in, exit status out, a line for a failure."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, cast

from zc.zk.cli import signals
from zc.zk.cli.arguments import Parser, split_at
from zc.zk.cli.commands import COMMANDS
from zc.zk.cli.failures import BY_SIGNAL, Failure, in_words, status_of_interruption
from zc.zk.cli.output import flush, say, tell
from zc.zk.errors import Error, printable

if TYPE_CHECKING:
    from typing import Protocol

    class Command(Protocol):
        """The module of a command."""

        USAGE: str
        DETAILS: str
        EXAMPLES: str

        def add_arguments(self, parser: Parser) -> None: ...

        def run(self, options: Namespace) -> int: ...


# Python's own handler for SIGINT raises KeyboardInterrupt; these would end the process at once, and
# leave unfinished files behind.
ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP)

# The library, the binding, and the C client.
LOGGERS = ("zc.zk", "zookeeper", "ZooKeeper")


def run(module: str, name: str, summary: str, arguments: Sequence[str]) -> int:
    """Run the command in `module` under `name`, and return its exit status."""
    debug = "--debug" in split_at("--", arguments)[0]

    def run_command() -> int:
        command = cast("Command", importlib.import_module(module))
        parser = parser_of(command, name, summary)
        options = parser.parse_words(arguments)
        options.name = name
        with _logging(name, debug):
            return command.run(options)

    return conclude(name, run_command, debug=debug)


def command(name: str) -> Command:
    """Return the module of a command."""
    return cast("Command", importlib.import_module(f"zc.zk.cli.{COMMANDS[name].module}"))


def conclude(name: str, action: Callable[[], int], *, debug: bool = False) -> int:
    """Call `action` under `name`, and return the exit status in any case."""
    try:
        with _ended_by_signals():
            status = action()
            flush(sys.stdout)
            return status
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except KeyboardInterrupt:
        return BY_SIGNAL + signal.SIGINT
    except BrokenPipeError:
        _forget_standard_output()
        return BY_SIGNAL + signal.SIGPIPE
    except Exception as fault:
        if (by_signal := status_of_interruption(fault)) is not None:
            return by_signal
        status = tell_fault(name, fault, debug=debug)
        try:
            flush(sys.stdout)
        except OSError:
            _forget_standard_output()
        return status


def tell_fault(name: str, fault: Exception, *, debug: bool) -> int:
    """Tell the user of an error in a line, and return the exit status for it."""
    if debug:
        import traceback

        for line in "".join(traceback.format_exception(fault)).splitlines():
            say(line)
    tell(name, _description(fault))
    return fault.status if isinstance(fault, Failure) else 1


def parser_of(command: Command, name: str, summary: str) -> Parser:
    """Return the parser of a command's arguments."""
    parser = Parser(name, command.USAGE, f"{summary[:1].upper()}{summary[1:]}.", command)
    command.add_arguments(parser)
    parser.add_general_arguments()
    if "_ARGCOMPLETE" in os.environ:
        # A shell wants to complete a command line.
        from zc.zk.cli.completion import complete

        complete(parser)
    return parser


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Have signals that end the process unwind the stack, which cleans up."""

    statuses: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        statuses.append(BY_SIGNAL + number)
        raise SystemExit(statuses[0])

    with signals.handled(ENDING_SIGNALS, end):
        yield
        # Python drops what is raised in a destructor or in a weak reference's callback.
        if statuses:
            raise SystemExit(statuses[0])


@contextmanager
def _logging(name: str, debug: bool) -> Iterator[None]:
    """Show warnings of the library; with `debug`, all that is logged.

    The C client repeats itself several times a second while it cannot connect. Its messages
    then are part of the one line about the failure; see `zc.zk.cli.connect`.
    """
    handler = logging.StreamHandler()
    if debug:
        handler.setFormatter(
            _Printable("%(asctime)s %(name)s %(levelname)s %(threadName)s: %(message)s")
        )
    else:
        handler.setFormatter(_Printable(f"{name}: %(message)s"))
        handler.setLevel(logging.WARNING)
        handler.addFilter(lambda record: record.name.startswith(("zc.zk", "zookeeper")))
        handler.addFilter(_without_traceback)
    loggers = [logging.getLogger(logger) for logger in LOGGERS]
    before = [(logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG if debug else logging.INFO)
        logger.propagate = False
    try:
        yield
    finally:
        for logger, (level, propagate) in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
            logger.propagate = propagate


class _Printable(logging.Formatter):
    """Makes a line of each message, and one of each line of a traceback."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = printable(record.message)
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(map(printable, super().format(record).split("\n")))


def _without_traceback(record: logging.LogRecord) -> bool:
    record.exc_info = record.exc_text = None
    return True


def _description(fault: Exception) -> str:
    from zookeeper.errors import ZooKeeperException

    if isinstance(fault, (Failure, Error, ZooKeeperException)):
        return in_words(fault)
    if isinstance(fault, OSError) and fault.strerror:
        return f"{fault.filename}: {fault.strerror}" if fault.filename else fault.strerror
    if isinstance(fault, MemoryError):
        return "not enough memory"
    return f"unexpected {type(fault).__name__}: {fault} (--debug tells where)"


def _forget_standard_output() -> None:
    """Let the interpreter end without complaint, as nobody reads its output.

    A stream that a program has put in its place is the program's own.
    """
    if sys.stdout is not sys.__stdout__:
        return
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, sys.__stdout__.fileno() if sys.__stdout__ is not None else 1)
    finally:
        os.close(null)
