"""Values in tree text: Python literals, as far as JSON can hold them.

The text is taken apart into tokens; nothing is compiled, so no text can run code, and nesting is
bounded. Literals are strings (with the prefixes `u` and `r`, and in adjacent pieces), integers,
floats, True, False, None, lists, tuples (also without parentheses) and dictionaries, and a comment
may follow the value. The changes that JSON would make are made: a tuple reads as a list, a key 1 as
'1'. Forms that only Python 2 has, and exports of earlier releases, are read as there: 10L, 0777 and
ur''.

They are written by `repr`, so always on one line: it escapes all that is not printable.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from zc.zk.codec import MAX_NESTING
from zc.zk.errors import excerpt
from zc.zk.patterns import pattern

_SINGLE_QUOTED = r"'[^'\\]*(?:\\.[^'\\]*)*'"
_DOUBLE_QUOTED = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_STRING = (
    r"(?:[uU][rR]?|[rR])?(?:'''(?:[^\\]|\\.)*?'''"
    r'|"""(?:[^\\]|\\.)*?"""'
    rf"|{_SINGLE_QUOTED}|{_DOUBLE_QUOTED})"
)

# Nearly all values of real trees: kept apart because it is fast.
_PLAIN_VALUE = pattern(
    r"""[uU]?'(?P<single>[^'\\]*)' | [uU]?"(?P<double>[^"\\]*)"
    | (?P<integer>-?[1-9][0-9]{0,17}|0) | (?P<decimal>-?[0-9]{1,15}\.[0-9]{1,15})
    | (?P<word>True|False|None)
    """,
    re.VERBOSE,
)
# Text that differs from JSON in its quotes only. No number can be matched in two ways, so that the
# time for a bad line does not grow with their number.
_NEARLY_JSON = pattern(
    r"""[\[{](?:
      '[^'"\\\x00-\x1f]*' | -?(?:[1-9][0-9]{0,17}|0)(?:\.[0-9]{1,15})?(?![\w.]) | [\]\[{},:\ ]
    )*""",
    re.VERBOSE,
)
_STRING_TOKEN = pattern(_STRING, re.DOTALL)
_QUOTED_NAME = pattern(f"{_SINGLE_QUOTED}|{_DOUBLE_QUOTED}", re.DOTALL)
_TOKEN = pattern(
    rf"""(?P<strings>{_STRING}(?:\s*{_STRING})*)
    | (?P<number>[-+]?\s*(?:[0-9][0-9a-zA-Z_]*\.?|\.[0-9])(?:(?<=[eE])[-+]|[0-9a-zA-Z_])*)
    | (?P<word>[^\W\d]\w*)
    | (?P<mark>[][(){{}},:])
    | (?P<skipped>\s+|\#.*)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = pattern(
    r"\\(?:(?P<octal>[0-7]{1,3})"
    r"|(?:x(?P<x>[0-9a-fA-F]{2})|u(?P<u>[0-9a-fA-F]{4})|U(?P<U>[0-9a-fA-F]{8}))"
    r"|N\{(?P<character>[^{}]*)\}|(?P<simple>.))",
    re.DOTALL,
)
_UNICODE_ESCAPE = pattern(r"(?<!\\)((?:\\\\)*)\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))")
_PYTHON_2_INTEGER = pattern(
    r"([-+]?)(?:0([0-7]+)[lL]?|(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|0|[1-9][0-9]*)[lL])"
)
_SIMPLE_ESCAPES = {
    "\n": "", "\\": "\\", "'": "'", '"': '"',
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
}  # fmt: skip
_WORDS = {"True": True, "False": False, "None": None}
_CLOSING = {"(": ")", "[": "]", "{": "}"}


def read_literal(text: str) -> Any:
    """Return the value of a literal, as JSON will hold it.

    Raises ValueError, saying what is wrong, for anything that is not one literal.
    """
    if match := _PLAIN_VALUE.fullmatch(text):
        single, double, integer, decimal, word = match.groups()
        if integer is not None:
            return int(integer)
        if decimal is not None:
            return float(decimal)
        if word is not None:
            return _WORDS[word]
        return double if single is None else single
    if _NEARLY_JSON.fullmatch(text) and text.count("[") + text.count("{") < MAX_NESTING:
        try:
            return json.loads(text.replace("'", '"'))
        except ValueError:
            pass  # a form that JSON does not have, as a last comma, or a fault, which is told below
    return _build(_tokens(text))


def write_literal(value: Any) -> str:
    """Write a value, read from JSON and finite, as a literal on one line."""
    return repr(value)


def read_quoted(text: str, position: int = 0) -> tuple[str, int]:
    """Return the value of the quoted string at `position`, and its end.

    Raises ValueError when there is none, or its end is missing.
    """
    match = _QUOTED_NAME.match(text, position)
    if match is None:
        raise ValueError("a quote is not closed")
    return _string(match.group()), match.end()


def split_quoted(text: str) -> tuple[str, str]:
    """Return the value of the quoted string in front, and the text behind it."""
    value, end = read_quoted(text)
    return value, text[end:]


def _tokens(text: str) -> Iterator[tuple[str, Any]]:
    """Yield ('value', value) and ('mark', a bracket, comma or colon)."""
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ValueError(f"unexpected {excerpt(text[position:])}")
        position = match.end()
        kind, token = match.lastgroup, match.group()
        if kind == "strings":
            yield "value", "".join(_string(part) for part in _STRING_TOKEN.findall(token))
        elif kind == "number":
            yield "value", _number(token)
        elif kind == "word":
            yield "value", _word(token)
        elif kind == "mark":
            yield "mark", token


def _string(token: str) -> str:
    prefix = token[: min(token.find(quote) for quote in "'\"" if quote in token)].lower()
    token = token[len(prefix) :]
    quotes = 3 if token[:3] in ("'''", '"""') else 1
    content = token[quotes:-quotes]
    if "\\" not in content or prefix == "r":
        return content
    if prefix == "ur":
        return _UNICODE_ESCAPE.sub(_unescape_unicode, content)
    return unescaped(content)


def unescaped(content: str) -> str:
    """Return the text that stands between quotes. Raises ValueError for a bad escape."""
    return _ESCAPE.sub(_unescape, content) if "\\" in content else content


def _unescape(match: re.Match[str]) -> str:
    octal, x, u, big_u, character, simple = match.groups()
    if simple is not None:
        if simple in "xuUN":
            raise ValueError(f"an unfinished \\{simple} escape")
        # A backslash before anything else stands for itself, as in Python.
        return _SIMPLE_ESCAPES.get(simple, match.group())
    if character is not None:
        try:
            return unicodedata.lookup(character)
        except KeyError:
            raise ValueError(f"no character is called {excerpt(character)}") from None
    code = int(octal, 8) if octal else int(x or u or big_u, 16)
    try:
        return chr(code)
    except (ValueError, OverflowError):
        raise ValueError(f"no character has the number {match.group()}") from None


def _unescape_unicode(match: re.Match[str]) -> str:
    """Python 2's only escape in ur'', behind an odd number of backslashes."""
    backslashes, u, big_u = match.groups()
    try:
        return f"{backslashes}{chr(int(u or big_u, 16))}"
    except (ValueError, OverflowError):
        raise ValueError(f"no character has the number \\U{big_u}") from None


def _number(token: str) -> int | float:
    digits = "".join(token.split())
    try:
        if re.search(r"[.eE]", digits) and "x" not in digits.lower():
            value: int | float = float(digits)
        else:
            if old := _PYTHON_2_INTEGER.fullmatch(digits):
                sign, octal, other = old.groups()
                value = int(f"{sign}0o{octal}" if octal else f"{sign}{other}", 0)
            else:
                value = int(digits, 0)
            str(value)  # JSON is decimal, and Python limits the digits it converts
    except ValueError as fault:
        if "Exceeds the limit" in str(fault):
            raise ValueError(f"the integer is too large: {fault}") from None
        raise ValueError(f"not a number: {excerpt(token)}") from None
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"the number is too large: {excerpt(token)}")
    return value


def _word(token: str) -> bool | None:
    if token not in _WORDS:
        raise ValueError(f"neither a literal nor True, False or None: {excerpt(token)}")
    return _WORDS[token]


class _Container:
    """A bracketed part of a literal being read; `opening` is '' for the whole."""

    def __init__(self, opening: str) -> None:
        self.opening = opening
        self.items: list[Any] = []  # of a dictionary: keys and values in turn
        self.separators = 0
        self.is_complete = False  # an item has just ended, so only a separator may follow

    def add(self, value: Any) -> None:
        if self.is_complete:
            raise ValueError("a comma is missing")
        if self._expects_a_key():
            value = _key(value)
        self.items.append(value)
        self.is_complete = True

    def separate(self, mark: str) -> None:
        wanted = ":" if self.opening == "{" and self.separators % 2 == 0 else ","
        if not self.is_complete or mark != wanted:
            hint = " (JSON has no sets)" if self.opening == "{" and mark == "," else ""
            raise ValueError(f"unexpected {mark!r}{hint}")
        self.separators += 1
        self.is_complete = False

    def value(self, closing: str) -> Any:
        if _CLOSING.get(self.opening) != closing:
            raise ValueError(f"unexpected {closing!r}")
        if self.opening == "{":
            if len(self.items) % 2:
                raise ValueError("a dictionary's key without a value (JSON has no sets)")
            return dict(zip(self.items[::2], self.items[1::2], strict=True))
        if self.opening == "(" and len(self.items) == 1 and not self.separators:
            return self.items[0]
        return self.items

    def _expects_a_key(self) -> bool:
        return self.opening == "{" and len(self.items) % 2 == 0


def _build(tokens: Iterator[tuple[str, Any]]) -> Any:
    whole = _Container("")
    open_containers = [whole]
    for kind, token in tokens:
        innermost = open_containers[-1]
        if kind == "value":
            innermost.add(token)
        elif token in _CLOSING:
            if len(open_containers) == MAX_NESTING:
                raise ValueError(f"nested deeper than {MAX_NESTING - 1} levels")
            open_containers.append(_Container(token))
        elif token in _CLOSING.values():
            value = innermost.value(token)
            open_containers.pop()
            open_containers[-1].add(value)
        else:
            innermost.separate(token)
    if len(open_containers) > 1:
        raise ValueError(f"{open_containers[-1].opening!r} is not closed")
    if not whole.items:
        raise ValueError("a value is missing")
    return whole.items if whole.separators else whole.items[0]


def _key(value: Any) -> str:
    """Return the key as JSON writes it, where keys are strings."""
    if isinstance(value, str):
        return value
    if isinstance(value, (list, dict)):
        raise ValueError(f"not a key that JSON can hold: {excerpt(repr(value))}")
    return json.dumps(value)
