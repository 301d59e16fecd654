"""The text of data and names that the extension does not write by itself.

`zc.zk.tree.render` imports it when such a node comes.
"""

from __future__ import annotations

import json

from zc.zk import codec
from zc.zk.codec import Properties
from zc.zk.links import LINK, PROPERTY_LINK, is_path
from zc.zk.tree import binary
from zc.zk.tree.blocks import MIN_LINE_FEEDS, block_of
from zc.zk.tree.literals import write_literal
from zc.zk.tree.syntax import is_plain_property_link, is_plain_property_name, is_plain_word


def literal_of(text: str) -> str | None:
    """Return a JSON value's literal; None unless the library writes it so."""
    # Nested as deeply as allowed, it would be too deep inside the node's own object.
    if text.count("[") + text.count("{") >= codec.MAX_NESTING:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if codec.to_json(value) != text or codec.has_number_beyond_json(text):
        return None
    if isinstance(value, str) and value.count("\n") >= MIN_LINE_FEEDS:
        return None
    return write_literal(value)


def contents(data: str | None, lead: str) -> tuple[Properties, str | None]:
    """Return properties to write, sorted, and the text of a line about all data."""
    if data is None:
        return {}, write_literal(None)
    try:
        properties = codec.decode_strictly(data)
    except ValueError:
        properties = {codec.STRING_VALUE: data}
    is_whole = properties.get(codec.STRING_VALUE) == data
    if not codec.has_number_beyond_json(data):
        if codec.as_read(properties) == data and (not is_whole or binary.is_text(data)):
            return properties, None
        # Imported here: a tree that the library wrote has no layouts.
        from zc.zk.tree.layout import layout_of

        if layout := layout_of(data, properties):
            return {key: properties[key] for key in sorted(properties)}, str(layout)
    return {}, _value(data, lead) if binary.is_text(data) else binary.line_of(data, lead)


def _value(value: object, lead: str) -> str:
    """Return a value's literal, or its block, lines begun by `lead`."""
    if isinstance(value, str) and "\n" in value and (block := block_of(value, lead)):
        return block
    return write_literal(value)


def property_lines(properties: Properties, lead: str) -> list[str]:
    values: list[str] = []
    links: list[str] = []
    property_links: list[str] = []
    for key, value in properties.items():
        if key.isidentifier() and key.isascii():  # as nearly all are
            values.append(f"{key} = {_value(value, lead)}")
        elif key.endswith(LINK) and is_path(value):
            target = value if is_plain_word(value) else write_literal(value)
            links.append(f"{_name(key.removesuffix(LINK))} -> {target}")
        elif key.endswith(PROPERTY_LINK) and is_plain_property_link(value):
            property_links.append(f"{_name(key.removesuffix(PROPERTY_LINK))} => {value}")
        else:
            values.append(f"{_name(key)} = {_value(value, lead)}")
    return values + links + property_links


def _name(name: str) -> str:
    return name if is_plain_property_name(name) else write_literal(name)
