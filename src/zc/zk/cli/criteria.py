"""Arguments that say which nodes somebody looks for."""

from __future__ import annotations

import re
import time
from argparse import ArgumentTypeError, Namespace

from zc.zk import owners
from zc.zk.cli.arguments import Parser
from zc.zk.cli.numbers import count, span
from zc.zk.links import as_told, stored_name
from zc.zk.tree.literals import read_literal
from zc.zk.tree.pattern import compiled
from zc.zk.tree.selection import Selection, Wanted, name_pattern


def add_criteria(parser: Parser) -> None:
    """Add arguments for the names, kinds, ages and properties of nodes."""
    group = parser.add_argument_group("which nodes", "A node has to be all that is asked for.")
    group.add_argument(
        "--name",
        dest="name_pattern",
        type=as_told,
        metavar="PATTERN",
        help="its name; * is any characters, ? one",
    )
    group.add_argument(
        "--path",
        type=as_told,
        metavar="PATTERN",
        help="its path; * is any characters of one name, ** any characters",
    )
    group.add_argument(
        "--kind", action="append", default=[], choices=owners.KINDS, help="may be repeated"
    )
    group.add_argument(
        "--newer", type=span, metavar="AGE", help="changed in this time, such as 90s, 2h or 1d12h"
    )
    group.add_argument("--older", type=span, metavar="AGE", help="not changed in this time")
    group.add_argument("--created-newer", type=span, metavar="AGE", help="created in this time")
    group.add_argument("--created-older", type=span, metavar="AGE", help="created before that")
    group.add_argument(
        "--owner", type=_session, metavar="SESSION", help="ephemeral, of this session: 0x1000a..."
    )
    group.add_argument(
        "--property",
        action="append",
        default=[],
        type=wanted,
        metavar="NAME[=LITERAL]",
        help="has this property, or link; or with this value, as in a tree file; a value that is no"
        " literal stands for itself; may be repeated",
    )
    parser.add_argument("--depth", type=count, metavar="N", help="go no more than N levels down")
    parser.add_argument("--limit", type=count, metavar="N", help="end after N nodes")


def selection(options: Namespace, data: re.Pattern[str] | None) -> Selection:
    """Return which nodes the arguments ask for, whose data `data` has to match."""
    now = time.time()

    def ago(seconds: float | None) -> float | None:
        return None if seconds is None else (now - seconds) * 1000

    return Selection(
        name=None if options.name_pattern is None else name_pattern(options.name_pattern),
        path=None if options.path is None else compiled(options.path),
        kinds=options.kind,
        owner=options.owner,
        changed_after=ago(options.newer),
        changed_before=ago(options.older),
        created_after=ago(options.created_newer),
        created_before=ago(options.created_older),
        properties=options.property,
        data=data,
    )


def regular_expression(text: str, *, ignore_case: bool, is_fixed: bool = False) -> re.Pattern[str]:
    """Compile a regular expression, of lines. Raises ArgumentTypeError."""
    text = as_told(text)
    flags = re.MULTILINE | (re.IGNORECASE if ignore_case else 0)
    try:
        return re.compile(re.escape(text) if is_fixed else text, flags)
    except (re.error, RecursionError, OverflowError) as fault:
        raise ArgumentTypeError(f"not a regular expression: {text!r}: {fault}") from None


def _session(text: str) -> int:
    try:
        session = int(text, 16 if text.lower().startswith("0x") else 10)
    except ValueError:
        session = 0
    if not -(1 << 63) <= session <= owners.BITS or session == 0:
        raise ArgumentTypeError(f"not the id of a session, such as 0x1000a2b3c4d0001: {text!r}")
    return session & owners.BITS


def wanted(text: str) -> Wanted:
    """Return the property that an argument NAME or NAME=LITERAL asks for.

    A value that is no literal stands for itself: nothing is written, and people forget quotes,
    which the shell takes away.
    """
    text = as_told(text)
    if text.endswith(("->", "=>")):
        return Wanted(stored_name(text))
    name, equals, literal = text.partition("=")
    if not name.strip():
        raise ArgumentTypeError(f"not of the form NAME or NAME=LITERAL: {text!r}")
    if not equals:
        return Wanted(name.strip())
    try:
        value = read_literal(literal.strip())
    except ValueError:
        value = literal.strip()
    return Wanted(name.strip(), True, value)
