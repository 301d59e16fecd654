"""The lines of `zk shell`, run one after the other in one session."""

from __future__ import annotations

import signal
import sys
from argparse import Namespace
from collections.abc import Callable

from zc.zk.cli import nodewords, runner, shellwords
from zc.zk.cli.arguments import Parser
from zc.zk.cli.commands import COMMANDS, GROUPS
from zc.zk.cli.failures import BY_SIGNAL, Misuse, status_of_interruption
from zc.zk.cli.output import flush, print_line, tell
from zc.zk.operations import reading
from zc.zk.session.session import Session
from zc.zk.session.state import State

# Options that all commands with a connection have, and a line takes from the shell.
_INHERITED = ("timeout", "credentials", "sasl", "tls", "debug")
# Of these the ones that make another session necessary.
_NOT_OF_SESSIONS = ("timeout", "debug")

BUILT_IN = {
    "cd": "go to another node; without one to the root",
    "pwd": "print the current node",
    "write": "permit to change nodes, and `write off` forbids it",
    "help": "list commands, or tell about one",
    "exit": "end the shell, as Ctrl-D does",
}


class Ended(Exception):
    """The shell is to end."""


class Lines:
    """Runs lines; `node` is the current one, and `writes` whether nodes may be changed.

    `session` is kept for all lines, and is for the caller to close.
    """

    def __init__(self, options: Namespace, session: Session, node: str) -> None:
        self.node = node
        self.writes = bool(options.write)
        self.session = session
        self._options = options
        self._epoch = session.epoch
        self._built_in: dict[str, Callable[[list[str]], int]] = {
            "cd": self._cd,
            "pwd": self._pwd,
            "write": self._write,
            "help": self._help,
            "exit": self._exit,
            "quit": self._exit,
        }

    def run(self, line: str) -> int:
        """Run a line, tell what goes wrong, and return its status.

        Raises Ended when the shell is to end, BrokenPipeError, and SystemExit for signals.
        """
        name = self._options.name
        try:
            words = shellwords.words_of(line)
            if not words:
                return 0
            name = words[0]
            status = self._run(*words)
            flush(sys.stdout)
            return status
        except Ended:
            raise
        except BrokenPipeError:
            raise
        except KeyboardInterrupt:
            return BY_SIGNAL + signal.SIGINT
        except SystemExit as end:
            if end.code:
                raise
            return 0  # --help
        except Exception as fault:
            by_signal = status_of_interruption(fault)
            if by_signal is None:
                return runner.tell_fault(name, fault, debug=self._options.debug)
            if by_signal != BY_SIGNAL + signal.SIGINT:
                raise SystemExit(by_signal) from fault
            return by_signal

    def _run(self, name: str, *words: str) -> int:
        if name in self._built_in:
            return self._built_in[name](list(words))
        if name in shellwords.ELSEWHERE:
            raise Misuse(f"this command is none of the shell: zk {name}")
        if name not in COMMANDS:
            raise Misuse("no such command; help lists them")
        parser = self.parser(name)
        options = parser.parse_words(words)
        self._prepare(parser, options, name)
        self._require_session()
        try:
            return runner.command(name).run(options)
        finally:
            self._tell_of_new_session()

    def parser(self, name: str) -> Parser:
        """Return the parser of a command, which has the shell's options for its defaults."""
        command = runner.command(name)
        parser = runner.parser_of(command, name, COMMANDS[name].summary)
        parser.set_defaults(**{each: getattr(self._options, each) for each in self._inherited()})
        return parser

    def _inherited(self) -> list[str]:
        return [
            each
            for each in vars(self._options)
            if each in _INHERITED or each.startswith(("tls_", "sasl_"))
        ]

    def _prepare(self, parser: Parser, options: Namespace, name: str) -> None:
        """Give a command its connection, its paths, and the session. Raises Misuse."""
        # The verb comes before the connection, but for a command whose only word it is.
        has_verb = bool(parser.first_words) and parser.nodes is not nodewords.none
        verb, words = options.words[:has_verb], options.words[has_verb:]
        is_dry = getattr(options, "dry_run", False)
        if not self.writes and shellwords.is_writing(name, verb, is_dry=is_dry):
            raise Misuse("nothing may be changed here: `write on` permits it, or zk shell --write")
        places = parser.nodes(options, len(words))
        paths = shellwords.with_paths(words, places, self.node)
        options.words = [*verb, self.session.connection_string, *paths]
        options.name = name
        if all(
            getattr(options, each) == getattr(self._options, each)
            for each in self._inherited()
            if each not in _NOT_OF_SESSIONS
        ):
            options.identity = self._options.identity
            options.lent = self.session

    def _require_session(self) -> None:
        """Wait for a connection. Raises FailedConnect if there is none in time."""
        session, seconds = self.session, self._options.timeout
        if session.state not in (State.CONNECTED, State.READ_ONLY):
            tell(self._options.name, f"{session.connection_string}: connecting again")
            if not session.wait_for_connection(seconds):
                raise session.not_connected_within(seconds)
        self._tell_of_new_session()

    def _tell_of_new_session(self) -> None:
        if self.session.lives_in not in (None, self._epoch):
            self._epoch = self.session.epoch
            tell(self._options.name, "the session was lost, and this is a new one")

    def _cd(self, words: list[str]) -> int:
        if len(words) > 1:
            raise Misuse("one node, please: cd PATH")
        node = shellwords.resolved(self.node, words[0] if words else "/")
        if not node:
            raise Misuse("an empty word is the path of no node")
        self._require_session()
        node = node.rstrip("/") or "/"
        reading.locate(self.session, node)
        self.node = node
        return 0

    def _pwd(self, words: list[str]) -> int:
        if words:
            raise Misuse("pwd takes no words")
        print_line(self.node)
        return 0

    def _write(self, words: list[str]) -> int:
        if words not in (["on"], ["off"]):
            raise Misuse("write on, or write off")
        self.writes = words == ["on"]
        return 0

    def _exit(self, words: list[str]) -> int:
        if words:
            raise Misuse("exit takes no words")
        raise Ended

    def _help(self, words: list[str]) -> int:
        if not words:
            for line in overview():
                print_line(line)
        for name in words:
            if name in BUILT_IN:
                print_line(f"{name}: {BUILT_IN[name]}")
            elif name in COMMANDS:
                self.parser(name).print_help()
            else:
                raise Misuse(f"no such command: {name!r}")
        return 0


def overview() -> list[str]:
    """Return the lines that list what the shell knows."""
    lines = []
    for title, group in GROUPS.items():
        known = {name: each.summary for name, each in group.items()}
        lines += _listed(title, known)
    lines += _listed("of the shell", BUILT_IN)
    return [*lines, "", "`help COMMAND` tells more; the shell has given the CONNECTION already."]


def _listed(title: str, commands: dict[str, str]) -> list[str]:
    known = {name: text for name, text in commands.items() if name not in shellwords.ELSEWHERE}
    return [f"{title}:", *(f"  {name:12}  {text}" for name, text in known.items())]
