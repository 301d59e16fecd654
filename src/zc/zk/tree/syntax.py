"""The grammar of tree text, for the parser and the renderer.

    /name                       a node
    /name : type                a node with the property `type`, all of the line after the colon
    name = literal              a property
    name -> path                a symbolic link, the property `name ->`
    name => path [property]     a property link, the property `name =>`
    = layout                    how the properties are laid out as JSON; see `zc.zk.tree.layout`
    = literal                   the node's data as a whole: a string, or None for null
    = base64 //79               the same, for bytes that are no UTF-8
    = acl entries               the ACL of the node and those below it; see `zc.zk.tree.acltext`
    = container, = ttl 90s,     the kind of the node, which is permanent without such a line; see
    = ephemeral                 `zc.zk.tree.marks`

A literal may be a block, of many lines; see `zc.zk.tree.blocks`.

A colon counts where a space is before or behind it, so that `/127.0.0.1:80` is a name.

A name, or the path of a symbolic link, that is not *plain* is written as a Python string literal:
`/'odd name'`, `'a = b' = 1`, `main -> '/odd name'`. Plain is what is printable, has no white space
in it and does not begin with a quote; plain names of nodes, moreover, do not end with a colon, and
plain names of properties do not begin with `/` or `#` and hold neither `=` nor `->`. The parser
also takes unquoted names with spaces in them. A quoted name of a property followed by `=` is the
whole key, so `'main ->' = 5` is how a link that leads nowhere is written.

The extension `zc.zk._speedups` reads and writes a part of this by itself (its `grammar.pxi`); a
change here is made there too, and `tests/pure/test_grammar.py` tells if not.

A line that begins with `=` is for data that properties alone would not bring back as they are. For
a JSON object that is laid out in another way than the library's it tells the layout. Otherwise, as
for null, white space, bytes that are no text, or JSON with numbers that are no literals, it gives
the data themselves, and stands alone: a node has this line, or properties, links, a type and a
layout.
"""

from __future__ import annotations

import re

from zc.zk.links import is_path
from zc.zk.patterns import pattern

# As `marks.WORDS` has them.
MARK = pattern(r"(acl|container|ttl|ephemeral)(?![\w'\"])(.*)", re.DOTALL)

OPERATOR = pattern(r"->|=>?")
TYPE_COLON = pattern(r"(?<=\s):|:(?=\s)")
QUOTES = ("'", '"')

# Exports of release 2.1 have the value of the property behind `=>`, as a literal.
OLD_LINK = pattern(r"=\s*[uU]?[rR]?['\"]")


def is_plain_word(text: str) -> bool:
    """Return whether a link's path can be written as it is."""
    return text.isprintable() and " " not in text and text != "" and text[0] not in QUOTES


def is_plain_node_name(name: str) -> bool:
    """Return whether a node's name can be written as it is."""
    return is_plain_word(name) and name[-1] != ":"


def is_plain_property_name(name: str) -> bool:
    """Return whether a property's name can be written as it is."""
    return is_plain_word(name) and name[0] not in "/#" and "=" not in name and "->" not in name


def is_plain_type(value: object) -> bool:
    """Return whether the property `type` can stand behind the node's name."""
    return isinstance(value, str) and value.isprintable() and value != "" and value == value.strip()


def is_plain_property_link(value: object) -> bool:
    """Return whether the value of a property link can be written as it is."""
    if not isinstance(value, str) or not value.isprintable():
        return False
    words = value.split(" ")
    return (
        len(words) in (1, 2) and all(words) and is_path(words[0]) and OLD_LINK.match(value) is None
    )


def is_node_name(name: str) -> bool:
    """Return whether any ZooKeeper server can have a node of this name."""
    return (
        name not in ("", ".", "..")
        and "/" not in name
        and "\0" not in name
        and (name.isascii() or not any("\ud800" <= character <= "\udfff" for character in name))
    )
