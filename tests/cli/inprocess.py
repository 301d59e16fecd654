"""Commands called as functions of this process, which takes milliseconds."""

from __future__ import annotations

import contextlib
import functools
import io
import sys
from collections.abc import Callable
from unittest import mock

from tests.cli.conftest import Outcome
from zc.zk import scripts


def call(
    *arguments: object, given: bytes = b"", program: Callable[..., int | None] = scripts.main
) -> Outcome:
    """Run a command; `given` is what it reads from standard input.

    Bytes of its output that are no text are surrogates here.
    """
    below, messages = io.BytesIO(), io.StringIO()
    output = io.TextIOWrapper(below, encoding="utf-8", newline="")
    given_text = io.TextIOWrapper(io.BytesIO(given), encoding="utf-8")
    with (
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(messages),
        mock.patch.object(sys, "stdin", given_text),
    ):
        status = program([*map(str, arguments)])
    output.flush()
    text = below.getvalue().decode("utf-8", "surrogateescape")
    return Outcome(status or 0, text, messages.getvalue())


zk = functools.partial(call, program=scripts.zk)


def the_line(outcome: Outcome, status: int = 1) -> str:
    """Return what is said of a failure, behind the name of the command."""
    assert (outcome.status, outcome.output) == (status, ""), outcome
    assert outcome.messages.count("\n") == 1, outcome
    start, _, line = outcome.messages.rstrip("\n").partition(": ")
    assert start.startswith("python -m zc.zk ")
    return line
