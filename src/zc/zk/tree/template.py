"""JSON objects as others wrote them, with a hole for each value: `{ "x" :_, "list": [_, _] }`.

A template is JSON text in which `_` stands for a value that is written in the usual way. A value
that is spelled in some other way stands there itself, as `1.10` does, and is used for as long as it
is the value. So the text of the object comes back; and after an edit all that is left of it is
where it was: members that are gone leave no hole, new ones come last, and have the white space that
others have. Of a list those items are left out of a template that are as the one before them.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
import functools
import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from zc.zk import codec
from zc.zk.patterns import pattern

HOLE = "_"

_BLANKS = pattern(r"[ \t\n\r]*")
_WHITE = frozenset(" \t\n\r")
_SCALAR = pattern(r'"[^"\\]*(?:\\.[^"\\]*)*"|[-+.\w]+', re.DOTALL)


class Style(NamedTuple):
    """The usual way of writing a value, on one line."""

    is_spaced: bool = False
    is_unicode: bool = False
    is_slashed: bool = False

    @property
    def colon(self) -> str:
        return ": " if self.is_spaced else ":"

    def write(self, value: Any) -> str:
        text = _encoder(self.is_spaced, self.is_unicode).encode(value)
        return text.replace("/", "\\/") if self.is_slashed else text


@functools.cache
def _encoder(is_spaced: bool, is_unicode: bool) -> json.JSONEncoder:
    return json.JSONEncoder(
        ensure_ascii=not is_unicode, separators=(", ", ": ") if is_spaced else (",", ":")
    )


if TYPE_CHECKING:
    # A scalar's text, HOLE, or a container.
    Piece: TypeAlias = "str | Container"
else:
    Piece = Any  # the class of containers is made of parts


class Part(NamedTuple):
    """An item of a list, or a member of an object, which has a key: as the text has it.

    `before` and `behind` are white space; `name`, `key`, which is how it is spelled, and `colon`
    are blank for an item.
    """

    before: str
    name: str
    key: str
    colon: str
    value: Piece
    behind: str

    def __str__(self) -> str:
        return f"{self.before}{self.key}{self.colon}{self.value}{self.behind}"


class Container(NamedTuple):
    """An object or a list; `blank` is the white space in one that has no parts."""

    brackets: str
    parts: Sequence[Part]
    blank: str = ""

    def __str__(self) -> str:
        content = ",".join(map(str, self.parts)) if self.parts else self.blank
        return f"{self.brackets[0]}{content}{self.brackets[1]}"


class Template(NamedTuple):
    """An object, and the white space around it."""

    before: str
    whole: Container
    behind: str

    def __str__(self) -> str:
        return f"{self.before}{self.whole}{self.behind}"

    def filled(self, properties: Mapping[str, Any], style: Style) -> str:
        """Write properties as the template says."""
        return f"{self.before}{_filled(self.whole, properties, style)}{self.behind}"


def template_of(data: str, properties: Mapping[str, Any], style: Style) -> Template:
    """Make a template of `data`, a JSON object that has these properties. Raises ValueError."""
    text = read_template(data)
    if not all(part.name in properties for part in text.whole.parts):
        raise ValueError("it is no object of properties")
    parts = [_hollow(part, properties[part.name], style) for part in text.whole.parts]
    return text._replace(whole=text.whole._replace(parts=parts))


def read_template(text: str) -> Template:
    """Parse a template. Raise ValueError with the reason."""
    content = text.strip()
    start = text.index(content)
    if not content.startswith("{"):
        raise ValueError("no object")
    piece, end = _read(content, 0, 1)
    if end != len(content):
        raise ValueError(f"unexpected {content[end]!r}")
    assert isinstance(piece, Container)
    return Template(text[:start], piece, text[start + len(content) :])


def _read(text: str, position: int, depth: int) -> tuple[Piece, int]:
    """Return the piece at `position`, and its end."""
    opening = text[position : position + 1]
    if opening not in ("{", "["):
        match = _SCALAR.match(text, position)
        if match is None:
            raise ValueError(f"a value is missing at character {position + 1}")
        if match.group() != HOLE:
            json.loads(match.group())
        return match.group(), match.end()
    if depth > codec.MAX_NESTING:
        raise ValueError("nested too deeply")
    closing = "}" if opening == "{" else "]"
    before, position = _blanks(text, position + 1)
    if text.startswith(closing, position):
        return Container(opening + closing, (), before), position + 1
    parts: list[Part] = []
    names: set[str] = set()
    while True:
        name = key = colon = ""
        if opening == "{":
            key, colon, position = _read_key(text, position)
            name = key[1:-1] if "\\" not in key else json.loads(key)
            if name in names:
                raise ValueError(f"a key is there twice: {key}")
            names.add(name)
        value, position = _read(text, position, depth + 1)
        behind, position = _blanks(text, position)
        parts.append(Part(before, name, key, colon, value, behind))
        mark = text[position : position + 1]
        position += 1
        if mark == closing:
            return Container(opening + closing, parts), position
        if mark != ",":
            raise ValueError(f"a comma or {closing!r} is missing at character {position}")
        before, position = _blanks(text, position)


def _read_key(text: str, position: int) -> tuple[str, str, int]:
    """Return a key, the colon with the white space around it, and their end."""
    match = _SCALAR.match(text, position)
    if match is None or not text.startswith('"', position):
        raise ValueError(f"a key is missing at character {position + 1}")
    before, colon = _blanks(text, match.end())
    if not text.startswith(":", colon):
        raise ValueError(f"a colon is missing at character {colon + 1}")
    behind, end = _blanks(text, colon + 1)
    return match.group(), f"{before}:{behind}", end


def _blanks(text: str, position: int) -> tuple[str, int]:
    if text[position : position + 1] not in _WHITE:
        return "", position
    match = _BLANKS.match(text, position)
    assert match is not None
    return match.group(), match.end()


def _hollow(part: Part, value: Any, style: Style) -> Part:
    """Return a part of a text with holes in the place of what is written in the usual way."""
    piece = part.value
    if not isinstance(piece, Container):
        return part._replace(value=HOLE) if style.write(value) == piece else part
    values = value if piece.brackets == "[]" else [value[each.name] for each in piece.parts]
    pairs = zip(piece.parts, values, strict=True)
    piece = piece._replace(parts=[_hollow(each, item, style) for each, item in pairs])
    if _is_usual(piece, style):
        return part._replace(value=HOLE)
    if piece.brackets == "[]":
        piece = piece._replace(parts=_without_repetition(piece.parts))
    return part._replace(value=piece)


def _is_usual(piece: Container, style: Style) -> bool:
    """Return whether a container is written in the usual way, with all that is in it."""
    if piece.blank:
        return False
    for index, part in enumerate(piece.parts):
        before = " " if index and style.is_spaced else ""
        if part.value != HOLE or part.before != before or part.behind:
            return False
        if part.key and (part.colon != style.colon or part.key != style.write(part.name)):
            return False
    return True


def _without_repetition(items: Sequence[Part]) -> list[Part]:
    """Leave out the last items of a list as long as each is like the one before it."""
    kept = list(items)
    while len(kept) > 1 and kept[-1][:-1] == kept[-2][:-1] and not kept[-2].behind:
        last = kept.pop()
        kept[-1] = kept[-1]._replace(behind=last.behind)
    return kept


def _filled(piece: Piece, value: Any, style: Style) -> str:
    if not isinstance(piece, Container):
        is_spelled = piece != HOLE and not isinstance(value, (Mapping, list, tuple))
        if is_spelled and codec.to_json(json.loads(piece)) == codec.to_json(value):
            return piece
        return style.write(value)
    if piece.brackets == "{}" and isinstance(value, Mapping):
        known = {part.name: part for part in piece.parts}
        kept = {name: known[name] for name in known if name in value}
        new = [name for name in value if name not in kept]
        if not piece.parts and new:
            return style.write(value)
        contents = [
            f"{part.key}{part.colon}{_filled(part.value, value[name], style)}"
            for name, part in kept.items()
        ]
        contents += [
            f"{style.write(name)}{piece.parts[-1].colon}{style.write(value[name])}" for name in new
        ]
        return _joined(piece, contents)
    if piece.brackets == "[]" and isinstance(value, (list, tuple)):
        if not piece.parts and value:
            return style.write(value)
        last = len(piece.parts) - 1
        return _joined(
            piece,
            [
                _filled(piece.parts[min(index, last)].value, item, style)
                for index, item in enumerate(value)
            ],
        )
    return style.write(value)


def _joined(piece: Container, contents: Sequence[str]) -> str:
    """Write contents as the parts of a container, with the white space that these had."""
    parts = piece.parts
    if not contents:
        return f"{piece.brackets[0]}{piece.blank}{piece.brackets[1]}"
    last = len(parts) - 1
    next_before = parts[last].before
    if last == 0 and parts[0].key and "\n" not in next_before:
        # Nothing tells what is between members, except what is behind the colon of the only one.
        next_before = parts[0].colon.partition(":")[2]
    written = [
        f"{parts[index].before if index <= last else next_before}{content}"
        f"{parts[index].behind if index < last else ''}"
        for index, content in enumerate(contents[:-1])
    ]
    index = len(contents) - 1
    before = parts[index].before if index <= last else next_before
    written.append(f"{before}{contents[-1]}{parts[last].behind}")
    return f"{piece.brackets[0]}{','.join(written)}{piece.brackets[1]}"
