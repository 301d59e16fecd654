"""Run the examples in documents, as a reader types them, on a server.

Two things are added to doctest. Text in a literal block can be given a name, in a comment that the
reader of the finished page does not see:

    ::

        /prices
          tea = 4.2

    .. -> tree_text

And callbacks print when they are called, which on a real server is a moment after the call that
caused it: an example's output is compared once all that is expected of it has come.
"""

from __future__ import annotations

import doctest
import re
import sys
import textwrap
import time
from io import StringIO
from typing import Any, NamedTuple

from tests.deadlines import POLL_SECONDS, scaled

PATIENCE_SECONDS = 10

_NAMED_BLOCK = re.compile(
    r"""::\n\n               # the block is a literal one:
    (?P<block>               # indented lines, and blank lines in between
        (?:(?:[ ]+\S.*)?\n)+
    )
    \.\.[ ]->[ ](?P<name>\w+)\n
    """,
    re.VERBOSE,
)


class PatientChecker(doctest.OutputChecker):
    """Compares output that may still be coming, from other threads."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        deadline = time.monotonic() + scaled(PATIENCE_SECONDS)
        while not super().check_output(want, got + _printed_since(), optionflags):
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        _forget_printed()
        return True

    def output_difference(self, example: doctest.Example, got: str, optionflags: int) -> str:
        return super().output_difference(example, got + _printed_since(), optionflags)


def run(text: str, name: str, variables: dict[str, Any]) -> str:
    """Run the examples in `text`, up to the first that fails.

    Return a report, '' if none fails. `name` is for the report. `variables` are the examples'
    globals, and hold what they defined afterwards.
    """
    document = doctest.DocTestParser().get_doctest(text, variables, name, name, 0)
    named = {line for block in blocks(text) for line in block.lines}
    document.examples = sorted(
        [
            # The content of a named block is text, whatever it looks like.
            *(example for example in document.examples if example.lineno not in named),
            *map(_assignment, blocks(text)),
        ],
        key=lambda example: example.lineno,
    )
    runner = doctest.DocTestRunner(
        PatientChecker(), verbose=False, optionflags=doctest.ELLIPSIS | doctest.FAIL_FAST
    )
    report: list[str] = []
    runner.run(document, out=report.append, clear_globs=False)
    variables.update(document.globs)
    return "".join(report)


class Block(NamedTuple):
    """A literal block with a name, its text without the indentation.

    `lines` has the lines' numbers.
    """

    name: str
    text: str
    lines: range


def blocks(text: str) -> list[Block]:
    """Return the literal blocks that have a name, in their order."""
    return [
        Block(
            match["name"],
            textwrap.dedent(match["block"]).rstrip("\n") + "\n",
            range(text.count("\n", 0, match.start()), text.count("\n", 0, match.end())),
        )
        for match in _NAMED_BLOCK.finditer(text)
    ]


def _assignment(block: Block) -> doctest.Example:
    """Return an example that gives the variable of the block's name its text."""
    return doctest.Example(f"{block.name} = {block.text!r}\n", want="", lineno=block.lines.start)


# While examples run, doctest collects their output in a StringIO, and takes out what is there
# when an example has ended. Text that is in it during a comparison came later.


def _printed_since() -> str:
    return sys.stdout.getvalue() if isinstance(sys.stdout, StringIO) else ""


def _forget_printed() -> None:
    if isinstance(sys.stdout, StringIO):
        sys.stdout.truncate(0)
