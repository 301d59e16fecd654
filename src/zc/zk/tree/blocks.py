"""Values of many lines, each of which is a line of the text.

    motd = '''
      Closed on Mondays.
        Come in on Tuesdays.
      '''
    script = r'''
      echo "C:\\temp"
      exit'''

Three quotes with nothing behind them begin a block, which earlier releases never wrote, and could
not read. It ends with the next three that have no backslash before them. The white space that all
its lines begin with is no part of the value, nor is the first end of line; the line of the closing
quotes counts if there is nothing else in it, and the value then ends with a line feed. Lines of
white space are blank ones. Escapes are those of other literals, and with an `r` there are none.

A block is written for more than two lines. No white space is at the end of a line in it, which
editors would take away, and nothing but tabs that cannot be printed: these are escaped. A text with
backslashes and nothing to escape has an `r`.
"""

from __future__ import annotations

from zc.zk.patterns import pattern
from zc.zk.tree.literals import unescaped

# Fewer ends of lines are left in a literal on one line, as earlier releases wrote all.
MIN_LINE_FEEDS = 2

_OPENING = pattern(r"[rR]?('''|\"\"\")\s*")
_BLANKS = pattern(r"[ \t]*")


def is_opening(text: str) -> bool:
    """Return whether the text behind `=` begins a block."""
    return _OPENING.fullmatch(text) is not None


def block_of(value: object, lead: str) -> str | None:
    """Write a value as a block, lines begun by `lead`; None if it is no text of many lines."""
    if not isinstance(value, str) or value.count("\n") < MIN_LINE_FEEDS:
        return None
    quotes = '"""' if "'''" in value else "'''"
    is_raw = "\\" in value and not _needs_escapes(value, quotes)
    lines = value.split("\n")
    if not is_raw:
        lines = [_escaped(line, quotes) for line in lines]
        if lines[-1].endswith(quotes[0]):
            lines[-1] = _escaped(value.rpartition("\n")[2], quotes[0])
        if lines[-1]:
            lines = _with_margin(lines)
    content = "".join(f"\n{lead}{line}" if line else "\n" for line in lines[:-1])
    return f"{'r' if is_raw else ''}{quotes}{content}\n{lead}{lines[-1]}{quotes}"


def read_block(opening: str, text: str, start: int) -> tuple[str, int]:
    """Return the value of the block whose content begins at `start`, and the end of its last line.

    Raises ValueError with the reason.
    """
    quotes = opening.strip()[-3:]
    end = _end_of_content(text, start, quotes)
    if end < 0:
        raise ValueError(f"a block is not closed: {quotes} is missing")
    end_of_line = text.find("\n", end)
    end_of_line = len(text) if end_of_line < 0 else end_of_line
    if text[end + len(quotes) : end_of_line].strip():
        raise ValueError(f"text behind the {quotes} that close a block")
    lines = [line.removesuffix("\r") for line in text[start:end].split("\n")]
    counting = [line for line in lines[:-1] if line.strip()] + lines[-1:]
    margin = _common_length([_indentation(line) for line in counting])
    content = "\n".join(line[margin:] if line.strip() else "" for line in lines)
    return content if opening[0] in "rR" else unescaped(content), end_of_line


def _end_of_content(text: str, start: int, quotes: str) -> int:
    """Return where the closing quotes are, -1 if there are none."""
    at = text.find(quotes, start)
    while at >= 0:
        backslashes = at
        while backslashes > start and text[backslashes - 1] == "\\":
            backslashes -= 1
        if (at - backslashes) % 2 == 0:
            break
        at = text.find(quotes, at + 1)
    return at


def _common_length(indentations: list[str]) -> int:
    """Return how much of the beginning of all is the same."""
    first, last = min(indentations), max(indentations)
    pairs = enumerate(zip(first, last, strict=False))
    return next((at for at, (one, other) in pairs if one != other), len(first))


def _indentation(line: str) -> str:
    match = _BLANKS.match(line)
    assert match is not None
    return match.group()


def _needs_escapes(value: str, quotes: str) -> bool:
    lines = value.split("\n")
    return (
        quotes in value
        or value[-1] in (quotes[0], "\\")
        or (lines[-1] != "" and _has_margin(lines))
        or any(line != line.rstrip() for line in lines)
        or not all(map(str.isprintable, lines))
    )


def _escaped(line: str, quotes: str) -> str:
    """Escape a line's backslashes, `quotes`, and what would not be seen."""
    text = line.replace("\\", "\\\\").replace(quotes, "".join(f"\\{quote}" for quote in quotes))
    if not text.replace("\t", "").isprintable():
        text = "".join(
            character if character.isprintable() or character == "\t" else _escape(character)
            for character in text
        )
    if text != text.rstrip():
        text = text[:-1] + _escape(text[-1])
    return text


def _escape(character: str) -> str:
    if character == " ":
        return "\\x20"
    return character.encode("unicode_escape", "surrogatepass").decode()


def _has_margin(lines: list[str]) -> bool:
    """Return whether all lines begin with white space, which would be taken for indentation."""
    return all(line[:1] in (" ", "\t") for line in lines if line)


def _with_margin(lines: list[str]) -> list[str]:
    """Escape the white space that begins the first line, if all have some."""
    if not _has_margin(lines):
        return lines
    first = next(index for index, line in enumerate(lines) if line)
    lines[first] = _escape(lines[first][0]) + lines[first][1:]
    return lines
