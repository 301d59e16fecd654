"""Completions of lines of `zk shell`; servers are asked by a function."""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
import argparse
from argparse import Namespace
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from zc.zk.cli.arguments import Parser
from zc.zk.cli.commands import COMMANDS
from zc.zk.cli.failures import Misuse
from zc.zk.cli.shelllines import BUILT_IN
from zc.zk.cli.shellwords import ELSEWHERE, Typed, escaped, resolved
from zc.zk.naturalorder import sorted_naturally

# So many are shown; of more the beginning that all have is typed.
MAX_SHOWN = 300

# These end the command, and have no completions behind them.
_ENDING = {"-h", "--help", "--version"}


class Candidate(NamedTuple):
    """One completion: the text that it types, and the one that is shown."""

    insertion: str
    shown: str


class Nodes(NamedTuple):
    """Questions about nodes; either answers with nothing when there is no answer in time."""

    children: Callable[[str], Sequence[str]]
    has_children: Callable[[str], bool]


def candidates(
    typed: Typed, node: str, parser: Callable[[str], Parser], nodes: Nodes
) -> list[Candidate]:
    """Return what the word at the cursor can become, seen from a node."""
    if typed.quote == "\\":
        return []
    if not typed.before:
        return _words(typed, [name for name in (*COMMANDS, *BUILT_IN) if name not in ELSEWHERE])
    command, *before = typed.before
    if command in BUILT_IN:
        if command == "cd" and not before:
            return _paths(typed, node, nodes)
        known = {"write": ["on", "off"], "help": [*COMMANDS, *BUILT_IN]}.get(command, [])
        return [] if before else _words(typed, [each for each in known if each not in ELSEWHERE])
    if command not in COMMANDS or command in ELSEWHERE or not _ENDING.isdisjoint(before):
        return []
    return _of_command(typed, before, node, parser(command), nodes)


def _of_command(
    typed: Typed, before: list[str], node: str, parser: Parser, nodes: Nodes
) -> list[Candidate]:
    options: dict[str, argparse.Action] = parser._option_string_actions
    if "--" not in before:
        if before and (action := options.get(before[-1])) is not None and action.nargs != 0:
            return _words(typed, [str(choice) for choice in action.choices or ()])
        if typed.word.startswith("-") and not typed.quote:
            return _words(typed, sorted(options))
    given = _parsed(parser, before)
    if given is None or given.words is None:
        return []
    words = given.words
    if parser.first_words:
        if not words:
            return _words(typed, parser.first_words)
        words = words[1:]
    place = len(words)
    return _paths(typed, node, nodes) if place in parser.nodes(given, place + 1) else []


def _parsed(parser: Parser, words: list[str]) -> Namespace | None:
    """Return the options that are whole; None if they make no sense, or belong to a program."""
    try:
        options = parser.parse_words(words)
    except Misuse:
        return None
    return None if getattr(options, "behind", None) is not None else options


def _words(typed: Typed, words: Iterable[str]) -> list[Candidate]:
    """Return those of the words that begin as what is typed."""
    found = [word for word in words if word.startswith(typed.word)]
    return [Candidate(f"{word[len(typed.word) :]}{typed.quote} ", word) for word in found]


def _paths(typed: Typed, node: str, nodes: Nodes) -> list[Candidate]:
    """Return the nodes whose paths begin as what is typed.

    A name that is not printable, as it may do something to a terminal, is not among them.
    """
    above, slash, beginning = typed.word.rpartition("/")
    folder = resolved(node, above + slash) if slash else node
    folder = folder.rstrip("/") or "/"
    names = [
        name
        for name in nodes.children(folder)
        # One that begins with a dash would be an option.
        if name.startswith(beginning) and name.isprintable() and (slash or name[:1] != "-")
    ]
    if len(names) == 1:
        path = resolved(folder, f"./{names[0]}")
        end = "/" if nodes.has_children(path) else f"{typed.quote} "
        return [Candidate(escaped(names[0][len(beginning) :], typed.quote) + end, names[0])]
    more = len(names) - MAX_SHOWN
    if more > 0:
        common = _beginning_of_all(names)
        if common != beginning:
            return [Candidate(escaped(common[len(beginning) :], typed.quote), common)]
        names = names[:MAX_SHOWN]
    found = [
        Candidate(escaped(name[len(beginning) :], typed.quote), name)
        for name in sorted_naturally(names)
    ]
    return [*found, Candidate("", f"... and {more:,} more")] if more > 0 else found


def _beginning_of_all(names: Sequence[str]) -> str:
    least, last = min(names), max(names)
    length = 0
    while length < len(least) and least[length] == last[length]:
        length += 1
    return least[:length]
