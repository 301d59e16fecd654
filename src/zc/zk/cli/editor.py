"""An editor for text, which is lost in no case."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from zc.zk.cli.confirmation import can_ask
from zc.zk.cli.failures import Failure
from zc.zk.cli.output import say, tell

DEFAULT = "vi"


def edit(name: str, text: str, use: Callable[[str], object]) -> bool:
    """Have a text edited, and call `use` with it; return whether it was changed.

    After a ValueError of `use`, which says what is wrong with the text, the editor opens again if
    the user wants that; without a terminal there is nobody to put the text right. If anything else
    goes wrong, what the user has written is kept in a file, of which `name`, the command, tells.
    Raises Failure.
    """
    folder = tempfile.mkdtemp(prefix="zc.zk-edit-")  # nobody else may read it
    file = os.path.join(folder, "node.txt")
    with open(file, "x", encoding="utf-8", newline="") as output:
        output.write(text)
    try:
        is_changed = _edit(name, file, text, use)
    except BaseException:
        if _read(file) == text:
            shutil.rmtree(folder)
        else:
            tell(name, f"what you have written is kept in {file}")
        raise
    shutil.rmtree(folder)
    return is_changed


def _edit(name: str, file: str, text: str, use: Callable[[str], object]) -> bool:
    refused = None
    while True:
        _open(file)
        now = _read(file)
        if now == text:
            return False
        if now is None:
            raise Failure(f"{file}: there is no text in UTF-8 any more; nothing was changed")
        if now == refused:
            raise Failure("the text is as it was when it was refused; nothing was changed")
        try:
            use(now)
        except ValueError as fault:
            if not can_ask():
                raise Failure(f"{fault}; nothing was changed") from fault
            tell(name, str(fault))
            refused = now
            _ask_for_another_attempt()
        else:
            return True


def _ask_for_another_attempt() -> None:
    """Give the user time to read. Raises Failure if no other attempt is wanted."""
    say("Edit it again? [Y/n] ", end="")
    answer = sys.stdin.readline()
    # At its end there is not even the end of a line: the terminal may have gone.
    if not answer or answer.strip().lower() not in ("", "y", "yes"):
        raise Failure("nothing was changed")


def _open(file: str) -> None:
    chosen = os.environ.get("VISUAL") or os.environ.get("EDITOR") or DEFAULT
    try:
        words = shlex.split(chosen)
    except ValueError as fault:
        raise Failure(f"VISUAL or EDITOR: {fault}: {chosen!r}") from fault
    try:
        with _interrupts_are_the_editors():
            status = subprocess.run([*words, file], check=False).returncode
    except OSError as fault:
        raise Failure(f"{chosen}: {fault.strerror}; VISUAL says which editor") from fault
    if status:
        raise Failure(f"{chosen} has ended with {status}; nothing was changed")


@contextmanager
def _interrupts_are_the_editors() -> Iterator[None]:
    """Let the editor alone decide what Ctrl-C means."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # A function, since what is ignored would be ignored by the editor, too.
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _read(file: str) -> str | None:
    """Return the text of a file; None if there is none."""
    try:
        with open(file, encoding="utf-8", newline="") as source:
            return source.read()
    except (OSError, UnicodeDecodeError):
        return None
