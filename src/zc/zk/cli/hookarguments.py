"""The options of commands that run another one when something has changed."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace

from zc.zk.cli.arguments import Parser
from zc.zk.cli.failures import Misuse
from zc.zk.cli.numbers import pause, repetitions, span
from zc.zk.cli.runplan import Timing

DEFAULT_QUIET, DEFAULT_MAX_DELAY = 0.1, 5.0


def add_hook_arguments(parser: Parser, what: str, interval: float = 0.0) -> None:
    """Add --exec, which runs a command when `what`, and when to run it, and for how long."""
    parser.add_argument(
        "--exec",
        type=command_line,
        metavar="COMMAND",
        help=f"a command line for the shell that is run when {what}; one that fails is run again",
    )
    parser.add_argument(
        "--exec-timeout",
        type=span,
        metavar="TIME",
        help="end a command that takes longer (default: 60s)",
    )
    parser.add_argument(
        "--retries",
        type=repetitions,
        metavar="N",
        help="run a command that fails again so often only, until something changes (default: for"
        " as long as it takes, with pauses of 1 second to a minute)",
    )
    parser.add_argument(
        "--debounce",
        type=pause,
        metavar="TIME",
        help=f"wait until nothing has changed for so long (default: {1000 * DEFAULT_QUIET:g}ms)",
    )
    parser.add_argument(
        "--debounce-max",
        type=pause,
        metavar="TIME",
        help=f"but do not wait longer than this (default: {DEFAULT_MAX_DELAY:g}s)",
    )
    parser.add_argument(
        "--interval",
        type=pause,
        metavar="TIME",
        help="whatever changes, leave so much time from one run to the next (default:"
        f" {interval:g}s)",
    )


def command_line(text: str) -> str:
    """Return a command line that does something. Raises ArgumentTypeError."""
    if not text.strip():
        # Such as a variable that is not set: no check would accept any file.
        raise ArgumentTypeError("the command line is empty")
    return text


def timing(options: Namespace) -> Timing:
    """Return when to run the command. Raises Misuse."""
    interval = options.interval or 0.0
    return timing_of(options.debounce, options.debounce_max, options.retries, interval)


def timing_of(
    quiet: float | None, most: float | None, retries: int | None, interval: float
) -> Timing:
    """Return when to run something; None is the default. Raises Misuse."""
    if quiet is not None and most is not None and most < quiet:
        raise Misuse(f"--debounce-max is less than --debounce: {most:g}s, {quiet:g}s")
    if quiet is None:
        quiet = DEFAULT_QUIET if most is None else min(DEFAULT_QUIET, most)
    most = max(quiet, DEFAULT_MAX_DELAY) if most is None else most
    return Timing(quiet, most, retries, interval)
