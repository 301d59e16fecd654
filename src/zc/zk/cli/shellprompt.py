"""`zk shell` at a terminal: a prompt, completions, and a history."""

from __future__ import annotations

import signal
import threading
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import History as PromptHistory
from prompt_toolkit.shortcuts import CompleteStyle
from prompt_toolkit.utils import is_dumb_terminal

from zc.zk.cli import connect, shellhistory, signals
from zc.zk.cli.output import say, tell
from zc.zk.cli.runner import ENDING_SIGNALS
from zc.zk.cli.shellcompletion import Nodes, candidates
from zc.zk.cli.shelllines import Ended, Lines
from zc.zk.cli.shellwords import typed
from zc.zk.errors import printable
from zc.zk.operations import reading
from zc.zk.session.state import State

T = TypeVar("T")

# Nobody waits longer for completions; a large node's children take a moment.
MAX_SECONDS = 2.0

# The servers in a prompt take no more characters than this.
MAX_CONNECTION = 40


def run(options: Namespace, lines: Lines) -> None:
    """Ask for lines and run them, until the user ends it. Raises BrokenPipeError."""
    session: PromptSession[str] = PromptSession(
        history=_History(options.name),
        completer=_Completer(lines),
        complete_while_typing=False,
        complete_in_thread=True,
        complete_style=CompleteStyle.MULTI_COLUMN,
        enable_open_in_editor=False,
    )
    while True:
        try:
            # Log records would stand in the middle of the line.
            with connect.quiet(options):
                text = ask(session, prompt(lines))
            # Pasted text may be several lines.
            for line in text.split("\n"):
                if lines.run(line):
                    break
        except KeyboardInterrupt:
            say("")
        except (EOFError, Ended):
            return


def ask(session: PromptSession[str], message: str) -> str:
    """Ask for a line; a signal that ends the shell ends the prompt first.

    An exception out of the signal's handler would come anywhere in prompt_toolkit and asyncio, also
    between the making of a coroutine and its run. So the signal is noted, and comes again
    when the prompt has given the terminal back.
    """
    if is_dumb_terminal():  # another application asks, and only that knows of it
        return session.prompt(message)
    told: list[int] = []
    app = session.app

    def leave() -> None:
        if told and app.is_running and not app.is_done:
            app.exit(exception=EOFError())

    def note(number: int, frame: FrameType | None) -> None:
        told.append(number)
        if app.loop is not None:
            app.loop.call_soon_threadsafe(leave)

    try:
        with signals.handled(ENDING_SIGNALS, note):
            return session.prompt(message, pre_run=leave)
    finally:
        if told:
            signal.raise_signal(told[0])


def prompt(lines: Lines) -> str:
    """Return the prompt: where the shell is, and whether it may change nodes."""
    connection = lines.session.connection_string
    if len(connection) > MAX_CONNECTION:
        connection = f"{connection[: MAX_CONNECTION - 3]}..."
    mark = " (write)" if lines.writes else ""
    return f"{printable(connection)} {printable(lines.node)}{mark}> "


class _Completer(Completer):
    """Completes lines; a server that does not answer in time completes nothing."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._asking: threading.Thread | None = None

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterator[Completion]:
        try:
            found = candidates(
                typed(document.text_before_cursor),
                self._lines.node,
                self._lines.parser,
                Nodes(self._children, self._has_children),
            )
        except Exception:  # there is no place for a message: the user is typing
            return
        for each in found:
            yield Completion(each.insertion, display=each.shown)

    def _children(self, path: str) -> list[str]:
        return self._answer(lambda: reading.child_names(self._lines.session, path), [])

    def _has_children(self, path: str) -> bool:
        return self._answer(
            lambda: reading.locate(self._lines.session, path)[1]["numChildren"] > 0, False
        )

    def _answer(self, ask: Callable[[], T], default: T) -> T:
        """Return an answer that comes soon, and else the default; one question at a time."""
        if self._lines.session.state not in (State.CONNECTED, State.READ_ONLY):
            return default
        if self._asking is not None and self._asking.is_alive():
            return default
        answers: list[T] = []

        def answer() -> None:
            try:
                answers.append(ask())
            except Exception:
                pass

        self._asking = threading.Thread(target=answer, daemon=True, name="zc.zk completions")
        self._asking.start()
        self._asking.join(MAX_SECONDS)
        return answers[0] if answers else default


class _History(PromptHistory):
    """The history of the user; without a file that of this shell."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._file: shellhistory.History | None = None
        file = shellhistory.history_file()
        with self._told():
            self._file = shellhistory.History(file)

    def load_history_strings(self) -> Iterable[str]:
        if self._file is not None:
            with self._told():
                return reversed(self._file.lines())
        return []

    def store_string(self, string: str) -> None:
        if self._file is not None:
            with self._told():
                self._file.add(string)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tell of trouble with the file, and go on without it."""
        try:
            yield
        except OSError as fault:
            self._file = None
            tell(self._name, f"{fault.filename}: {fault.strerror}; there is no history of lines")
