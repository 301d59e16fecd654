"""Commands called as functions of this process, which takes milliseconds."""

from __future__ import annotations

import contextlib
import io
import sys
from unittest import mock

from tests.cli.conftest import Outcome
from zc.zk import scripts


def call(*arguments: object, given: bytes = b"") -> Outcome:
    """Run a command; `given` is what it reads from standard input."""
    below, messages = io.BytesIO(), io.StringIO()
    output = io.TextIOWrapper(below, encoding="utf-8")
    given_text = io.TextIOWrapper(io.BytesIO(given), encoding="utf-8")
    with (
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(messages),
        mock.patch.object(sys, "stdin", given_text),
    ):
        status = scripts.main([*map(str, arguments)])
    output.flush()
    return Outcome(status or 0, below.getvalue().decode(), messages.getvalue())


def the_line(outcome: Outcome, status: int = 1) -> str:
    """Return what is said of a failure, behind the name of the command."""
    assert (outcome.status, outcome.output) == (status, ""), outcome
    assert outcome.messages.count("\n") == 1, outcome
    start, _, line = outcome.messages.rstrip("\n").partition(": ")
    assert start.startswith("python -m zc.zk ")
    return line
