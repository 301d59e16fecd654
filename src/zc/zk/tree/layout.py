"""How JSON is laid out: in what order its keys are, and what is between them.

Data that other programs wrote are seldom laid out as the library does it. Their properties are
written as lines all the same, and a line beside them tells the layout:

    = order threads, database
    = spaced
    = unicode indent 2 order 'main ->', type
    = like '{ "threads":_,  "load" :1.10 }'
    = json

- `spaced`: a space behind each comma and colon, as `json.dumps` writes by default;
- `indent N`: a line for each value, indented by N spaces, as `json.dumps(..., indent=N)` does;
  `indent tab` has a tab for each level;
- `unicode`: characters beyond ASCII stand for themselves, as with `ensure_ascii=False`;
- `slashes`: a backslash before each slash, as by PHP;
- `newline`: a line feed at the end, as editors put there;
- `order`: the keys that come first, in this order, separated by commas. It comes last;
- `like`: a template, which comes last, in the place of `indent`, `newline` and `order`; see
  `zc.zk.tree.template`;
- `json`: none of these, for what the library would write as something else: no properties (`{}`),
  a lone `string_value`, or dictionaries within values whose keys are not sorted.

With such a line the data are a JSON object, whatever the properties become: keys that `order` does
not name come last, sorted, and those that are gone are no matter. Within values the order is that
of the text.
"""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from zc.zk import codec
from zc.zk.codec import Properties
from zc.zk.errors import excerpt
from zc.zk.patterns import pattern
from zc.zk.tree.literals import read_quoted, write_literal
from zc.zk.tree.syntax import QUOTES, is_plain_property_name
from zc.zk.tree.template import Style, read_template, template_of

# An indentation is on every line: data that begin with a million spaces are not written that way.
WIDEST_INDENT = 16

# A template that is longer, and nearly all of the data, says no more than the data do.
MAX_SHORT_TEMPLATE = 500
MAX_SHARE = 0.9

# A literal begins with a quote, a bracket, a number or one of these words.
_NO_LITERAL = pattern(r"(?!(?:None|True|False)\b)[^\W\d]\w*(?![\w'\"])")
_WORD = pattern(r"(\S+)\s*")
FIRST_WORD = pattern(r"[^\W\d]\w*(?!\S)")
_NUMBER = pattern(r"([0-9]{1,2}|tab)(?:\s+|$)")
_UP_TO_COMMA = pattern(r"[^,]*")
_BLANKS = pattern(r"\s*")
_SPACED = pattern(r'": [^ ]')
_BEGINNING_WITH_INDENT = pattern(r'\{\n(\t| *)"')


TAB = "\t"


_FIELDS = {
    "spaced": "is_spaced", "unicode": "is_unicode", "slashes": "is_slashed",
    "newline": "has_newline",
}  # fmt: skip
_EXCLUDED = (("spaced", "indent"), ("indent", "like"), ("newline", "like"))


class Layout(NamedTuple):
    """One way to write properties as a JSON object; `str()` is its tree text."""

    order: tuple[str, ...] = ()
    is_spaced: bool = False
    indent: int | str | None = None  # of spaces, or a tab
    is_unicode: bool = False
    is_slashed: bool = False
    has_newline: bool = False
    template: str = ""

    def encode(self, properties: Mapping[str, Any]) -> str:
        """Write `properties` as a JSON object.

        Raises ValueError as `codec.encode` does. Escapes all that is not ASCII, whatever the
        layout says, when there are lone surrogates, which UTF-8 cannot hold.
        """
        codec.require_names(properties)
        if self.template:
            return self._by_template(properties)
        first = {key: properties[key] for key in self.order if key in properties}
        rest = {key: properties[key] for key in sorted(properties.keys() - first.keys())}
        is_compact = not self.is_spaced and self.indent is None
        encoder = json.JSONEncoder(
            ensure_ascii=not self.is_unicode,
            indent=self.indent,
            separators=(",", ":") if is_compact else None,
        )
        text = codec.to_text(first | rest, encoder.encode)
        if self.is_unicode and not codec.is_storable(text):
            return self._replace(is_unicode=False).encode(properties)
        if self.is_slashed:
            text = text.replace("/", "\\/")
        return f"{text}\n" if self.has_newline else text

    def _by_template(self, properties: Mapping[str, Any]) -> str:
        given = {key: properties[key] for key in sorted(properties)}
        codec.to_json(given)  # raises what is wrong with a value
        template = read_template(self.template)
        text = template.filled(given, self.style)
        if codec.is_storable(text):
            return text
        return self._replace(template="", is_unicode=False).encode(properties)

    @property
    def style(self) -> Style:
        return Style(self.is_spaced, self.is_unicode, self.is_slashed)

    def __str__(self) -> str:
        words = []
        if self.is_spaced:
            words.append("spaced")
        if self.is_unicode:
            words.append("unicode")
        if self.is_slashed:
            words.append("slashes")
        if self.indent is not None:
            words.append(f"indent {'tab' if self.indent == TAB else self.indent}")
        if self.has_newline:
            words.append("newline")
        if self.order:
            words.append(f"order {', '.join(map(_spelled, self.order))}")
        if self.template:
            words.append(f"like {write_literal(self.template)}")
        return " ".join(words) or "json"


def layout_of(data: str, properties: Properties) -> Layout | None:
    """Find the layout in which `properties`, read from `data`, become `data`.

    None when there is none: the data are no JSON object, or were spelled in some other way.
    """
    if not codec.is_in_braces(data):
        return None
    try:
        layout = _apparent_layout(data, properties)
        if layout.encode(properties) == data:
            return layout
        layout = _with_template(layout, data, properties)
        return layout if layout.encode(properties) == data else None
    except ValueError:
        return None


def _with_template(layout: Layout, data: str, properties: Properties) -> Layout:
    """Return the layout by template of data that no words are about. Raises ValueError."""
    if codec.has_number_beyond_json(codec.to_json(properties)):
        raise ValueError("1e999 is infinity for Python")
    layout = layout._replace(
        is_spaced=_SPACED.search(data) is not None, order=(), indent=None, has_newline=False
    )
    template = str(template_of(data, properties, layout.style))
    if len(template) > max(MAX_SHORT_TEMPLATE, MAX_SHARE * len(data)):
        raise ValueError("the template is nearly all of it")
    return layout._replace(template=template)


def _apparent_layout(data: str, properties: Properties) -> Layout:
    """Return the only layout that `data` can have, judged by their beginning."""
    order = tuple(properties)
    # Python escapes DEL, which is ASCII, with all that is not.
    is_unicode = not data.isascii() or "\x7f" in data
    indented = _BEGINNING_WITH_INDENT.match(data)
    indent: int | str | None = None
    if indented is not None:
        indent = TAB if indented[1] == TAB else min(len(indented[1]), WIDEST_INDENT)
    return Layout(
        order=() if list(order) == sorted(order) else order,
        is_spaced=indented is None and _has_space_behind_colon(data, order, is_unicode),
        indent=indent,
        is_unicode=is_unicode,
        is_slashed="\\/" in data,
        has_newline=data.endswith("}\n"),
    )


def _has_space_behind_colon(data: str, keys: tuple[str, ...], is_unicode: bool) -> bool:
    if not keys:
        return False
    first_key = json.dumps(keys[0], ensure_ascii=not is_unicode)
    return data.startswith(": ", 1 + len(first_key))


def is_layout(text: str) -> bool:
    """Return whether the text behind `=` is a layout, and so no literal."""
    return _NO_LITERAL.match(text) is not None


def read_layout(text: str) -> Layout:
    """Parse a layout. Raise ValueError with the reason."""
    fields: dict[str, Any] = {}
    words: set[str] = set()
    position = 0
    while match := _WORD.match(text, position):
        word, position = match[1], match.end()
        if word in words:
            raise ValueError(f"bad layout: {word!r} twice")
        words.add(word)
        if word == "order":
            fields["order"] = _read_order(text[position:])
            break
        if word == "like":
            fields["template"] = _read_template(text[position:])
            break
        if word == "indent":
            number = _NUMBER.match(text, position)
            if number is None or (number[1] != "tab" and int(number[1]) > WIDEST_INDENT):
                raise ValueError(f"bad layout: 'indent' needs a number from 0 to {WIDEST_INDENT}")
            fields["indent"] = TAB if number[1] == "tab" else int(number[1])
            position = number.end()
        elif word in _FIELDS:
            fields[_FIELDS[word]] = True
        elif word != "json":
            raise ValueError(f"bad layout: unknown word {excerpt(word)}")
    for one, other in _EXCLUDED if len(words) > 1 else ():
        if one in words and other in words:
            raise ValueError(f"bad layout: {one!r} and {other!r} exclude each other")
    return Layout(**fields)


def _read_template(text: str) -> str:
    try:
        template, end = read_quoted(text)
        if text[end:].strip():
            raise ValueError(f"text behind the template: {excerpt(text[end:])}")
        read_template(template)
    except ValueError as fault:
        raise ValueError(f"bad layout: no template: {fault}") from None
    return template


def _read_order(text: str) -> tuple[str, ...]:
    keys: dict[str, None] = {}
    position = -1
    while position < len(text):
        position = _past_blanks(text, position + 1)
        if text.startswith(QUOTES, position):
            try:
                key, position = read_quoted(text, position)
            except ValueError as fault:
                raise ValueError(f"bad layout: {fault}") from None
        else:
            match = _UP_TO_COMMA.match(text, position)
            assert match is not None
            key, position = match.group().rstrip(), match.end()
            if not key:
                raise ValueError("bad layout: a key is missing")
        if key in keys:
            raise ValueError(f"bad layout: duplicate key {excerpt(key)}")
        keys[key] = None
        position = _past_blanks(text, position)
        if position < len(text) and text[position] != ",":
            raise ValueError(f"bad layout: a comma is missing before {excerpt(text[position:])}")
    return tuple(keys)


def _past_blanks(text: str, position: int) -> int:
    match = _BLANKS.match(text, position)
    assert match is not None
    return match.end()


def _spelled(key: str) -> str:
    return key if is_plain_property_name(key) and "," not in key else write_literal(key)
