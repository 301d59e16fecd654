"""Docstrings in the style of this project, as reStructuredText for Sphinx.

A docstring here is plain text. `name` in it is code; a line `name: text` tells of an argument or an
attribute, with more lines behind it as far as the next one or a blank line; and lines that are
indented are an example.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Iterator

_TOLD = re.compile(r"([A-Za-z_]\w*): (.*)")
_CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_NAME = re.compile(r"[A-Za-z_][\w.]*")


def names_of(documented: object) -> set[str]:
    """Return the names that a docstring may tell of: arguments and attributes."""
    names = {name for name in dir(documented) if not name.startswith("_")}
    try:
        names.update(inspect.signature(documented).parameters)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        pass
    return names


def as_restructured_text(lines: list[str], names: Collection[str]) -> list[str]:
    """Return the lines of a docstring as reStructuredText.

    Only `names` are told of by lines that begin with them.
    """
    found: list[str] = []
    for block in _paragraphs(lines):
        if all(line.startswith("    ") for line in block):
            found += ["::", "", *block, ""]
        else:
            found += [*_paragraph(block, names), ""]
    return found


def _paragraphs(lines: list[str]) -> Iterator[list[str]]:
    """Yield runs of lines without a blank one; examples are one, blank lines included."""
    run: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            run.append(line.rstrip())
        elif run:
            yield run
            run = []


def _paragraph(block: list[str], names: Collection[str]) -> Iterator[str]:
    in_list = False
    for line in block:
        told = _TOLD.fullmatch(line)
        if told and told[1] in names:
            if not in_list:
                yield ""
            yield f"- ``{told[1]}``: {_inline(told[2])}"
            in_list = True
        elif in_list:
            yield f"  {_inline(line.strip())}"
        else:
            yield _inline(line)


def _inline(text: str) -> str:
    """Return text whose code is marked as such, with a link where it has a name."""
    # A text that looks like an address of e-mail is none.
    return _CODE.sub(_code, text.replace("@", "\\@"))


def _code(match: re.Match[str]) -> str:
    code = match[1].strip().replace("\\@", "@")
    return f":py:obj:`{code}`" if _NAME.fullmatch(code) else f"``{code}``"
