"""The lines of `zk shell`: words, quotes, and paths from a current node.

All are functions on text. A line is split as by a POSIX shell, without its expansions.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
import re
import shlex
from collections.abc import Collection, Sequence
from typing import NamedTuple

from zc.zk.cli.commands import GROUPS
from zc.zk.cli.failures import Misuse

# Commands that need no connection, or another process for as long as they run.
ELSEWHERE = frozenset({"shell", "server", "browse", "graph", "validate", "diff"})

WRITING = frozenset({*GROUPS["change nodes"], "import"})

# The first words of such commands that only look.
_LOOKING_VERBS = ("get", "list")

_BLANK = " \t\r\n"
_SPECIAL = re.compile(r"""([\s'"\\])""")

# Words beside which a password may stand, and the schemes of ACLs whose ids are made of one.
_SECRET = re.compile(
    r"passw|secret|token|credential|private|api.?key|digest:|super:", re.IGNORECASE
)


class Typed(NamedTuple):
    """A line up to the cursor: whole words, and the word that is being typed.

    `quote` is the one that is open at the cursor, or a backslash, or ''.
    """

    before: list[str]
    word: str
    quote: str


def words_of(line: str) -> list[str]:
    """Return the words of a line; none of a comment. Raises Misuse."""
    if line.lstrip(_BLANK).startswith("#"):
        return []
    try:
        return shlex.split(line)
    except ValueError as fault:
        what = "a backslash ends it" if "escaped" in str(fault) else "a quote is not closed"
        raise Misuse(f"{what}: {line!r}") from None


def typed(line: str) -> Typed:
    """Return what has been typed of a line, as `words_of` would split it."""
    before: list[str] = []
    word: str | None = None
    quote, escaped_in = "", ""
    for character in line:
        if quote == "\\":
            keeps = escaped_in == '"' and character not in '"\\'
            word = (word or "") + ("\\" if keeps else "") + character
            quote = escaped_in
        elif character == "\\" and quote != "'":
            escaped_in, quote, word = quote, "\\", word or ""
        elif quote:
            if character == quote:
                quote = ""
            else:
                word = (word or "") + character
        elif character in "'\"":
            quote, word = character, word or ""
        elif character in _BLANK:
            if word is not None:
                before.append(word)
            word = None
        else:
            word = (word or "") + character
    return Typed(before, word or "", quote)


def escaped(text: str, quote: str) -> str:
    """Return what is to be typed for `text` within that quote."""
    if quote == "'":
        return text.replace("'", "'\\''")
    if quote == '"':
        return re.sub(r'(["\\])', r"\\\1", text)
    return _SPECIAL.sub(r"\\\1", text)


def resolved(node: str, word: str) -> str:
    """Return the path that a word names, seen from a node; a slash behind it stays.

    `..` is what is above in the path, whatever links it goes through. An empty word stays so.
    """
    if not word:
        return word
    parts: list[str] = []
    for part in (word if word.startswith("/") else f"{node}/{word}").split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    path = "/" + "/".join(parts)
    return f"{path}/" if parts and word.endswith("/") else path


def with_paths(words: Sequence[str], places: Collection[int], node: str) -> list[str]:
    """Return words with the paths among them made absolute.

    One that the command would have next, and that was left out, is the current node.
    """
    found = [resolved(node, word) if place in places else word for place, word in enumerate(words)]
    if len(found) in places:
        found.append(node)
    return found


def is_writing(command: str, words: Sequence[str], *, is_dry: bool) -> bool:
    """Say whether a command with these words changes anything on servers."""
    if command not in WRITING or is_dry:
        return False
    return not (command in ("acl", "quota") and words[:1] and words[0] in _LOOKING_VERBS)


def is_secret(line: str) -> bool:
    """Say whether a line is to be forgotten: it may have a secret, or begins with a blank."""
    return line[:1] in _BLANK or _SECRET.search(line) is not None
