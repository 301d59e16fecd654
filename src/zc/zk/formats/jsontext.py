"""Trees as JSON, which is read member by member, to know the line of each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from zc.zk.errors import TreeSyntaxError, excerpt
from zc.zk.formats.lines import NodeMember, line_at

_BLANK = re.compile(r"[ \t\n\r]*")


def render(members: Iterable[tuple[str, Any]]) -> Iterator[str]:
    separator = "{\n"
    for path, value in members:
        key, text = (_printable(json.dumps(part, ensure_ascii=False)) for part in (path, value))
        yield f"{separator}  {key}: {text}"
        separator = ",\n"
    yield "{}\n" if separator == "{\n" else "\n}\n"


def _printable(text: str) -> str:
    """JSON with what would break its line, or command a terminal, as escapes."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else json.dumps(character)[1:-1] for character in text
    )


def read(text: str) -> Iterator[NodeMember]:
    """Yield the members of the outermost object, with their line numbers."""
    try:
        yield from _members(text)
    except json.JSONDecodeError as fault:
        raise TreeSyntaxError(fault.lineno, line_at(text, fault.pos), fault.msg) from None


def _members(text: str) -> Iterator[NodeMember]:
    decoder = json.JSONDecoder(object_pairs_hook=distinct_members)

    def skip(position: int, *expected: str) -> int:
        """Go past one of the characters `expected`, and the blanks around it."""
        position = _end_of_blanks(text, position)
        if text[position : position + 1] not in expected:
            wanted = " or ".join(map(repr, expected))
            raise json.JSONDecodeError(f"expected {wanted}", text, position)
        return _end_of_blanks(text, position + 1)

    def value(position: int) -> tuple[Any, int]:
        try:
            return decoder.raw_decode(text, position)
        except json.JSONDecodeError:
            raise
        except RecursionError:
            raise json.JSONDecodeError("nested too deeply", text, position) from None
        except ValueError as fault:
            raise json.JSONDecodeError(str(fault), text, position) from None

    position = skip(0, "{")
    more = text[position : position + 1] != "}"
    lineno, counted = 1, 0
    while more:
        lineno += text.count("\n", counted, position)
        counted = position
        if text[position : position + 1] != '"':
            raise json.JSONDecodeError("expected a path in double quotes", text, position)
        path, position = value(position)
        node, position = value(skip(position, ":"))
        yield lineno, path, node
        position = _end_of_blanks(text, position)
        more = text[position : position + 1] != "}"
        if more:
            position = skip(position, ",", "}")
    position = skip(position, "}")
    if position != len(text):
        raise json.JSONDecodeError("more text behind the tree", text, position)


def _end_of_blanks(text: str, position: int) -> int:
    match = _BLANK.match(text, position)
    assert match is not None
    return match.end()


def distinct_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of these members; raise ValueError for a name used twice."""
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"duplicate property {excerpt(key)}")
            seen.add(key)
    return members
